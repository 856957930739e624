//! What an answer of the token endpoint means.
//!
//! RFC 6749, sections 5.1 and 5.2. Refuses an answer that holds no token; tells apart what a person must
//! mend, and where, from what passes by itself. An answer that is neither a token nor an error in the form
//! of OAuth2 is somebody else's.

use std::time::{Duration, SystemTime};

use awc::http::StatusCode;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use thiserror::Error;

use super::{CredentialError, Granted};
use crate::{
    outbound::{Answer, Content, Failure, retry_after},
    upstream::verdict::{Stranger, json_object},
};

/// What a lifetime is taken for that is not told.
const UNTOLD_LIFETIME: Duration = Duration::from_secs(3600);
/// A longer one is cut: the sum of moment and lifetime must stay a moment.
const MAX_LIFETIME: Duration = Duration::from_secs(10 * 365 * 86_400);

/// Why there is no new access token.
#[derive(Debug, Error)]
pub enum RenewalError {
    /// The client's id or secret is refused.
    #[error("the token endpoint refuses the client's id or secret")]
    ClientRefused,
    /// The refresh token is refused.
    #[error("the token endpoint refuses the refresh token")]
    GrantRefused,
    /// No answer, or none in time.
    #[error("the token endpoint can't be reached or does not answer")]
    NoAnswer,
    /// It says that it can't answer now, and perhaps how long.
    #[error("the token endpoint answers with status {status}")]
    Failing {
        /// The status.
        status: u16,
        /// The wait it asks for.
        told: Option<Duration>,
    },
    /// It does not understand the request.
    #[error("the token endpoint does not understand the request")]
    RequestRefused,
    /// It refuses, and names neither the client, nor the refresh token, nor the request.
    #[error("the token endpoint refuses to give an access token")]
    Denied,
    /// What answers is no token endpoint.
    #[error("what answers at the token endpoint gives no access token: {0}")]
    Elsewhere(Stranger),
    /// What it gave can't be used.
    #[error(transparent)]
    Unusable(#[from] CredentialError),
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: SecretString,
    refresh_token: Option<SecretString>,
    expires_in: Option<Lifetime>,
}

/// A number, or (as some servers have it) a number in quotes.
#[derive(Deserialize)]
#[serde(untagged)]
enum Lifetime {
    Seconds(f64),
    Text(String),
}

#[derive(Deserialize)]
struct Denial {
    error: String,
}

/// What came of a [`super::TokenRequest`].
pub(in crate::upstream) fn judge(exchange: Result<Answer, Failure>) -> Result<Granted, RenewalError> {
    let Ok(answer) = exchange else { return Err(RenewalError::NoAnswer) };
    let status = answer.status;
    let body = match &answer.content {
        Content::Whole(body) => &body[..],
        Content::TimedOut | Content::Broken => return Err(RenewalError::NoAnswer),
        Content::TooLong => b"",
    };
    if status.is_success()
        && let Some(granted) = token(body)
    {
        return Ok(granted);
    }
    let passes = [StatusCode::TOO_MANY_REQUESTS, StatusCode::REQUEST_TIMEOUT].contains(&status);
    if passes || status.is_server_error() {
        return Err(failing(&answer));
    }
    Err(denial(body)
        .and_then(|error| of_denial(&answer, &error))
        .unwrap_or_else(|| RenewalError::Elsewhere(Stranger::of(&answer, SystemTime::now()))))
}

/// What an error of OAuth2 (RFC 6749, 5.2) means, whatever status it came with; `None` for one that OAuth2
/// does not know and a status that it does not use.
fn of_denial(answer: &Answer, error: &str) -> Option<RenewalError> {
    Some(match (error, answer.status) {
        ("invalid_grant", _) => RenewalError::GrantRefused,
        ("invalid_client" | "unauthorized_client", _) => RenewalError::ClientRefused,
        ("invalid_request" | "unsupported_grant_type", _) => RenewalError::RequestRefused,
        ("temporarily_unavailable" | "slow_down" | "server_error", _) => failing(answer),
        ("access_denied" | "invalid_scope", _) => RenewalError::Denied,
        (_, StatusCode::UNAUTHORIZED) => RenewalError::ClientRefused,
        (_, StatusCode::OK | StatusCode::BAD_REQUEST | StatusCode::FORBIDDEN) => RenewalError::Denied,
        (_, _) => return None,
    })
}

/// The error that a body names in the form of OAuth2: a JSON object whose `error` is a word.
fn denial(body: &[u8]) -> Option<String> {
    let Denial { error } = json_object(body)?;
    let is_in_a_word = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    ((1..=64).contains(&error.len()) && error.bytes().all(is_in_a_word)).then_some(error)
}

fn token(body: &[u8]) -> Option<Granted> {
    let answer: TokenAnswer = json_object(body)?;
    let filled = |secret: &SecretString| !secret.expose_secret().trim().is_empty();
    if !filled(&answer.access_token) {
        return None;
    }
    let seconds = match answer.expires_in {
        Some(Lifetime::Seconds(seconds)) => Some(seconds),
        Some(Lifetime::Text(text)) => text.trim().parse().ok(),
        None => None,
    };
    let lifetime = seconds.filter(|seconds| *seconds >= 0.0).map_or(UNTOLD_LIFETIME, |seconds| {
        Duration::try_from_secs_f64(seconds).unwrap_or(MAX_LIFETIME).min(MAX_LIFETIME)
    });
    Some(Granted {
        access_token: answer.access_token,
        refresh_token: answer.refresh_token.filter(filled),
        lifetime,
    })
}

fn failing(answer: &Answer) -> RenewalError {
    let told = retry_after(&answer.headers, SystemTime::now());
    RenewalError::Failing { status: answer.status.as_u16(), told }
}

#[cfg(test)]
mod tests {
    use awc::http::header::HeaderMap;
    use bytes::Bytes;

