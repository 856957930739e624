//! The first row of a CSV body: which of its columns holds the addresses, and what else it is called.
//!
//! Keeps no more than a few short names, for the error of a caller whose file has none of the known ones.

use super::carry::Element;
use super::column_name::is_exact;
use super::csv_table::Place;
use super::error::ParseErrorKind::{AddressInHeader, NoEmailColumn, NoHeader, RepeatedEmailColumn};
use super::fault::Fault;
use super::found::Columns;
use super::invisible::{is_invisible, trim};

/// Most columns that are named.
const NAMED: u64 = 8;
/// Most characters of a name.
const NAME_LENGTH: usize = 32;

/// A first row under way.
#[derive(Debug, Default)]
pub(super) struct Header {
    /// The column called `email`.
    exact: Option<u64>,
    /// The first column with another name that is known.
    other: Option<u64>,
    /// Where the second of those stands.
    second: Option<Place>,
    columns: u64,
    names: Columns,
    holds_address: bool,
}

impl Header {
    /// Takes the name of the next column.
    pub(super) fn take(&mut self, field: Element<'_>, place: Place) -> Result<(), Fault> {
        if field.is_email_column() {
            if is_exact(field.text()) {
                if self.exact.is_some() {
                    return Err(place.fault(RepeatedEmailColumn));
                }
                self.exact = Some(self.columns);
            } else if self.other.is_none() {
                self.other = Some(self.columns);
            } else if self.second.is_none() {
                self.second = Some(place);
            }
        }
        self.holds_address |= holds_address(field.text());
        if self.columns < NAMED {
            self.names.add(trim(field.text()).chars().take(NAME_LENGTH));
        }
        self.columns += 1;
        Ok(())
    }

    /// The column with the addresses and how many there are, when the row is over and began at `row`. `None`
    /// when the only column has another name: then it is no header.
    pub(super) fn finish(self, row: Place) -> Result<(Option<u64>, u64), Fault> {
        match (self.exact, self.other, self.second) {
            (Some(_), _, _) | (None, Some(_), _) if self.holds_address => Err(row.fault(AddressInHeader)),
            (Some(email), _, _) | (None, Some(email), None) => Ok((Some(email), self.columns)),
            (None, _, Some(second)) => Err(second.fault(RepeatedEmailColumn)),
            (None, None, None) if self.columns == 1 => Ok((None, 1)),
            (None, None, None) if self.holds_address => Err(row.fault(NoHeader)),
            (None, None, None) => Err(row.fault(NoEmailColumn(self.names))),
        }
    }
}

/// Whether an address seems to stand in a text: an `@` with text on both sides.
pub(super) fn holds_address(text: &str) -> bool {
    let is_text = |character: Option<char>| character.is_some_and(|one| !is_invisible(one));
    text.match_indices('@')
        .any(|(at, _)| is_text(text[..at].chars().next_back()) && is_text(text[at + 1..].chars().next()))
}
