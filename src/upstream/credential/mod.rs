//! The credential in use: the headers it makes, how long it lasts, and the files it comes from.
//!
//! A personal access token is opaque and comes from the settings or a file. With OAuth2 the settings
//! hold a grant, and access tokens are had for it. Both are held as header values marked sensitive or
//! as secrets, and never printed. Each one adopted is a new generation, so that a late refusal of an
//! older one is known as such. Decides nothing about *when*; that is `dispatch`.

mod grant;
mod jwt;
mod token_endpoint;
mod token_request;

use std::time::Duration;

use awc::http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use thiserror::Error;
use tokio::time::Instant;

pub(super) use self::grant::Asked;
use self::grant::Grant;
pub use self::token_endpoint::RenewalError;
pub(super) use self::{token_endpoint::judge, token_request::TokenRequest};
use crate::{
    config::{CredentialChoice, SecretSource, secret::SecretError},
    domain::Timestamp,
};

const CLIENT_ID: HeaderName = HeaderName::from_static("x-fax-clientid");

/// Why there is no credential to work with.
#[derive(Debug, Error)]
pub enum CredentialError {
    /// A file can't be read or holds no secret.
    #[error("a credential's file can't be used: {0}")]
    File(#[from] SecretError),
    /// The token has a character that no header can carry, or a space inside.
    #[error("credentials: the token holds a space, or a character that can't stand in an HTTP header")]
    NotAHeader,
}

/// The credential now in use.
pub struct Credential {
    kind: Kind,
    authorization: Option<HeaderValue>,
    generation: u64,
    expires_at: Option<Timestamp>,
    refresh_at: Option<Instant>,
}

enum Kind {
    Personal(SecretSource),
    OAuth2(Box<Grant>),
}

/// Where the secrets stand, to be read on a thread that may block.
pub(super) struct Sources(Vec<SecretSource>);

/// An access token with what was told about it.
pub(super) struct Granted {
    pub(super) access_token: SecretString,
    pub(super) refresh_token: Option<SecretString>,
    pub(super) lifetime: Duration,
}

impl Credential {
    /// Reads the secrets for the first time.
    ///
    /// # Errors
    /// When a file can't be read, or the token can't be sent.
    pub fn load(choice: CredentialChoice) -> Result<Self, CredentialError> {
        let mut credential = Self {
            kind: match choice {
                CredentialChoice::PersonalAccessToken(source) => Kind::Personal(source),
                CredentialChoice::OAuth2(settings) => Kind::OAuth2(Box::new(Grant::load(settings)?)),
            },
            authorization: None,
            generation: 0,
            expires_at: None,
            refresh_at: None,
        };
        if let Kind::Personal(source) = &credential.kind {
            let token = source.load()?;
            credential.authorization = Some(header(&token)?);
            credential.expires_at = jwt::expiry(token.expose_secret());
        }
        Ok(credential)
    }

    /// The headers that show it. Without an access token there is no `Authorization`.
    pub(super) fn headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        let mut headers: Vec<_> =
            self.authorization.iter().map(|value| (AUTHORIZATION, value.clone())).collect();
        if let Kind::OAuth2(grant) = &self.kind
            && let Ok(id) = HeaderValue::from_str(grant.client_id())
        {
            headers.push((CLIENT_ID, id));
        }
        headers
    }

    /// Whether there is anything to show yet: with OAuth2 not before the first refresh.
    pub(super) fn is_there(&self) -> bool {
        self.authorization.is_some()
    }

