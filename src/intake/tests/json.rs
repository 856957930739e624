//! JSON against serde_json, however the body is split.
//!
//! One deliberate difference: byte order marks at the beginning are passed over. serde would also take `[["a"]]` for the object form (a
//! struct may be a sequence to it); the model looks at the first byte instead.

use proptest::collection::vec;
use proptest::prelude::*;

use super::{as_told, cuts, fault, mutated, mutation, read_split, text, texts};
use crate::intake::{Format, Found, ParseErrorKind::*};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Wrapped {
    emails: Vec<String>,
}

/// What serde_json makes of a body behind its byte order mark.
fn model(mut body: &[u8]) -> Option<Vec<String>> {
    while let Some(rest) = body.strip_prefix("\u{feff}".as_bytes()) {
        body = rest;
    }
    let first = body.iter().find(|byte| !b" \t\r\n".contains(byte));
    if first == Some(&b'{') {
        serde_json::from_slice::<Wrapped>(body).ok().map(|wrapped| wrapped.emails)
    } else {
        serde_json::from_slice(body).ok()
    }
}

fn agrees(body: &[u8], cuts: &[prop::sample::Index]) {
    let (elements, result) = read_split(Format::Json, body, cuts);
    match model(body) {
        Some(texts) => {
            assert_eq!(result, Ok(()), "{}", String::from_utf8_lossy(body));
            assert_eq!(elements, texts.iter().map(|text| as_told(text)).collect::<Vec<_>>());
        }
        None => assert!(result.is_err(), "accepted {}", String::from_utf8_lossy(body)),
    }
}

/// One string, written in one of the ways JSON has.
fn literal() -> impl Strategy<Value = String> {
    (text(), 0..3).prop_map(|(text, way)| match way {
        0 => serde_json::to_string(&text).unwrap(),
        1 => {
            let units = text.encode_utf16().map(|unit| format!("\\u{unit:04X}"));
            format!("\"{}\"", units.collect::<String>())
        }
        _ => serde_json::to_string(&text).unwrap().replace('/', "\\/").replace('e', "\\u0065"),
    })
}

fn space() -> impl Strategy<Value = String> {
    prop_oneof![3 => Just(String::new()), 1 => "[ \t\r\n]{0,3}"]
}

fn document() -> impl Strategy<Value = String> {
    let element = (space(), literal(), space()).prop_map(|(a, text, b)| a + &text + &b);
    (vec(element, 0..8), space(), space(), 0..3).prop_map(|(elements, a, b, way)| {
        let array = format!("{a}[{}{b}]{a}", elements.join(","));
        match way {
            0 => array,
            1 => format!("{b}{{{a}\"emails\"{b}:{array}}}{b}"),
            _ => format!("{{\"em\\u0061ils\":{array}}}"),
        }
    })
}

