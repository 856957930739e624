//! NDJSON and plain text against models that split lines first, however the body is split.

use proptest::collection::vec;
use proptest::prelude::*;

use super::{Elements, as_told, cuts, fault, mutated, mutation, read_split, text, texts};
use crate::intake::{Format, Found, ParseErrorKind::*};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    email: String,
}

/// What serde_json makes of each line. JSON may be spread over lines, so a newline ends whatever it is in.
fn ndjson_model(body: &[u8]) -> Option<Elements> {
    let is_space = |byte: &u8| b" \t\r".contains(byte);
    let lines = body.split(|byte| *byte == b'\n').filter(|line| !line.iter().all(is_space));
    let read = |line: &[u8]| match line.iter().find(|byte| !is_space(byte)) {
        Some(b'{') => serde_json::from_slice::<Line>(line).ok().map(|line| line.email),
        _ => serde_json::from_slice::<String>(line).ok(),
    };
    lines.map(|line| read(line).map(|text| as_told(&text))).collect()
}

fn text_model(body: &[u8]) -> Option<Elements> {
    let text = std::str::from_utf8(body).ok()?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    Some(lines.filter(|line| !line.trim_ascii().is_empty()).map(as_told).collect())
}

fn agrees(format: Format, body: &[u8], cuts: &[prop::sample::Index], model: Option<Elements>) {
    let (elements, result) = read_split(format, body, cuts);
    assert_eq!(result.is_ok(), model.is_some(), "{result:?} {}", String::from_utf8_lossy(body));
    if let Some(model) = model {
        assert_eq!(elements, model);
    }
}

fn ndjson() -> impl Strategy<Value = String> {
    let line = (text(), 0..5).prop_map(|(text, way)| {
        let literal = serde_json::to_string(&text).unwrap();
        match way {
            0 => literal,
            1 => format!(" {literal}\t\r"),
            2 => format!("{{\"email\":{literal}}}"),
            3 => format!(" {{ \"emai\\u006c\" : {literal} }} \r"),
            _ => " \t\r".to_owned(),
        }
    });
    (vec(line, 0..8), "\n?").prop_map(|(lines, end)| lines.join("\n") + &end)
}

fn ndjson_soup() -> impl Strategy<Value = Vec<u8>> {
    let bits: Vec<&[u8]> = vec![
        b"\"a\"",
        b"\"email\"",
        b"{\"email\":",
        b"{",
        b"}",
        b",",
        b":",
        b"\n",
        b"\r",
        b" ",
        b"[",
        b"]",
        b"1",
        b"\"",
        b"\\",
        b"\\ud800",
        b"\xef\xbb\xbf",
        b"\xc3",
    ];
    vec(prop::sample::select(bits), 0..10).prop_map(|bits| bits.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn ndjson_reads_as_serde_reads_its_lines(
        body in ndjson(), mutations in vec(mutation(), 0..3), cuts in cuts(),
    ) {
        prop_assert!(ndjson_model(body.as_bytes()).is_some());
        let body = mutated(body.into_bytes(), &mutations);
        agrees(Format::Ndjson, &body, &cuts, ndjson_model(&body));
    }

    #[test]
    fn bits_of_ndjson_in_any_order_read_as_serde_reads_them(body in ndjson_soup(), cuts in cuts()) {
        agrees(Format::Ndjson, &body, &cuts, ndjson_model(&body));
    }

    #[test]
    fn text_reads_as_its_lines(
        lines in vec((text(), "\r?\n"), 0..8), mark in "\u{feff}?", mutations in vec(mutation(), 0..2), cuts in cuts(),
    ) {
        let body = mark + &lines.iter().map(|(text, end)| format!("{text}{end}")).collect::<String>();
        let body = mutated(body.into_bytes(), &mutations);
        agrees(Format::Text, &body, &cuts, text_model(&body));
    }
}

#[test]
fn lines_end_with_lf_crlf_or_the_body() {
    assert_eq!(texts(Format::Text, "a\nb\r\n\n \t\r\n c \r\nd"), ["a", "b", " c ", "d"]);
    assert_eq!(texts(Format::Text, "\u{feff}a\r\n\u{feff}b\r"), ["a", "\u{feff}b"]);
    assert_eq!(texts(Format::Ndjson, "\"a\"\r\n\n{\"email\":\"b\"}\n \r\n\"c\""), ["a", "b", "c"]);
    for empty in ["", "\n", "\r\n\r\n \t"] {
        assert!(texts(Format::Text, empty).is_empty());
        assert!(texts(Format::Ndjson, empty).is_empty());
    }
}

#[test]
fn a_blank_line_is_skipped_however_long_it_is() {
    let blank = " ".repeat(5000);

    assert_eq!(texts(Format::Text, format!("a\n{blank}\r\n{blank}\nb")), ["a", "b"]);
    assert_eq!(texts(Format::Text, format!("{blank}a")).len(), 1);
}

#[test]
fn every_ndjson_fault_has_its_name_and_place() {
    let table = [
        ("\"a\"\n\n7\n", NotAString(Found::Number), 5, 1, 3),
        ("[\"a\"]", NotAString(Found::Array), 0, 0, 1),
        ("\u{feff}\"a\"", ByteOrderMark, 0, 0, 1),
        ("a@example.com", ExpectedLine, 0, 0, 1),
        ("\"a\"\n\u{feff}\"a\"", ExpectedLine, 4, 1, 2),
        ("\"a\" \"b\"", LineTrailingData, 4, 0, 1),
        ("{\"email\":\"a\"},", LineTrailingData, 13, 0, 1),
        ("{\"email\"\n:\"a\"}", LineTruncated, 8, 0, 1),
        ("\"a\"\n{\"email\":\"b\"", LineTruncated, 16, 1, 2),
        ("\"a\nb\"", ControlCharacter, 2, 0, 1),
        ("{}", MissingKey, 1, 0, 1),
        ("{\"email\":\"a\",}", TrailingComma, 13, 0, 1),
        ("{\"emails\":\"a\"}", UnknownKey, 1, 0, 1),
        ("{\"email\":\"a\",\"name\":\"b\"}", UnknownKey, 13, 0, 1),
        ("{\"email\":\"a\"}\n{\"email\":\"a\",\"email\":\"b\"}", RepeatedKey, 27, 1, 2),
        ("{\"email\":null}", NotAString(Found::Null), 9, 0, 1),
        ("{\"email\":}", ExpectedString, 9, 0, 1),
        ("{\"email\" \"a\"}", ExpectedColon, 9, 0, 1),
        ("{\"email\":\"a\"]", ExpectedBrace, 12, 0, 1),
        ("{email:\"a\"}", ExpectedKey, 1, 0, 1),
        ("\"a\"\n\"\\q\"", BadEscape, 6, 1, 2),
    ];
    for (body, kind, offset, index, line) in table {
        assert_eq!(fault(Format::Ndjson, body), (kind, offset, index, Some(line)), "{body}");
    }
    assert_eq!(fault(Format::Ndjson, b"\"a\"\n\"b"), (LineTruncated, 6, 1, Some(2)));
}

#[test]
fn text_that_is_no_utf_8_is_found_with_its_line() {
    assert_eq!(fault(Format::Text, b"a\n\r\nb\xff\n"), (NotUtf8, 5, 1, Some(3)));
    assert_eq!(fault(Format::Text, b"\xef\xbb"), (NotUtf8, 0, 0, Some(1)));
    assert_eq!(fault(Format::Text, b"\xff\xfea\0"), (NotUtf8, 0, 0, Some(1)));
}
