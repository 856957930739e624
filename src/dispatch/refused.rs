//! Why the queue takes no more, in numbers that the caller can compare.

use std::time::Duration;

use thiserror::Error;

/// Why a resend was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refused {
    /// Too many addresses wait.
    #[error("the queue is full: {queued} addresses wait, this list would add {more}, and {max} may")]
    QueueFull {
        /// Addresses of the list that would wait.
        more: u32,
        /// Addresses that wait.
        queued: u64,
        /// Most that may.
        max: u64,
    },
    /// Too many addresses of this client wait.
    #[error("{queued} addresses of this client wait, this list would add {more}, and {max} may")]
    OwnQueueFull {
        /// Addresses of the list that would wait.
        more: u32,
        /// Its addresses that wait.
        queued: u64,
        /// Most that may.
        max: u64,
        /// How long until there is room for this list.
        retry_after: Duration,
    },
    /// It is longer than all that may wait of its client.
    #[error("the list is longer than the {limit} addresses of this client that may wait")]
    LongerThanOwnQueue {
        /// Most that may wait.
        limit: u64,
    },
    /// The gateway is stopping.
    #[error("the gateway is shutting down")]
    ShuttingDown,
}
