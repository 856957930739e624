//! What is kept between two pieces is bounded, and so is what one step decodes.

use super::gzip::gzipped;
use super::{Collected, Elements};
use crate::intake::{
    BodyReader, ELEMENT_BYTES, Encoding, Format, IntakeError, ParseError, ParseErrorKind, Parser,
};

const PIECE: usize = 1 << 16;

/// Feeds `before`, then `filler` until `length` bytes are through, then `after`.
fn long(format: Format, before: &str, filler: &str, length: usize, after: &str) -> Elements {
    let (mut parser, mut sink) = (Parser::new(format), Collected::default());
    let piece = filler.repeat(PIECE / filler.len());
    parser.feed(before.as_bytes(), &mut sink).unwrap();
    for _ in 0..length / piece.len() {
        parser.feed(piece.as_bytes(), &mut sink).unwrap();
        assert!(parser.bytes() <= 4096, "{format:?} holds {} bytes", parser.bytes());
    }
    parser.feed(after.as_bytes(), &mut sink).unwrap();
    parser.finish(&mut sink).unwrap();
    sink.elements
}

#[test]
fn one_endless_string_needs_no_room() {
    let length = 100_000_000;

    let elements = long(Format::Json, "[\"", "x", length, "\",\"b\"]");

    assert_eq!(elements, [("x".repeat(ELEMENT_BYTES), true), ("b".to_owned(), false)]);
}

#[test]
fn no_endless_part_of_any_format_needs_room() {
    let length = 4_000_000;
    let table = [
        (Format::Json, "[\"", "\\u00e9", "\",\"b\"]"),
        (Format::Ndjson, "{\"email\":\"", "é", "\"}\n\"b\""),
        (Format::Ndjson, "\"", "x", "\"\n\"b\""),
        (Format::Text, "", "x", "\nb"),
        (Format::Csv, "", "x", "\nb"),
        (Format::Csv, "\"", "a,\n\"\"", "\"\nb"),
    ];
    for (format, before, filler, after) in table {
        let elements = long(format, before, filler, length, after);

        assert_eq!(elements.len(), 2, "{format:?} {filler}");
        assert!(elements[0].1 && elements[0].0.len() <= ELEMENT_BYTES);
        assert_eq!(elements[1], ("b".to_owned(), false));
    }
    let white = [
        (Format::Json, "[", " ", "\"b\"]"),
        (Format::Ndjson, "", " ", "\"b\""),
        (Format::Text, "", "\n ", "\nb"),
    ];
    for (format, before, filler, after) in white {
        assert_eq!(long(format, before, filler, length, after), [("b".to_owned(), false)]);
    }
    assert_eq!(long(Format::Csv, "name,email\n\"", "x", length, "\",b").len(), 1);
}

#[test]
fn an_endless_key_needs_no_room() {
    let (mut parser, mut sink) = (Parser::new(Format::Json), Collected::default());
    parser.feed(b"{\"emails", &mut sink).unwrap();
    for _ in 0..100 {
        parser.feed(&[b'x'; PIECE], &mut sink).unwrap();
        assert!(parser.bytes() <= 4096);
    }

    let error = parser.feed(b"\"", &mut sink);

    let unknown = ParseError { kind: ParseErrorKind::UnknownKey, offset: 1, index: 0, line: None };
    assert_eq!(error, Err(IntakeError::Malformed(unknown)));
}

#[test]
fn a_step_decodes_no_more_than_a_piece() {
    let body = format!("[\"{}\"]", "x".repeat(20_000_000));
    let stream = gzipped(body.as_bytes());
    let mut reader = BodyReader::new(Format::Json, Encoding::Gzip, None, Collected::default());
    let mut rest = stream.as_slice();

    loop {
        let before = reader.decoded_bytes();
        let has_more = reader.step(&mut rest).unwrap();
        assert!(reader.decoded_bytes() - before <= 32 * 1024);
        if !has_more {
            break;
        }
    }

    assert!(rest.is_empty());
    assert_eq!(reader.decoded_bytes(), body.len() as u64);
    assert_eq!(reader.finish().unwrap().elements.len(), 1);
}

#[test]
fn the_limit_counts_decoded_bytes_and_is_exact() {
    let body = format!("[{}\"a\"]", " ".repeat(50_000));
    let length = body.len() as u64;
    for (encoding, bytes) in
        [(Encoding::Identity, body.clone().into_bytes()), (Encoding::Gzip, gzipped(body.as_bytes()))]
    {
        for size in [1, 1000, bytes.len()] {
            let read = |max| {
                let mut reader = BodyReader::new(Format::Json, encoding, max, Collected::default());
                for piece in bytes.chunks(size) {
                    reader.feed(piece)?;
                }
                reader.finish().map(|sink| sink.elements.len())
            };
            assert_eq!(read(Some(length)), Ok(1));
            assert_eq!(read(None), Ok(1));
            assert_eq!(read(Some(length - 1)), Err(IntakeError::TooManyBytes { limit: length - 1 }));
            assert_eq!(read(Some(0)), Err(IntakeError::TooManyBytes { limit: 0 }));
        }
    }
}

#[test]
fn a_fault_before_the_limit_is_told_first() {
    for size in [1, 2, 5] {
        let mut reader = BodyReader::new(Format::Json, Encoding::Identity, Some(2), Collected::default());

        let result = b"[1,2]".chunks(size).try_for_each(|piece| reader.feed(piece));

        assert!(matches!(result, Err(IntakeError::Malformed(_))), "{result:?}");
    }
}
