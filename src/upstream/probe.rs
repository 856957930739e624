//! What `GET accounts/self` proves. It mails nobody.
//!
//! Asks the same question as a PATCH: was it fax.plus that answered? Reading the account needs a scope of its
//! own, so a refusal proves that fax.plus is there, and nothing about the PATCH.

use std::time::{Duration, SystemTime};

use super::{
    outage::Outage,
    verdict::{Answerer, Stranger, is_short_of_origin},
};
use crate::outbound::{Answer, Content, Failure, retry_after};

/// What `GET accounts/self` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probe {
    /// fax.plus knows the token and shows its account.
    Alive,
    /// fax.plus is there and refuses to show the account; the PATCH may be allowed all the same.
    Refused,
    /// No useful answer: what was seen, and the wait that was asked for.
    Failing(Outage, Option<Duration>),
}

impl Probe {
    /// What an exchange proves.
    pub fn of(exchange: &Result<Answer, Failure>) -> Self {
        match exchange {
            Ok(answer) => Self::of_answer(answer, SystemTime::now()),
            Err(failure) => Self::Failing(Outage::of_failure(failure.kind), None),
        }
    }

    /// Whether this request was refused, which needs other rights, and perhaps another way, than the PATCH: a
    /// proxy may let nothing but that one through. Then it proves nothing, and a lone PATCH has to decide.
    pub fn is_refused(self) -> bool {
        match self {
            Self::Refused => true,
            Self::Failing(Outage::Elsewhere(stranger), None) => (300..=499).contains(&stranger.status()),
            Self::Alive | Self::Failing(..) => false,
        }
    }

    fn of_answer(answer: &Answer, now: SystemTime) -> Self {
        let failing = |seen| Self::Failing(seen, retry_after(&answer.headers, now));
        match answer.status.as_u16() {
            401 => Self::Refused,
            408 | 429 | 503 => failing(Outage::Unavailable),
            500..=599 if is_short_of_origin(answer) => {
                failing(Outage::OriginUnreachable(Stranger::of(answer, now)))
            }
            500..=599 => failing(Outage::Errors),
            200..=206 | 300..=499 => match Answerer::of(answer, now) {
                Answerer::Accepting => Self::Alive,
                Answerer::Refusing(_) => Self::Refused,
                Answerer::Other(stranger) => failing(elsewhere(&answer.content, stranger)),
            },
            // A stray 1xx, or a 2xx that is not documented.
            _ => failing(Outage::Unreadable),
        }
    }
}

/// What a body that is not the word of fax.plus looks like: one that broke off may have been.
fn elsewhere(content: &Content, stranger: Stranger) -> Outage {
    match content {
        Content::Whole(_) | Content::TooLong => Outage::Elsewhere(stranger),
        Content::TimedOut => Outage::Silent,
        Content::Broken => Outage::Lost,
    }
}

#[cfg(test)]
mod tests {
    use awc::http::{
        StatusCode,
        header::{HeaderMap, HeaderName, HeaderValue},
    };
    use bytes::Bytes;

    use super::*;
    use crate::outbound::FailureKind;

    const REFUSAL: &str = r#"{"error":"forbidden","description":"You are not allowed"}"#;

    fn answered(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Probe {
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect::<HeaderMap>();
        let status = StatusCode::from_u16(status).unwrap();
        Probe::of(&Ok(Answer {
            status,
            headers,
            content: Content::Whole(Bytes::copy_from_slice(body.as_bytes())),
        }))
    }

    #[test]
    fn only_the_account_itself_is_a_sign_of_life_with_the_token() {
        assert_eq!(answered(200, &[], r#"{"uid":"self","email":"a@example.com"}"#), Probe::Alive);
        for body in ["", "<html>", "[]", r#"{"error":"forbidden"}"#] {
            assert!(matches!(answered(200, &[], body), Probe::Failing(Outage::Elsewhere(_), None)), "{body}");
        }
    }

    #[test]
    fn a_refusal_by_fax_plus_shows_that_it_is_there() {
        for status in [400, 403, 404, 405, 422] {
            assert_eq!(answered(status, &[], REFUSAL), Probe::Refused, "{status}");
        }
        for body in ["", "<html>", REFUSAL] {
            assert_eq!(answered(401, &[], body), Probe::Refused, "{body}");
        }
    }

    #[test]
    fn what_is_not_fax_plus_is_told_as_what_it_is() {
        for (status, headers, body, words) in [
            (404, &[("server", "nginx")][..], "<html>", "status 404 with an HTML page, by nginx"),
            (
                403,
                &[("cf-mitigated", "challenge"), ("cf-ray", "8")],
                "<html>",
                "status 403 with a challenge page of Cloudflare",
            ),
            (302, &[("location", "/login")], "", "status 302 without a body"),
            (200, &[], "Welcome", "status 200 with plain text"),
        ] {
            let Probe::Failing(Outage::Elsewhere(stranger), _) = answered(status, headers, body) else {
                panic!("{status} {body}");
            };
            assert_eq!(stranger.to_string(), words);
        }
    }

    #[test]
    fn a_refused_probe_proves_nothing_whoever_refused_it() {
        for (status, body) in [(401, "<html>"), (403, REFUSAL), (403, "<html>"), (404, ""), (302, "")] {
            assert!(answered(status, &[], body).is_refused(), "{status} {body}");
        }
        for (status, body) in [(200, "<html>"), (429, REFUSAL), (500, "<html>"), (503, "")] {
            assert!(!answered(status, &[], body).is_refused(), "{status} {body}");
        }
        assert!(!answered(403, &[("retry-after", "5")], "<html>").is_refused(), "it is to be asked again");
    }

    #[test]
    fn trouble_is_told_with_the_wait_that_is_asked_for() {
        let wait = Some(Duration::from_secs(20));
        for (status, seen) in [(429, Outage::Unavailable), (408, Outage::Unavailable), (500, Outage::Errors)]
        {
            assert_eq!(answered(status, &[("retry-after", "20.0")], "<html>"), Probe::Failing(seen, wait));
        }
        assert!(matches!(
            answered(523, &[("cf-ray", "8"), ("retry-after", "20s")], ""),
            Probe::Failing(Outage::OriginUnreachable(_), told) if told == wait
        ));
        assert_eq!(answered(523, &[], ""), Probe::Failing(Outage::Errors, None));
        assert_eq!(answered(103, &[], ""), Probe::Failing(Outage::Unreadable, None));
    }

    #[test]
    fn an_account_that_broke_off_proves_nothing() {
        for (content, seen) in [(Content::Broken, Outage::Lost), (Content::TimedOut, Outage::Silent)] {
            let answer = Answer { status: StatusCode::OK, headers: HeaderMap::new(), content };
            assert_eq!(Probe::of(&Ok(answer)), Probe::Failing(seen, None));
        }
        let failure = Failure { written: false, kind: FailureKind::Dns };
        assert_eq!(Probe::of(&Err(failure)), Probe::Failing(Outage::NoName, None));
    }
}
