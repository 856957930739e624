//! Recognises by their first bytes bodies that are no list in any format, or one in another format.
//!
//! Owns the first [`HEAD_BYTES`] of a body until there are so many, or the body is over: what they are taken
//! for must not depend on how the body was split. Nothing is recognised that could be a good list.

use std::str::from_utf8;

use super::error::ParseErrorKind::{self, LooksLike, LooksLikeJson, Utf16};
use super::fault::Fault;
use super::found::FileKind;
use super::parser::Format;

/// Most bytes that are looked at.
pub(super) const HEAD_BYTES: usize = 64;

const MARK: &[u8] = "\u{feff}".as_bytes();

/// How files begin that people take for lists.
const FILES: [(&[u8], FileKind); 18] = [
    (b"PK\x03\x04", FileKind::Zip),
    (b"PK\x05\x06", FileKind::Zip),
    (b"PK\x07\x08", FileKind::Zip),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", FileKind::OldOffice),
    (b"%PDF-1.", FileKind::Pdf),
    (b"%PDF-2.", FileKind::Pdf),
    (b"\x1f\x8b", FileKind::Gzip),
    (b"\x28\xb5\x2f\xfd", FileKind::Compressed),
    (b"\xfd7zXZ\0", FileKind::Compressed),
    (b"7z\xbc\xaf\x27\x1c", FileKind::Compressed),
    (b"Rar!\x1a\x07", FileKind::Compressed),
    (b"x\x01", FileKind::Compressed),
    (b"x\x9c", FileKind::Compressed),
    (b"x\xda", FileKind::Compressed),
    (b"{\\rtf", FileKind::RichText),
    (b"SQLite format 3\0", FileKind::Database),
    (b"\x89PNG", FileKind::Image),
    (b"\xff\xd8\xff", FileKind::Image),
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
    if let Some(kind) = file(format, head) {
        return Err(Fault::new(kind, 0));
    }
    match format {
        Format::Text | Format::Csv => {
            json(head).map_or(Ok(()), |at| Err(Fault::new(LooksLikeJson, at as u64)))
        }
        Format::Json | Format::JsonArray | Format::Ndjson => Ok(()),
    }
}

fn file(format: Format, head: &[u8]) -> Option<ParseErrorKind> {
    let known = FILES.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, kind)| *kind);
    let known = known
        .or_else(|| is_markup(head).then_some(FileKind::Markup))
        .or_else(|| is_compressed(head).then_some(FileKind::Compressed));
    known.map(|kind| LooksLike(kind, format)).or_else(|| is_wide(head).then_some(Utf16))
}

/// Whether it is a page or a table of a web site, which some of them call a workbook.
fn is_markup(head: &[u8]) -> bool {
    let text = visible(head);
    let begins = |word: &&[u8]| text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    MARKUP.iter().any(begins)
}

/// Whether it is bzip2 of any level, or the kind of zlib whose first bytes could begin an address.
fn is_compressed(head: &[u8]) -> bool {
    let is_bzip2 = || matches!(head.get(4..10), Some(b"1AY&SY" | b"\x17rE8P\x90"));
    (head.starts_with(b"BZh") && is_bzip2()) || (head.starts_with(b"x^") && !is_utf8(head))
}

/// Whether it is UTF-8, but for a character that its end cuts.
fn is_utf8(head: &[u8]) -> bool {
    from_utf8(head).map_or_else(|error| error.error_len().is_none(), |_| true)
}

/// What comes behind a byte order mark and white space.
fn visible(head: &[u8]) -> &[u8] {
    head.strip_prefix(MARK).unwrap_or(head).trim_ascii_start()
}

/// Whether it is UTF-16 or UTF-32: by its mark, or because the first characters have zero bytes beside them.
fn is_wide(head: &[u8]) -> bool {
    match head {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, 0, 0xfe, 0xff, ..] => true,
        [a, b, c, d, ..] => {
            matches!(
                [*a == 0, *b == 0, *c == 0, *d == 0],
                [false, true, false, true]
                    | [true, false, true, false]
                    | [false, true, true, true]
                    | [true, true, true, false]
            ) || is_wide_elsewhere(head)
        }
        _ => false,
    }
}

/// Whether it is UTF-16 that begins with letters of another script: a comma, an `@` or the end of a line still
/// has its zero byte. Text with a few such bytes by mistake is readable without them, and stays text.
fn is_wide_elsewhere(head: &[u8]) -> bool {
    let pairs = || head.chunks_exact(2);
    let zeros = |at: usize| pairs().filter(|pair| pair[at] == 0).count();
    let (zeros, decode): (usize, fn([u8; 2]) -> u16) = match (zeros(0), zeros(1)) {
        (0, few @ 2..) => (few, u16::from_le_bytes),
        (few @ 2.., 0) => (few, u16::from_be_bytes),
        _ => return false,
    };
    let is_text = |one: char| !one.is_control() || matches!(one, '\t' | '\r' | '\n');
    let is_readable =
        || is_utf8(head) && head.iter().all(|byte| matches!(byte, 0 | 0x80..) || is_text(char::from(*byte)));
    let is_likely = zeros * 4 >= pairs().count() || !is_readable();
    is_likely
        && char::decode_utf16(pairs().map(|pair| decode([pair[0], pair[1]])))
            .all(|one| one.is_ok_and(is_text))
}

/// Where a JSON array or object begins. No address begins like that.
fn json(head: &[u8]) -> Option<usize> {
    let text = visible(head);
    let [first, inside @ ..] = text else { return None };
    let inside = inside.trim_ascii_start();
    let is_json = match (first, inside.first()?) {
        (b'[', b'"' | b'\'' | b'{' | b'[' | b']') | (b'{', b'"' | b'\'') => true,
        (b'[', _) => is_element(inside),
        _ => false,
    };
    is_json.then_some(head.len() - text.len())
}

/// Whether an array goes on with a number, a boolean or null, and does not end before other text.
fn is_element(inside: &[u8]) -> bool {
    let is_number = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
    let word = [b"true".as_slice(), b"false", b"null"].into_iter().find(|word| inside.starts_with(word));
    let length = word.map_or_else(|| inside.iter().take_while(|byte| is_number(byte)).count(), <[u8]>::len);
    match inside[length..].trim_ascii_start() {
        [b',', ..] => length > 0,
        [b']', rest @ ..] => length > 0 && rest.trim_ascii_start().is_empty(),
        _ => false,
    }
}
