//! Sorted runs of records in one temporary file, and the way from many runs to one.

use std::{collections::VecDeque, ops::Range, path::Path};

use super::Options;
use super::error::RepeatError;
use super::merge::Merge;
use super::record::Record;
use super::scratch::Scratch;

#[derive(Debug)]
pub(super) struct Runs {
    pub(super) scratch: Scratch,
    /// Where each lies; merged ones behind those they were made of.
    places: VecDeque<Range<u64>>,
}

impl Runs {
    pub(super) fn create(directory: &Path) -> Result<Self, RepeatError> {
        Scratch::create(directory).map(Self::from)
    }

    /// Adds a run. After an error it is as if nothing had been added.
    pub(super) fn append<R: Record>(
        &mut self,
        sorted: impl Iterator<Item = Result<R, RepeatError>>,
    ) -> Result<(), RepeatError> {
        let place = self.scratch.append(|to| {
            for record in sorted {
                record?.write(to).map_err(|source| RepeatError::Write { source })?;
            }
            Ok(())
        })?;
        self.places.push_back(place);
        Ok(())
    }

    /// Heap bytes it holds.
    pub(super) fn bytes(&self) -> usize {
        self.places.capacity() * size_of::<Range<u64>>()
    }

    /// All of them as one. Merges some beforehand when they are too many to be read side by side.
    pub(super) fn into_merge<R: Record>(mut self, options: Options) -> Result<Merge<R>, RepeatError> {
        let most = options.runs_at_once();
        while self.places.len() > most {
            // No more than needed: the last merge reads everything once more anyway.
            let surplus = self.places.len() - most + 1;
            let merged = self.merge::<R>(surplus.min(most), options)?;
            self.append(merged)?;
        }
        self.merge(self.places.len(), options)
    }

    /// The first so many, which are no longer among the runs then.
    fn merge<R: Record>(&mut self, count: usize, options: Options) -> Result<Merge<R>, RepeatError> {
        let sections = self.places.drain(..count).map(|place| self.scratch.section(place));
        Merge::new(sections.collect(), options.memory_bytes)
    }
}

impl From<Scratch> for Runs {
    fn from(scratch: Scratch) -> Self {
        Self { scratch, places: VecDeque::new() }
    }
}
