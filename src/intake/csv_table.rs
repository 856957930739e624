//! What the fields of a CSV body mean: the column of the addresses in a table, or a single column without
//! header.
//!
//! Owns the layout that the first row told. A row without any text is no row. Refuses what could lose an
//! address: a header that holds one, rows without the column, rows with text behind the last column of the
//! first row, and fields that seem to hold the next row, too.

use memchr::memrchr;

use super::address::Parts;
use super::carry::{Carry, Element};
use super::csv_first_line::Suspicion;
use super::csv_header::Header;
use super::error::ParseErrorKind::{self, BelowTitle, ExtraColumn, JoinedRows, MissingEmail, WrongSeparator};
use super::fault::{Fault, Stop};
use super::sink::Sink;

/// A table under way.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// What the first row told, once it is over.
    layout: Option<Layout>,
    /// The first row, while it is read.
    header: Header,
    /// The column of the next field.
    column: u64,
    /// Where the row at hand begins.
    row: Place,
    /// Whether a field of the row at hand has text.
    has_text: bool,
    /// Whether the address of the row at hand is blank, and waits for text in a later field: without any, the
    /// row is none.
    waits: bool,
    /// That blank field.
    blank: Carry,
    /// What seems to separate the columns, and where that was seen, until commas are known to do it.
    suspicion: Option<(Suspicion, Place)>,
    index: u64,
}

/// Which columns the table has.
#[derive(Debug, Clone, Copy)]
struct Layout {
    email: u64,
    columns: u64,
    /// Whether the first row is no header but no address either, as a title is.
    is_below_title: bool,
}

/// A place in the body.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    pub(super) offset: u64,
    pub(super) line: u64,
}

/// A field as the grammar reads it.
#[derive(Clone, Copy)]
pub(super) struct Field<'text> {
    pub(super) text: Element<'text>,
    pub(super) is_quoted: bool,
    /// Where it begins.
    pub(super) place: Place,
    pub(super) end: End,
}

/// What ended a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Field,
    Row,
}

impl Place {
    /// A fault here.
    pub(super) fn fault(self, kind: ParseErrorKind) -> Fault {
        Fault { kind, offset: self.offset, line: Some(self.line) }
    }
}

impl Table {
    /// Takes the next field.
    pub(super) fn field(&mut self, field: Field<'_>, sink: &mut impl Sink) -> Result<(), Stop> {
        if self.column == 0 {
            self.row = field.place;
            self.has_text = false;
        }
        self.has_text |= !field.text.is_blank();
        match self.layout {
            Some(layout) => self.data(layout, field, sink)?,
            None => self.first_row(field, sink)?,
        }
        self.column = if field.end == End::Row { 0 } else { self.column + 1 };
        Ok(())
    }

    /// Whether the next field begins a row.
    pub(super) fn is_between_rows(&self) -> bool {
        self.column == 0
    }

    /// Takes what the first line tells; it counts only where the table can't be read as it is.
    pub(super) fn suspect(&mut self, suspicion: Suspicion, place: Place) {
        self.suspicion = Some((suspicion, place));
    }

    /// What is wrong where the grammar breaks, or a column is missing: the separator, if that is in doubt.
    pub(super) fn doubt(&self, fault: Fault) -> Fault {
        match self.suspicion {
            Some((suspicion, place)) => place.fault(WrongSeparator(suspicion.separator)),
            None => fault,
        }
    }

    /// All rows were read.
    pub(super) fn finish(&self) -> Result<(), Fault> {
        match self.suspicion {
            Some((suspicion, place)) if self.layout.is_some() => {
                Err(place.fault(WrongSeparator(suspicion.separator)))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// How many elements were read.
    pub(super) fn index(&self) -> u64 {
        self.index
    }

    /// Heap bytes it holds.
    pub(super) fn bytes(&self) -> usize {
        self.blank.bytes()
    }

    fn data(&mut self, layout: Layout, field: Field<'_>, sink: &mut impl Sink) -> Result<(), Stop> {
        if self.has_text {
            self.judge_second_row(field.text.text())?;
        }
        let is_email = self.column == layout.email;
        if is_email && self.has_text {
            self.send(field.text, sink)?;
        } else if is_email {
            self.blank.push(field.text.text());
            self.waits = true;
        } else {
            if self.waits && self.has_text {
                self.send_blank(sink)?;
            }
            if !field.is_quoted && holds_next_row(field.text.text()) {
                return Err(field.place.fault(JoinedRows).into());
            }
        }
        if self.column >= layout.columns && !field.text.is_blank() {
            let kind = if layout.is_below_title { BelowTitle } else { ExtraColumn };
            return Err(field.place.fault(kind).into());
        }
        if field.end == End::Row {
            if self.has_text && self.column < layout.email {
                return Err(self.row.fault(MissingEmail).into());
            }
            self.waits = false;
            self.blank.clear();
        }
        Ok(())
    }

    fn first_row(&mut self, field: Field<'_>, sink: &mut impl Sink) -> Result<(), Stop> {
        self.header.take(field.text, field.place)?;
        if field.end == End::Field {
            return Ok(());
        }
        let header = std::mem::take(&mut self.header);
        if !self.has_text {
            return Ok(());
        }
        let (email, columns) = header.finish(self.row).map_err(|fault| self.doubt(fault))?;
        let is_address = || Parts::scan(field.text.text()).is_ok();
        let is_below_title = email.is_none() && !is_address();
        if email.is_none() {
            self.judge_single_column(!is_below_title)?;
            self.send(field.text, sink)?;
        } else {
            self.suspicion = None;
        }
        self.layout = Some(Layout { email: email.unwrap_or(0), columns, is_below_title });
        Ok(())
    }

    /// A single column without a known name: good if it holds an address, no column at all if another separator
    /// finds one, and else up to the next row.
    fn judge_single_column(&mut self, is_address: bool) -> Result<(), Fault> {
        match self.suspicion {
            Some((suspicion, place)) if suspicion.is_named => {
                Err(place.fault(WrongSeparator(suspicion.separator)))
            }
            Some(_) if is_address => {
                self.suspicion = None;
                Ok(())
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The row behind a suspicious one has the separator, too, or clears it.
    fn judge_second_row(&mut self, text: &str) -> Result<(), Fault> {
        match self.suspicion.take() {
            Some((suspicion, place)) if suspicion.holds_in(text) => {
                Err(place.fault(WrongSeparator(suspicion.separator)))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn send(&mut self, field: Element<'_>, sink: &mut impl Sink) -> Result<(), Stop> {
        field.send(sink)?;
        self.index += 1;
        Ok(())
    }

    fn send_blank(&mut self, sink: &mut impl Sink) -> Result<(), Stop> {
        self.blank.join("").send(sink)?;
        self.index += 1;
        self.waits = false;
        self.blank.clear();
        Ok(())
    }
}

/// Whether an address stands behind what ends a line elsewhere, but no row: a form feed, or what Unicode calls
/// a separator of lines or paragraphs.
fn holds_next_row(text: &str) -> bool {
    // Hardly any field that is not wanted has an `@`: the rest costs nothing.
    memrchr(b'@', text.as_bytes())
        .is_some_and(|at| text[..at].contains(['\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}']))
}
