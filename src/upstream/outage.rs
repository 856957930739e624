//! What an outage looks like from here, in a closed set of words.

use super::verdict::Stranger;
use crate::{domain::UnknownReason, outbound::FailureKind};

/// What was seen when a call or a probe failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outage {
    /// Nobody listens there.
    Refused,
    /// The name does not resolve.
    NoName,
    /// No connection, or no TLS on it.
    NoConnection,
    /// No answer in time.
    Silent,
    /// The connection ended before the answer did.
    Lost,
    /// What came is no answer of fax.plus.
    Unreadable,
    /// An error of its own.
    Errors,
    /// It says that it can't take calls now.
    Unavailable,
    /// The edge in front says that it did not reach fax.plus.
    OriginUnreachable(Stranger),
    /// Something else answers in its place.
    Elsewhere(Stranger),
}

impl Outage {
    /// Of a call without an answer.
    pub fn of_failure(kind: FailureKind) -> Self {
        match kind {
            FailureKind::TimedOut => Self::Silent,
            FailureKind::Dns => Self::NoName,
            FailureKind::Refused => Self::Refused,
            FailureKind::Connect | FailureKind::Unsendable => Self::NoConnection,
            FailureKind::Disconnected => Self::Lost,
            FailureKind::NotHttp => Self::Unreadable,
        }
    }

    /// Of a call that may have been acted upon.
    pub fn of_doubt(reason: UnknownReason) -> Self {
        match reason {
            UnknownReason::Timeout => Self::Silent,
            UnknownReason::ConnectionLost => Self::Lost,
            UnknownReason::ServerError => Self::Errors,
            UnknownReason::UnreadableAnswer
            | UnknownReason::RefusedBatch
            | UnknownReason::Interrupted
            | UnknownReason::EarlierDoubt => Self::Unreadable,
        }
    }
}
