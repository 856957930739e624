//! An OAuth2 grant: the client, and the refresh token with which it has access tokens.
//!
//! The refresh token begins with the settings' (the seed). One that fax.plus gives in its place is used
//! from then on; a seed that changes wins over it, because a person put it there.

use secrecy::{ExposeSecret as _, SecretString};
use siphasher::sip128::SipHasher13;
use tokio::time::Instant;

use super::{CredentialError, token_request::TokenRequest};
use crate::config::{OAuth2Settings, SecretSource};

/// Tells one seed from another. Guards nothing: what is kept with it is the better secret.
const SEEDS: &[u8; 16] = b"seed of a grant ";

pub(super) struct Grant {
    settings: OAuth2Settings,
    client_secret: SecretString,
    seed: SecretString,
    refresh_token: SecretString,
    /// Grows with each change of the sources.
    edition: u64,
}

/// What was in use when an access token was asked for.
pub(in crate::upstream) struct Asked {
    pub(super) at: Instant,
    pub(super) edition: u64,
    refresh_token: SecretString,
}

impl Grant {
    pub(super) fn load(settings: OAuth2Settings) -> Result<Self, CredentialError> {
        let client_secret = settings.client_secret.load()?;
        let seed = settings.refresh_token.load()?;
        Ok(Self { settings, client_secret, refresh_token: seed.clone(), seed, edition: 0 })
    }

    pub(super) fn client_id(&self) -> &str {
        &self.settings.client_id
    }

    /// The client's secret and the seed, in this order.
    pub(super) fn sources(&self) -> Vec<SecretSource> {
        vec![self.settings.client_secret.clone(), self.settings.refresh_token.clone()]
    }

    /// Takes over what the sources hold now. Says whether anything is new.
    pub(super) fn adopt(&mut self, found: Vec<SecretString>) -> bool {
        let Ok([client_secret, seed]) = <[SecretString; 2]>::try_from(found) else { return false };
        let new_secret = client_secret.expose_secret() != self.client_secret.expose_secret();
        let new_seed = seed.expose_secret() != self.seed.expose_secret();
        if new_seed {
            self.refresh_token = seed.clone();
            self.seed = seed;
        }
        self.client_secret = client_secret;
        let is_new = new_secret || new_seed;
        self.edition += u64::from(is_new);
        is_new
    }

    /// Takes over what replaces the refresh token that was used, unless a person changed the seed since.
    pub(super) fn rotate(&mut self, asked: &Asked, refresh_token: SecretString) {
        if asked.refresh_token.expose_secret() == self.refresh_token.expose_secret() {
            self.refresh_token = refresh_token;
        }
    }

    pub(super) fn edition(&self) -> u64 {
        self.edition
    }

    pub(super) fn rotated(&self) -> Option<SecretString> {
        (self.refresh_token.expose_secret() != self.seed.expose_secret()).then(|| self.refresh_token.clone())
    }

    /// A hash of client and seed, and what replaced the seed.
    pub(super) fn rotation(&self) -> Option<SecretString> {
        let rotated = self.rotated()?;
        Some(SecretString::from(format!("{:032x} {}", self.seed_hash(), rotated.expose_secret())))
    }

    /// Takes over what [`Grant::rotation`] gave, if it replaced the seed of today.
    pub(super) fn restore(&mut self, kept: &SecretString) {
        let kept = kept.expose_secret().split_once(' ');
        if let Some((hash, token)) = kept.filter(|(_, token)| !token.is_empty())
            && u128::from_str_radix(hash, 16) == Ok(self.seed_hash())
        {
            self.refresh_token = SecretString::from(token);
        }
    }

    fn seed_hash(&self) -> u128 {
        let text = SecretString::from(format!("{}\n{}", self.settings.client_id, self.seed.expose_secret()));
        SipHasher13::new_with_key(SEEDS).hash(text.expose_secret().as_bytes()).as_u128()
    }

    pub(super) fn request(&self, now: Instant) -> (TokenRequest, Asked) {
        let asked = Asked { at: now, edition: self.edition, refresh_token: self.refresh_token.clone() };
        (TokenRequest::new(&self.settings, &self.client_secret, &self.refresh_token), asked)
    }
}