/// Bits of JSON in any order.
fn soup() -> impl Strategy<Value = Vec<u8>> {
    let bits: Vec<&[u8]> = vec![
        b"[",
        b"]",
        b"{",
        b"}",
        b",",
        b":",
        b"\"emails\"",
        b"\"email\"",
        b"\"a\"",
        b"\"",
        b"\\",
        b"\\u",
        b"\\ud800",
        b"\\udc00",
        b"d83d",
        b"1",
        b"-",
        b"true",
        b"null",
        b" ",
        b"\n",
        b"\0",
        b"\xef\xbb\xbf",
        b"\xc3",
        b"\xa9",
        b"a",
    ];
    vec(prop::sample::select(bits), 0..9).prop_map(|bits| bits.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn a_document_reads_as_serde_reads_it(document in document(), cuts in cuts()) {
        prop_assert!(model(document.as_bytes()).is_some());
        agrees(document.as_bytes(), &cuts);
    }

    #[test]
    fn a_damaged_document_reads_as_serde_reads_it(
        document in document(), mutations in vec(mutation(), 1..3), cuts in cuts(),
    ) {
        agrees(&mutated(document.into_bytes(), &mutations), &cuts);
    }

    #[test]
    fn bits_of_json_in_any_order_read_as_serde_reads_them(body in soup(), cuts in cuts()) {
        agrees(&body, &cuts);
        agrees(&[b"[".as_slice(), &body].concat(), &cuts);
        agrees(&[b"[\"".as_slice(), &body, b"\"]"].concat(), &cuts);
        agrees(&[b"{\"emails\":".as_slice(), &body].concat(), &cuts);
    }
}

#[test]
fn the_array_alone_is_read_where_only_an_array_will_do() {
    for body in [" [\"a\", \"b\"] ", "\u{feff}[\"a\",\"b\"]"] {
        assert_eq!(texts(Format::JsonArray, body), ["a", "b"]);
    }
    for (body, kind) in [
        ("", EmptyBody),
        (" ", EmptyBody),
        ("{\"emails\":[\"a\"]}", ExpectedStrings),
        ("\"a\"", ExpectedStrings),
        ("null", ExpectedStrings),
        ("['a']", SingleQuote),
        ("[\"a\"", Truncated),
        ("[\"a\"]]", TrailingData),
    ] {
        assert_eq!(fault(Format::JsonArray, body).0, kind, "{body}");
    }
}

#[test]
fn both_forms_are_read() {
    for body in [
        "[\"a\",\"\",\"b\"]",
        "\u{feff}\u{feff} [\"a\",\"\",\"b\"]",
        " { \"emails\" : [ \"a\" , \"\" , \"b\" ] } \r\n",
    ] {
        assert_eq!(texts(Format::Json, body), ["a", "", "b"]);
    }
    assert!(texts(Format::Json, "[]").is_empty());
    assert!(texts(Format::Json, "{\"emails\":[]}").is_empty());
    assert_eq!(
        texts(Format::Json, r#"["\u0000\ud83d\ude00\"\\\/\b\f\n\r\t"]"#),
        ["\0😀\"\\/\u{8}\u{c}\n\r\t"]
    );
}

#[test]
fn every_fault_has_its_name_and_place() {
    let table = [
        ("", EmptyBody, 0, 0),
        (" \n", EmptyBody, 2, 0),
        ("[", Truncated, 1, 0),
        ("[\"a\"", Truncated, 4, 1),
        ("[\"a\",", Truncated, 5, 1),
        ("[\"a\",\"b", Truncated, 7, 1),
        ("{\"emails\":[]", Truncated, 12, 0),
        (" \u{feff}[]", ExpectedList, 1, 0),
        ("\"a\"", LooksLikeNdjson, 0, 0),
        ("{\"email\":\"a\"}\n{\"email\":\"b\"}", LooksLikeNdjson, 1, 0),
        ("a@example.com\n", ExpectedList, 0, 0),
        ("['a', 'b']", SingleQuote, 1, 0),
        ("[\"a\", 'b']", SingleQuote, 6, 1),
        ("{'emails': ['a']}", SingleQuote, 1, 0),
        ("\u{feff}[7]", NotAString(Found::Number), 4, 0),
        ("é", ExpectedList, 0, 0),
        ("[1]", NotAString(Found::Number), 1, 0),
        ("[\"a\", \"b\", \"c\", -1]", NotAString(Found::Number), 16, 3),
        ("[\"a\",false]", NotAString(Found::Boolean), 5, 1),
        ("[null]", NotAString(Found::Null), 1, 0),
        ("[[]]", NotAString(Found::Array), 1, 0),
        ("[{}]", NotAString(Found::Object), 1, 0),
        ("[a]", ExpectedString, 1, 0),
        ("[,]", ExpectedString, 1, 0),
        ("[\0]", ExpectedString, 1, 0),
        ("[\u{c}]", ExpectedString, 1, 0),
        ("[\"a\",]", TrailingComma, 5, 1),
        ("{\"emails\":[],}", TrailingComma, 13, 0),
        ("[\"a\" \"b\"]", ExpectedCommaOrBracket, 5, 1),
        ("[\"a\"}", ExpectedCommaOrBracket, 4, 1),
        ("[\"a\"]]", TrailingData, 5, 1),
        ("[]\0", TrailingData, 2, 0),
        ("[] \u{feff}", TrailingData, 3, 0),
        ("{}", MissingKey, 1, 0),
        ("{emails:[]}", ExpectedKey, 1, 0),
        ("{\"mails\":[]}", UnknownKey, 1, 0),
        ("{\"emails \":[]}", UnknownKey, 1, 0),
        ("{\"emails\":[\"a\"], \"force\":true}", UnknownKey, 17, 1),
        ("{\"emails\":[\"a\"],\"emails\":[]}", RepeatedKey, 16, 1),
        ("{\"emails\",[]}", ExpectedColon, 9, 0),
        ("{\"emails\":\"a\"}", ExpectedArray, 10, 0),
        ("{\"emails\":[]]", ExpectedBrace, 12, 0),
        ("[\"a\nb\"]", ControlCharacter, 3, 0),
        ("[\"\0\"]", ControlCharacter, 2, 0),
        (r#"["a\x"]"#, BadEscape, 4, 0),
        (r#"["a\u12g4"]"#, BadEscape, 7, 0),
        (r#"["a\u+123"]"#, BadEscape, 5, 0),
        (r#"["a\ud800"]"#, LoneSurrogate, 3, 0),
        (r#"["a\ud800\n"]"#, LoneSurrogate, 3, 0),
        (r#"["a\ud800\ud800"]"#, LoneSurrogate, 3, 0),
        (r#"["\udc00"#, LoneSurrogate, 2, 0),
        (r#"["b","\udc00"]"#, LoneSurrogate, 6, 1),
    ];
    for (body, kind, offset, index) in table {
        assert_eq!(fault(Format::Json, body), (kind, offset, index, None), "{body}");
    }
}

#[test]
fn bytes_that_are_no_utf_8_are_found_where_their_character_begins() {
    let table: [(&[u8], u64, u64); 8] = [
        (b"[\"a\xff\"]", 3, 0),
        (b"[\"a\",\"b\xc3\"]", 7, 1),
        (b"[\"\xe2\x82\"]", 2, 0),
        (b"[\"\xed\xa0\x80\"]", 2, 0),
        (b"[\"\xc0\xaf\"]", 2, 0),
        (b"[\"\xf4\x90\x80\x80\"]", 2, 0),
        (b"[\"\xf0\x9f\x98", 2, 0),
        (b"[]\x80", 2, 0),
    ];
    for (body, offset, index) in table {
        assert_eq!(fault(Format::Json, body), (NotUtf8, offset, index, None), "{body:?}");
    }
}
