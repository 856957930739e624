//! A resend that has ended and begins again: what was not sent is pending once more, all else stays.
//!
//! It is a resend of its own with the same id and the same rows; whoever holds the one that ended keeps
//! reading that.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicU32},
};

use tokio::{sync::watch, time::Instant};

use super::{
    life::Life,
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
            callers: AtomicU32::new(0),
            state: Mutex::new(state),
            life: watch::Sender::new(Life::default()),
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
        self.live_on(Life::Over);
        self
    }
}

/// The ends of a chunk that are to be forgotten when its rows that were not sent run again.
pub fn not_sent_in(ends: &[(u8, u64)]) -> Vec<(u16, u8, u64)> {
    let is_not_sent = |(code, _): &(u8, u64)| outcomes::kind_of(*code) == Some(OutcomeKind::NotSent);
    let forgotten = ends.iter().zip(0_u16..).filter(|(end, _)| is_not_sent(end));
    forgotten.map(|(_, offset)| (offset, outcomes::PENDING, 0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{
            AddressKey, Chunk, ClientName, InvalidReason, List, NotSentReason, Outcome, Repeat, ResendId,
            TraceContext, UnknownReason,
        },
        store::{Body, Settled},
    };

    /// Sent, not sent by itself, a repeat of that, in doubt, no address, and one for the rest.
    fn ended() -> Record {
        let mut chunk = Chunk::default();
        let fresh = |key| Entry::Fresh(AddressKey(key));
        let invalid = Entry::Invalid(InvalidReason::NoAtSign);
        for entry in [fresh(0), fresh(1), Entry::Repeat, fresh(3), invalid, fresh(5)] {
            chunk.push("a@example.com", entry).unwrap();
        }
        let list = List::new(vec![chunk], vec![Repeat { index: 2, first: 1 }]);
        let trace = TraceContext::new(1);
        let body = Body::Resident(list);
        let record = Record::new(ResendId(1), ClientName::anonymous(), false, trace, body);
        let settled = |index, repeats, outcome| Settled { index, repeats, outcome };
        let outcomes = [
            settled(0, 0, Outcome::Sent),
            settled(1, 1, Outcome::NotSent(NotSentReason::Throttled)),
            settled(3, 0, Outcome::Unknown(UnknownReason::Timeout)),
        ];
        record.settle(&outcomes, record.created_at, |_, _| {});
        record.count_call();
        record.finish(Status::Cancelled, Some(Outcome::NotSent(NotSentReason::Cancelled)), |_, _| {});
        record
    }

    fn outcomes(record: &Record) -> Vec<Option<OutcomeKind>> {
        record.rows(0, 9).iter().map(|row| row.outcome.as_ref().map(Outcome::kind)).collect()
    }

    #[test]
    fn what_was_not_sent_is_pending_again_and_nothing_else_is() {
        use OutcomeKind::{Duplicate, Invalid, NotSent, Sent, Unknown};
        let record = ended();
        let before = [Some(Sent), Some(NotSent), Some(NotSent), Some(Unknown), Some(Invalid), Some(NotSent)];
        assert_eq!(outcomes(&record), before);

        let Restored { record: again, unsettled } = record.again();

        assert_eq!(unsettled, 2);
        assert_eq!(outcomes(&again), [Some(Sent), None, None, Some(Unknown), Some(Invalid), None]);
        let now = again.snapshot();
        assert_eq!((now.status, now.finished_at, now.upstream_calls), (Status::Running, None, 1));
        assert_eq!((now.counts.pending(), now.counts.of(NotSent), now.counts.of(Sent)), (3, 0, 1));
        assert_eq!((again.created, again.is_again()), (record.created, true));
        let both = [(1, 1), (5, 0)];
        let both = both.map(|(index, repeats)| Settled { index, repeats, outcome: Outcome::Sent });
        again.settle(&both, again.created_at, |_, _| {});
        assert_eq!(again.snapshot().counts.pending(), 0);
        assert_eq!(outcomes(&again)[1..3], [Some(Sent), Some(Duplicate)]);
        assert_eq!(outcomes(&record), before, "whoever reads what has ended reads on");
    }

    #[test]
    fn the_ends_of_a_chunk_that_are_forgotten_are_those_of_what_was_not_sent() {
        let record = ended();
        let ends: Vec<_> =
            (0..6).map(|index| record.state().outcomes.end(index).unwrap_or_default()).collect();

        assert_eq!(not_sent_in(&ends), [(1, 0, 0)]);
    }
}
