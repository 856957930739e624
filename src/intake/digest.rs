//! Tells two bodies apart, and two words of callers, by keyed hashes: neither is kept as it was.
//!
//! The bytes of a body are hashed as they come out of the decoder, so the same list is the same body however
//! it was packed or cut. The format goes in first: it says what the bytes mean.

use std::{fmt, hash::Hasher as _};

use siphasher::sip128::{Hasher128 as _, SipHasher13};

use super::{key::KeyHasher, parser::Format};

/// Hashes the bytes of one body as they come.
#[derive(Clone)]
pub struct BodyHasher(SipHasher13);

impl BodyHasher {
    /// Takes the next bytes.
    pub fn take(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
    }

    /// The hash of all bytes so far.
    pub fn hash(&self) -> [u8; 16] {
        self.0.finish128().as_u128().to_be_bytes()
    }
}

impl fmt::Debug for BodyHasher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("BodyHasher(..)")
    }
}

impl KeyHasher {
    /// A hasher at the beginning of a body in this format.
    pub fn body(&self, format: Format) -> BodyHasher {
        let kind = match format {
            // The same elements for the same bytes.
            Format::Json | Format::JsonArray => b'j',
            Format::Ndjson => b'n',
            Format::Text => b't',
            Format::Csv => b'c',
        };
        let mut hasher = self.secret();
        hasher.write(&[0, kind]);
        BodyHasher(hasher)
    }

    /// The hash of a word that a caller chose.
    pub fn word(&self, word: &str) -> [u8; 16] {
        let mut hasher = self.secret();
        // No address begins like this: a word that is one has another hash.
        hasher.write(&[0]);
        hasher.write(word.as_bytes());
        hasher.finish128().as_u128().to_be_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(format: Format, pieces: &[&str]) -> [u8; 16] {
        let mut hasher = KeyHasher::new([7; 16], true).body(format);
        pieces.iter().for_each(|piece| hasher.take(piece.as_bytes()));
        hasher.hash()
    }

    #[test]
    fn where_a_body_was_cut_does_not_count() {
        let whole = hash(Format::Text, &["a@example.com\nb@example.com\n"]);

        assert_eq!(hash(Format::Text, &["a@exam", "", "ple.com\nb@example.com", "\n"]), whole);
        assert_ne!(hash(Format::Text, &["a@example.com\nb@example.com"]), whole);
    }

    #[test]
    fn the_same_bytes_in_another_format_are_another_body() {
        let formats = [Format::Json, Format::Ndjson, Format::Text, Format::Csv];

        let mut hashes = formats.map(|format| hash(format, &["\"a@example.com\""])).to_vec();
        hashes.sort_unstable();
        hashes.dedup();

        assert_eq!(hashes.len(), formats.len());
    }
}
