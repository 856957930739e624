//! Sorts any number of records in a fixed amount of memory: what does not fit is written in sorted runs,
//! which are merged at the end.

use std::path::PathBuf;

use super::Options;
use super::error::RepeatError;
use super::merge::Merge;
use super::record::Record;
use super::runs::Runs;

/// Records a buffer has room for at first.
const FIRST_RECORDS: usize = 64;

/// Records under way. Needs no file as long as they fit the memory.
#[derive(Debug)]
pub(super) struct Sorter<R> {
    directory: PathBuf,
    options: Options,
    buffer: Vec<R>,
    pub(super) runs: Option<Runs>,
}

impl<R: Record> Sorter<R> {
    pub(super) fn new(directory: PathBuf, options: Options) -> Self {
        Self { directory, options, buffer: Vec::new(), runs: None }
    }

    /// Takes a record. After an error it has not been taken, and may be offered again.
    pub(super) fn push(&mut self, record: R) -> Result<(), RepeatError> {
        let most = self.options.records_at_once::<R>();
        if self.buffer.len() >= most {
            self.write_run()?;
        }
        if self.buffer.len() == self.buffer.capacity() {
            let more = self.buffer.len().max(FIRST_RECORDS).min(most - self.buffer.len());
            self.buffer.reserve_exact(more);
        }
        self.buffer.push(record);
        Ok(())
    }

    /// Writes what it holds in memory, and gives the memory back.
    pub(super) fn spill(&mut self) -> Result<(), RepeatError> {
        if !self.buffer.is_empty() {
            self.write_run()?;
        }
        self.buffer = Vec::new();
        Ok(())
    }

    /// Heap bytes of records that are in memory.
    pub(super) fn gathered(&self) -> usize {
        self.buffer.capacity() * size_of::<R>()
    }

    /// Heap bytes it holds.
    pub(super) fn bytes(&self) -> usize {
        self.gathered() + self.runs.as_ref().map_or(0, Runs::bytes)
    }

    /// All records, ascending.
    pub(super) fn finish(mut self) -> Result<Sorted<R>, RepeatError> {
        if self.runs.is_some() {
            self.spill()?;
        }
        match self.runs {
            Some(runs) => runs.into_merge(self.options).map(Sorted::Merged),
            None => {
                self.buffer.sort_unstable();
                Ok(Sorted::Buffered(self.buffer.into_iter()))
            }
        }
    }

    fn write_run(&mut self) -> Result<(), RepeatError> {
        let runs = match &mut self.runs {
            Some(runs) => runs,
            none => none.insert(Runs::create(&self.directory)?),
        };
        self.buffer.sort_unstable();
        runs.append(self.buffer.iter().copied().map(Ok))?;
        self.buffer.clear();
        Ok(())
    }
}

/// Records in ascending order. Ends at the first error.
#[derive(Debug)]
pub(super) enum Sorted<R> {
    /// They all fit the memory.
    Buffered(std::vec::IntoIter<R>),
    Merged(Merge<R>),
}

impl<R: Record> Iterator for Sorted<R> {
    type Item = Result<R, RepeatError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Buffered(records) => records.next().map(Ok),
            Self::Merged(merge) => merge.next(),
        }
    }
}