    /// Grows with each token adopted.
    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    /// When it ends, as far as it is known.
    pub(super) fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }

    /// When the access token is to be replaced; ahead of its end.
    pub(super) fn refresh_at(&self) -> Option<Instant> {
        self.refresh_at
    }

    /// Puts the next refresh off after one that failed.
    pub(super) fn refresh_later(&mut self, at: Instant) {
        self.refresh_at = Some(at);
    }

    /// The files to look at for newer secrets; `None` when there are none.
    pub(super) fn sources(&self) -> Option<Sources> {
        let sources = match &self.kind {
            Kind::Personal(source) => vec![source.clone()],
            Kind::OAuth2(grant) => grant.sources(),
        };
        sources.iter().any(|source| source.file().is_some()).then_some(Sources(sources))
    }

    /// Takes over what [`Sources::read`] found. Says whether anything is new.
    pub(super) fn adopt(&mut self, found: Vec<SecretString>, now: Instant) -> Result<bool, CredentialError> {
        match &mut self.kind {
            Kind::Personal(_) => {
                let Some(token) = found.first() else { return Ok(false) };
                let authorization = header(token)?;
                if Some(&authorization) == self.authorization.as_ref() {
                    return Ok(false);
                }
                self.authorization = Some(authorization);
                self.expires_at = jwt::expiry(token.expose_secret());
                self.generation += 1;
                Ok(true)
            }
            Kind::OAuth2(grant) => {
                let changed = grant.adopt(found);
                if changed {
                    // What the files hold now is tried before the old access token ends.
                    self.refresh_at = Some(now);
                }
                Ok(changed)
            }
        }
    }

    /// The request that has a new access token, made now; `None` for a personal one.
    pub(super) fn token_request(&self, now: Instant) -> Option<(TokenRequest, Asked)> {
        match &self.kind {
            Kind::Personal(_) => None,
            Kind::OAuth2(grant) => Some(grant.request(now)),
        }
    }

    /// Whether the files brought other secrets than those that were used.
    pub(super) fn has_changed_since(&self, asked: &Asked) -> bool {
        match &self.kind {
            Kind::Personal(_) => false,
            Kind::OAuth2(grant) => grant.edition() != asked.edition,
        }
    }

    /// Takes an access token over, and the refresh token if it was replaced.
    pub(super) fn granted(&mut self, granted: Granted, asked: &Asked) -> Result<(), CredentialError> {
        // First: the one that was used may be of no use any more, whatever else the answer is worth.
        if let (Kind::OAuth2(grant), Some(refresh_token)) = (&mut self.kind, granted.refresh_token) {
            grant.rotate(asked, refresh_token);
        }
        self.authorization = Some(header(&granted.access_token)?);
        self.generation += 1;
        let left = granted.lifetime.saturating_sub(asked.at.elapsed());
        self.expires_at = Some(Timestamp::now().plus(left));
        if !self.has_changed_since(asked) {
            self.refresh_at = Some(asked.at + ahead_of(granted.lifetime));
        }
        Ok(())
    }

    /// The same with what it replaced, as text to be kept for [`Credential::restore_rotation`].
    pub(super) fn rotation(&self) -> Option<SecretString> {
        match &self.kind {
            Kind::Personal(_) => None,
            Kind::OAuth2(grant) => grant.rotation(),
        }
    }

    /// Goes on with the refresh token that was kept, unless the one of the settings changed since.
    pub fn restore_rotation(&mut self, kept: &SecretString) {
        if let Kind::OAuth2(grant) = &mut self.kind {
            grant.restore(kept);
        }
    }

    /// The refresh token in use, when fax.plus replaced the one of the settings.
    pub fn rotated(&self) -> Option<SecretString> {
        match &self.kind {
            Kind::Personal(_) => None,
            Kind::OAuth2(grant) => grant.rotated(),
        }
    }
}

impl Sources {
    /// Reads every secret; blocks.
    pub(super) fn read(&self) -> Result<Vec<SecretString>, SecretError> {
        self.0.iter().map(SecretSource::load).collect()
    }
}

/// How long an access token is used: most of its life, not the same part each time, so that gateways
/// started together do not refresh together.
fn ahead_of(lifetime: Duration) -> Duration {
    lifetime.mul_f64(0.8 + fastrand::f64() / 10.0).max(Duration::from_secs(1))
}

fn header(token: &SecretString) -> Result<HeaderValue, CredentialError> {
    if token.expose_secret().trim().contains(char::is_whitespace) {
        return Err(CredentialError::NotAHeader);
    }
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret()))
        .map_err(|_| CredentialError::NotAHeader)?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests;
