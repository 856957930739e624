//! The end of a personal access token that happens to be a JWT.
//!
//! The token is opaque: nothing but `exp` is looked at, nothing is verified, and nothing depends on it
//! but a gauge and a warning.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;

use crate::domain::Timestamp;

#[derive(Deserialize)]
struct Claims {
    exp: f64,
}

/// When the token ends, if it says so.
pub(super) fn expiry(token: &str) -> Option<Timestamp> {
    let mut parts = token.split('.');
    let (Some(_), Some(claims), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    let claims = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
    let Claims { exp } = serde_json::from_slice(&claims).ok()?;
    // Seconds since 1970 (RFC 7519, 4.1.4); a year beyond 9999 is no date anybody meant.
    (0.0..253_402_300_800.0).contains(&exp).then_some(Timestamp((exp * 1000.0) as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(claims: &str) -> String {
        format!("e30.{}.c2lnbmF0dXJl", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn the_end_of_a_jwt_is_read() {
        assert_eq!(expiry(&token(r#"{"sub":"x","exp":1764000000}"#)), Some(Timestamp(1_764_000_000_000)));
        assert_eq!(expiry(&token(r#"{"exp":1764000000.5}"#)), Some(Timestamp(1_764_000_000_500)));
    }

    #[test]
    fn whatever_is_no_jwt_has_no_known_end() {
        for opaque in ["", "alohi_pat_abc", "a.b", "a.b.c", "a.b.c.d", "..", "e30.bm90IGpzb24.x"] {
            assert_eq!(expiry(opaque), None, "{opaque}");
        }
        for claims in ["{}", r#"{"exp":"soon"}"#, r#"{"exp":-1}"#, r#"{"exp":1e300}"#, "[]"] {
            assert_eq!(expiry(&token(claims)), None, "{claims}");
        }
    }
}
