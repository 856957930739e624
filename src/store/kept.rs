//! Resends as the file has them: how one ended, and its rows with what became of each, a chunk at a time.
//!
//! A repeat is told what became of its first, wherever that stands: the ends of firsts are looked up by their
//! places, so the memory for it does not grow with the list.

use std::{
    collections::{BTreeMap, btree_map::Entry as Slot},
    sync::Arc,
};

use rusqlite::Connection;

use super::{
    file::{ResendRow, Stage, StoredChunk, read},
    memory::{self, Row, Snapshot},
};
use crate::domain::{ClientName, Counts, Entry, Outcome, OutcomeKind, Refusal, ResendId, Status, Timestamp};

/// A resend that is in the file and no longer in RAM.
#[derive(Debug)]
pub struct Kept {
    row: ResendRow,
}

/// Where the chunks of a list begin.
pub type Starts = Arc<[u32]>;

/// Rows of a chunk. No `Debug`: it holds addresses.
pub struct KeptRows {
    rows: StoredChunk,
    outcomes: Vec<Option<Outcome>>,
}

impl Kept {
    /// The resend of this row; `None` when its body is not yet whole.
    pub fn of(row: ResendRow) -> Option<Self> {
        (row.stage != Stage::Reading).then_some(Self { row })
    }

    /// Its id.
    pub fn id(&self) -> ResendId {
        self.row.id
    }

    /// Who posted it.
    pub fn client(&self) -> &ClientName {
        &self.row.client
    }

    /// When its body was whole.
    pub fn created_at(&self) -> Timestamp {
        self.row.created_at
    }

    /// How many rows it has.
    pub fn len(&self) -> u32 {
        u32::try_from(self.row.received).unwrap_or(u32::MAX)
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How it stood when it was written last.
    pub fn snapshot(&self) -> Snapshot {
        let mut counts = Counts::new(self.row.received);
        for (kind, count) in OutcomeKind::ALL.into_iter().zip(self.row.counts) {
            counts.add(kind, count);
        }
        Snapshot {
            status: Status::parse(&self.row.status).unwrap_or(Status::Running),
            counts,
            upstream_calls: self.row.upstream_calls,
            finished_at: self.row.finished_at,
        }
    }

    /// What became of rows that have no end of their own.
    pub fn rest(&self) -> Option<Outcome> {
        memory::decode(self.row.rest?, 0, |_| None)
    }
}

impl KeptRows {
    /// Reads a chunk. Rows without an end have `rest`, which must have been known before: a row that ends
    /// meanwhile must not be told as what is left over. `starts` is read when a repeat's first stands in
    /// another chunk. `None` when there is no such chunk.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn read(
        db: &Connection,
        resend: ResendId,
        number: u32,
        rest: Option<&Outcome>,
        starts: &mut Option<Starts>,
    ) -> rusqlite::Result<Option<Self>> {
        // One view of the file for all of it; dropped at the end, which writes nothing.
        let view = db.unchecked_transaction()?;
        let Some(rows) = read::chunk(&view, resend, number)? else { return Ok(None) };
        let ends = read::ends(&view, resend, number)?;
        let mut words = Words { db: &view, resend, known: BTreeMap::new() };
        let mut outcomes = Vec::with_capacity(rows.chunk.len());
        for ((_, entry), (code, argument)) in rows.chunk.entries().zip(&ends) {
            outcomes.push(match entry {
                Entry::Fresh(_) => words.outcome(*code, *argument)?,
                Entry::Repeat => None,
                Entry::Invalid(reason) => Some(Outcome::Invalid(reason)),
            });
        }
        if outcomes.len() != rows.chunk.len() {
            return Ok(None);
        }
        for (offset, (code, argument)) in of_firsts(&view, resend, &rows, &ends, starts)? {
            let of_first = words.outcome(code, argument)?;
            if let Some(outcome) = outcomes.get_mut(usize::from(offset)) {
                *outcome = of_first.map(|first| memory::repeated(&first, code, argument));
            }
        }
        for outcome in outcomes.iter_mut().filter(|outcome| outcome.is_none()) {
            *outcome = rest.cloned();
        }
        Ok(Some(Self { rows, outcomes }))
    }

    /// The index of the first of them.
    pub fn first(&self) -> u32 {
        self.rows.first
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.outcomes.is_empty()
    }

    /// The rows, in the caller's order.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        let rows = self.rows.chunk.entries().zip(&self.outcomes).zip(self.rows.first..);
        rows.map(|(((email, _), outcome), index)| Row { index, email, outcome: outcome.clone() })
    }
}

/// The end of the first of each row of a chunk that is a repeat, by the row's offset.
fn of_firsts(
    db: &Connection,
    resend: ResendId,
    rows: &StoredChunk,
    ends: &[(u8, u64)],
    starts: &mut Option<Starts>,
) -> rusqlite::Result<Vec<(u16, (u8, u64))>> {
    let mut found = Vec::with_capacity(rows.repeats.len());
    let mut elsewhere = Vec::new();
    for (offset, first) in &rows.repeats {
        match first.checked_sub(rows.first) {
            Some(here) => found.extend(ends.get(here as usize).map(|end| (*offset, *end))),
            None => elsewhere.push((*first, *offset)),
        }
    }
    if elsewhere.is_empty() {
        return Ok(found);
    }
    let starts = match starts {
        Some(starts) => starts,
        None => starts.insert(read::starts(db, resend)?.into()),
    };
    let mut elsewhere: Vec<_> =
        elsewhere.into_iter().filter_map(|(first, offset)| Some((place(starts, first)?, offset))).collect();
    elsewhere.sort_unstable();
    for of_chunk in elsewhere.chunk_by(|((a, _), _), ((b, _), _)| a == b) {
        let Some(((number, _), _)) = of_chunk.first() else { continue };
        let offsets = of_chunk.iter().map(|((_, offset), _)| *offset);
        let Some(ends) = read::ends_at(db, resend, *number, offsets)? else { continue };
        found.extend(of_chunk.iter().map(|(_, offset)| *offset).zip(ends));
    }
    Ok(found)
}

/// Which chunk holds the row at `index`, and at which offset.
fn place(starts: &[u32], index: u32) -> Option<(u32, u16)> {
    let chunk = starts.partition_point(|start| *start <= index).checked_sub(1)?;
    Some((chunk as u32, u16::try_from(index - starts.get(chunk)?).ok()?))
}

/// Words of upstream, each read once a chunk.
struct Words<'db> {
    db: &'db Connection,
    resend: ResendId,
    known: BTreeMap<u64, Option<Arc<Refusal>>>,
}

impl Words<'_> {
    fn outcome(&mut self, code: u8, argument: u64) -> rusqlite::Result<Option<Outcome>> {
        if memory::means_refusal(code)
            && let Slot::Vacant(slot) = self.known.entry(argument)
        {
            slot.insert(read::refusal(self.db, self.resend, argument)?.map(Arc::new));
        }
        Ok(memory::decode(code, argument, |number| self.known.get(&number).cloned().flatten()))
    }
}
