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

/// How texts of UTF-8 and UTF-16 begin that say so.
const BYTE_ORDER_MARKS: [&[u8]; 3] = [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"];

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
    /// A mark that Windows programs put before a text, or a text in UTF-16.
    #[error("begins with a byte order mark; save it as UTF-8 without one")]
    ByteOrderMark,
    /// Taken over with the quotation marks around it.
    #[error("begins or ends with a quotation mark; give the secret without its quotes")]
    Quoted,
    /// Taken over with the word that stands before it in a header.
    #[error("begins with the scheme of an Authorization header (Bearer, say); give the secret alone")]
    Scheme,
    /// A token in two parts.
    #[error("holds a space, which no token has")]
    Space,
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
    if BYTE_ORDER_MARKS.iter().any(|mark| line.starts_with(mark)) {
        return Err(Flaw::ByteOrderMark);
    }
    let text = str::from_utf8(line).map_err(|_| Flaw::NotUtf8)?;
    let bare = text.trim();
    if bare.is_empty() {
        return Err(Flaw::Empty);
    }
    if is_quoted(bare) {
        return Err(Flaw::Quoted);
    }
    if has_scheme(bare) {
        return Err(Flaw::Scheme);
    }
    if !text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Err(Flaw::BadCharacter);
    }
    Ok(SecretString::from(text))
}

/// Whether quotation marks were taken over with a text, straight or typographic ones.
pub(super) fn is_quoted(text: &str) -> bool {
    let is_quote =
        |letter: char| "\"'`\u{201c}\u{201d}\u{201e}\u{2018}\u{2019}\u{201a}\u{ab}\u{bb}".contains(letter);
    text.starts_with(is_quote) || text.ends_with(is_quote)
}

/// Whether more of a header was taken over than the secret in it.
fn has_scheme(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let mut words = text.split_whitespace();
    let first = words.next().unwrap_or_default();
    let has_more = words.next().is_some();
    first.starts_with("authorization:")
        || ["bearer", "basic"].contains(&first)
        || (["bearer:", "basic:", "token", "token:"].contains(&first) && has_more)
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
    fn what_was_taken_over_with_a_secret_is_refused_without_being_quoted() {
        for (content, expected) in [
            ("Bearer hush\n", Flaw::Scheme),
            ("bearer  hush", Flaw::Scheme),
            ("Bearer", Flaw::Scheme),
            ("Authorization: Bearer hush", Flaw::Scheme),
            ("authorization:hush", Flaw::Scheme),
            ("Basic aHVzaDpodXNo", Flaw::Scheme),
            ("Token hush", Flaw::Scheme),
            ("\"hush\"\n", Flaw::Quoted),
            ("'hush'", Flaw::Quoted),
            ("`hush`", Flaw::Quoted),
            ("hush\"", Flaw::Quoted),
            ("\u{201c}hush\u{201d}", Flaw::Quoted),
            ("\"Bearer hush\"", Flaw::Quoted),
            ("\u{feff}hush", Flaw::ByteOrderMark),
        ] {
            let error = read(content.as_bytes()).unwrap_err();

            assert!(matches!(&error, SecretError::Flawed { flaw, .. } if *flaw == expected), "{error}");
            assert!(!format!("{error} {error:?}").contains("hush"));
        }
        assert!(matches!(
            read(b"\xff\xfeh\0u\0"),
            Err(SecretError::Flawed { flaw: Flaw::ByteOrderMark, .. })
        ));
    }

    #[test]
    fn a_secret_that_only_looks_like_a_scheme_is_taken() {
        for secret in ["bearer-token", "token", "Bearerhush", "basic:hush", "second seed", "a'b\"c"] {
            assert_eq!(read(secret.as_bytes()).unwrap(), secret);
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
