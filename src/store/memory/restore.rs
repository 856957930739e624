//! A resend that an earlier process left under way, as its file has it.

use rusqlite::Connection;
use tokio::time::Instant;

use super::{body::Body, outcomes::Outcomes, record::Record};
use crate::{
    domain::{Entry, List, Outcome, Repeat, Status, Timestamp, TraceContext},
    store::file::{ResendRow, read},
};

impl Record {
    /// Reads it with all of its rows; `None` when they are not as they were written.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn restore(db: &Connection, row: &ResendRow) -> rusqlite::Result<Option<Self>> {
        let (mut chunks, mut repeats) = (Vec::new(), Vec::new());
        for number in 0..read::starts(db, row.id)?.len() as u32 {
            let Some(stored) = read::chunk(db, row.id, number)? else { return Ok(None) };
            repeats.extend(
                stored.repeats.iter().map(|(offset, first)| Repeat {
                    index: stored.first + u32::from(*offset),
                    first: *first,
                }),
            );
            chunks.push(stored.chunk);
        }
        let list = List::new(chunks, repeats);
        if u64::from(list.len()) != row.received {
            return Ok(None);
        }
        let mut outcomes = Outcomes::new(list.len());
        for (_, refusal) in read::refusals(db, row.id)? {
            outcomes.add_refusal(refusal);
        }
        for ((first, _), number) in list.chunks().zip(0_u32..) {
            for ((code, argument), index) in read::ends(db, row.id, number)?.into_iter().zip(first..) {
                outcomes.restore(index, code, argument);
            }
        }
        let trace = TraceContext::parse(&row.trace).unwrap_or_else(|| TraceContext::new(row.id.0));
        let record = Self::new(row.id, row.client.clone(), row.force, trace, Body::Resident(list));
        Ok(Some(record.put_back(row, outcomes)))
    }

    fn put_back(mut self, row: &ResendRow, outcomes: Outcomes) -> Self {
        self.created_at = row.created_at;
        self.created = at(row.created_at);
        self.promise();
        *self.callers.get_mut() = 0;
        {
            let mut state = self.state();
            state.status = Status::Running;
            state.upstream_calls = row.upstream_calls;
            let list = self.body.list();
            for (list, index) in
                list.into_iter().flat_map(|list| (0..list.len()).map(move |index| (list, index)))
            {
                let outcome = match list.entry(index) {
                    Entry::Fresh(_) => outcomes.get(index),
                    Entry::Repeat => list.first_of(index).and_then(|first| outcomes.of_repeat(first)),
                    // Counted from the start.
                    Entry::Invalid(_) => None,
                };
                if let Some(outcome) = outcome {
                    state.counts.add(outcome.kind(), 1);
                }
            }
            state.outcomes = outcomes;
        }
        self
    }

    /// Fresh addresses that have no outcome yet.
    pub fn unsettled(&self) -> u32 {
        let state = self.state();
        let Some(list) = self.body.list() else { return self.body.fresh() };
        let pending =
            |index: &u32| matches!(list.entry(*index), Entry::Fresh(_)) && state.outcomes.is_pending(*index);
        (0..list.len()).filter(pending).count() as u32
    }

    /// The outcome of a fresh address, once it has one.
    pub fn outcome_of(&self, index: u32) -> Option<Outcome> {
        self.state().outcomes.get(index)
    }
}

/// A moment of the clock on the wall as one for comparing; never in the future.
pub fn at(told: Timestamp) -> Instant {
    let ago = std::time::Duration::from_millis(Timestamp::now().0.saturating_sub(told.0));
    let now = Instant::now();
    now.checked_sub(ago).unwrap_or(now)
}
