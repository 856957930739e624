//! The id of a request: the caller's own when it is well-formed, else a new one.

use std::fmt;

use actix_web::http::header::{HeaderName, HeaderValue};
use uuid::Uuid;

/// The header that carries the id, in requests and in every answer.
pub const REQUEST_ID_HEADER: HeaderName = HeaderName::from_static("x-request-id");
const MAX_LENGTH: usize = 128;

/// The id of a request, in its extensions from the first moment on.
///
/// 1 to 128 characters of `A-Z a-z 0-9 . _ -`: fit for a header, for a log line, and no address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(pub String);

impl RequestId {
    /// Takes over the caller's id when it is well-formed; makes a UUID of version 7 when not.
    pub fn from_header(header: Option<&HeaderValue>) -> Self {
        let given = header.and_then(|value| value.to_str().ok()).filter(|id| is_well_formed(id));
        Self(given.map_or_else(|| Uuid::now_v7().to_string(), str::to_owned))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

fn is_well_formed(id: &str) -> bool {
    (1..=MAX_LENGTH).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(value: &[u8]) -> String {
        RequestId::from_header(Some(&HeaderValue::from_bytes(value).unwrap())).0
    }

    #[test]
    fn a_well_formed_id_is_taken_over() {
        let longest = "x".repeat(128);
        for id in ["a", "Req-1_2.3", "0198c9f2-0000-7abc-8def-0123456789ab", &longest] {
            assert_eq!(from(id.as_bytes()), id);
        }
    }

    #[test]
    fn anything_else_is_replaced_by_a_new_uuid() {
        let too_long = "x".repeat(129);
        for id in ["", "ann@example.com", "a b", "a\"b", "\u{e4}", &too_long] {
            let made = from(id.as_bytes());

            assert_eq!(Uuid::parse_str(&made).unwrap().get_version_num(), 7, "{id}");
        }
        assert_ne!(RequestId::from_header(None), RequestId::from_header(None));
    }
}
