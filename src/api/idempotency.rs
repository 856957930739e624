//! `Idempotency-Key`: the word under which a caller posts a list, so that posting it again meets the same resend.

use actix_web::http::header::HeaderMap;

use super::problem::Problem;

const NAME: &str = "Idempotency-Key";
const LONGEST: usize = 255;

/// The key of a request, if it has one: 1 to 255 visible ASCII characters. The quoted form of the IETF draft
/// is the same key without its quotes.
pub(super) fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all("idempotency-key");
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Problem::header(NAME, "the key is given twice"));
    }
    let wrong = || {
        let detail = "expected 1 to 255 visible ASCII characters, as they are or in double quotes";
        Problem::header(NAME, detail)
    };
    let text = value.to_str().map_err(|_| wrong())?.trim_matches([' ', '\t']);
    let key = match text.strip_prefix('"') {
        Some(quoted) => unquoted(quoted).ok_or_else(wrong)?,
        None => text.to_owned(),
    };
    let is_visible = key.bytes().all(|byte| byte.is_ascii_graphic());
    if key.is_empty() || key.len() > LONGEST || !is_visible { Err(wrong()) } else { Ok(Some(key)) }
}

/// What stands before the closing quote, which ends the text. A quote or a backslash in it has a backslash
/// before it.
fn unquoted(quoted: &str) -> Option<String> {
    let mut key = String::with_capacity(quoted.len());
    let mut letters = quoted.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => return letters.next().is_none().then_some(key),
            '\\' => key.push(letters.next().filter(|letter| matches!(letter, '"' | '\\'))?),
            other => key.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn read(values: &[&str]) -> Result<Option<String>, u16> {
        let mut headers = HeaderMap::new();
        for value in values {
            let name = HeaderName::from_static("idempotency-key");
            headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        key(&headers).map_err(|problem| problem.status().as_u16())
    }

    #[test]
    fn a_key_is_read_as_it_is_or_without_its_quotes() {
        let long = "k".repeat(255);
        for (value, expected) in [
            ("a", "a"),
            (long.as_str(), long.as_str()),
            ("!~,;=\\", "!~,;=\\"),
            ("a\"b\"", "a\"b\""),
            ("\"8e03978e-40d5\"", "8e03978e-40d5"),
            ("\"a\\\"b\\\\\"", "a\"b\\"),
        ] {
            assert_eq!(read(&[value]), Ok(Some(expected.to_owned())), "{value}");
        }
        assert_eq!(read(&[]), Ok(None));
    }

    #[test]
    fn whatever_is_no_key_is_refused() {
        let (long, long_quoted) = ("k".repeat(256), format!("\"{}\"", "k".repeat(256)));
        for values in [
            &[""][..],
            &[" "],
            &["a b"],
            &["schlüssel"],
            &[long.as_str()],
            &[long_quoted.as_str()],
            &["\""],
            &["\"\""],
            &["\"a"],
            &["\"a b\""],
            &["\"a\";x=1"],
            &["\"a\\n\""],
            &["a", "a"],
        ] {
            assert_eq!(read(values), Err(400), "{values:?}");
        }
    }
}
