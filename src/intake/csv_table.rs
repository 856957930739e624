//! What the fields of a CSV body mean: the column of the addresses in a table, or a single column without
//! header.
//!
//! Owns the layout that the first row told. A row without any text is no row. Refuses what could lose an
//! address: rows without the column, and rows with text behind the last column of the first row.

use super::carry::{Carry, Element};
use super::csv_header::Header;
use super::error::ParseErrorKind::{self, ExtraColumn, LineEndsLost, MissingEmail};
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
    /// Where the header stands, when an address stands in it.
    suspect: Option<Place>,
    index: u64,
}

/// Which columns the table has.
#[derive(Debug, Clone, Copy)]
struct Layout {
    email: u64,
    columns: u64,
}

/// A place in the body.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    pub(super) offset: u64,
    pub(super) line: u64,
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
    /// Takes the next field, which begins at `place`.
    pub(super) fn field(
        &mut self,
        field: Element<'_>,
        place: Place,
        end: End,
        sink: &mut impl Sink,
    ) -> Result<(), Stop> {
        if self.column == 0 {
            self.row = place;
            self.has_text = false;
        }
        self.has_text |= !field.is_blank();
        match self.layout {
            Some(layout) => self.data(layout, field, place, end, sink)?,
            None => self.first_row(field, place, end, sink)?,
        }
        self.column = if end == End::Row { 0 } else { self.column + 1 };
        Ok(())
    }

    /// Whether the next field begins a row.
    pub(super) fn is_between_rows(&self) -> bool {
        self.column == 0
    }

    /// All rows were read.
    pub(super) fn finish(&self) -> Result<(), Fault> {
        match self.suspect {
            Some(header) if self.index == 0 => Err(header.fault(LineEndsLost)),
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

    fn data(
        &mut self,
        layout: Layout,
        field: Element<'_>,
        place: Place,
        end: End,
        sink: &mut impl Sink,
    ) -> Result<(), Stop> {
        let is_email = self.column == layout.email;
        if is_email && self.has_text {
            self.send(field, sink)?;
        } else if is_email {
            self.blank.push(field.text());
            self.waits = true;
        } else if self.waits && self.has_text {
            self.send_blank(sink)?;
        }
        if self.column >= layout.columns && !field.is_blank() {
            return Err(place.fault(ExtraColumn).into());
        }
        if end == End::Row {
            if self.has_text && self.column < layout.email {
                return Err(self.row.fault(MissingEmail).into());
            }
            self.waits = false;
            self.blank.clear();
        }
        Ok(())
    }

    fn first_row(
        &mut self,
        field: Element<'_>,
        place: Place,
        end: End,
        sink: &mut impl Sink,
    ) -> Result<(), Stop> {
        self.header.take(field, place)?;
        if end == End::Field {
            return Ok(());
        }
        let header = std::mem::take(&mut self.header);
        if !self.has_text {
            return Ok(());
        }
        self.suspect = header.holds_address().then_some(self.row);
        let (email, columns) = header.finish(self.row)?;
        if email.is_none() {
            self.send(field, sink)?;
        }
        self.layout = Some(Layout { email: email.unwrap_or(0), columns });
        Ok(())
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
