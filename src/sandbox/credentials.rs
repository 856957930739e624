//! Which credentials are good, and the OAuth2 tokens handed out.
//!
//! Owns the tokens. Refuses an empty Bearer, an OAuth2 access token that is expired or comes without its
//! client's `x-fax-clientid`, and a refresh token that rotation has ended. Pure: the moment is an argument.

use std::collections::VecDeque;

use tokio::time::Instant;

use super::head::Head;
use super::options::OAuthOptions;

/// Access tokens begin so: one that is not (or no longer) known is never taken for a personal access token.
const ACCESS_PREFIX: &str = "sandbox-access-";
const MAX_ISSUED: usize = 1_000;

/// The credentials in force.
#[derive(Debug)]
pub(super) struct Credentials {
    tokens: Option<Vec<String>>,
    oauth: OAuthOptions,
    refresh_token: Option<String>,
    issued: VecDeque<Issued>,
    random: fastrand::Rng,
}

#[derive(Debug)]
struct Issued {
    access_token: String,
    client_id: String,
    expires_at: Instant,
}

/// What a refresh brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Grant {
    pub(super) access_token: String,
    pub(super) refresh_token: String,
    /// Seconds; `None` when the answer is to leave it out.
    pub(super) expires_in: Option<u64>,
}

/// Why a refresh is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Denial {
    Client,
    Grant,
}

impl Credentials {
    pub(super) fn new(tokens: Option<Vec<String>>, oauth: OAuthOptions, seed: u64) -> Self {
        let random = fastrand::Rng::with_seed(seed);
        Self { tokens, refresh_token: oauth.refresh_token.clone(), oauth, issued: VecDeque::new(), random }
    }

    pub(super) fn set_tokens(&mut self, tokens: Option<Vec<String>>) {
        self.tokens = tokens;
    }

    /// Other options from now on; access tokens handed out stay good until they expire.
    pub(super) fn set_oauth(&mut self, oauth: OAuthOptions) {
        self.refresh_token.clone_from(&oauth.refresh_token);
        self.oauth = oauth;
    }

    /// Ends every access token handed out.
    pub(super) fn expire_access_tokens(&mut self) {
        self.issued.clear();
    }

    /// Whether a request may pass.
    pub(super) fn authorize(&self, head: &Head, now: Instant) -> bool {
        let Some(token) = head.field("authorization").and_then(|value| with_scheme(value, "bearer")) else {
            return false;
        };
        if token.starts_with(ACCESS_PREFIX) {
            let client = head.field("x-fax-clientid");
            return self.issued.iter().any(|issued| {
                issued.access_token == token
                    && now < issued.expires_at
                    && client == Some(issued.client_id.as_str())
            });
        }
        self.tokens.as_ref().is_none_or(|good| good.iter().any(|good| good == token))
    }

    /// Trades a refresh token for an access token.
    pub(super) fn refresh(
        &mut self,
        client: (&str, &str),
        refresh_token: &str,
        now: Instant,
    ) -> Result<Grant, Denial> {
        if !fits(&self.oauth.client_id, client.0) || !fits(&self.oauth.client_secret, client.1) {
            return Err(Denial::Client);
        }
        if self.oauth.revoked || !fits(&self.refresh_token, refresh_token) {
            return Err(Denial::Grant);
        }
        let refresh_token = if self.oauth.rotates {
            let fresh = format!("sandbox-refresh-{:032x}", self.random.u128(..));
            self.refresh_token = Some(fresh.clone());
            fresh
        } else {
            refresh_token.to_owned()
        };
        let access_token = format!("{ACCESS_PREFIX}{:032x}", self.random.u128(..));
        if self.issued.len() >= MAX_ISSUED {
            self.issued.pop_front();
        }
        self.issued.push_back(Issued {
            access_token: access_token.clone(),
            client_id: client.0.to_owned(),
            expires_at: now + self.oauth.expires_in,
        });
        let expires_in = (!self.oauth.expires_in_untold).then_some(self.oauth.expires_in.as_secs());
        Ok(Grant { access_token, refresh_token, expires_in })
    }
}

/// What follows an authentication scheme of this name; `None` when nothing does.
pub(super) fn with_scheme<'a>(value: &'a str, scheme: &str) -> Option<&'a str> {
    let (given, rest) = value.split_once(' ')?;
    let rest = rest.trim();
    (given.eq_ignore_ascii_case(scheme) && !rest.is_empty()).then_some(rest)
}

fn fits(wanted: &Option<String>, given: &str) -> bool {
    wanted.as_deref().map_or(!given.is_empty(), |wanted| wanted == given)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scheme_is_read_whatever_its_case() {
        assert_eq!(with_scheme("BEARER  abc", "bearer"), Some("abc"));
        assert_eq!(with_scheme("Bearer  ", "bearer"), None);
        assert_eq!(with_scheme("Bearer", "bearer"), None);
        assert_eq!(with_scheme("Basic abc", "bearer"), None);
    }

    #[test]
    fn only_the_last_access_tokens_are_remembered() {
        let mut credentials = Credentials::new(None, OAuthOptions::default(), 0);

        for _ in 0..MAX_ISSUED + 5 {
            credentials.refresh(("c", "s"), "r", Instant::now()).unwrap();
        }

        assert_eq!(credentials.issued.len(), MAX_ISSUED);
    }
}
