//! Reads sorted runs side by side, and gives their records in one ascending order.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, binary_heap::PeekMut},
    io::{self, BufReader},
    marker::PhantomData,
};

use super::error::RepeatError;
use super::record::Record;
use super::scratch::Section;

/// Several runs as one. Ends at the first error.
#[derive(Debug)]
pub(super) struct Merge<R> {
    runs: Vec<Run<R>>,
    /// The next record of each run that has one, and the number of the run.
    heads: BinaryHeap<Reverse<(R, usize)>>,
}

impl<R: Record> Merge<R> {
    /// Shares `memory_bytes` among the buffers of the runs.
    pub(super) fn new(sections: Vec<Section>, memory_bytes: usize) -> Result<Self, RepeatError> {
        let share = memory_bytes / sections.len().max(1);
        let mut runs: Vec<_> = sections.into_iter().map(|section| Run::new(section, share)).collect();
        let mut heads = BinaryHeap::with_capacity(runs.len());
        for (number, run) in runs.iter_mut().enumerate() {
            if let Some(head) = run.next().map_err(|source| RepeatError::Read { source })? {
                heads.push(Reverse((head, number)));
            }
        }
        Ok(Self { runs, heads })
    }

    fn advance(&mut self) -> io::Result<Option<R>> {
        let Some(mut head) = self.heads.peek_mut() else { return Ok(None) };
        let Reverse((record, number)) = *head;
        match self.runs[number].next()? {
            // Replaced in its place: half the work of taking one out and putting one in.
            Some(next) => *head = Reverse((next, number)),
            None => drop(PeekMut::pop(head)),
        }
        Ok(Some(record))
    }
}

impl<R: Record> Iterator for Merge<R> {
    type Item = Result<R, RepeatError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.advance().transpose().map(|result| {
            result.map_err(|source| {
                self.heads.clear();
                RepeatError::Read { source }
            })
        })
    }
}

/// A run being read.
#[derive(Debug)]
struct Run<R> {
    reader: BufReader<Section>,
    records_left: u64,
    record: PhantomData<R>,
}

impl<R: Record> Run<R> {
    /// A buffer of `share` bytes, but no longer than the run, and long enough for one record.
    fn new(section: Section, share: usize) -> Self {
        let length = section.length();
        let buffer = usize::try_from(length).map_or(share, |length| share.min(length)).max(R::BYTES);
        Self {
            reader: BufReader::with_capacity(buffer, section),
            records_left: length / R::BYTES as u64,
            record: PhantomData,
        }
    }

    fn next(&mut self) -> io::Result<Option<R>> {
        if self.records_left == 0 {
            return Ok(None);
        }
        self.records_left -= 1;
        R::read(&mut self.reader).map(Some)
    }
}
