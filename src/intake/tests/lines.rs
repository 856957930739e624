//! NDJSON and plain text against models that split lines first, however the body is split.

use proptest::collection::vec;
use proptest::prelude::*;

use super::{Elements, as_told, cuts, fault, mutated, mutation, read_split, text, texts};
use crate::intake::{
    Format, Found,
    ParseErrorKind::*,
    is_blank,
    recognise::{HEAD_BYTES, check},
};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    email: String,
}

/// What serde_json makes of each line. JSON may be spread over lines, so a newline ends whatever it is in; a
/// carriage return ends a line where a value is whole.
fn ndjson_model(mut body: &[u8]) -> Option<Elements> {
    while let Some(rest) = body.strip_prefix("\u{feff}".as_bytes()) {
        body = rest;
    }
    let mut elements = Vec::new();
    for line in body.split(|byte| *byte == b'\n') {
        let mut rest = line.trim_ascii_start();
        while !rest.is_empty() {
            let (text, length) = first_value(rest)?;
            elements.push(as_told(&text));
            let behind = &rest[length..];
            rest =
                behind.iter().position(|byte| !b" \t\r".contains(byte)).map_or(&[][..], |at| &behind[at..]);
            if !rest.is_empty() && !behind[..behind.len() - rest.len()].contains(&b'\r') {
                return None;
            }
        }
    }
    Some(elements)
}

/// The value that a line begins with, and how long it is.
fn first_value(line: &[u8]) -> Option<(String, usize)> {
    let stream = serde_json::Deserializer::from_slice(line);
    if line.starts_with(b"{") {
        let mut lines = stream.into_iter::<Line>();
        let text = lines.next()?.ok()?.email;
        Some((text, lines.byte_offset()))
    } else {
        let mut strings = stream.into_iter::<String>();
        Some((strings.next()?.ok()?, strings.byte_offset()))
    }
}

fn text_model(body: &[u8]) -> Option<Elements> {
    check(Format::Text, &body[..body.len().min(HEAD_BYTES)]).ok()?;
    let text = std::str::from_utf8(body).ok()?.trim_start_matches('\u{feff}');
    Some(text.split(['\r', '\n']).filter(|line| !is_blank(line)).map(as_told).collect())
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
    (vec((line, "\r{0,2}\n|\r"), 0..8), "\u{feff}?").prop_map(|(lines, mark)| {
        mark + &lines.into_iter().map(|(line, end)| line + &end).collect::<String>()
    })
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
        lines in vec((text(), "\r{0,2}\n|\r"), 0..8), mark in "\u{feff}?", mutations in vec(mutation(), 0..2), cuts in cuts(),
    ) {
        let body = mark + &lines.iter().map(|(text, end)| format!("{text}{end}")).collect::<String>();
        let body = mutated(body.into_bytes(), &mutations);
        agrees(Format::Text, &body, &cuts, text_model(&body));
    }
}

#[test]
fn lines_end_with_cr_lf_both_or_the_body() {
    assert_eq!(texts(Format::Text, "a1@example.com\ra2@example.com\ra3@example.com").len(), 3);
    assert_eq!(texts(Format::Text, "a\rb\nc\r\nd\r\r\ne\r\rf"), ["a", "b", "c", "d", "e", "f"]);
    assert_eq!(texts(Format::Ndjson, "\"a\"\r{\"email\":\r\"b\"}\r\r\n\"c\"\r"), ["a", "b", "c"]);
    assert_eq!(texts(Format::Text, "a\nb\r\n\n \t\r\n c \r\nd"), ["a", "b", " c ", "d"]);
    assert_eq!(texts(Format::Text, "\u{feff}a\r\n\u{feff}b\r"), ["a", "\u{feff}b"]);
    assert_eq!(texts(Format::Ndjson, "\u{feff}\"a\"\n\"b\""), ["a", "b"]);
    assert_eq!(texts(Format::Ndjson, "\"a\"\r\n\n{\"email\":\"b\"}\n \r\n\"c\""), ["a", "b", "c"]);
    assert!(texts(Format::Text, "\u{a0}\n\u{200b}\u{feff}\r\u{3000}").is_empty());
    for empty in ["", "\n", "\r\n\r\n \t", "\r", "\u{feff}"] {
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
        ("[\"a\"]", LooksLikeOneValue, 0, 0, 1),
        ("\"a\"\n[\"a\"]", NotAString(Found::Array), 4, 1, 2),
        ("{\"emails\":[\"a\"]}", LooksLikeOneValue, 1, 0, 1),
        ("'a'", SingleQuote, 0, 0, 1),
        ("\u{feff}7", NotAString(Found::Number), 3, 0, 1),
        ("\"a\"\r\r\n\r7", NotAString(Found::Number), 7, 1, 3),
        ("{\"email\"\r\n:\"a\"}", LineTruncated, 9, 0, 1),
        ("a@example.com", ExpectedLine, 0, 0, 1),
        ("\"a\"\n\u{feff}\"a\"", ExpectedLine, 4, 1, 2),
        ("\"a\" \"b\"", LinesJoined, 4, 0, 1),
        ("{\"email\":\"a\"}{\"email\":\"b\"}", LinesJoined, 13, 0, 1),
        ("\"a\"]", LineTrailingData, 3, 0, 1),
        ("{\"email\":\"a\"},", LineTrailingComma, 13, 0, 1),
        ("{\"email\"\n:\"a\"}", LineTruncated, 8, 0, 1),
        ("\"a\"\n{\"email\":\"b\"", LineTruncated, 16, 1, 2),
        ("\"a\nb\"", ControlCharacter, 2, 0, 1),
        ("{}", MissingKey, 1, 0, 1),
        ("{\"email\":\"a\",}", TrailingComma, 13, 0, 1),
        ("{\"mail\":\"a\"}", UnknownKey, 1, 0, 1),
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
    assert_eq!(fault(Format::Text, b"a\r\rb\n\xfc@example.com"), (NotUtf8, 5, 2, Some(4)));
}
