//! The grammar of CSV: fields as RFC 4180 quotes them. What they mean is up to the [`Table`].
//!
//! Neither rows nor unwanted fields are gathered. A row ends with CR, LF or both outside quotes. Refuses quotes
//! out of place, which could hide where a field ends, and what its [first line](super::csv_first_line) tells.

use memchr::memchr;

use super::carry::Carry;
use super::csv_first_line::{FirstLine, Suspicion, has_no_text, is_sep_line};
use super::csv_table::{End, Field, Place, Table};
use super::error::ParseErrorKind::{SepLine, StrayQuote, TextAfterQuote, UnclosedQuote};
use super::fault::{Fault, Stop};
use super::lines::Lines;
use super::sink::Sink;

/// A CSV body under way.
#[derive(Debug)]
pub(super) struct Csv {
    state: State,
    carry: Carry,
    table: Table,
    /// Where the field at hand begins.
    field: Place,
    lines: Lines,
    /// Until it was looked at, the line that the first row begins on.
    first_line: Option<FirstLine>,
}

/// Where in a field we stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    Plain,
    Quoted,
    /// Behind a quote in a quoted field: its end, or the first of two.
    Quote,
}

impl Default for Csv {
    fn default() -> Self {
        Self {
            state: State::Start,
            carry: Carry::default(),
            table: Table::default(),
            field: Place::default(),
            lines: Lines::default(),
            first_line: Some(FirstLine::default()),
        }
    }
}

impl Csv {
    /// Reads a piece that begins at `base`.
    pub(super) fn feed(&mut self, text: &str, base: u64, sink: &mut impl Sink) -> Result<(), Stop> {
        let mut at = 0;
        while let Some(first) = &mut self.first_line {
            let taken = first.take(&text[at..]);
            at += taken;
            if !first.is_whole() {
                return Ok(());
            }
            self.look_at_first_line(base + at as u64, sink)?;
        }
        self.rows(&text[at..], base + at as u64, sink)
    }

    /// The body, and with it the last row, ends here, at `end`.
    pub(super) fn finish(&mut self, end: u64, sink: &mut impl Sink) -> Result<(), Stop> {
        self.look_at_first_line(end, sink)?;
        match self.state {
            State::Start if self.table.is_between_rows() => {}
            State::Start | State::Plain | State::Quote => self.end_field("", End::Row, sink)?,
            State::Quoted => return Err(self.field.fault(UnclosedQuote).into()),
        }
        Ok(self.table.finish()?)
    }

    /// Judges the line that was held back, which ends at `end`, and reads it. One without text was not yet the
    /// first.
    fn look_at_first_line(&mut self, end: u64, sink: &mut impl Sink) -> Result<(), Stop> {
        let Some(mut first) = self.first_line.take() else { return Ok(()) };
        let line = first.text();
        let base = end - line.len() as u64;
        if !has_no_text(line) {
            if is_sep_line(line) {
                return Err(Fault::new(SepLine, base).into());
            }
            if let Some(suspicion) = Suspicion::of(line) {
                self.table.suspect(suspicion, Place { offset: base, line: self.lines.line() });
            }
            return self.rows(line, base, sink);
        }
        self.rows(line, base, sink)?;
        first.clear();
        self.first_line = Some(first);
        Ok(())
    }

    fn rows(&mut self, text: &str, base: u64, sink: &mut impl Sink) -> Result<(), Stop> {
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            let offset = base + at as u64;
            at = match (self.state, bytes[at]) {
                (State::Start, byte @ (b'\r' | b'\n')) if self.table.is_between_rows() => {
                    self.lines.end(byte);
                    at + 1
                }
                (State::Start, byte) => {
                    if !matches!(byte, b'\r' | b'\n') {
                        self.lines.text();
                    }
                    self.field = Place { offset, line: self.lines.line() };
                    self.state = if byte == b'"' { State::Quoted } else { State::Plain };
                    at + usize::from(byte == b'"')
                }
                (State::Plain, _) => self.plain(text, at, base, sink)?,
                (State::Quoted, _) => self.quoted(text, at),
                (State::Quote, b'"') => {
                    self.carry.push("\"");
                    self.state = State::Quoted;
                    at + 1
                }
                (State::Quote, b',') => {
                    self.end_field("", End::Field, sink)?;
                    at + 1
                }
                (State::Quote, byte @ (b'\r' | b'\n')) => {
                    self.end_row("", byte, sink)?;
                    at + 1
                }
                (State::Quote, _) => return Err(self.table.doubt(Fault::new(TextAfterQuote, offset)).into()),
            };
        }
        Ok(())
    }

    /// How many elements were read.
    pub(super) fn index(&self) -> u64 {
        self.table.index()
    }

    /// The line at hand.
    pub(super) fn line(&self) -> u64 {
        self.lines.line()
    }

    /// Heap bytes it holds.
    pub(super) fn bytes(&self) -> usize {
        self.carry.bytes() + self.table.bytes() + self.first_line.as_ref().map_or(0, FirstLine::bytes)
    }

    /// Reads on in an unquoted field; gives the position behind what it read.
    fn plain(&mut self, text: &str, at: usize, base: u64, sink: &mut impl Sink) -> Result<usize, Stop> {
        let bytes = text.as_bytes();
        let length = bytes[at..].iter().position(|byte| matches!(byte, b',' | b'\n' | b'\r' | b'"'));
        let Some(end) = length.map(|length| at + length) else {
            self.carry.push(&text[at..]);
            return Ok(text.len());
        };
        match bytes[end] {
            b'"' => return Err(self.table.doubt(Fault::new(StrayQuote, base + end as u64)).into()),
            b',' => self.end_field(&text[at..end], End::Field, sink)?,
            byte => self.end_row(&text[at..end], byte, sink)?,
        }
        Ok(end + 1)
    }

    /// Reads on in a quoted field; gives the position behind what it read.
    fn quoted(&mut self, text: &str, at: usize) -> usize {
        let rest = &text[at..];
        let (run, next) = match memchr(b'"', rest.as_bytes()) {
            Some(length) => {
                self.state = State::Quote;
                (&rest[..length], at + length + 1)
            }
            None => (rest, text.len()),
        };
        self.carry.push(run);
        self.lines.run(run);
        if self.state == State::Quote {
            self.lines.text();
        }
        next
    }

    /// Ends the row at hand with the last text of its last field, and with a CR or an LF.
    fn end_row(&mut self, last: &str, byte: u8, sink: &mut impl Sink) -> Result<(), Stop> {
        self.end_field(last, End::Row, sink)?;
        self.lines.end(byte);
        Ok(())
    }

    /// Ends the field at hand with the last of its text.
    fn end_field(&mut self, last: &str, end: End, sink: &mut impl Sink) -> Result<(), Stop> {
        let is_quoted = self.state == State::Quote;
        let field = Field { text: self.carry.join(last), is_quoted, place: self.field, end };
        self.table.field(field, sink)?;
        self.carry.clear();
        self.state = State::Start;
        Ok(())
    }
}
