//! Reads the inside of a JSON string, from behind its opening quote to its closing one.
//!
//! Owns the state of an escape that the end of a piece may have cut. Text without escapes is not copied.

use std::ops::Range;

use super::carry::{Carry, Element};
use super::error::ParseErrorKind::{BadEscape, ControlCharacter, LoneSurrogate};
use super::fault::Fault;

/// A string under way.
#[derive(Debug, Default)]
pub(super) struct JsonString {
    carry: Carry,
    state: State,
    /// Where the escape under way begins; of a surrogate pair, its first half.
    escape_at: u64,
}

/// Where in a string we stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Plain,
    /// Behind a backslash.
    Escape,
    /// Behind `\u` and some digits; after the first half of a pair, with that half.
    Digits { digits: u8, value: u16, high: Option<u16> },
    /// Behind the first half of a surrogate pair: a backslash must follow.
    SecondEscape { high: u16 },
    /// Behind that backslash: a `u` must follow.
    SecondUnicode { high: u16 },
}

/// The last run of text of a string, in the piece at hand, and where the string is over.
#[derive(Debug)]
pub(super) struct Closed {
    run: Range<usize>,
    /// The position behind the closing quote.
    pub(super) after: usize,
}

impl JsonString {
    /// Reads on in `text` from `at`; `base` is the offset of `text` in the body. `None`: the piece is used up.
    pub(super) fn scan(&mut self, text: &str, mut at: usize, base: u64) -> Result<Option<Closed>, Fault> {
        let bytes = text.as_bytes();
        while at < bytes.len() {
            if self.state != State::Plain {
                self.escaped(bytes[at], base + at as u64)?;
                at += 1;
                continue;
            }
            let end = at + plain_length(&bytes[at..]);
            match bytes.get(end) {
                Some(b'"') => return Ok(Some(Closed { run: at..end, after: end + 1 })),
                Some(b'\\') => {
                    self.carry.push(&text[at..end]);
                    self.state = State::Escape;
                    self.escape_at = base + end as u64;
                    at = end + 1;
                }
                Some(_) => return Err(Fault::new(ControlCharacter, base + end as u64)),
                None => {
                    self.carry.push(&text[at..]);
                    at = end;
                }
            }
        }
        Ok(None)
    }

    /// The string that was just closed in `text`.
    pub(super) fn element<'text>(&'text mut self, text: &'text str, closed: Closed) -> Element<'text> {
        self.carry.join(&text[closed.run])
    }

    /// Makes room for the next string.
    pub(super) fn clear(&mut self) {
        self.carry.clear();
    }

    /// Heap bytes it holds.
    pub(super) fn bytes(&self) -> usize {
        self.carry.bytes()
    }

    /// Takes one byte of an escape.
    fn escaped(&mut self, byte: u8, offset: u64) -> Result<(), Fault> {
        let lone = Fault::new(LoneSurrogate, self.escape_at);
        self.state = match (self.state, byte) {
            (State::Plain, _) => State::Plain,
            (State::Escape, b'u') => State::Digits { digits: 0, value: 0, high: None },
            (State::Escape, _) => {
                let character = simple_escape(byte).ok_or(Fault::new(BadEscape, offset))?;
                self.carry.push_char(character);
                State::Plain
            }
            (State::SecondEscape { high }, b'\\') => State::SecondUnicode { high },
            (State::SecondUnicode { high }, b'u') => State::Digits { digits: 0, value: 0, high: Some(high) },
            (State::SecondEscape { .. } | State::SecondUnicode { .. }, _) => return Err(lone),
            (State::Digits { digits, value, high }, _) => {
                let digit = hex_digit(byte).ok_or(Fault::new(BadEscape, offset))?;
                let value = value << 4 | digit;
                if digits < 3 {
                    State::Digits { digits: digits + 1, value, high }
                } else {
                    self.unit(value, high).ok_or(lone)?
                }
            }
        };
        Ok(())
    }

    /// Takes a whole UTF-16 unit; `None` when it is half a pair without its other half.
    fn unit(&mut self, unit: u16, high: Option<u16>) -> Option<State> {
        let is_high = (0xd800..0xdc00).contains(&unit);
        if is_high && high.is_none() {
            return Some(State::SecondEscape { high: unit });
        }
        let units = high.into_iter().chain([unit]);
        for character in char::decode_utf16(units) {
            self.carry.push_char(character.ok()?);
        }
        Some(State::Plain)
    }
}

fn simple_escape(byte: u8) -> Option<char> {
    Some(match byte {
        b'"' | b'\\' | b'/' => char::from(byte),
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        _ => return None,
    })
}

fn hex_digit(byte: u8) -> Option<u16> {
    char::from(byte).to_digit(16).and_then(|digit| u16::try_from(digit).ok())
}

/// How many bytes come before the next quote, backslash or control character, eight at a time.
fn plain_length(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGHS: u64 = ONES << 7;
    let (words, rest) = bytes.as_chunks::<8>();
    for (number, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        // Each difference borrows into the high bit of a byte that is below; the lowest such bit is exact.
        let quote = word ^ (ONES * 0x22);
        let backslash = word ^ (ONES * 0x5c);
        let found = (quote.wrapping_sub(ONES) & !quote)
            | (backslash.wrapping_sub(ONES) & !backslash)
            | (word.wrapping_sub(ONES * 0x20) & !word);
        let found = found & HIGHS;
        if found != 0 {
            return number * 8 + found.trailing_zeros() as usize / 8;
        }
    }
    let is_special = |byte: &u8| *byte == b'"' || *byte == b'\\' || *byte < 0x20;
    words.len() * 8 + rest.iter().position(is_special).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_special_byte_is_found_wherever_it_stands() {
        for special in 0..=255_u8 {
            for filler in [b'!', b'#', b'[', b']', 0x20, 0x7f, 0x80, 0xa2, 0xdc, 0xff] {
                for at in 0..20 {
                    let mut bytes = [filler; 20];
                    bytes[at] = special;
                    let expected =
                        if special < 0x20 || special == b'"' || special == b'\\' { at } else { 20 };
                    assert_eq!(plain_length(&bytes), expected, "{special:#x} among {filler:#x} at {at}");
                }
            }
        }
    }

    #[test]
    fn the_first_of_two_special_bytes_is_found() {
        for (first, second) in [(0, b'"'), (b'"', 0x1f), (b'\\', b'"'), (0x1f, 0x20), (b'"', b'#')] {
            for at in 0..15 {
                let mut bytes = [b'x'; 16];
                (bytes[at], bytes[at + 1]) = (first, second);
                assert_eq!(plain_length(&bytes), at);
            }
        }
    }
}
