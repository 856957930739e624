//! `[credentials]`: what the gateway shows fax.plus.
//!
//! Reads a token file once to see that it can be used. Refuses two tokens at once, no token where one
//! is needed, and any token where none is accepted.

use std::path::PathBuf;

use secrecy::SecretString;

use super::{
    CredentialRule,
    read::Reader,
    render::{REDACTED, Rendering},
    secret::{SecretError, read_secret, secret_of},
};

const TOKEN: &str = "credentials.token";
const TOKEN_FILE: &str = "credentials.token_file";

/// Where the personal access token is.
#[derive(Debug, Clone)]
pub enum TokenSetting {
    /// Among the settings.
    Inline(SecretString),
    /// In a file, to be read with [`read_secret`] at start and again while running.
    File(PathBuf),
}

/// The credential for fax.plus.
#[derive(Debug, Clone)]
pub struct CredentialSettings {
    /// The personal access token; `None` only where [`CredentialRule`] allows it.
    pub token: Option<TokenSetting>,
}

impl CredentialSettings {
    pub(super) fn read(reader: &mut Reader, rule: CredentialRule) -> Self {
        let inline = reader.text(TOKEN);
        let file = reader.path(TOKEN_FILE);
        if !reader.all_well(&[TOKEN, TOKEN_FILE]) {
            return Self { token: None };
        }
        let given = [(TOKEN, !inline.is_empty()), (TOKEN_FILE, file.is_some())];
        match rule {
            CredentialRule::Forbidden => {
                for (key, _) in given.into_iter().filter(|(_, given)| *given) {
                    reader.refuse(key, "no credentials are accepted here: a simulated fax.plus needs none");
                }
                return Self { token: None };
            }
            CredentialRule::Required if given.iter().all(|(_, given)| !given) => {
                reader.refuse(TOKEN, "is missing; set it or credentials.token_file");
            }
            CredentialRule::Required | CredentialRule::Optional => {}
        }
        if given.iter().all(|(_, given)| *given) {
            reader.refuse(TOKEN, "is set, and credentials.token_file too; keep one of them");
        }
        let inline = (!inline.is_empty()).then(|| inline_token(reader, &inline)).flatten();
        let file = file.and_then(|path| token_file(reader, path));
        Self { token: inline.or(file) }
    }

    pub(super) fn render(&self, out: &mut Rendering) {
        let (inline, file) = match &self.token {
            Some(TokenSetting::Inline(_)) => (REDACTED, None),
            Some(TokenSetting::File(path)) => ("", Some(path.as_path())),
            None => ("", None),
        };
        out.section("credentials");
        out.text("token", inline);
        out.path("token_file", file);
    }
}

fn inline_token(reader: &mut Reader, text: &str) -> Option<TokenSetting> {
    match secret_of(text.as_bytes()) {
        Ok(secret) => Some(TokenSetting::Inline(secret)),
        Err(flaw) => {
            reader.refuse_secret(TOKEN, SecretError::Inline(flaw));
            None
        }
    }
}

fn token_file(reader: &mut Reader, path: PathBuf) -> Option<TokenSetting> {
    match read_secret(&path) {
        Ok(_) => Some(TokenSetting::File(path)),
        Err(error) => {
            reader.refuse_secret(TOKEN_FILE, error);
            None
        }
    }
}
