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
        while let Some(count) = merged_beforehand(self.places.len(), most) {
            let merged = self.merge::<R>(count, options)?;
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

/// How many of the runs to make one of first, when there are more than can be read side by side. No more
/// than needed: the last merge reads everything once more anyway.
fn merged_beforehand(runs: usize, most: usize) -> Option<usize> {
    (runs > most).then(|| (runs - most + 1).min(most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_merge_reads_more_runs_side_by_side_than_it_may() {
        for (mut runs, most) in [(2, 2), (3, 2), (1000, 2), (385, 384), (1526, 384), (65_536, 384)] {
            let all = runs;
            let mut read = 0;
            while let Some(count) = merged_beforehand(runs, most) {
                assert!((2..=most).contains(&count), "{count} of {runs}");
                runs = runs - count + 1;
                read += count;
            }
            assert_eq!(runs, most.min(all));
            assert!(most == 2 || read <= all, "a run was merged twice beforehand: {read} of {all}");
        }
    }
}
