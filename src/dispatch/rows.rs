//! The rows of a resend as dispatch sees them: all of them in RAM, or a few chunks of a stored list.
//!
//! Of a stored list the chunk that is being drawn is at hand, perhaps the next one, and those that still
//! have rows out. A chunk that is missing is asked for by its number.

use std::collections::{BTreeMap, HashMap};

use crate::{
    domain::{AddressKey, Entry},
    store::{Body, Record, Settled, file::StoredChunk},
};

/// What stands at an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    /// A fresh address without an outcome.
    Fresh(AddressKey),
    /// Nothing that needs a call.
    Nothing,
    /// It is not at hand: this chunk is.
    Missing(u32),
}

/// Rows at hand.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// Chunks of a stored list.
    chunks: BTreeMap<u32, Loaded>,
    /// How many rows repeat one that is out.
    repeated: HashMap<u32, u32>,
    /// The chunk that is being read.
    pub(super) loading: Option<u32>,
}

/// A chunk of a stored list.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) rows: StoredChunk,
    /// Whether each of its rows has an end already.
    pub(super) ended: Vec<bool>,
    /// Rows that were looked at and have no outcome yet.
    pub(super) out: u32,
}

impl Rows {
    /// What stands at `index`.
    pub(super) fn at(&self, record: &Record, index: u32, was_left: bool) -> At {
        let entry = match &*record.body {
            Body::Resident(list) => {
                if was_left && record.outcome_of(index).is_some() {
                    return At::Nothing;
                }
                list.entry(index)
            }
            Body::Stored(_) => {
                let (number, offset) = record.body.place(index);
                let Some(chunk) = self.chunks.get(&number) else { return At::Missing(number) };
                if chunk.ended.get(usize::from(offset)).copied().unwrap_or_default() {
                    return At::Nothing;
                }
                chunk.rows.chunk.entry(usize::from(offset))
            }
        };
        match entry {
            Entry::Fresh(key) => At::Fresh(key),
            Entry::Repeat | Entry::Invalid(_) => At::Nothing,
        }
    }

    /// Notes that the row at `index` is looked at and needs an outcome.
    pub(super) fn take_out(&mut self, record: &Record, index: u32) {
        if record.body.shape().is_none() {
            return;
        }
        let (number, offset) = record.body.place(index);
        let Some(chunk) = self.chunks.get_mut(&number) else { return };
        chunk.out += 1;
        let repeated = &chunk.rows.repeated;
        if let Ok(at) = repeated.binary_search_by_key(&offset, |(offset, _)| *offset) {
            self.repeated.insert(index, repeated[at].1);
        }
    }

    /// Notes outcomes; chunks behind `next` that have nothing out any more go.
    pub(super) fn settle(&mut self, record: &Record, outcomes: &[Settled], next: u32) {
        if record.body.shape().is_none() {
            return;
        }
        for Settled { index, .. } in outcomes {
            self.repeated.remove(index);
            let (number, offset) = record.body.place(*index);
            if let Some(chunk) = self.chunks.get_mut(&number) {
                chunk.out = chunk.out.saturating_sub(1);
                if let Some(ended) = chunk.ended.get_mut(usize::from(offset)) {
                    *ended = true;
                }
            }
        }
        self.drop_behind(next);
    }

    /// Drops chunks that lie behind `next` and have nothing out.
    pub(super) fn drop_behind(&mut self, next: u32) {
        self.chunks.retain(|_, chunk| chunk.out > 0 || chunk.end() > next);
    }

    /// Drops a chunk that has nothing out, to be read again when it is needed. Says whether it did.
    pub(super) fn drop_idle(&mut self, number: u32) -> bool {
        match self.chunks.get(&number) {
            Some(chunk) if chunk.out == 0 => self.chunks.remove(&number).is_some(),
            Some(_) => false,
            None => true,
        }
    }

    /// Takes in a chunk that was read.
    pub(super) fn put(&mut self, number: u32, chunk: Loaded) {
        self.chunks.insert(number, chunk);
    }

    /// Whether a chunk is at hand.
    pub(super) fn has(&self, number: u32) -> bool {
        self.chunks.contains_key(&number)
    }

    /// What the caller wrote at `index`, if it is at hand.
    pub(super) fn text<'row>(&'row self, record: &'row Record, index: u32) -> Option<&'row str> {
        match &*record.body {
            Body::Resident(list) => Some(list.text(index)),
            Body::Stored(_) => {
                let (number, offset) = record.body.place(index);
                Some(self.chunks.get(&number)?.rows.chunk.text(usize::from(offset)))
            }
        }
    }

    /// How many later rows repeat the one at `index`, which is out.
    pub(super) fn repeats_of(&self, record: &Record, index: u32) -> u32 {
        match &*record.body {
            Body::Resident(list) => list.repeats_of(index),
            Body::Stored(_) => self.repeated.get(&index).copied().unwrap_or(0),
        }
    }
}

impl Loaded {
    /// A chunk with the ends of its rows.
    pub(super) fn new(rows: StoredChunk, ends: &[(u8, u64)]) -> Self {
        Self { rows, ended: ends.iter().map(|(code, _)| *code > 0).collect(), out: 0 }
    }

    fn end(&self) -> u32 {
        self.rows.first + self.rows.chunk.len() as u32
    }
}
