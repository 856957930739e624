//! The grammar of NDJSON: a JSON string or `{"email": "..."}` a line, blank lines skipped.
//!
//! A line is read like any JSON, never gathered first, so only its address needs room.

use super::error::ParseErrorKind::{self, *};
use super::fault::{Fault, Stop};
use super::json_string::JsonString;
use super::sink::Sink;

/// The only key of the object form.
const KEY: &str = "email";
/// The first byte of a byte order mark in UTF-8. Nothing else outside strings may begin so either.
const MARK: u8 = 0xef;

/// An NDJSON body under way.
#[derive(Debug)]
pub(super) struct Ndjson {
    state: State,
    string: JsonString,
    /// Whether the object under way had its key.
    has_key: bool,
    /// Where the key under way begins.
    key_at: u64,
    /// The element that the line at hand is.
    index: u64,
    line: u64,
}

/// What comes next on the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    InString,
    Key,
    InKey,
    Colon,
    Value,
    InValue,
    AfterValue,
    End,
}

impl Default for Ndjson {
    fn default() -> Self {
        Self {
            state: State::Start,
            string: JsonString::default(),
            has_key: false,
            key_at: 0,
            index: 0,
            line: 1,
        }
    }
}

impl Ndjson {
    /// Reads a piece that begins at `base`.
    pub(super) fn feed(&mut self, text: &str, base: u64, sink: &mut impl Sink) -> Result<(), Stop> {
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            match self.state {
                State::InString | State::InValue | State::InKey => {
                    let Some(closed) = self.string.scan(text, at, base)? else {
                        return Ok(());
                    };
                    at = closed.after;
                    let string = self.string.element(text, closed);
                    self.state = match self.state {
                        State::InKey => {
                            let is_known = string.is(KEY);
                            self.after_key(is_known)?
                        }
                        inside => {
                            string.send(sink)?;
                            if inside == State::InValue { State::AfterValue } else { State::End }
                        }
                    };
                    self.string.clear();
                }
                state => {
                    let offset = base + at as u64;
                    self.state = match bytes[at] {
                        b' ' | b'\t' | b'\r' => state,
                        b'\n' => self.end_line(offset)?,
                        byte => self.after(state, byte, offset).map_err(|kind| Fault::new(kind, offset))?,
                    };
                    at += 1;
                }
            }
        }
        Ok(())
    }

    /// The body, and with it the last line, ends here.
    pub(super) fn finish(&mut self, end: u64) -> Result<(), Stop> {
        Ok(self.end_line(end).map(|_| ())?)
    }

    /// The element that the line at hand is.
    pub(super) fn index(&self) -> u64 {
        self.index
    }

    /// The line at hand.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// Heap bytes it holds.
    pub(super) fn bytes(&self) -> usize {
        self.string.bytes()
    }

    fn end_line(&mut self, offset: u64) -> Result<State, Fault> {
        match self.state {
            State::Start => {}
            State::End => self.index += 1,
            _ => return Err(Fault::new(LineTruncated, offset)),
        }
        self.line += 1;
        Ok(State::Start)
    }

    /// Takes one byte outside strings that is no white space.
    fn after(&mut self, state: State, byte: u8, offset: u64) -> Result<State, ParseErrorKind> {
        match (state, byte) {
            (State::Start, b'"') => Ok(State::InString),
            (State::Start, b'{') => {
                self.has_key = false;
                Ok(State::Key)
            }
            (State::Key, b'"') => {
                self.key_at = offset;
                Ok(State::InKey)
            }
            (State::Colon, b':') => Ok(State::Value),
            (State::Value, b'"') => Ok(State::InValue),
            (State::AfterValue, b',') => Ok(State::Key),
            (State::AfterValue, b'}') => Ok(State::End),
            _ => Err(self.unexpected(state, byte, offset)),
        }
    }

    /// Judges the key that was just read.
    fn after_key(&mut self, is_known: bool) -> Result<State, Fault> {
        let kind = match (is_known, self.has_key) {
            (true, false) => {
                self.has_key = true;
                return Ok(State::Colon);
            }
            (true, true) => RepeatedKey,
            (false, _) => UnknownKey,
        };
        Err(Fault::new(kind, self.key_at))
    }

    /// What is wrong with a byte that cannot stand here.
    fn unexpected(&self, state: State, byte: u8, offset: u64) -> ParseErrorKind {
        match (state, byte) {
            (State::Start, MARK) if offset == 0 => ByteOrderMark,
            (State::Start, _) => match ParseErrorKind::not_a_string(byte) {
                ExpectedString => ExpectedLine,
                wrong_type => wrong_type,
            },
            (State::Key, b'}') if self.has_key => TrailingComma,
            (State::Key, b'}') => MissingKey,
            (State::Key, _) => ExpectedKey,
            (State::Colon, _) => ExpectedColon,
            (State::Value, _) => ParseErrorKind::not_a_string(byte),
            (State::AfterValue, _) => ExpectedBrace,
            (State::End | State::InString | State::InValue | State::InKey, _) => LineTrailingData,
        }
    }
}
