//! The grammar of a JSON body: an array of strings, or (unless told otherwise) an object whose only key
//! `emails` holds one.
//!
//! Strict RFC 8259, one element at a time; nothing nests, so there is no depth to bound.

use super::error::ParseErrorKind::{self, *};
use super::fault::{Fault, Stop};
use super::json_string::JsonString;
use super::sink::Sink;

/// The only key of the object form.
const KEY: &str = "emails";
/// The key of an object on a line of NDJSON.
const LINE_KEY: &str = "email";

/// A JSON body under way.
#[derive(Debug, Default)]
pub(super) struct Json {
    state: State,
    string: JsonString,
    /// Whether the array stands in an object.
    wrapped: bool,
    /// Whether that object had its key.
    has_key: bool,
    /// Where the key under way begins.
    key_at: u64,
    index: u64,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Start,
    /// As `Start`, without the object form.
    StartOfArray,
    FirstElement,
    Element,
    InElement,
    AfterElement,
    Key,
    InKey,
    Colon,
    Array,
    AfterArray,
    End,
}

impl Json {
    /// At the beginning of a body that must be an array.
    pub(super) fn array_only() -> Self {
        Self { state: State::StartOfArray, ..Self::default() }
    }

    /// Reads a piece that begins at `base`.
    pub(super) fn feed(&mut self, text: &str, base: u64, sink: &mut impl Sink) -> Result<(), Stop> {
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            match self.state {
                State::InElement | State::InKey => {
                    let Some(closed) = self.string.scan(text, at, base)? else {
                        return Ok(());
                    };
                    at = closed.after;
                    let string = self.string.element(text, closed);
                    self.state = if self.state == State::InKey {
                        let (is_known, is_ndjson) = (string.is(KEY), string.is(LINE_KEY));
                        self.after_key(is_known).map_err(|fault| match fault.kind {
                            UnknownKey if is_ndjson => Fault { kind: LooksLikeNdjson, ..fault },
                            _ => fault,
                        })?
                    } else {
                        string.send(sink)?;
                        self.index += 1;
                        State::AfterElement
                    };
                    self.string.clear();
                }
                state => {
                    let offset = base + at as u64;
                    if !matches!(bytes[at], b' ' | b'\t' | b'\n' | b'\r') {
                        self.state =
                            self.after(state, bytes[at], offset).map_err(|kind| Fault::new(kind, offset))?;
                    }
                    at += 1;
                }
            }
        }
        Ok(())
    }

    /// The body ends here.
    pub(super) fn finish(&self, end: u64) -> Result<(), Stop> {
        match self.state {
            State::End => Ok(()),
            State::Start | State::StartOfArray => Err(Fault::new(EmptyBody, end).into()),
            _ => Err(Fault::new(Truncated, end).into()),
        }
    }

    /// How many elements were read.
    pub(super) fn index(&self) -> u64 {
        self.index
    }

    /// Heap bytes it holds.
    pub(super) fn bytes(&self) -> usize {
        self.string.bytes()
    }

    /// Takes one byte outside strings that is no white space.
    fn after(&mut self, state: State, byte: u8, offset: u64) -> Result<State, ParseErrorKind> {
        match (state, byte) {
            (State::Start | State::StartOfArray | State::Array, b'[') => Ok(State::FirstElement),
            (State::FirstElement | State::Element, b'"') => Ok(State::InElement),
            (State::AfterElement, b',') => Ok(State::Element),
            (State::FirstElement | State::AfterElement, b']') if self.wrapped => Ok(State::AfterArray),
            (State::FirstElement | State::AfterElement, b']') => Ok(State::End),
            (State::Start, b'{') => {
                self.wrapped = true;
                Ok(State::Key)
            }
            (State::Key, b'"') => {
                self.key_at = offset;
                Ok(State::InKey)
            }
            (State::Colon, b':') => Ok(State::Array),
            (State::AfterArray, b',') => Ok(State::Key),
            (State::AfterArray, b'}') => Ok(State::End),
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
            (State::StartOfArray, _) => ExpectedStrings,
            (State::Start, b'"') => LooksLikeNdjson,
            (State::Start, _) => ExpectedList,
            (State::Element, b']') => TrailingComma,
            (State::FirstElement | State::Element, _) => ParseErrorKind::not_a_string(byte),
            (State::AfterElement, _) => ExpectedCommaOrBracket,
            (State::Key, b'}') if self.has_key => TrailingComma,
            (State::Key, b'}') => MissingKey,
            (State::Key, b'\'') => SingleQuote,
            (State::Key, _) => ExpectedKey,
            (State::Colon, _) => ExpectedColon,
            (State::Array, _) => ExpectedArray,
            (State::AfterArray, _) => ExpectedBrace,
            (State::End | State::InElement | State::InKey, _) => TrailingData,
        }
    }
}
