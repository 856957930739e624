//! The personal access token: from the settings, or from a file that is read again while running.
//!
//! The token is opaque. It is held as a header value marked sensitive and is never printed.

use awc::http::header::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};
use thiserror::Error;

use crate::config::{
    TokenSetting,
    secret::{SecretError, read_secret},
};

/// Why there is no credential to work with.
#[derive(Debug, Error)]
pub enum CredentialError {
    /// The file can't be read or holds no token.
    #[error("credentials.token_file: {0}")]
    File(#[from] SecretError),
    /// The token has a character that no header can carry.
    #[error("credentials: the token holds a character that can't stand in an HTTP header")]
    NotAHeader,
}

/// The token now in use.
pub struct Credential {
    setting: TokenSetting,
    authorization: HeaderValue,
    generation: u64,
}

impl Credential {
    /// Reads the token for the first time.
    ///
    /// # Errors
    /// When the file can't be read, or the token can't be sent.
    pub fn load(setting: TokenSetting) -> Result<Self, CredentialError> {
        let authorization = match &setting {
            TokenSetting::Inline(token) => header(token)?,
            TokenSetting::File(path) => header(&read_secret(path)?)?,
        };
        Ok(Self { setting, authorization, generation: 0 })
    }

    /// The value of `Authorization`.
    pub(super) fn authorization(&self) -> HeaderValue {
        self.authorization.clone()
    }

    /// Grows with each token adopted, so that a late 401 for an old token is known as such.
    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    /// The file to look at for a newer token.
    pub(super) fn file(&self) -> Option<std::path::PathBuf> {
        match &self.setting {
            TokenSetting::Inline(_) => None,
            TokenSetting::File(path) => Some(path.clone()),
        }
    }

    /// Takes `token` over if it is another one. Says whether it was.
    pub(super) fn adopt(&mut self, token: &SecretString) -> Result<bool, CredentialError> {
        let authorization = header(token)?;
        if authorization == self.authorization {
            return Ok(false);
        }
        self.authorization = authorization;
        self.generation += 1;
        Ok(true)
    }
}

fn header(token: &SecretString) -> Result<HeaderValue, CredentialError> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret()))
        .map_err(|_| CredentialError::NotAHeader)?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credential(token: &str) -> Credential {
        Credential::load(TokenSetting::Inline(SecretString::from(token))).unwrap()
    }

    #[test]
    fn the_token_does_not_show() {
        assert!(!format!("{:?}", credential("very-secret").authorization()).contains("very-secret"));
    }

    #[test]
    fn only_another_token_is_a_new_generation() {
        let mut credential = credential("first");

        assert!(!credential.adopt(&SecretString::from("first")).unwrap());
        assert_eq!(credential.generation(), 0);
        assert!(credential.adopt(&SecretString::from("second")).unwrap());
        assert_eq!(credential.generation(), 1);
    }

    #[test]
    fn a_token_that_no_header_can_carry_changes_nothing() {
        let mut credential = credential("first");

        assert!(credential.adopt(&SecretString::from("two\nlines")).is_err());
        assert_eq!(credential.generation(), 0);
    }
}
