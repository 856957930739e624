//! What is asked of the token endpoint, and what its answer means.
//!
//! RFC 6749, section 6, with HTTP Basic for the client, as fax.plus documents it. Refuses an answer
//! that holds no token; tells apart what a person must mend from what passes by itself.

use std::time::{Duration, SystemTime};

use awc::http::{StatusCode, header::HeaderValue};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use thiserror::Error;

use super::{CredentialError, Granted};
use crate::{
    config::{OAuth2Settings, RefreshIn},
    outbound::{Answer, Content, Failure},
    upstream::retry_after,
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
    /// Whoever answers is no token endpoint.
    #[error("what answers at the token endpoint is no token (status {status})")]
    NoToken {
        /// The status.
        status: u16,
    },
    /// What it gave can't be used.
    #[error(transparent)]
    Unusable(#[from] CredentialError),
}

/// A request for an access token. No `Debug`: all of it is secret.
pub(in crate::upstream) struct TokenRequest {
    pub(in crate::upstream) url: SecretString,
    pub(in crate::upstream) authorization: HeaderValue,
    pub(in crate::upstream) form: Bytes,
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

impl TokenRequest {
    pub(super) fn new(
        settings: &OAuth2Settings,
        secret: &SecretString,
        refresh_token: &SecretString,
    ) -> Self {
        let basic = STANDARD.encode(format!("{}:{}", settings.client_id, secret.expose_secret()));
        // Base64 is always fit for a header.
        let mut authorization = HeaderValue::from_str(&format!("Basic {basic}"))
            .unwrap_or_else(|_| HeaderValue::from_static("Basic"));
        authorization.set_sensitive(true);
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "refresh_token")
            .append_pair("refresh_token", refresh_token.expose_secret())
            .finish();
        let (url, form) = match settings.refresh_in {
            RefreshIn::Body => (settings.token_url.clone(), Bytes::from(form)),
            RefreshIn::Query => (format!("{}?{form}", settings.token_url), Bytes::new()),
        };
        Self { url: SecretString::from(url), authorization, form }
    }
}

/// What came of a [`TokenRequest`].
pub(in crate::upstream) fn judge(exchange: Result<Answer, Failure>) -> Result<Granted, RenewalError> {
    let Ok(answer) = exchange else { return Err(RenewalError::NoAnswer) };
    let status = answer.status;
    let body = match &answer.content {
        Content::Whole(body) => &body[..],
        Content::TimedOut | Content::Broken => return Err(RenewalError::NoAnswer),
        Content::TooLong => b"",
    };
    let denial = serde_json::from_slice::<Denial>(body).map(|denial| denial.error);
    match (status, denial.as_deref()) {
        (status, _) if status.is_success() => token(status, body),
        (StatusCode::UNAUTHORIZED, Ok("invalid_grant")) => Err(RenewalError::GrantRefused),
        (StatusCode::UNAUTHORIZED, _) => Err(RenewalError::ClientRefused),
        (StatusCode::BAD_REQUEST | StatusCode::FORBIDDEN, Ok("invalid_client" | "unauthorized_client")) => {
            Err(RenewalError::ClientRefused)
        }
        (StatusCode::BAD_REQUEST | StatusCode::FORBIDDEN, Ok(_)) => Err(RenewalError::GrantRefused),
        (StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT, _) => Err(failing(&answer)),
        (status, _) if status.is_server_error() => Err(failing(&answer)),
        (status, _) => Err(RenewalError::NoToken { status: status.as_u16() }),
    }
}

fn token(status: StatusCode, body: &[u8]) -> Result<Granted, RenewalError> {
    let no_token = || RenewalError::NoToken { status: status.as_u16() };
    let answer: TokenAnswer = serde_json::from_slice(body).map_err(|_| no_token())?;
    let filled = |secret: &SecretString| !secret.expose_secret().trim().is_empty();
    if !filled(&answer.access_token) {
        return Err(no_token());
    }
    let seconds = match answer.expires_in {
        Some(Lifetime::Seconds(seconds)) => Some(seconds),
        Some(Lifetime::Text(text)) => text.trim().parse().ok(),
        None => None,
    };
    let lifetime = seconds.filter(|seconds| *seconds >= 0.0).map_or(UNTOLD_LIFETIME, |seconds| {
        Duration::try_from_secs_f64(seconds).unwrap_or(MAX_LIFETIME).min(MAX_LIFETIME)
    });
    Ok(Granted {
        access_token: answer.access_token,
        refresh_token: answer.refresh_token.filter(filled),
        lifetime,
    })
}

fn failing(answer: &Answer) -> RenewalError {
    let told = retry_after::of(answer, SystemTime::now());
    RenewalError::Failing { status: answer.status.as_u16(), told }
}

#[cfg(test)]
mod tests {
    use awc::http::header::HeaderMap;

    use super::*;
    use crate::config::SecretSource;

    fn answered(status: u16, body: &str) -> Result<Granted, RenewalError> {
        judge(Ok(Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            content: Content::Whole(Bytes::copy_from_slice(body.as_bytes())),
        }))
    }

    fn request(refresh_in: RefreshIn) -> TokenRequest {
        let inline = |text: &str| SecretSource::Inline(SecretString::from(text));
        let settings = OAuth2Settings {
            client_id: "id".to_owned(),
            client_secret: inline("s:ecret"),
            refresh_token: inline("r"),
            token_url: "https://accounts.example/token".to_owned(),
            refresh_in,
        };
        TokenRequest::new(&settings, &SecretString::from("s:ecret"), &SecretString::from("a+b c&d"))
    }

    #[test]
    fn the_refresh_token_stands_where_the_settings_say() {
        let body = request(RefreshIn::Body);
        let query = request(RefreshIn::Query);

        assert_eq!(body.authorization, "Basic aWQ6czplY3JldA==");
        assert_eq!(body.form, "grant_type=refresh_token&refresh_token=a%2Bb+c%26d");
        assert_eq!(body.url.expose_secret(), "https://accounts.example/token");
        assert!(query.form.is_empty());
        assert_eq!(
            query.url.expose_secret(),
            "https://accounts.example/token?grant_type=refresh_token&refresh_token=a%2Bb+c%26d"
        );
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

    #[test]
    fn each_answer_without_a_token_has_its_meaning() {
        let named = |status, body: &str| match answered(status, body) {
            Ok(_) => "a token",
            Err(RenewalError::ClientRefused) => "client",
            Err(RenewalError::GrantRefused) => "grant",
            Err(RenewalError::NoAnswer) => "no answer",
            Err(RenewalError::Failing { .. }) => "failing",
            Err(RenewalError::NoToken { .. }) => "no token",
            Err(RenewalError::Unusable(_)) => "unusable",
        };
        for (status, body, meaning) in [
            (400, r#"{"error":"invalid_grant"}"#, "grant"),
            (401, r#"{"error":"invalid_grant"}"#, "grant"),
            (400, r#"{"error":"invalid_request"}"#, "grant"),
            (403, r#"{"error":"access_denied"}"#, "grant"),
            (401, r#"{"error":"invalid_client"}"#, "client"),
            (401, "<html>", "client"),
            (400, r#"{"error":"invalid_client"}"#, "client"),
            (400, "<html>", "no token"),
            (403, "<html>", "no token"),
            (404, r#"{"error":"not_found"}"#, "no token"),
            (302, "", "no token"),
            (200, "<html>", "no token"),
            (200, "{}", "no token"),
            (200, r#"{"access_token":" "}"#, "no token"),
            (200, r#"{"access_token":7}"#, "no token"),
            (429, "", "failing"),
            (408, "", "failing"),
            (500, "<html>", "failing"),
            (503, r#"{"error":"x"}"#, "failing"),
        ] {
            assert_eq!(named(status, body), meaning, "{status} {body}");
        }
        assert!(matches!(
            judge(Err(Failure { written: true, kind: crate::outbound::FailureKind::TimedOut })),
            Err(RenewalError::NoAnswer)
        ));
    }
}
