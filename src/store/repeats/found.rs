//! The repeats of a whole list, as streams in the orders in which a list is written.

use crate::domain::{AddressKey, Repeat};

use super::error::RepeatError;
use super::record::{Keyed, Placed};
use super::sorter::{Sorted, Sorter};

/// What a finder found. The streams are independent: each may be read at its own pace, or not at all.
#[derive(Debug)]
pub struct Repeats {
    /// How many entries repeat an earlier one.
    pub total: u32,
    /// Each of them, with where it stood first.
    pub in_order: InOrder,
    /// The entries that they repeat.
    pub firsts: Firsts,
}

/// Repeats, ascending by `index`. Ends at the first error.
#[derive(Debug)]
pub struct InOrder(Sorted<Placed>);

impl Iterator for InOrder {
    type Item = Result<Repeat, RepeatError>;

    fn next(&mut self) -> Option<Self::Item> {
        let found = self.0.next()?;
        Some(found.map(|placed| Repeat { index: placed.place, first: placed.value }))
    }
}

/// An entry that later ones repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repeated {
    /// Where it stands.
    pub first: u32,
    /// How many later entries repeat it; at least one.
    pub repeats: u32,
}

/// Repeated entries, ascending by `first`. Ends at the first error.
#[derive(Debug)]
pub struct Firsts(Sorted<Placed>);

impl Iterator for Firsts {
    type Item = Result<Repeated, RepeatError>;

    fn next(&mut self) -> Option<Self::Item> {
        let found = self.0.next()?;
        Some(found.map(|placed| Repeated { first: placed.place, repeats: placed.value }))
    }
}

/// Goes through all entries, those of one key behind each other, the earliest first.
pub(super) struct Search {
    by_index: Sorter<Placed>,
    by_first: Sorter<Placed>,
    total: u32,
    /// The key that is at hand, and what was found of it.
    current: Option<(AddressKey, Repeated)>,
}

impl Search {
    pub(super) fn new(by_index: Sorter<Placed>, by_first: Sorter<Placed>) -> Self {
        Self { by_index, by_first, total: 0, current: None }
    }

    pub(super) fn next(&mut self, entry: Keyed) -> Result<(), RepeatError> {
        match &mut self.current {
            Some((key, found)) if *key == entry.key() => {
                found.repeats += 1;
                self.by_index.push(Placed { place: entry.index, value: found.first })
            }
            _ => {
                self.close()?;
                self.current = Some((entry.key(), Repeated { first: entry.index, repeats: 0 }));
                Ok(())
            }
        }
    }

    pub(super) fn finish(mut self) -> Result<Repeats, RepeatError> {
        self.close()?;
        let Self { by_index, by_first, total, .. } = self;
        Ok(Repeats { total, in_order: InOrder(by_index.finish()?), firsts: Firsts(by_first.finish()?) })
    }

    /// Writes down what was found of the key at hand.
    fn close(&mut self) -> Result<(), RepeatError> {
        match self.current.take() {
            Some((_, Repeated { first, repeats })) if repeats > 0 => {
                self.total += repeats;
                self.by_first.push(Placed { place: first, value: repeats })
            }
            _ => Ok(()),
        }
    }
}
