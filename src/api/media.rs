//! What a body is, by its headers; and which form of results a caller wants.

use std::borrow::Cow;

use actix_web::http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue};

use super::{
    header_list::{parameter, split},
    problem::Problem,
};
use crate::intake::{Encoding, Format};

const SERVED: &str = "application/json, application/x-ndjson, text/plain or text/csv";

/// A longer media type is not repeated to the caller.
const SHOWN_BYTES: usize = 100;

/// What `Content-Encoding` may say.
pub(super) const ENCODINGS: [(&str, Encoding); 4] = [
    ("identity", Encoding::Identity),
    ("gzip", Encoding::Gzip),
    ("x-gzip", Encoding::Gzip),
    ("", Encoding::Identity),
];

/// A form of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ResultForm {
    Json,
    Ndjson,
    Csv,
    /// The addresses alone.
    Text,
}

impl ResultForm {
    /// Every form; of those that a caller likes alike the first is served.
    pub(super) const ALL: [Self; 4] = [Self::Json, Self::Ndjson, Self::Csv, Self::Text];

    /// JSON is UTF-8 by its definition; text is only when that is said.
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Text => "text/plain; charset=utf-8",
        }
    }

    fn media_type(self) -> &'static str {
        let whole = self.content_type();
        whole.split_once(';').map_or(whole, |(essence, _)| essence)
    }
}

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

/// The form of results that the caller likes best; JSON when it does not say, or likes them alike.
pub(super) fn result_form(headers: &HeaderMap) -> Result<ResultForm, Problem> {
    // Several headers are one list, and what can't be read of it asks for nothing.
    let accept: Vec<_> = headers.get_all(ACCEPT).filter_map(|value| value.to_str().ok()).collect();
    let accept = accept.join(",");
    if split(&accept, ',').next().is_none() {
        return Ok(ResultForm::Json);
    }
    let mut best = None;
    for form in ResultForm::ALL {
        let Some((precision, quality)) = liking(&accept, form) else { continue };
        let liking = (quality, precision);
        if quality > 0.0 && best.is_none_or(|(_, other)| liking > other) {
            best = Some((form, liking));
        }
    }
    best.map(|(form, _)| form).ok_or_else(|| Problem::not_acceptable(SERVED))
}

/// What the range that fits a form most closely says of it: how closely, and the quality.
fn liking(accept: &str, form: ResultForm) -> Option<(u8, f32)> {
    let mut closest: Option<(u8, f32)> = None;
    for range in split(accept, ',') {
        let (essence, parameters) = range.split_once(';').unwrap_or((range, ""));
        let precision = match essence.trim().to_ascii_lowercase().as_str() {
            "*/*" => 0,
            exact if exact == form.media_type() => 2,
            group
                if group
                    .strip_suffix('*')
                    .is_some_and(|group| group.ends_with('/') && form.media_type().starts_with(group)) =>
            {
                1
            }
            _ => continue,
        };
        if closest.is_none_or(|(other, _)| precision > other) {
            closest = Some((precision, quality(parameters)));
        }
    }
    closest
}

fn quality(parameters: &str) -> f32 {
    split(parameters, ';')
        .map(parameter)
        .find(|(name, _)| name.eq_ignore_ascii_case("q"))
        .and_then(|(_, value)| value.parse().ok())
        .unwrap_or(1.0)
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

    #[test]
    fn the_form_liked_best_wins() {
        for (value, expected) in [
            ("*/*", ResultForm::Json),
            ("application/x-ndjson", ResultForm::Ndjson),
            ("application/json;q=0.5, application/x-ndjson", ResultForm::Ndjson),
            ("text/html, application/x-ndjson;q=0.2, */*;q=0.1", ResultForm::Ndjson),
            ("*/*, application/x-ndjson", ResultForm::Ndjson),
            ("application/json;q=0, */*;q=0.1", ResultForm::Ndjson),
            ("application/x-ndjson, application/json", ResultForm::Json),
            ("text/csv", ResultForm::Csv),
            ("Text/Plain; charset=utf-8", ResultForm::Text),
            ("text/*", ResultForm::Csv),
            ("text/*, text/csv;q=0.5", ResultForm::Text),
            ("text/*;q=0.4, application/*;q=0.3", ResultForm::Csv),
            ("text/html, application/xhtml+xml, */*;q=0.8", ResultForm::Json),
            ("application/*;q=0, */*", ResultForm::Csv),
            (" , text/csv,", ResultForm::Csv),
            ("", ResultForm::Json),
            ("text/plain;note=\"a, application/json;q=0\", application/json;q=0.5", ResultForm::Text),
            ("text/csv;note=\"; q=0\"", ResultForm::Csv),
        ] {
            assert_eq!(result_form(&headers(ACCEPT, value)).unwrap(), expected, "{value}");
        }
        for value in ["text/html", "text/html,", "text/", "text", "*", "image/*", "text/*;q=0"] {
            assert!(result_form(&headers(ACCEPT, value)).is_err(), "{value}");
        }
        assert!(result_form(&headers(ACCEPT, "application/json;q=0")).is_err());
    }

    #[test]
    fn several_accept_headers_are_one_list() {
        let mut two = headers(ACCEPT, "text/html");
        two.append(ACCEPT, HeaderValue::from_static("text/csv"));

        assert_eq!(result_form(&two).unwrap(), ResultForm::Csv);
    }
}
