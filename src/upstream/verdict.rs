//! What upstream's answer means, decided in one place by one question: can it have acted?
//!
//! The table is that of the README ("What an answer means"); its sources are the documented answers of
//! fax.plus and, for what is undocumented, what edge proxies are known to send.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use awc::http::{StatusCode, header};
use serde_json::{Map, Value};

use super::retry_after;
use crate::{
    domain::{CallResult, Refusal, UnknownReason},
    outbound::{Answer, Content, Failure, FailureKind},
};

/// Longest `error` code and `description` that are kept, in characters.
const MAX_CODE: usize = 64;
const MAX_DETAIL: usize = 256;

/// What one PATCH did to all of its addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Accepted.
    Sent,
    /// Certainly not sent, for a reason that passes.
    NotSent(Unsent),
    /// Certainly not sent: the credential was refused.
    Unauthorized,
    /// Certainly not sent: the credential, or one of the addresses, may not do this.
    Forbidden(Arc<Refusal>),
    /// Certainly not sent: fax.plus does not find what was called, or one of the addresses.
    NotFound(Arc<Refusal>),
    /// None of them sent: at least one is refused.
    Refused(Arc<Refusal>),
    /// Certainly not sent: whoever answered is not the endpoint we know. The status tells.
    Misconfigured(Stranger),
    /// It may have acted.
    Unknown(UnknownReason),
}

/// What answered in the place of fax.plus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stranger {
    status: u16,
}

impl std::fmt::Display for Stranger {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "status {}", self.status)
    }
}

/// Why a call was certainly not sent, and will be tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsent {
    /// Not a byte was written.
    Unreachable(FailureKind),
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
            Self::NotSent(Unsent::Unavailable(_)) => CallResult::Unavailable,
            Self::Unauthorized => CallResult::Unauthorized,
            Self::Forbidden(_) => CallResult::Forbidden,
            Self::NotFound(_) => CallResult::Rejected,
            Self::Refused(_) => CallResult::Rejected,
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
    let status = answer.status.as_u16();
    match status {
        200..=206 => match judge_success(&answer.content) {
            Ok(()) => Verdict::Sent,
            Err(reason) => Verdict::Unknown(reason),
        },
        401 => Verdict::Unauthorized,
        403 => Verdict::Forbidden(Arc::new(refusal(answer))),
        404 => Verdict::NotFound(Arc::new(refusal(answer))),
        400 | 409 | 410 | 413 | 422 => Verdict::Refused(Arc::new(refusal(answer))),
        408 => Verdict::NotSent(Unsent::Unavailable(retry_after::of(answer, now))),
        429 => Verdict::NotSent(Unsent::Throttled(retry_after::of(answer, now))),
        503 if says_it_did_nothing(answer) => {
            Verdict::NotSent(Unsent::Unavailable(retry_after::of(answer, now)))
        }
        300..=499 => Verdict::Misconfigured(Stranger { status }),
        500..=599 => Verdict::Unknown(UnknownReason::ServerError),
        // A stray 1xx, a 2xx that is not documented, or no status at all.
        _ => Verdict::Unknown(UnknownReason::UnreadableAnswer),
    }
}

fn judge_success(content: &Content) -> Result<(), UnknownReason> {
    match content {
        Content::Whole(body) => match serde_json::from_slice::<Map<String, Value>>(body) {
            Ok(_) => Ok(()),
            Err(_) => Err(UnknownReason::UnreadableAnswer),
        },
        Content::TooLong => Err(UnknownReason::UnreadableAnswer),
        Content::TimedOut => Err(UnknownReason::Timeout),
        Content::Broken => Err(UnknownReason::ConnectionLost),
    }
}

/// A 503 of the application itself: edge proxies send theirs bare, after the request may have got through.
fn says_it_did_nothing(answer: &Answer) -> bool {
    answer.headers.contains_key(header::RETRY_AFTER)
        || json_object(answer).is_some_and(|body| body.contains_key("error"))
}

fn json_object(answer: &Answer) -> Option<Map<String, Value>> {
    match &answer.content {
        Content::Whole(body) => serde_json::from_slice(body).ok(),
        Content::TooLong | Content::TimedOut | Content::Broken => None,
    }
}

fn refusal(answer: &Answer) -> Refusal {
    let body = json_object(answer).unwrap_or_default();
    let word = |name: &str, limit: usize| {
        let text = body.get(name)?.as_str()?;
        let text: String = text.chars().filter(|letter| !letter.is_control()).take(limit).collect();
        (!text.trim().is_empty()).then_some(text)
    };
    Refusal {
        code: word("error", MAX_CODE).unwrap_or_else(|| status_code(answer.status)),
        detail: word("description", MAX_DETAIL),
    }
}

