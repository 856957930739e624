//! What a body is, by its headers.

use std::borrow::Cow;

use actix_web::http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue};

use super::{
    header_list::{parameter, split},
    problem::Problem,
};
use crate::intake::{Encoding, Format};

pub(super) const SERVED: &str = "application/json, application/x-ndjson, text/plain or text/csv";

/// A longer media type is not repeated to the caller.
const SHOWN_BYTES: usize = 100;

/// What `Content-Encoding` may say.
pub(super) const ENCODINGS: [(&str, Encoding); 4] = [
    ("identity", Encoding::Identity),
    ("gzip", Encoding::Gzip),
    ("x-gzip", Encoding::Gzip),
    ("", Encoding::Identity),
];

/// The format of a body.
pub(super) fn format(headers: &HeaderMap) -> Result<Format, Problem> {
    let value = headers.get(CONTENT_TYPE);
    let refuse = || {
        let what = received(value);
        Problem::media_type(format!("{what}; send -H 'Content-Type: ...' with {SERVED}; nothing was sent"))
    };
    let (essence, parameters) = parts(value.and_then(|value| value.to_str().ok()).unwrap_or_default());
    if foreign_charset(parameters).is_some() {
        return Err(refuse());
    }
    match essence.to_ascii_lowercase().as_str() {
        "application/json" => Ok(Format::Json),
        "application/x-ndjson" => Ok(Format::Ndjson),
        "text/plain" => Ok(Format::Text),
        "text/csv" => Ok(Format::Csv),
        _ => Err(refuse()),
    }
}

/// What came instead of a media type that is served, and what that usually means.
pub(super) fn received(value: Option<&HeaderValue>) -> String {
    let Some(value) = value else { return "no Content-Type was received".to_owned() };
    let Ok(value) = value.to_str() else { return "a Content-Type was received that is not ASCII".to_owned() };
    let (essence, parameters) = parts(value);
    let essence = essence.to_ascii_lowercase();
    let why = match essence.as_str() {
        "" => return "an empty Content-Type was received".to_owned(),
        "application/x-www-form-urlencoded" => ", which is curl's default",
        "multipart/form-data" => {
            ", as curl -F and web forms send it: send the list alone as the body (curl --data-binary @FILE)"
        }
        "application/gzip" | "application/x-gzip" => {
            ": Content-Type says what the list is, and Content-Encoding: gzip that it is compressed"
        }
        "application/ndjson" | "application/jsonl" | "application/x-jsonlines" | "application/jsonlines" => {
            ", which is called application/x-ndjson here"
        }
        sheet if sheet.contains("excel") || sheet.contains("spreadsheet") => {
            ": a workbook can't be read, so save the sheet as CSV in UTF-8"
        }
        _ => "",
    };
    let essence = shown(&essence).unwrap_or("another media type");
    match foreign_charset(parameters) {
        Some(charset) if why.is_empty() => {
            let charset = shown(&charset).unwrap_or("another character set");
            format!("received {essence} in {charset}, which is not UTF-8: save the list as UTF-8")
        }
        Some(_) | None => format!("received {essence}{why}"),
    }
}

/// What a caller sent, if it is short and plain enough to be repeated to it.
fn shown(word: &str) -> Option<&str> {
    (word.len() <= SHOWN_BYTES && word.bytes().all(|byte| byte.is_ascii_graphic())).then_some(word)
}

/// The media type and its parameters.
fn parts(value: &str) -> (&str, &str) {
    let (essence, parameters) = value.split_once(';').unwrap_or((value, ""));
    (essence.trim(), parameters)
}

/// The character set that the parameters of a media type name, if it is not UTF-8.
pub(super) fn foreign_charset(parameters: &str) -> Option<Cow<'_, str>> {
    let is_utf8 =
        |charset: &str| ["utf-8", "utf8", "us-ascii"].iter().any(|known| charset.eq_ignore_ascii_case(known));
    split(parameters, ';')
        .map(parameter)
        .find(|(name, charset)| name.eq_ignore_ascii_case("charset") && !is_utf8(charset))
        .map(|(_, charset)| charset)
}

/// The encoding of a body. What can't be read as one is refused, not taken for none.
pub(super) fn encoding(headers: &HeaderMap) -> Result<Encoding, Problem> {
    let refuse = |word: &str| {
        let word = shown(word).unwrap_or("something else");
        let words = "gzip and no Content-Encoding at all are served; nothing was sent";
        Problem::media_type(format!("received Content-Encoding: {word}; {words}"))
    };
    let mut values = headers.get_all(CONTENT_ENCODING);
    let Some(value) = values.next() else { return Ok(Encoding::Identity) };
    if values.next().is_some() {
        return Err(refuse("several"));
    }
    let word = value.to_str().unwrap_or("something else").trim();
    let known = ENCODINGS.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(word));
    known.map(|(_, encoding)| encoding).ok_or_else(|| refuse(word))
}

