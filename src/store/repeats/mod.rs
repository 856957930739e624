//! Finds, exactly and in a few MiB whatever the length, which entries of a list repeat an earlier one.
//!
//! ```text
//! add(key, index) ... ─► sort by (key, index) ─► equal keys stand together: the first, and its repeats
//!                                                   │                          │
//!                                                   ▼                          ▼
//!                                            sort by index              sort by first
//! ```
//! Each of the three sorts keeps a short list in memory and writes a long one to one temporary file, in
//! sorted runs that are merged at the end. Nothing depends on how the keys are spread: a million times
//! the same address costs what a million different ones cost.
//!
//! Owns its temporary files. They have no name, belong to the owner of the process alone, hold keys and
//! places but no addresses, and are gone when the finder and its results are, or the process. A crash
//! between making a file and unlinking it, two system calls, leaves an empty `.repeats-*`. On disk an
//! entry takes 20 bytes, and a repeat 8 more, or 16 with a first of its own; up to twice as much beyond
//! 25,000,000 entries, where runs are merged beforehand.
//!
//! Everything here blocks on the disk: `add` each 65,536 entries, `finish` for as long as sorting takes.

mod error;
mod found;
mod merge;
mod record;
mod runs;
mod scratch;
mod sorter;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use crate::domain::AddressKey;

pub use error::RepeatError;
pub use found::{Firsts, InOrder, Repeated, Repeats};

use found::Search;
use record::{Keyed, Record};
use sorter::Sorter;

/// How much memory a finder may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Bytes for one sort, and again for reading its runs. A finder takes up to one of it while it is
    /// filled, three in [`RepeatFinder::finish`], and two while [`Repeats`] are read.
    pub memory_bytes: usize,
    /// Fewest bytes worth reading at once; so many runs of a sort are read side by side as this goes into
    /// its memory.
    pub read_bytes: usize,
}

impl Options {
    fn records_at_once<R: Record>(self) -> usize {
        (self.memory_bytes / size_of::<R>()).max(1)
    }

    fn runs_at_once(self) -> usize {
        (self.memory_bytes / self.read_bytes.max(1)).max(2)
    }
}

impl Default for Options {
    /// 65,536 entries in memory; up to 25,000,000 without merging runs beforehand.
    fn default() -> Self {
        Self { memory_bytes: 65_536 * size_of::<Keyed>(), read_bytes: 4096 }
    }
}

/// Takes the entries of one list.
#[derive(Debug)]
pub struct RepeatFinder {
    directory: PathBuf,
    options: Options,
    by_key: Sorter<Keyed>,
}

impl RepeatFinder {
    /// A finder that makes its temporary files in `directory`, once the list is too long for the memory.
    pub fn new(directory: &Path, options: Options) -> Self {
        Self { directory: directory.to_owned(), options, by_key: Sorter::new(directory.to_owned(), options) }
    }

    /// Takes the key of the entry at `index`. Each index comes once; their order does not matter.
    ///
    /// # Errors
    /// When a temporary file fails. The entry has not been taken then, and may be offered again.
    pub fn add(&mut self, key: AddressKey, index: u32) -> Result<(), RepeatError> {
        self.by_key.push(Keyed::new(key, index))
    }

    /// Writes what it holds in memory to its temporary file, and gives the memory back.
    ///
    /// # Errors
    /// When the temporary file fails. Nothing is lost then.
    pub fn spill(&mut self) -> Result<(), RepeatError> {
        self.by_key.spill()
    }

    /// Heap bytes that [`RepeatFinder::spill`] would give back.
    pub fn gathered(&self) -> usize {
        self.by_key.gathered()
    }

    /// Heap bytes it holds now.
    pub fn bytes(&self) -> usize {
        self.by_key.bytes()
    }

    /// Finds the repeats, now that the whole list is there.
    ///
    /// # Errors
    /// When a temporary file fails.
    pub fn finish(self) -> Result<Repeats, RepeatError> {
        let by_index = Sorter::new(self.directory.clone(), self.options);
        let by_first = Sorter::new(self.directory, self.options);
        let mut search = Search::new(by_index, by_first);
        for entry in self.by_key.finish()? {
            search.next(entry?)?;
        }
        search.finish()
    }
}