fn status_code(status: StatusCode) -> String {
    format!("http_{}", status.as_u16())
}

#[cfg(test)]
mod tests {
    use awc::http::header::{HeaderMap, HeaderValue};
    use bytes::Bytes;

    use super::*;

    fn answered(status: u16, body: &str) -> Result<Answer, Failure> {
        Ok(Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            content: Content::Whole(Bytes::copy_from_slice(body.as_bytes())),
        })
    }

    fn word(exchange: &Result<Answer, Failure>) -> CallResult {
        judge(exchange, SystemTime::UNIX_EPOCH).result()
    }

    #[test]
    fn each_status_has_one_verdict() {
        let refused = [400, 404, 409, 410, 413, 422];
        for status in 100..600 {
            let expected = match status {
                200..=206 => CallResult::Ok,
                401 => CallResult::Unauthorized,
                403 => CallResult::Forbidden,
                408 => CallResult::Unavailable,
                429 => CallResult::Throttled,
                503 => CallResult::Unavailable,
                _ if refused.contains(&status) => CallResult::Rejected,
                300..=499 => CallResult::Misconfigured,
                500..=599 => CallResult::ServerError,
                _ => CallResult::UnreadableAnswer,
            };
            assert_eq!(word(&answered(status, r#"{"error":"e"}"#)), expected, "{status}");
        }
    }

    #[test]
    fn only_a_json_object_is_a_success() {
        for body in ["", "null", "[]", "<html>", r#"{"message":"#, "\"ok\"", "{} {}"] {
            assert_eq!(word(&answered(200, body)), CallResult::UnreadableAnswer, "{body}");
        }
        assert_eq!(word(&answered(200, "{}")), CallResult::Ok);
    }

    #[test]
    fn a_success_that_is_cut_off_is_a_doubt() {
        for (content, expected) in [
            (Content::Broken, CallResult::ConnectionLost),
            (Content::TimedOut, CallResult::Timeout),
            (Content::TooLong, CallResult::UnreadableAnswer),
        ] {
            let answer = Answer { status: StatusCode::OK, headers: HeaderMap::new(), content };
            assert_eq!(word(&Ok(answer)), expected);
        }
    }

    #[test]
    fn a_bare_503_is_a_doubt() {
        assert_eq!(word(&answered(503, "<html>")), CallResult::ServerError);

        let mut told = answered(503, "").unwrap();
        told.headers.insert(header::RETRY_AFTER, HeaderValue::from_static("3"));
        let verdict = judge(&Ok(told), SystemTime::UNIX_EPOCH);
        assert_eq!(verdict, Verdict::NotSent(Unsent::Unavailable(Some(Duration::from_secs(3)))));
    }

    #[test]
    fn nothing_written_is_not_sent_whatever_the_error_says() {
        for kind in
            [FailureKind::TimedOut, FailureKind::Disconnected, FailureKind::Connect, FailureKind::Refused]
        {
            assert_eq!(word(&Err(Failure { written: false, kind })), CallResult::ConnectFailed);
        }
    }

    #[test]
    fn written_without_an_answer_is_a_doubt() {
        for (kind, expected) in [
            (FailureKind::TimedOut, CallResult::Timeout),
            (FailureKind::Disconnected, CallResult::ConnectionLost),
            (FailureKind::Connect, CallResult::ConnectionLost),
            (FailureKind::NotHttp, CallResult::UnreadableAnswer),
        ] {
            assert_eq!(word(&Err(Failure { written: true, kind })), expected);
        }
    }

    #[test]
    fn a_refusal_is_bounded_and_cleaned() {
        let body = serde_json::json!({"error": "e".repeat(500), "description": "a\u{7}b\r\n".repeat(500)});

        let Verdict::Refused(refusal) = judge(&answered(400, &body.to_string()), SystemTime::UNIX_EPOCH)
        else {
            panic!("not refused");
        };

        assert_eq!(refusal.code.len(), MAX_CODE);
        let detail = refusal.detail.as_deref().unwrap();
        assert_eq!(detail.len(), MAX_DETAIL);
        assert!(detail.chars().all(|letter| !letter.is_control()));
    }

    #[test]
    fn a_refusal_without_words_is_named_by_its_status() {
        for body in ["", "<html>", "{}", r#"{"error":{"code":1}}"#, r#"{"error":" "}"#] {
            let Verdict::Refused(refusal) = judge(&answered(422, body), SystemTime::UNIX_EPOCH) else {
                panic!("not refused");
            };
            assert_eq!(*refusal, Refusal { code: "http_422".to_owned(), detail: None }, "{body}");
        }
    }
}
