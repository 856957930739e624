//! What the fields of a CSV body mean: the column `email` of a table, or a single column without header.
//!
//! Owns the layout that the first row told. Refuses what could lose an address: rows without the column,
//! and rows with text behind the last column of the first row.

use super::carry::Element;
use super::error::ParseErrorKind::{
    self, ExtraColumn, MissingEmail, NoEmailColumn, RepeatedEmailColumn, WrongSeparator,
};
use super::error::Separator;
use super::fault::{Fault, Stop};
use super::sink::Sink;

/// The name of the column with the addresses, in any case.
const COLUMN: &str = "email";

/// A table under way.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// What the first row told, once it is over.
    layout: Option<Layout>,
    /// While the first row is read: the column with the addresses.
    email: Option<u64>,
    /// The column of the next field.
    column: u64,
    /// Where the row at hand begins.
    row: Place,
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
        quoted: bool,
        end: End,
        sink: &mut impl Sink,
    ) -> Result<(), Stop> {
        if self.column == 0 {
            self.row = place;
        }
        let is_blank_line = self.column == 0 && end == End::Row && !quoted && field.is_blank();
        if is_blank_line {
            return Ok(());
        }
        match self.layout {
            Some(layout) => self.data(layout, field, place, end, sink)?,
            None => self.header(field, place, end, sink)?,
        }
        self.column = if end == End::Row { 0 } else { self.column + 1 };
        Ok(())
    }

    /// Whether the next field begins a row.
    pub(super) fn is_between_rows(&self) -> bool {
        self.column == 0
    }

    /// How many elements were read.
    pub(super) fn index(&self) -> u64 {
        self.index
    }

    fn data(
        &mut self,
        layout: Layout,
        field: Element<'_>,
        place: Place,
        end: End,
        sink: &mut impl Sink,
    ) -> Result<(), Stop> {
        if self.column == layout.email {
            self.send(field, sink)?;
        }
        if self.column >= layout.columns && !field.is_blank() {
            return Err(place.fault(ExtraColumn).into());
        }
        if end == End::Row && self.column < layout.email {
            return Err(self.row.fault(MissingEmail).into());
        }
        Ok(())
    }

    fn header(
        &mut self,
        field: Element<'_>,
        place: Place,
        end: End,
        sink: &mut impl Sink,
    ) -> Result<(), Stop> {
        if field.is_named(COLUMN) {
            if self.email.is_some() {
                return Err(place.fault(RepeatedEmailColumn).into());
            }
            self.email = Some(self.column);
        }
        if end == End::Field {
            return Ok(());
        }
        if self.email.is_none() && self.column == 0 {
            if let Some(separator) = other_separator(field.text()) {
                return Err(self.row.fault(WrongSeparator(separator)).into());
            }
            self.email = Some(0);
            self.send(field, sink)?;
        }
        let email = self.email.ok_or(self.row.fault(NoEmailColumn))?;
        self.layout = Some(Layout { email, columns: self.column + 1 });
        Ok(())
    }

    fn send(&mut self, field: Element<'_>, sink: &mut impl Sink) -> Result<(), Stop> {
        field.send(sink)?;
        self.index += 1;
        Ok(())
    }
}

/// What separates the columns of a first row without commas.
fn other_separator(row: &str) -> Option<Separator> {
    let row = row.trim_ascii();
    if row.contains(';') {
        Some(Separator::Semicolon)
    } else if row.contains('\t') {
        Some(Separator::Tab)
    } else {
        None
    }
}
