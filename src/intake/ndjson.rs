//! The grammar of NDJSON: a JSON string or `{"email": "..."}` a line, blank lines skipped.
//!
//! A line is read like any JSON, never gathered first, so only its address needs room. A CR alone ends a line
//! where its value is whole; inside an object it is white space, as in any JSON, and loses nothing.

use super::error::ParseErrorKind::{self, *};
use super::fault::{Fault, Stop};
use super::json_string::JsonString;
use super::lines::Lines;
use super::sink::Sink;

/// The only key of the object form.
const KEY: &str = "email";
/// The key of a whole list in one object.
const LIST_KEY: &str = "emails";

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
    lines: Lines,
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
            lines: Lines::default(),
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
                            let (is_known, is_list) = (string.is(KEY), string.is(LIST_KEY));
                            self.after_key(is_known).map_err(|fault| match fault.kind {
                                UnknownKey if is_list => Fault { kind: LooksLikeOneValue, ..fault },
                                _ => fault,
                            })?
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
                        byte @ (b'\n' | b'\r') => self.end_line(byte, offset)?,
                        byte => {
                            self.lines.text();
                            match byte {
                                b' ' | b'\t' => state,
                                _ => self
                                    .after(state, byte, offset)
                                    .map_err(|kind| Fault::new(kind, offset))?,
                            }
                        }
                    };
                    at += 1;
                }
            }
        }
        Ok(())
    }

    /// The body, and with it the last line, ends here.
    pub(super) fn finish(&mut self, end: u64) -> Result<(), Stop> {
        Ok(self.end_line(b'\n', end).map(|_| ())?)
    }

    /// The element that the line at hand is.
    pub(super) fn index(&self) -> u64 {
        self.index
    }

    /// The line at hand.
    pub(super) fn line(&self) -> u64 {
        self.lines.line()
    }

    /// Heap bytes it holds.
    pub(super) fn bytes(&self) -> usize {
        self.string.bytes()
    }

    /// Takes a CR or an LF outside strings.
    fn end_line(&mut self, byte: u8, offset: u64) -> Result<State, Fault> {
        let line = self.lines.ending();
        let state = match (self.state, byte) {
            (State::Start, _) => State::Start,
            (State::End, _) => {
                self.index += 1;
                State::Start
            }
            (inside, b'\r') => inside,
            _ => return Err(Fault { kind: LineTruncated, offset, line: Some(line) }),
        };
        self.lines.end(byte);
        Ok(state)
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
            _ => Err(self.unexpected(state, byte)),
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
    fn unexpected(&self, state: State, byte: u8) -> ParseErrorKind {
        match (state, byte) {
            (State::Start, b'[') if self.index == 0 => LooksLikeOneValue,
            (State::Start, _) => match ParseErrorKind::not_a_string(byte) {
                ExpectedString => ExpectedLine,
                wrong_type => wrong_type,
            },
            (State::Key, b'}') if self.has_key => TrailingComma,
            (State::Key, b'}') => MissingKey,
            (State::Key, b'\'') => SingleQuote,
            (State::Key, _) => ExpectedKey,
            (State::Colon, _) => ExpectedColon,
            (State::Value, _) => ParseErrorKind::not_a_string(byte),
            (State::AfterValue, _) => ExpectedBrace,
            (State::End, b'"' | b'{') => LinesJoined,
            (State::End, b',') => LineTrailingComma,
            (State::End | State::InString | State::InValue | State::InKey, _) => LineTrailingData,
        }
    }
}
