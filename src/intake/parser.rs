//! One parser over four grammars: takes bytes in pieces of any size, looks at the first ones, checks that they
//! are UTF-8, and hands whole characters on.
//!
//! Owns the position in the body, its first bytes until they were looked at, and the bytes of a character that
//! the end of a piece cut. Passes over byte order marks at the beginning. After an error it takes nothing more
//! and repeats the error.

use std::str::from_utf8;

use super::csv::Csv;
use super::error::{IntakeError, ParseErrorKind::NotUtf8};
use super::fault::{Fault, Stop};
use super::json::Json;
use super::ndjson::Ndjson;
use super::recognise::{Head, check};
use super::sink::Sink;
use super::text::Text;

/// The byte order mark that spreadsheets and PowerShell put before text.
const MARK: char = '\u{feff}';

/// How a list is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// `application/json`: an array of strings, or `{"emails": [...]}`.
    Json,
    /// `application/json` as fax.plus takes it: an array of strings and nothing else.
    JsonArray,
    /// `application/x-ndjson`: a JSON string or `{"email": "..."}` a line.
    Ndjson,
    /// `text/plain`: an address a line.
    Text,
    /// `text/csv`: a column of addresses, or a single column.
    Csv,
}

/// Finds the elements of a body.
#[derive(Debug)]
pub struct Parser {
    format: Format,
    grammar: Grammar,
    /// The first bytes, until they were looked at.
    head: Option<Head>,
    /// The bytes before the cut character, or before the next byte.
    offset: u64,
    /// The beginning of a character that the end of the last piece cut.
    cut: [u8; 4],
    cut_length: usize,
    failed: Option<IntakeError>,
}

#[derive(Debug)]
enum Grammar {
    Json(Json),
    Ndjson(Ndjson),
    Text(Text),
    Csv(Box<Csv>),
}

impl Parser {
    /// A parser at the beginning of a body.
    pub fn new(format: Format) -> Self {
        let grammar = match format {
            Format::Json => Grammar::Json(Json::default()),
            Format::JsonArray => Grammar::Json(Json::array_only()),
            Format::Ndjson => Grammar::Ndjson(Ndjson::default()),
            Format::Text => Grammar::Text(Text::default()),
            Format::Csv => Grammar::Csv(Box::default()),
        };
        Self { format, grammar, head: Some(Head::new()), offset: 0, cut: [0; 4], cut_length: 0, failed: None }
    }

