//! Who answered: fax.plus, or something between here and there.
//!
//! Decided from the body alone, because a proxy, a login page or a wrong base URL chooses the same statuses.
//! fax.plus documents its bodies (`additionalProperties: false`): a refusal is a JSON object whose only members
//! are `error` and perhaps `description`, a success is a JSON object without an error. Refuses whatever could be
//! read in two ways: a member twice, something behind the object, a byte order mark.

use std::time::SystemTime;

use serde::{Deserialize, de::IgnoredAny};

use super::stranger::Stranger;
use crate::{
    domain::Refusal,
    outbound::{Answer, Content},
};

/// Longest `error` code, in bytes, and longest `description` that is kept, in characters.
const MAX_CODE: usize = 64;
const MAX_DETAIL: usize = 256;

/// Whose word an answer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::upstream) enum Answerer {
    /// That of fax.plus: it says yes.
    Accepting,
    /// That of fax.plus: it says no, and why.
    Refusing(Refusal),
    /// Not that of fax.plus.
    Other(Stranger),
}

/// The documented body of a refusal; nothing else may stand in it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RefusalBody {
    error: String,
    description: Option<String>,
}

/// What makes a body no success.
#[derive(Deserialize)]
struct ErrorMember {
    error: Option<IgnoredAny>,
}

impl Answerer {
    /// Who wrote an answer that came at `now`.
    pub(in crate::upstream) fn of(answer: &Answer, now: SystemTime) -> Self {
        let status = answer.status.as_u16();
        let by_fax_plus = match status {
            200..=299 => is_success(&answer.content).then_some(Self::Accepting),
            _ => refusal(&answer.content).map(Self::Refusing),
        };
        by_fax_plus.unwrap_or_else(|| Self::Other(Stranger::of(answer, now)))
    }
}

/// Whether a body is a JSON object in which `error` is absent or null.
fn is_success(content: &Content) -> bool {
    object::<ErrorMember>(content).is_some_and(|body| body.error.is_none())
}

/// Whether a body is a JSON object that names an error, as the application behind a proxy writes it.
pub(super) fn names_an_error(content: &Content) -> bool {
    object::<ErrorMember>(content).is_some_and(|body| body.error.is_some())
}

/// The refusal that a body is, cleaned and bounded.
fn refusal(content: &Content) -> Option<Refusal> {
    let body = object::<RefusalBody>(content)?;
    let is_in_a_word = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-');
    if !(1..=MAX_CODE).contains(&body.error.len()) || !body.error.bytes().all(is_in_a_word) {
        return None;
    }
    let detail: Option<String> = body
        .description
        .map(|text| text.chars().filter(|letter| !letter.is_control()).take(MAX_DETAIL).collect());
    Some(Refusal { code: body.error, detail: detail.filter(|text| !text.trim().is_empty()) })
}

fn object<'body, T: Deserialize<'body>>(content: &'body Content) -> Option<T> {
    match content {
        Content::Whole(body) => json_object(body),
        Content::TooLong | Content::TimedOut | Content::Broken => None,
    }
}

