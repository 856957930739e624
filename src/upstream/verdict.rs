//! What upstream's answer means, decided in one place by two questions: can fax.plus have acted, and was it
//! fax.plus that answered?
//!
//! The table is that of the README ("What an answer means"); its sources are the documented answers of
//! fax.plus and, for what is undocumented, what edge proxies are known to send. No refusal is believed before
//! the second question is answered: a proxy, a login page or a wrong base URL rejects no address.

mod answerer;
mod edge;
mod stranger;

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use awc::http::header;

pub(super) use self::answerer::{Answerer, json_object};
pub use self::stranger::Stranger;
use crate::{
    domain::{CallResult, Refusal, UnknownReason},
    outbound::{Answer, Content, Failure, FailureKind, retry_after},
};

/// What one PATCH did to all of its addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Accepted.
    Sent,
    /// Certainly not sent, for a reason that passes.
    NotSent(Unsent),
    /// Certainly not sent: the credential was refused, by fax.plus or by what answered in its place.
    Unauthorized(Option<Stranger>),
    /// Certainly not sent: fax.plus says that the credential, or one of the addresses, may not do this.
    Forbidden(Arc<Refusal>),
    /// Certainly not sent: fax.plus says that it does not know the endpoint, or one of the addresses.
    NotFound(Arc<Refusal>),
    /// None of them sent: fax.plus refuses at least one.
    Refused(Arc<Refusal>),
    /// Certainly not sent: what answered is not the endpoint we know.
    Misconfigured(Stranger),
    /// It may have acted.
    Unknown(UnknownReason),
}

/// Why a call was certainly not sent, and will be tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsent {
    /// Not a byte was written.
    Unreachable(FailureKind),
    /// The edge in front says that it did not reach fax.plus.
    OriginUnreachable(Stranger),
    /// 429, with the wait that upstream asks for.
    Throttled(Option<Duration>),
    /// 408, or a 503 that says so, with the wait that upstream asks for.
    Unavailable(Option<Duration>),
}

impl Verdict {
    /// The verdict as one word.
    pub fn result(&self) -> CallResult {
        match self {
            Self::Sent => CallResult::Ok,
            Self::NotSent(Unsent::Unreachable(_)) => CallResult::ConnectFailed,
            Self::NotSent(Unsent::Throttled(_)) => CallResult::Throttled,
            Self::NotSent(Unsent::Unavailable(_) | Unsent::OriginUnreachable(_)) => CallResult::Unavailable,
            Self::Unauthorized(_) => CallResult::Unauthorized,
            Self::Forbidden(_) => CallResult::Forbidden,
            Self::Refused(_) | Self::NotFound(_) => CallResult::Rejected,
            Self::Misconfigured(_) => CallResult::Misconfigured,
            Self::Unknown(UnknownReason::Timeout) => CallResult::Timeout,
            Self::Unknown(UnknownReason::ConnectionLost) => CallResult::ConnectionLost,
            Self::Unknown(UnknownReason::ServerError) => CallResult::ServerError,
            Self::Unknown(
                UnknownReason::UnreadableAnswer
                | UnknownReason::RefusedBatch
                | UnknownReason::Interrupted
                | UnknownReason::EarlierDoubt,
            ) => CallResult::UnreadableAnswer,
        }
    }
}

/// Judges how an exchange ended. `now` is for `Retry-After` dates.
pub(super) fn judge(exchange: &Result<Answer, Failure>, now: SystemTime) -> Verdict {
    match exchange {
        Ok(answer) => judge_answer(answer, now),
        Err(Failure { written: false, kind }) => Verdict::NotSent(Unsent::Unreachable(*kind)),
        Err(Failure { written: true, kind }) => Verdict::Unknown(match kind {
            FailureKind::TimedOut => UnknownReason::Timeout,
            FailureKind::NotHttp => UnknownReason::UnreadableAnswer,
            FailureKind::Dns
            | FailureKind::Refused
            | FailureKind::Connect
            | FailureKind::Disconnected
            | FailureKind::Unsendable => UnknownReason::ConnectionLost,
        }),
    }
}

fn judge_answer(answer: &Answer, now: SystemTime) -> Verdict {
    let wait = || retry_after(&answer.headers, now);
    match answer.status.as_u16() {
        200..=206 => match Answerer::of(answer, now) {
            Answerer::Accepting => Verdict::Sent,
            Answerer::Refusing(_) | Answerer::Other(_) => Verdict::Unknown(no_success(&answer.content)),
        },
        // These four mean the same whoever wrote them: fax.plus has not acted.
        401 => Verdict::Unauthorized(match Answerer::of(answer, now) {
            Answerer::Other(stranger) => Some(stranger),
            Answerer::Refusing(_) | Answerer::Accepting => None,
        }),
        408 => Verdict::NotSent(Unsent::Unavailable(wait())),
        429 => Verdict::NotSent(Unsent::Throttled(wait())),
        503 if says_it_did_nothing(answer) => Verdict::NotSent(Unsent::Unavailable(wait())),
        300..=499 => judge_refusal(answer, now),
        500..=599 if is_short_of_origin(answer) => {
            Verdict::NotSent(Unsent::OriginUnreachable(Stranger::of(answer, now)))
        }
        500..=599 => Verdict::Unknown(UnknownReason::ServerError),
        // A stray 1xx, a 2xx that is not documented, or no status at all.
        _ => Verdict::Unknown(UnknownReason::UnreadableAnswer),
    }
}

/// A refusal counts when fax.plus wrote it, and its status is one that speaks of the call.
fn judge_refusal(answer: &Answer, now: SystemTime) -> Verdict {
    match (answer.status.as_u16(), Answerer::of(answer, now)) {
        (400 | 409 | 410 | 413 | 422, Answerer::Refusing(refusal)) => Verdict::Refused(Arc::new(refusal)),
        (403, Answerer::Refusing(refusal)) => Verdict::Forbidden(Arc::new(refusal)),
        (404, Answerer::Refusing(refusal)) => Verdict::NotFound(Arc::new(refusal)),
        (_, Answerer::Other(stranger)) => Verdict::Misconfigured(stranger),
        (_, Answerer::Refusing(_) | Answerer::Accepting) => Verdict::Misconfigured(Stranger::of(answer, now)),
    }
}

/// Why a 2xx without the word of fax.plus is a doubt.
fn no_success(content: &Content) -> UnknownReason {
    match content {
        Content::Whole(_) | Content::TooLong => UnknownReason::UnreadableAnswer,
        Content::TimedOut => UnknownReason::Timeout,
        Content::Broken => UnknownReason::ConnectionLost,
    }
}

/// A 503 of the application itself: edge proxies send theirs bare, after the request may have got through.
fn says_it_did_nothing(answer: &Answer) -> bool {
    answer.headers.contains_key(header::RETRY_AFTER) || answerer::names_an_error(&answer.content)
}

/// What Cloudflare answers when it got no connection, route, TLS or name of the origin. Its other statuses of
/// this kind (520, 522, 524) follow a request that may have been delivered.
pub(super) fn is_short_of_origin(answer: &Answer) -> bool {
    matches!(answer.status.as_u16(), 521 | 523 | 525 | 526 | 530) && edge::passed_cloudflare(answer)
}

#[cfg(test)]
mod tests;
