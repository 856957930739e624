//! Properties of the intake as a whole, against independent models.

mod address;
mod bounds;
mod csv;
mod gzip;
mod json;
mod lines;
mod list;
mod recognised;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::{ELEMENT_BYTES, Format, Full, IntakeError, ParseErrorKind, Parser, Sink, recognise::HEAD_BYTES};

/// Elements in order, with their `too_long`.
pub(super) type Elements = Vec<(String, bool)>;

/// A sink that keeps everything, up to a number of elements.
#[derive(Debug)]
pub(super) struct Collected {
    pub(super) elements: Elements,
    pub(super) room: usize,
}

impl Default for Collected {
    fn default() -> Self {
        Self { elements: Vec::new(), room: usize::MAX }
    }
}

impl Sink for Collected {
    fn element(&mut self, text: &str, too_long: bool) -> Result<(), Full> {
        if self.elements.len() >= self.room {
            return Err(Full::TooManyAddresses { limit: self.room as u64 });
        }
        self.elements.push((text.to_owned(), too_long));
        Ok(())
    }
}

/// What a parser made of a body: the elements it handed over, and how it ended.
pub(super) type Reading = (Elements, Result<(), IntakeError>);

/// Reads a body that comes in these pieces.
pub(super) fn read<'body>(format: Format, pieces: impl IntoIterator<Item = &'body [u8]>) -> Reading {
    let (mut parser, mut sink) = (Parser::new(format), Collected::default());
    let mut fed = Ok(());
    for piece in pieces {
        let next = parser.feed(piece, &mut sink);
        fed = fed.and_then(|()| next.clone());
        assert_eq!(next, fed, "an error stays");
    }
    let result = parser.finish(&mut sink);
    assert!(fed.is_ok() || result == fed, "the end tells the same error");
    (sink.elements, result)
}

/// Reads a body whole, and proves that every other way to split it reads the same.
pub(super) fn read_split(format: Format, body: &[u8], cuts: &[Index]) -> Reading {
    let whole = read(format, [body]);
    assert_eq!(read(format, body.chunks(1)), whole, "byte by byte");
    assert_eq!(read(format, pieces(body, cuts)), whole, "split at {cuts:?}");
    whole
}

/// The pieces of a body cut at these places.
pub(super) fn pieces<'body>(body: &'body [u8], cuts: &[Index]) -> Vec<&'body [u8]> {
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
    places.extend([0, body.len()]);
    places.sort_unstable();
    places.windows(2).map(|pair| &body[pair[0]..pair[1]]).collect()
}

/// Places to cut a body at, some of them twice.
pub(super) fn cuts() -> impl Strategy<Value = Vec<Index>> {
    vec(any::<Index>(), 0..6)
}

/// What a sink is told of an element.
pub(super) fn as_told(text: &str) -> (String, bool) {
    let end = (0..=ELEMENT_BYTES.min(text.len())).rfind(|end| text.is_char_boundary(*end)).unwrap();
    (text[..end].to_owned(), end < text.len())
}

/// Texts that parsers find hard, and sometimes long ones.
pub(super) fn text() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        6 => prop::char::range('a', 'e'),
        4 => prop::sample::select(vec!['"', '\\', '/', ',', ';', '\n', '\r', '\t', '\0', '\u{1f}', ' ', '@', '.']),
        2 => prop::sample::select(vec!['\u{7f}', 'é', '\u{a0}', '\u{feff}', '\u{ffff}', '中', '😀', '\u{10ffff}']),
    ];
    let short = vec(character, 0..12).prop_map(String::from_iter);
    let long = (ELEMENT_BYTES - 8..ELEMENT_BYTES + 8, "[aé😀\"\\\\\n ]{0,4}")
        .prop_map(|(length, end)| "x".repeat(length) + &end);
    prop_oneof![12 => short, 1 => long]
}

/// A change of one place of a body.
#[derive(Debug, Clone)]
pub(super) enum Mutation {
    Insert(Index, u8),
    Replace(Index, u8),
    Remove(Index),
    Truncate(Index),
    Swap(Index, Index),
}

pub(super) fn mutation() -> impl Strategy<Value = Mutation> {
    let byte = || {
        prop_oneof![
            3 => prop::sample::select(b"[]{},:\"\\u/de09 \n\r\t;-".to_vec()),
            1 => any::<u8>(),
        ]
    };
    prop_oneof![
        (any::<Index>(), byte()).prop_map(|(at, byte)| Mutation::Insert(at, byte)),
        (any::<Index>(), byte()).prop_map(|(at, byte)| Mutation::Replace(at, byte)),
        any::<Index>().prop_map(Mutation::Remove),
        any::<Index>().prop_map(Mutation::Truncate),
        (any::<Index>(), any::<Index>()).prop_map(|(a, b)| Mutation::Swap(a, b)),
    ]
}

pub(super) fn mutated(mut body: Vec<u8>, mutations: &[Mutation]) -> Vec<u8> {
    for mutation in mutations {
        let length = body.len().max(1);
        match mutation {
            Mutation::Insert(at, byte) => body.insert(at.index(body.len() + 1), *byte),
            Mutation::Truncate(at) => body.truncate(at.index(length)),
            _ if body.is_empty() => {}
            Mutation::Replace(at, byte) => body[at.index(length)] = *byte,
            Mutation::Remove(at) => drop(body.remove(at.index(length))),
            Mutation::Swap(a, b) => body.swap(a.index(length), b.index(length)),
        }
    }
    body
}

/// The fault of a body: kind, offset, index, line.
pub(super) fn fault(format: Format, body: impl AsRef<[u8]>) -> (ParseErrorKind, u64, u64, Option<u64>) {
    match read_split(format, body.as_ref(), &[]).1 {
        Err(IntakeError::Malformed(error)) => (error.kind, error.offset, error.index, error.line),
        other => panic!("{other:?} for {}", String::from_utf8_lossy(body.as_ref())),
    }
}

/// The elements of a well-formed body of short elements.
pub(super) fn texts(format: Format, body: impl AsRef<[u8]>) -> Vec<String> {
    let (elements, result) = read_split(format, body.as_ref(), &[]);
    assert_eq!(result, Ok(()), "{}", String::from_utf8_lossy(body.as_ref()));
    elements.into_iter().map(|(text, _)| text).collect()
}

#[test]
fn a_full_sink_stops_every_format_for_good() {
    let bodies = [
        (Format::Json, "[\"a\",\"b\",\"c\",]"),
        (Format::Ndjson, "\"a\"\n{\"email\":\"b\"}\n\"c\"\n]"),
        (Format::Text, "a\nb\nc\n"),
        (Format::Csv, "email\na\nb\n\"c\"\n\"x\"x"),
    ];
    for (format, body) in bodies {
        let body = format!("{body}{}", " ".repeat(HEAD_BYTES));
        let (mut parser, mut sink) = (Parser::new(format), Collected { room: 2, ..Collected::default() });
        let full = Err(IntakeError::Full(Full::TooManyAddresses { limit: 2 }));

        assert_eq!(parser.feed(body.as_bytes(), &mut sink), full, "{format:?}");
        sink.room = 9;
        assert_eq!(parser.feed(b"", &mut sink), full, "{format:?}");
        assert_eq!(parser.finish(&mut sink), full, "{format:?}");
        assert_eq!(sink.elements.len(), 2, "{format:?}");
    }
}
