//! Reads a secret from its file, at start and again while running.
//!
//! Owns what a secret may look like. Refuses what would break a header, and never tells what it read.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use secrecy::{SecretString, zeroize::Zeroize};
use thiserror::Error;

/// Most bytes of a secret.
pub const MAX_SECRET_BYTES: usize = 64 * 1024;

/// Why a file holds no secret.
#[derive(Debug, Error)]
pub enum SecretError {
    /// It cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is a directory, a pipe or a device.
    #[error("{} is not a regular file", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// It holds something that is no secret.
    #[error("{} {flaw}", path.display())]
    Flawed {
        /// The file.
        path: PathBuf,
        /// What is wrong with the content.
        flaw: Flaw,
    },
    /// The same, given in place instead of in a file.
    #[error("the value {0}")]
    Inline(Flaw),
}

/// Why a text is no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Flaw {
    /// Nothing, or only spaces.
    #[error("is empty")]
    Empty,
    /// More than [`MAX_SECRET_BYTES`].
    #[error("is longer than 64 KiB")]
    TooLong,
    /// Not even text.
    #[error("is not UTF-8")]
    NotUtf8,
    /// A second line, a control character, a letter outside ASCII.
    #[error("holds a line break, a control character or a character outside ASCII")]
    BadCharacter,
}

/// Reads the secret in `path`, without the newline that may end it. Follows symbolic links.
///
/// # Errors
/// When the file cannot be read, or holds no secret: see [`Flaw`].
pub fn read_secret(path: &Path) -> Result<SecretString, SecretError> {
    let unreadable = |source| SecretError::Unreadable { path: path.to_owned(), source };
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(SecretError::NotAFile { path: path.to_owned() });
    }
    let mut bytes = Vec::with_capacity(4096);
    let limit = MAX_SECRET_BYTES as u64 + 3;
    File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes)).map_err(unreadable)?;

    let secret = secret_of(&bytes);
    bytes.zeroize();
    secret.map_err(|flaw| SecretError::Flawed { path: path.to_owned(), flaw })
}

/// Takes a text as a secret, without the newline that may end it.
///
/// # Errors
/// When it is none: see [`Flaw`].
pub fn secret_of(bytes: &[u8]) -> Result<SecretString, Flaw> {
    let line = bytes.strip_suffix(b"\n").map_or(bytes, |line| line.strip_suffix(b"\r").unwrap_or(line));
    if line.len() > MAX_SECRET_BYTES {
        return Err(Flaw::TooLong);
    }
    let text = str::from_utf8(line).map_err(|_| Flaw::NotUtf8)?;
    if text.trim().is_empty() {
        return Err(Flaw::Empty);
    }
    if !text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Err(Flaw::BadCharacter);
    }
    Ok(SecretString::from(text))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn read(content: &[u8]) -> Result<String, SecretError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), content).unwrap();
        read_secret(file.path()).map(|secret| secret.expose_secret().to_owned())
    }

    #[test]
    fn one_trailing_newline_is_no_part_of_a_secret() {
        for content in ["t0ken", "t0ken\n", "t0ken\r\n"] {
            assert_eq!(read(content.as_bytes()).unwrap(), "t0ken");
        }
    }

    #[test]
    fn what_would_break_a_header_is_refused_without_being_quoted() {
        let long = vec![b'x'; MAX_SECRET_BYTES + 1];
        let cases: [(&[u8], Flaw); 9] = [
            (b"", Flaw::Empty),
            (b"\n", Flaw::Empty),
            (b"  \n", Flaw::Empty),
            (&long, Flaw::TooLong),
            (b"hush\xff", Flaw::NotUtf8),
            (b"hush\n\n", Flaw::BadCharacter),
            (b"hush\r\nX-Evil: 1", Flaw::BadCharacter),
            (b"hush\x00", Flaw::BadCharacter),
            ("hush\u{e9}".as_bytes(), Flaw::BadCharacter),
        ];
        for (content, expected) in cases {
            let error = read(content).unwrap_err();

            assert!(matches!(&error, SecretError::Flawed { flaw, .. } if *flaw == expected), "{error}");
            assert!(!format!("{error} {error:?}").contains("hush"));
        }
    }

    #[test]
    fn the_longest_secret_is_read_with_its_newline() {
        let mut content = vec![b'x'; MAX_SECRET_BYTES];
        content.extend(b"\r\n");

        assert_eq!(read(&content).unwrap().len(), MAX_SECRET_BYTES);
    }

    #[test]
    fn a_missing_file_and_a_directory_are_told_by_path() {
        let missing = read_secret(Path::new("/nowhere/token")).unwrap_err().to_string();
        let directory = read_secret(Path::new("/tmp")).unwrap_err().to_string();

        assert!(missing.starts_with("/nowhere/token cannot be read: No such file"), "{missing}");
        assert_eq!(directory, "/tmp is not a regular file");
    }
}
