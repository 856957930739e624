//! A secret among the settings: the value itself, or the file that holds it.

use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::{
    read::Reader,
    render::{REDACTED, Rendering},
    secret::{SecretError, read_secret, secret_of},
};

/// Where a secret is.
#[derive(Debug, Clone)]
pub enum SecretSource {
    /// Among the settings.
    Inline(SecretString),
    /// In a file, to be read with [`read_secret`] at start and again while running.
    File(PathBuf),
}

/// What the settings say of one secret.
pub(super) struct Given {
    /// Where it is, when it can be used.
    pub(super) found: Option<SecretSource>,
    /// The keys that have a value.
    pub(super) given: Vec<&'static str>,
}

impl SecretSource {
    /// The secret as it stands now.
    ///
    /// # Errors
    /// When its file cannot be read, or holds no secret.
    pub fn load(&self) -> Result<SecretString, SecretError> {
        match self {
            Self::Inline(secret) => Ok(secret.clone()),
            Self::File(path) => read_secret(path),
        }
    }

    /// The file, when there is one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Inline(_) => None,
            Self::File(path) => Some(path),
        }
    }

    /// Reads the key of the value and the key of the file.
    pub(super) fn read(reader: &mut Reader, key: &'static str, file_key: &'static str) -> Given {
        let inline = reader.text(key);
        let file = reader.path(file_key);
        let given = [(key, !inline.is_empty()), (file_key, file.is_some())];
        let given: Vec<_> = given.into_iter().filter(|(_, given)| *given).map(|(key, _)| key).collect();
        if !reader.all_well(&[key, file_key]) {
            return Given { found: None, given };
        }
        if given.len() == 2 {
            reader.refuse(key, format!("is set, and {file_key} too; keep one of them"));
        }
        let inline = (!inline.is_empty()).then(|| inline_secret(reader, key, &inline)).flatten();
        let file = file.and_then(|path| secret_file(reader, file_key, path));
        Given { found: inline.or(file), given }
    }

    /// Writes both keys of a secret named `name`.
    pub(super) fn render(source: Option<&Self>, out: &mut Rendering, name: &str) {
        let (inline, file) = match source {
            Some(Self::Inline(_)) => (REDACTED, None),
            Some(Self::File(path)) => ("", Some(path.as_path())),
            None => ("", None),
        };
        out.text(name, inline);
        out.path(&format!("{name}_file"), file);
    }
}

fn inline_secret(reader: &mut Reader, key: &'static str, text: &str) -> Option<SecretSource> {
    match secret_of(text.as_bytes()) {
        Ok(secret) => Some(SecretSource::Inline(secret)),
        Err(flaw) => {
            reader.refuse_secret(key, SecretError::Inline(flaw));
            None
        }
    }
}

fn secret_file(reader: &mut Reader, key: &'static str, path: PathBuf) -> Option<SecretSource> {
    match read_secret(&path) {
        Ok(_) => Some(SecretSource::File(path)),
        Err(error) => {
            reader.refuse_secret(key, error);
            None
        }
    }
}