/// Refuses every body but plain JSON.
pub(super) fn plain_json(headers: &HeaderMap) -> Result<(), Problem> {
    let refuse = |what: String| {
        Problem::media_type(format!("{what}; this path takes application/json in UTF-8, not compressed"))
    };
    match format(headers) {
        Ok(Format::Json) => {}
        Ok(Format::JsonArray | Format::Ndjson | Format::Text | Format::Csv) | Err(_) => {
            return Err(refuse(received(headers.get(CONTENT_TYPE))));
        }
    }
    match encoding(headers) {
        Ok(Encoding::Identity) => Ok(()),
        Ok(Encoding::Gzip) | Err(_) => Err(refuse("received a Content-Encoding".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderName;

    use super::*;

    fn headers(name: HeaderName, value: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_static(value));
        headers
    }

    #[test]
    fn media_types_are_read_without_case_and_with_parameters() {
        for (value, expected) in [
            ("application/json", Format::Json),
            ("Application/JSON; charset=UTF-8", Format::Json),
            ("application/x-ndjson", Format::Ndjson),
            ("text/plain;charset=\"utf-8\"", Format::Text),
            ("text/csv; header=present", Format::Csv),
            ("text/csv; note=\"a; charset=latin1\"; charset=utf-8", Format::Csv),
        ] {
            assert_eq!(format(&headers(CONTENT_TYPE, value)).unwrap(), expected, "{value}");
        }
    }

    #[test]
    fn other_media_types_and_character_sets_are_refused() {
        for value in
            ["", "application/xml", "text/plain; charset=latin1", "application/x-www-form-urlencoded"]
        {
            assert_eq!(format(&headers(CONTENT_TYPE, value)).unwrap_err().status(), 415, "{value}");
        }
        assert!(format(&HeaderMap::new()).is_err());
    }

    #[test]
    fn a_refused_media_type_is_named_with_what_it_usually_means() {
        for (value, expected) in [
            (
                "application/x-www-form-urlencoded",
                "received application/x-www-form-urlencoded, which is curl's default; ",
            ),
            ("multipart/form-data; boundary=x", "received multipart/form-data, as curl -F "),
            ("application/gzip", "Content-Encoding: gzip"),
            ("Application/JSONL", "application/x-ndjson here"),
            ("application/vnd.ms-excel", "received application/vnd.ms-excel: a workbook"),
            ("text/html", "received text/html; send -H 'Content-Type: ...' with application/json, "),
            ("a b", "received another media type; "),
            ("", "an empty Content-Type was received; "),
            (
                "text/csv; charset=Windows-1252",
                "received text/csv in Windows-1252, which is not UTF-8: save the list as UTF-8; ",
            ),
            ("text/csv; charset=\"a b\"", "received text/csv in another character set, which is not UTF-8"),
        ] {
            let problem = format(&headers(CONTENT_TYPE, value)).unwrap_err();
            let (_, detail, _) = problem.parts();
            assert!(detail.contains(expected), "{value}: {detail}");
            assert!(detail.contains(SERVED), "{value}: {detail}");
        }
        let mut strange = HeaderMap::new();
        strange.insert(CONTENT_TYPE, HeaderValue::from_bytes("text/café".as_bytes()).unwrap());
        let problem = format(&strange).unwrap_err();
        assert!(
            problem.parts().1.starts_with("a Content-Type was received that is not ASCII; "),
            "{problem:?}"
        );
        let problem = format(&HeaderMap::new()).unwrap_err();
        assert!(problem.parts().1.starts_with("no Content-Type was received; send -H "), "{problem:?}");
    }

    #[test]
    fn gzip_or_nothing() {
        assert_eq!(encoding(&HeaderMap::new()).unwrap(), Encoding::Identity);
        assert_eq!(encoding(&headers(CONTENT_ENCODING, "GZIP")).unwrap(), Encoding::Gzip);
        for value in ["br", "gzip, gzip", "zstd"] {
            let problem = encoding(&headers(CONTENT_ENCODING, value)).unwrap_err();
            let word = if value.contains(' ') { "something else" } else { value };
            let words = "; gzip and no Content-Encoding at all are served; nothing was sent";
            assert_eq!(problem.status(), 415, "{value}");
            assert_eq!(problem.parts().1, format!("received Content-Encoding: {word}{words}"));
        }
    }
}