    use super::*;

    fn answered(status: u16, body: &str) -> Result<Granted, RenewalError> {
        judge(Ok(Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            content: Content::Whole(Bytes::copy_from_slice(body.as_bytes())),
        }))
    }

    #[test]
    fn a_token_is_taken_with_its_lifetime() {
        for (lifetime, seconds) in [
            ("", 3600),
            (r#","expires_in":7200"#, 7200),
            (r#","expires_in":"60""#, 60),
            (r#","expires_in":null"#, 3600),
            (r#","expires_in":-5"#, 3600),
            (r#","expires_in":"soon""#, 3600),
            (r#","expires_in":1e300"#, MAX_LIFETIME.as_secs()),
        ] {
            let granted = answered(200, &format!(r#"{{"access_token":"a"{lifetime}}}"#)).unwrap();
            assert_eq!(granted.lifetime.as_secs(), seconds, "{lifetime}");
            assert!(granted.refresh_token.is_none());
        }
    }

    fn meaning(status: u16, body: &str) -> &'static str {
        match answered(status, body) {
            Ok(_) => "a token",
            Err(RenewalError::ClientRefused) => "client",
            Err(RenewalError::GrantRefused) => "grant",
            Err(RenewalError::RequestRefused) => "request",
            Err(RenewalError::Denied) => "denied",
            Err(RenewalError::NoAnswer) => "no answer",
            Err(RenewalError::Failing { .. }) => "failing",
            Err(RenewalError::Elsewhere(_)) => "elsewhere",
            Err(RenewalError::Unusable(_)) => "unusable",
        }
    }

    #[test]
    fn each_error_of_oauth2_names_what_is_to_be_mended() {
        for status in [200, 400, 401, 403] {
            for (error, expected) in [
                ("invalid_grant", "grant"),
                ("invalid_request", "request"),
                ("unsupported_grant_type", "request"),
                ("invalid_client", "client"),
                ("unauthorized_client", "client"),
                ("temporarily_unavailable", "failing"),
                ("slow_down", "failing"),
                ("server_error", "failing"),
                ("access_denied", "denied"),
                ("invalid_scope", "denied"),
                ("another", if status == 401 { "client" } else { "denied" }),
            ] {
                let body = format!(r#"{{"error":"{error}","error_description":"x","error_uri":"y"}}"#);
                assert_eq!(meaning(status, &body), expected, "{status} {error}");
            }
        }
    }

    #[test]
    fn an_answer_that_is_not_of_oauth2_is_somebody_elses() {
        for body in
            ["", "<html>", "{}", "[]", r#"["a",null,null]"#, r#"{"error":"Not Found"}"#, r#"{"error":{}}"#]
        {
            for status in [200, 302, 400, 401, 403, 404] {
                assert_eq!(meaning(status, body), "elsewhere", "{status} {body}");
            }
        }
        for (status, body) in [
            (404, r#"{"error":"not_found"}"#),
            (405, r#"{"error":"method_not_allowed"}"#),
            (200, r#"{"access_token":" "}"#),
            (200, r#"{"access_token":7}"#),
            (200, r#"{"access_token":"a","access_token":"b"}"#),
        ] {
            assert_eq!(meaning(status, body), "elsewhere", "{status} {body}");
        }
        let Err(RenewalError::Elsewhere(stranger)) = answered(403, "<html>") else { panic!("not elsewhere") };
        assert_eq!(stranger.to_string(), "status 403 with an HTML page");
    }

    #[test]
    fn an_answer_that_says_later_passes_by_itself() {
        for status in [408, 429, 500, 502, 503, 521] {
            for body in ["", "<html>", r#"{"error":"invalid_grant"}"#] {
                assert_eq!(meaning(status, body), "failing", "{status} {body}");
            }
        }
        assert_eq!(meaning(404, r#"{"error":"slow_down"}"#), "failing");
        assert!(matches!(
            judge(Err(Failure { written: true, kind: crate::outbound::FailureKind::TimedOut })),
            Err(RenewalError::NoAnswer)
        ));
    }
}
