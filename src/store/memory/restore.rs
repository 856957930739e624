//! A resend that an earlier process left under way, as its file has it.
//!
//! A short list comes into RAM; of a long one the shape does, and its rows stay in the file. What became of
//! its rows so far is counted a chunk at a time.

use rusqlite::Connection;
use tokio::time::Instant;

use super::{
    body::{Body, Shape},
    outcomes::{self, Outcomes},
    record::Record,
};
use crate::{
    domain::{Counts, Entry, InvalidReason, List, OutcomeKind, Repeat, Status, Timestamp, TraceContext},
    store::file::{ResendRow, StoredChunk, read},
};

/// Longer lists stay in the file.
const SHORT: u64 = 10_000;

/// A resend that goes on.
#[derive(Debug)]
pub struct Restored {
    /// The resend.
    pub record: Record,
    /// Its fresh addresses without an outcome.
    pub unsettled: u32,
}

/// What a walk over the rows has found.
struct Walk {
    starts: Vec<u32>,
    len: u32,
    repeats: Vec<Repeat>,
    repeat_count: u32,
    invalid: [u32; InvalidReason::ALL.len()],
    counts: Counts,
    unsettled: u32,
}

impl Record {
    /// Reads it; `None` when its rows are not as they were written.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn restore(db: &Connection, row: &ResendRow) -> rusqlite::Result<Option<Restored>> {
        let is_short = row.received <= SHORT;
        let (mut chunks, mut kept) =
            (Vec::new(), Outcomes::new(if is_short { row.received as u32 } else { 0 }));
        for (_, refusal) in read::refusals(db, row.id)? {
            kept.add_refusal(refusal);
        }
        let mut walk = Walk::new(row.received);
        let mut number = 0;
        while let Some(stored) = read::chunk(db, row.id, number)? {
            let ends = read::ends(db, row.id, number)?;
            if stored.first != walk.len || ends.len() != stored.chunk.len() {
                return Ok(None);
            }
            walk.add(&stored, &ends, is_short);
            if is_short {
                for ((code, argument), index) in ends.into_iter().zip(stored.first..) {
                    kept.restore(index, code, argument);
                }
                chunks.push(stored.chunk);
            }
            number += 1;
        }
        if u64::from(walk.len) != row.received {
            return Ok(None);
        }
        let body = if is_short {
            Body::Resident(List::new(chunks, walk.repeats))
        } else {
            Body::Stored(Shape::new(walk.starts, walk.len, walk.repeat_count, walk.invalid))
        };
        let trace = TraceContext::parse(&row.trace).unwrap_or_else(|| TraceContext::new(row.id.0));
        let mut record = Self::new(row.id, row.client.clone(), row.force, trace, body);
        record.created_at = row.created_at;
        record.created = at(row.created_at);
        record.since = record.created;
        record.promise();
        *record.callers.get_mut() = 0;
        {
            let mut state = record.state();
            state.status = Status::Running;
            state.upstream_calls = row.upstream_calls;
            state.counts = walk.counts;
            state.outcomes = kept;
        }
        Ok(Some(Restored { record, unsettled: walk.unsettled }))
    }

    /// Whether the fresh address at `index` has its outcome.
    ///
    /// # Errors
    /// When the file has to be read for that and can't be.
    pub fn is_settled(&self, db: &Connection, index: u32) -> rusqlite::Result<bool> {
        match &*self.body {
            Body::Resident(_) => Ok(self.outcome_of(index).is_some()),
            Body::Stored(_) => {
                let (number, offset) = self.body.place(index);
                let ends = read::ends(db, self.id, number)?;
                Ok(ends.get(usize::from(offset)).is_some_and(|(code, _)| *code > 0))
            }
        }
    }

    /// How many later rows repeat the one at `index`.
    ///
    /// # Errors
    /// When the file has to be read for that and can't be.
    pub fn repeats_of(&self, db: &Connection, index: u32) -> rusqlite::Result<u32> {
        match &*self.body {
            Body::Resident(list) => Ok(list.repeats_of(index)),
            Body::Stored(_) => {
                let (number, offset) = self.body.place(index);
                Ok(read::chunk(db, self.id, number)?.map_or(0, |rows| repeats_at(&rows.repeated, offset)))
            }
        }
    }
}

impl Walk {
    fn new(received: u64) -> Self {
        Self {
            starts: Vec::new(),
            len: 0,
            repeats: Vec::new(),
            repeat_count: 0,
            invalid: [0; InvalidReason::ALL.len()],
            counts: Counts::new(received),
            unsettled: 0,
        }
    }

    fn add(&mut self, stored: &StoredChunk, ends: &[(u8, u64)], keeps_repeats: bool) {
        self.starts.push(stored.first);
        self.len = stored.first + stored.chunk.len() as u32;
        self.repeat_count += stored.repeats.len() as u32;
        if keeps_repeats {
            let repeat = |(offset, first): &(u16, u32)| Repeat {
                index: stored.first + u32::from(*offset),
                first: *first,
            };
            self.repeats.extend(stored.repeats.iter().map(repeat));
        }
        for (((_, entry), (code, _)), offset) in stored.chunk.entries().zip(ends).zip(0_u16..) {
            match entry {
                Entry::Invalid(reason) => {
                    self.invalid[reason as usize] += 1;
                    self.counts.add(OutcomeKind::Invalid, 1);
                }
                Entry::Fresh(_) => match outcomes::kind_of(*code) {
                    None => self.unsettled += 1,
                    Some(kind) => {
                        self.counts.add(kind, 1);
                        let repeats = repeats_at(&stored.repeated, offset);
                        let shared = if kind == OutcomeKind::Sent { OutcomeKind::Duplicate } else { kind };
                        self.counts.add(shared, repeats.into());
                    }
                },
                // Counted with its first.
                Entry::Repeat => {}
            }
        }
    }
}

/// A moment of the clock on the wall as one for comparing; never in the future.
pub fn at(told: Timestamp) -> Instant {
    let ago = std::time::Duration::from_millis(Timestamp::now().0.saturating_sub(told.0));
    let now = Instant::now();
    now.checked_sub(ago).unwrap_or(now)
}

fn repeats_at(repeated: &[(u16, u32)], offset: u16) -> u32 {
    match repeated.binary_search_by_key(&offset, |(offset, _)| *offset) {
        Ok(at) => repeated[at].1,
        Err(_) => 0,
    }
}
