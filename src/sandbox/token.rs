//! `POST /token`: trades a refresh token for an access token, as `accounts.fax.plus` does.
//!
//! HTTP Basic `client_id:client_secret`; `grant_type` and `refresh_token` in the query string (as documented) or
//! in a form body (as practised). Refuses everything else with the words of RFC 6749.

use serde_json::json;
use tokio::time::Instant;

use super::answer::Answer;
use super::credentials::{Credentials, Denial, with_scheme};
use super::head::Head;

/// A token request, decoded.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TokenRequest {
    client: Option<(String, String)>,
    grant_type: Option<String>,
    refresh_token: Option<String>,
    /// Whether the refresh token stood in the URL.
    pub(super) in_query: bool,
}

impl TokenRequest {
    /// Reads a request; what is missing or unreadable is `None`.
    pub(super) fn read(head: &Head, body: &[u8]) -> Self {
        let query = head.query.as_deref().unwrap_or_default().as_bytes();
        let in_query = parameter(query, "refresh_token").is_some();
        let either = |name| parameter(query, name).or_else(|| parameter(body, name));
        Self {
            client: head.field("authorization").and_then(basic),
            grant_type: either("grant_type"),
            refresh_token: either("refresh_token"),
            in_query,
        }
    }

    /// The answer, and whether it grants.
    pub(super) fn answer(&self, credentials: &mut Credentials, now: Instant) -> (Answer, bool) {
        let Some((id, secret)) = &self.client else {
            return (denial(401, "invalid_client", "HTTP Basic client_id:client_secret is required."), false);
        };
        if self.grant_type.as_deref() != Some("refresh_token") {
            let why = "The only grant here is grant_type=refresh_token.";
            return (denial(400, "unsupported_grant_type", why), false);
        }
        let Some(refresh_token) = &self.refresh_token else {
            return (denial(400, "invalid_request", "refresh_token is missing."), false);
        };
        match credentials.refresh((id, secret), refresh_token, now) {
            Ok(grant) => {
                let mut body = json!({
                    "access_token": grant.access_token,
                    "refresh_token": grant.refresh_token,
                    "token_type": "Bearer",
                    "scope": "all",
                });
                if let Some(seconds) = grant.expires_in {
                    body["expires_in"] = json!(seconds);
                }
                (Answer::json(200, &body).with_header("cache-control", "no-store"), true)
            }
            Err(Denial::Client) => (denial(401, "invalid_client", "Unknown client or wrong secret."), false),
            Err(Denial::Grant) => {
                (denial(400, "invalid_grant", "The refresh token is unknown, used or revoked."), false)
            }
        }
    }
}

fn denial(status: u16, error: &str, why: &str) -> Answer {
    let answer = Answer::oauth_error(status, error, why);
    if status == 401 { answer.with_header("www-authenticate", "Basic realm=\"sandbox\"") } else { answer }
}

fn basic(value: &str) -> Option<(String, String)> {
    let decoded = String::from_utf8(base64(with_scheme(value, "basic")?)?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}

/// Decodes base64 of the standard alphabet, padded or not.
fn base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let (mut bits, mut held) = (0_u32, 0_u32);
    for letter in text.trim_end_matches('=').bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    (held < 6).then_some(bytes)
}

/// The first parameter of this name in `application/x-www-form-urlencoded` text.
fn parameter(form: &[u8], name: &str) -> Option<String> {
    form.split(|byte| *byte == b'&').find_map(|pair| {
        let mut parts = pair.splitn(2, |byte| *byte == b'=');
        let key = decode(parts.next()?)?;
        (key == name).then(|| decode(parts.next().unwrap_or_default()))?
    })
}

fn decode(text: &[u8]) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits = std::str::from_utf8(after.get(..2)?).ok()?;
                bytes.push(u8::from_str_radix(digits, 16).ok()?);
                rest = &after[2..];
            }
            _ => bytes.push(*first),
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_credentials_are_decoded() {
        assert_eq!(basic("Basic aWQ6czplY3JldA=="), Some(("id".to_owned(), "s:ecret".to_owned())));
        assert_eq!(basic("basic aWQ6"), Some(("id".to_owned(), String::new())));
        assert_eq!(basic("Basic aWQ"), None);
        assert_eq!(basic("Basic !!!!"), None);
        assert_eq!(basic("Basic A"), None);
        assert_eq!(basic("Bearer aWQ6"), None);
    }

    #[test]
    fn form_parameters_are_decoded() {
        let form = b"a=1&refresh_token=x%2By+z%3D&refresh_token=second&b";

        assert_eq!(parameter(form, "refresh_token").as_deref(), Some("x+y z="));
        assert_eq!(parameter(form, "b").as_deref(), Some(""));
        assert_eq!(parameter(form, "c"), None);
        assert_eq!(parameter(b"a=%zz", "a"), None);
        assert_eq!(parameter(b"a=%4", "a"), None);
    }
}