/// Reads a JSON object; derived types would take an array as well.
pub(in crate::upstream) fn json_object<'body, T: Deserialize<'body>>(body: &'body [u8]) -> Option<T> {
    body.trim_ascii_start().starts_with(b"{").then(|| serde_json::from_slice(body).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use awc::http::{StatusCode, header::HeaderMap};
    use bytes::Bytes;

    use super::*;

    fn of(status: u16, body: &str) -> Answerer {
        let content = Content::Whole(Bytes::copy_from_slice(body.as_bytes()));
        let status = StatusCode::from_u16(status).unwrap();
        Answerer::of(&Answer { status, headers: HeaderMap::new(), content }, SystemTime::UNIX_EPOCH)
    }

    #[test]
    fn a_json_object_without_an_error_is_a_success_of_fax_plus() {
        for body in [
            "{}",
            r#"{"message":"Invitations resent successfully"}"#,
            r#"{"message":null,"error":null}"#,
            "\r\n {\"more\": [1e999, {\"error\": \"inside\"}]} \n",
        ] {
            assert_eq!(of(200, body), Answerer::Accepting, "{body}");
        }
    }

    #[test]
    fn nothing_else_is_a_success() {
        for body in [
            "",
            "null",
            "[]",
            "[null]",
            "\"ok\"",
            "<html>",
            r#"{"message":"#,
            "{} {}",
            "{}garbage",
            "\u{feff}{}",
            r#"{"error":"failed"}"#,
            r#"{"error":false}"#,
            r#"{"error":""}"#,
            r#"{"error":{}}"#,
            r#"{"\u0065rror":"failed"}"#,
            r#"{"error":"failed","error":null}"#,
            r#"{"error":null,"error":null}"#,
        ] {
            assert!(matches!(of(200, body), Answerer::Other(_)), "{body}");
        }
    }

    #[test]
    fn an_error_and_perhaps_a_description_are_a_refusal_of_fax_plus() {
        let long = format!(r#"{{"error":"{}"}}"#, "e".repeat(MAX_CODE));
        for (body, code, detail) in [
            (r#"{"error":"invalid_email"}"#, "invalid_email", None),
            (r#"{"description":null,"error":"a.b-c_9"}"#, "a.b-c_9", None),
            (
                r#"{"error":"e","description":"Nobody\r\n of\u0000 this name"}"#,
                "e",
                Some("Nobody of this name"),
            ),
            (r#" {"error":"e","description":" \t"} "#, "e", None),
            (&long, &"e".repeat(MAX_CODE), None),
        ] {
            let expected = Refusal { code: code.to_owned(), detail: detail.map(str::to_owned) };
            assert_eq!(of(400, body), Answerer::Refusing(expected), "{body}");
        }
    }

    #[test]
    fn nothing_else_is_a_refusal() {
        let long = format!(r#"{{"error":"{}"}}"#, "e".repeat(MAX_CODE + 1));
        for body in [
            "",
            "Not Found",
            "<html>",
            "{}",
            "null",
            r#"["invalid_email",null]"#,
            r#"{"error":null}"#,
            r#"{"error":404}"#,
            r#"{"error":{"code":"e"}}"#,
            r#"{"error":""}"#,
            r#"{"error":" "}"#,
            r#"{"error":"Not Found"}"#,
            r#"{"error":"NotFound"}"#,
            r#"{"error":"unzustellbar\u00e4"}"#,
            r#"{"error":"e","error":"e"}"#,
            r#"{"error":"e","description":7}"#,
            r#"{"error":"e","description":"a","description":"b"}"#,
            r#"{"error":"e","status":404}"#,
            r#"{"error":"e","path":"/v3/accounts/self/member-invitations"}"#,
            r#"{"description":"no code"}"#,
            r#"{"error":"e"}{"error":"e"}"#,
            "\u{feff}{\"error\":\"e\"}",
            &long,
        ] {
            assert!(matches!(of(400, body), Answerer::Other(_)), "{body}");
        }
    }

    #[test]
    fn a_description_is_bounded_and_cleaned() {
        let body = serde_json::json!({"error": "e", "description": "a\u{7}b\r\n".repeat(500)});

        let Answerer::Refusing(refusal) = of(400, &body.to_string()) else { panic!("not a refusal") };

        let detail = refusal.detail.unwrap();
        assert_eq!(detail.len(), MAX_DETAIL);
        assert!(detail.chars().all(|letter| !letter.is_control()));
    }

    #[test]
    fn a_body_that_did_not_come_whole_is_nobodys_word() {
        for status in [StatusCode::OK, StatusCode::BAD_REQUEST] {
            for content in [Content::TooLong, Content::TimedOut, Content::Broken] {
                let answer = Answer { status, headers: HeaderMap::new(), content };
                assert!(matches!(Answerer::of(&answer, SystemTime::UNIX_EPOCH), Answerer::Other(_)));
            }
        }
    }
}
