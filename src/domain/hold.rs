//! What keeps certainly-unsent work waiting, as callers and operators are told it.

use super::{NotSentReason, Timestamp};

/// One reason that holds the work, in words. Nothing held is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The closed word.
    pub reason: NotSentReason,
    /// Since when.
    pub since: Timestamp,
    /// When the gateway tries again by itself; `None` when it waits for a person.
    pub next_attempt_at: Option<Timestamp>,
    /// What is wrong and what will end it.
    pub detail: String,
}
