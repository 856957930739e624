//! A resend that has ended and begins again: what was not sent is pending once more, all else stays.
//!
//! It is a resend of its own with the same id and the same rows; whoever holds the one that ended keeps
//! reading that.

use std::sync::{Arc, Mutex, atomic::AtomicBool};

use tokio::{sync::watch, time::Instant};

use super::{
    outcomes,
    record::{Record, State},
    restore::Restored,
};
use crate::{
    domain::{Entry, OutcomeKind, Status},
    store::file::ResendRow,
};

impl Record {
    /// The resend as it begins again; its rows are in RAM.
    pub fn again(&self) -> Restored {
        let state = self.state();
        let (mut outcomes, mut counts) = (state.outcomes.clone(), state.counts);
        outcomes.forget_not_sent();
        counts.reopen(OutcomeKind::NotSent);
        let chunks = self.body.list().into_iter().flat_map(|list| list.chunks());
        let entries = chunks.flat_map(|(_, chunk)| chunk.entries()).zip(0_u32..);
        let pending = |((_, entry), index): &((&str, Entry), u32)| {
            matches!(entry, Entry::Fresh(_)) && outcomes.is_pending(*index)
        };
        let unsettled = entries.filter(pending).count() as u32;
        let state = State {
            status: Status::Running,
            counts,
            outcomes,
            rest: None,
            upstream_calls: state.upstream_calls,
            finished_at: None,
        };
        let record = Self {
            id: self.id,
            client: self.client.clone(),
            created_at: self.created_at,
            created: self.created,
            since: Instant::now(),
            keyed: self.keyed,
            force: self.force,
            trace: self.trace,
            body: Arc::clone(&self.body),
            promised: AtomicBool::new(self.is_promised()),
            state: Mutex::new(state),
            done: watch::Sender::new(false),
        };
        Restored { record, unsettled }
    }

    /// One that was restored, as it is taken up again now.
    pub fn taken_up(self) -> Self {
        Self { since: Instant::now(), ..self }
    }

    /// As its row says that it ended.
    pub fn ended(self, row: &ResendRow) -> Self {
        {
            let mut state = self.state();
            state.status = Status::parse(&row.status).unwrap_or(Status::Finished);
            state.finished_at = row.finished_at;
            state.rest = row.rest.and_then(outcomes::rest_of);
            let pending = state.counts.pending();
            if let Some(kind) = state.rest.as_ref().map(|rest| rest.kind()) {
                state.counts.add(kind, pending);
            }
        }
        self.done.send_replace(true);
        self
    }
}

/// The ends of a chunk that are to be forgotten when its rows that were not sent run again.
pub fn not_sent_in(ends: &[(u8, u64)]) -> Vec<(u16, u8, u64)> {
    let is_not_sent = |(code, _): &(u8, u64)| outcomes::kind_of(*code) == Some(OutcomeKind::NotSent);
    let forgotten = ends.iter().zip(0_u16..).filter(|(end, _)| is_not_sent(end));
    forgotten.map(|(_, offset)| (offset, outcomes::PENDING, 0)).collect()
}
