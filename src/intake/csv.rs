//! The grammar of CSV: fields as RFC 4180 quotes them. What they mean is up to the [`Table`].
//!
//! Neither rows nor unwanted fields are gathered. Refuses quotes out of place, which could hide where a
//! field ends.

use super::carry::Carry;
use super::csv_table::{End, Place, Table};
use super::error::ParseErrorKind::{StrayQuote, TextAfterQuote, UnclosedQuote};
use super::fault::{Fault, Stop};
use super::sink::Sink;

/// A CSV body under way.
#[derive(Debug)]
pub(super) struct Csv {
    state: State,
    carry: Carry,
    table: Table,
    /// Where the field at hand begins.
    field: Place,
    line: u64,
}

/// Where in a field we stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    Plain,
    Quoted,
    /// Behind a quote in a quoted field: its end, or the first of two.
    Quote,
    /// Behind a carriage return that follows the closing quote.
    CarriageReturn,
}

impl Default for Csv {
    fn default() -> Self {
        Self {
            state: State::Start,
            carry: Carry::default(),
            table: Table::default(),
            field: Place::default(),
            line: 1,
        }
    }
}

impl Csv {
    /// Reads a piece that begins at `base`.
    pub(super) fn feed(&mut self, text: &str, base: u64, sink: &mut impl Sink) -> Result<(), Stop> {
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            let offset = base + at as u64;
            at = match (self.state, bytes[at]) {
                (State::Start, byte) => {
                    self.field = Place { offset, line: self.line };
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
                (State::Quote, b'\r') => {
                    self.state = State::CarriageReturn;
                    at + 1
                }
                (State::Quote | State::CarriageReturn, b'\n') => {
                    self.end_field("", End::Row, sink)?;
                    at + 1
                }
                (State::Quote | State::CarriageReturn, _) => {
                    return Err(Fault::new(TextAfterQuote, offset).into());
                }
            };
        }
        Ok(())
    }

    /// The body, and with it the last row, ends here.
    pub(super) fn finish(&mut self, sink: &mut impl Sink) -> Result<(), Stop> {
        match self.state {
            State::Start if self.table.is_between_rows() => Ok(()),
            State::Start | State::Plain | State::Quote | State::CarriageReturn => {
                self.end_field("", End::Row, sink)
            }
            State::Quoted => Err(self.field.fault(UnclosedQuote).into()),
        }
    }

    /// How many elements were read.
    pub(super) fn index(&self) -> u64 {
        self.table.index()
    }

    /// The line at hand.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// Heap bytes it holds.
    pub(super) fn bytes(&self) -> usize {
        self.carry.bytes()
    }

    /// Reads on in an unquoted field; gives the position behind what it read.
    fn plain(&mut self, text: &str, at: usize, base: u64, sink: &mut impl Sink) -> Result<usize, Stop> {
        let bytes = text.as_bytes();
        let length = bytes[at..].iter().position(|byte| matches!(byte, b',' | b'\n' | b'"'));
        let Some(end) = length.map(|length| at + length) else {
            self.carry.push(&text[at..]);
            return Ok(text.len());
        };
        match bytes[end] {
            b'"' => return Err(Fault::new(StrayQuote, base + end as u64).into()),
            b',' => self.end_field(&text[at..end], End::Field, sink)?,
            _ => self.end_field(&text[at..end], End::Row, sink)?,
        }
        Ok(end + 1)
    }

    /// Reads on in a quoted field; gives the position behind what it read.
    fn quoted(&mut self, text: &str, at: usize) -> usize {
        let rest = &text[at..];
        let (run, next) = match rest.find('"') {
            Some(length) => {
                self.state = State::Quote;
                (&rest[..length], at + length + 1)
            }
            None => (rest, text.len()),
        };
        self.carry.push(run);
        self.line += run.bytes().filter(|byte| *byte == b'\n').count() as u64;
        next
    }

    /// Ends the field at hand with the last of its text.
    fn end_field(&mut self, last: &str, end: End, sink: &mut impl Sink) -> Result<(), Stop> {
        let quoted = matches!(self.state, State::Quote | State::CarriageReturn);
        let mut field = self.carry.join(last);
        if end == End::Row && !quoted {
            field = field.without_carriage_return();
        }
        self.table.field(field, self.field, quoted, end, sink)?;
        self.carry.clear();
        self.state = State::Start;
        if end == End::Row {
            self.line += 1;
        }
        Ok(())
    }
}