    /// Reads the next bytes of the body.
    ///
    /// # Errors
    /// [`IntakeError::Malformed`] or [`IntakeError::Full`]; the same again whatever is fed afterwards.
    pub fn feed(&mut self, bytes: &[u8], sink: &mut impl Sink) -> Result<(), IntakeError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let read = self.take(bytes, sink);
        self.explained(read)
    }

    /// Reads what was held back of the beginning, when no more may come: a fault in it is told before any other.
    ///
    /// # Errors
    /// As [`Parser::feed`].
    pub(super) fn read_head(&mut self, sink: &mut impl Sink) -> Result<(), IntakeError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let read = self.open(sink);
        self.explained(read)
    }

    /// The body is over.
    ///
    /// # Errors
    /// [`IntakeError::Malformed`] when it is not whole, [`IntakeError::Full`], or what stopped it before.
    pub fn finish(mut self, sink: &mut impl Sink) -> Result<(), IntakeError> {
        self.read_head(sink)?;
        let result = if self.cut_length > 0 {
            Err(Fault::new(NotUtf8, self.offset).into())
        } else {
            self.grammar.finish(self.offset, sink)
        };
        result.map_err(|stop| self.grammar.explain(stop))
    }

    /// Heap bytes it holds: bounded, whatever was fed.
    pub fn bytes(&self) -> usize {
        match &self.grammar {
            Grammar::Json(json) => json.bytes(),
            Grammar::Ndjson(ndjson) => ndjson.bytes(),
            Grammar::Text(text) => text.bytes(),
            Grammar::Csv(csv) => csv.bytes(),
        }
    }

    fn explained(&mut self, read: Result<(), Stop>) -> Result<(), IntakeError> {
        read.map_err(|stop| {
            let error = self.grammar.explain(stop);
            self.failed = Some(error.clone());
            error
        })
    }

    /// Holds the first bytes back until there are enough to be looked at.
    fn take(&mut self, bytes: &[u8], sink: &mut impl Sink) -> Result<(), Stop> {
        let Some(head) = &mut self.head else { return self.characters(bytes, sink) };
        let rest = head.fill(bytes);
        if !head.is_full() {
            return Ok(());
        }
        self.open(sink)?;
        self.characters(rest, sink)
    }

    fn open(&mut self, sink: &mut impl Sink) -> Result<(), Stop> {
        let Some(head) = self.head.take() else { return Ok(()) };
        check(self.format, head.bytes())?;
        self.characters(head.bytes(), sink)
    }

    /// Hands on what is whole characters, and keeps a cut one.
    fn characters(&mut self, bytes: &[u8], sink: &mut impl Sink) -> Result<(), Stop> {
        let rest = self.mend(bytes, sink)?;
        match from_utf8(rest) {
            Ok(text) => self.piece(text, sink),
            Err(error) => {
                let (valid, rest) = rest.split_at(error.valid_up_to());
                self.piece(from_utf8(valid).unwrap_or_default(), sink)?;
                if error.error_len().is_some() {
                    return Err(Fault::new(NotUtf8, self.offset).into());
                }
                self.cut[..rest.len()].copy_from_slice(rest);
                self.cut_length = rest.len();
                Ok(())
            }
        }
    }

    /// Completes the cut character, if there is one; gives what is left of the bytes.
    fn mend<'bytes>(&mut self, mut bytes: &'bytes [u8], sink: &mut impl Sink) -> Result<&'bytes [u8], Stop> {
        while let (1.., [byte, rest @ ..]) = (self.cut_length, bytes) {
            self.cut[self.cut_length] = *byte;
            self.cut_length += 1;
            bytes = rest;
            let cut = self.cut;
            match from_utf8(&cut[..self.cut_length]) {
                Ok(character) => {
                    self.cut_length = 0;
                    self.piece(character, sink)?;
                }
                Err(error) if error.error_len().is_some() => {
                    return Err(Fault::new(NotUtf8, self.offset).into());
                }
                Err(_) => {}
            }
        }
        Ok(bytes)
    }

    fn piece(&mut self, text: &str, sink: &mut impl Sink) -> Result<(), Stop> {
        let end = self.offset + text.len() as u64;
        // The first piece holds all of the head, and so all marks that there may be.
        let text = if self.offset == 0 { text.trim_start_matches(MARK) } else { text };
        self.offset = end;
        let base = end - text.len() as u64;
        match &mut self.grammar {
            Grammar::Json(json) => json.feed(text, base, sink),
            Grammar::Ndjson(ndjson) => ndjson.feed(text, base, sink),
            Grammar::Text(lines) => lines.feed(text, sink),
            Grammar::Csv(csv) => csv.feed(text, base, sink),
        }
    }
}

impl Grammar {
    fn finish(&mut self, end: u64, sink: &mut impl Sink) -> Result<(), Stop> {
        match self {
            Self::Json(json) => json.finish(end),
            Self::Ndjson(ndjson) => ndjson.finish(end),
            Self::Text(text) => text.finish(sink),
            Self::Csv(csv) => csv.finish(end, sink),
        }
    }

    fn explain(&self, stop: Stop) -> IntakeError {
        match self {
            Self::Json(json) => stop.at(json.index(), None),
            Self::Ndjson(ndjson) => stop.at(ndjson.index(), Some(ndjson.line())),
            Self::Text(text) => stop.at(text.index(), Some(text.line())),
            Self::Csv(csv) => stop.at(csv.index(), Some(csv.line())),
        }
    }
}
