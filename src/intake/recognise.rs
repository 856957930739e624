//! Recognises by their first bytes bodies that are no list in any format, or one in another format.
//!
//! Owns the first [`HEAD_BYTES`] of a body until there are so many, or the body is over: what they are taken
//! for must not depend on how the body was split. Nothing is recognised that could be a good list.

use super::error::ParseErrorKind::{self, LooksLike, LooksLikeJson, Utf16};
use super::fault::Fault;
use super::found::FileKind;
use super::parser::Format;

/// Most bytes that are looked at.
pub(super) const HEAD_BYTES: usize = 64;

const MARK: &[u8] = "\u{feff}".as_bytes();

/// How files begin that people take for lists.
const FILES: [(&[u8], FileKind); 8] = [
    (b"PK\x03\x04", FileKind::Zip),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", FileKind::OldOffice),
    (b"%PDF-1.", FileKind::Pdf),
    (b"%PDF-2.", FileKind::Pdf),
    (b"\x1f\x8b", FileKind::Gzip),
    (b"\x28\xb5\x2f\xfd", FileKind::Compressed),
    (b"\xfd7zXZ\0", FileKind::Compressed),
    (b"7z\xbc\xaf\x27\x1c", FileKind::Compressed),
];

const MARKUP: [&[u8]; 4] = [b"<!doctype", b"<html", b"<?xml", b"<table"];

/// The first bytes of a body, until they are looked at.
#[derive(Clone)]
pub(super) struct Head {
    bytes: [u8; HEAD_BYTES],
    length: usize,
}

impl Head {
    pub(super) fn new() -> Self {
        Self { bytes: [0; HEAD_BYTES], length: 0 }
    }

    /// Takes what there is room for; gives the rest.
    pub(super) fn fill<'bytes>(&mut self, bytes: &'bytes [u8]) -> &'bytes [u8] {
        let (taken, rest) = bytes.split_at(bytes.len().min(HEAD_BYTES - self.length));
        self.bytes[self.length..self.length + taken.len()].copy_from_slice(taken);
        self.length += taken.len();
        rest
    }

    pub(super) fn is_full(&self) -> bool {
        self.length == HEAD_BYTES
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl std::fmt::Debug for Head {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Head(..)")
    }
}

/// Refuses a body whose first bytes say that it is no list in this format.
pub(super) fn check(format: Format, head: &[u8]) -> Result<(), Fault> {
    if let Some(kind) = file(head) {
        return Err(Fault::new(kind, 0));
    }
    match format {
        Format::Text | Format::Csv => {
            json(head).map_or(Ok(()), |at| Err(Fault::new(LooksLikeJson, at as u64)))
        }
        Format::Json | Format::JsonArray | Format::Ndjson => Ok(()),
    }
}

fn file(head: &[u8]) -> Option<ParseErrorKind> {
    let known = FILES.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, kind)| *kind);
    let known = known.or_else(|| is_markup(head).then_some(FileKind::Markup));
    known.map(LooksLike).or_else(|| is_wide(head).then_some(Utf16))
}

/// Whether it is a page or a table of a web site, which some of them call a workbook.
fn is_markup(head: &[u8]) -> bool {
    let text = visible(head);
    let begins = |word: &&[u8]| text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    MARKUP.iter().any(begins)
}

/// What comes behind a byte order mark and white space.
fn visible(head: &[u8]) -> &[u8] {
    head.strip_prefix(MARK).unwrap_or(head).trim_ascii_start()
}

/// Whether it is UTF-16 or UTF-32: by its mark, or because the first characters have zero bytes beside them.
fn is_wide(head: &[u8]) -> bool {
    match head {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, 0, 0xfe, 0xff, ..] => true,
        [a, b, c, d, ..] => matches!(
            [*a == 0, *b == 0, *c == 0, *d == 0],
            [false, true, false, true]
                | [true, false, true, false]
                | [false, true, true, true]
                | [true, true, true, false]
        ),
        _ => false,
    }
}

/// Where a JSON array or object begins. No address begins like that.
fn json(head: &[u8]) -> Option<usize> {
    let text = visible(head);
    let [first, inside @ ..] = text else { return None };
    let is_json = matches!(
        (first, inside.trim_ascii_start().first()?),
        (b'[', b'"' | b'\'' | b'{' | b']') | (b'{', b'"' | b'\'')
    );
    is_json.then_some(head.len() - text.len())
}
