//! Tokens of clients: made at random, known by their hash.

use std::fmt;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use secrecy::SecretString;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// Bytes of a hash.
const HASH_BYTES: usize = 32;
/// How a hash begins in the clients file.
const PREFIX: &str = "sha256:";
/// How a token begins, so that people and secret scanners know what they have found.
pub(super) const TOKEN_PREFIX: &str = "fxg_";

/// The SHA-256 of a token. Tokens are random and long, so it needs no salt and no slow hash.
#[derive(Clone, Copy)]
pub struct TokenHash([u8; HASH_BYTES]);

impl TokenHash {
    /// Of a token.
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }

    /// Reads `sha256:` and 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(PREFIX)?;
        if digits.len() != 2 * HASH_BYTES || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let mut hash = [0; HASH_BYTES];
        for (byte, at) in hash.iter_mut().zip((0..digits.len()).step_by(2)) {
            *byte = u8::from_str_radix(digits.get(at..at + 2)?, 16).ok()?;
        }
        Some(Self(hash))
    }

    /// Whether it is of an empty text: nobody has that as a token.
    pub(super) fn is_of_nothing(&self) -> bool {
        self.is(&Self::of(""))
    }

    /// Whether both are of one token. Takes the same time wherever they differ.
    pub fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Display for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PREFIX)?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A token that nobody has yet.
pub struct NewToken {
    /// To be shown once.
    pub token: SecretString,
    /// For the clients file.
    pub hash: TokenHash,
}

impl NewToken {
    /// Makes one of 256 random bits.
    ///
    /// # Errors
    /// When the operating system gives no random bytes.
    pub fn make() -> Result<Self, getrandom::Error> {
        let mut random = [0; 32];
        getrandom::fill(&mut random)?;
        let token = format!("{TOKEN_PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(random));
        Ok(Self { hash: TokenHash::of(&token), token: token.into() })
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn a_hash_is_written_as_sha256sum_does_and_read_back() {
        let text = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

        assert_eq!(TokenHash::of("abc").to_string(), text);
        assert!(TokenHash::parse(text).unwrap().is(&TokenHash::of("abc")));
        assert!(!TokenHash::parse(text).unwrap().is(&TokenHash::of("abd")));
        for wrong in ["", "sha256:", &text[7..], &text[..70], &text.replace('b', "g"), &format!("{text}0")] {
            assert!(TokenHash::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_new_token_is_like_no_other_and_fits_its_hash() {
        let (one, other) = (NewToken::make().unwrap(), NewToken::make().unwrap());
        let text = one.token.expose_secret();

        assert!(text.starts_with("fxg_") && text.len() == 4 + 43, "{text}");
        assert!(one.hash.is(&TokenHash::of(text)));
        assert!(!one.hash.is(&other.hash));
    }
}
