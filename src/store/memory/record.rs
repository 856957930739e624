//! One resend: its list, its outcomes, its state.
//!
//! The dispatch thread writes, the API reads; one short lock a turn, a page or a look. The counts are
//! kept with each settle, so telling them never walks the list.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

use tokio::{sync::watch, time::Instant};

use super::{body::Body, life::Life, outcomes::Outcomes};
use crate::domain::{
    ClientName, Counts, Entry, InvalidReason, List, Outcome, OutcomeKind, ResendId, Status, Timestamp,
    TraceContext,
};

/// One resend.
#[derive(Debug)]
pub struct Record {
    /// Its id.
    pub id: ResendId,
    /// Who posted it.
    pub client: ClientName,
    /// When its body was whole, for telling.
    pub created_at: Timestamp,
    /// The same moment, for comparing.
    pub created: Instant,
    /// When it was taken up: when it was created, or when what was not sent began to run again.
    pub since: Instant,
    /// The key that it was posted under, if any.
    pub keyed: Option<Keyed>,
    /// Whether what happened before it counts for nothing.
    pub force: bool,
    /// The trace of the request that posted it.
    pub trace: TraceContext,
    /// What was posted.
    pub body: Arc<Body>,
    /// Whether its end is owed, also by the next process.
    pub(super) promised: AtomicBool,
    /// Requests that were told neither its end nor that it goes on.
    pub(super) callers: AtomicU32,
    pub(super) state: Mutex<State>,
    pub(super) life: watch::Sender<Life>,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) status: Status,
    pub(super) counts: Counts,
    pub(super) outcomes: Outcomes,
    pub(super) rest: Option<Outcome>,
    pub(super) upstream_calls: u64,
    pub(super) finished_at: Option<Timestamp>,
}

/// The key that a resend was posted under, and what a request must have posted to meet it again. Both are
/// keyed hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keyed {
    /// Of the key.
    pub key: [u8; 16],
    /// Of the body.
    pub body: [u8; 16],
}

/// A resend's state at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Snapshot {
    /// Where it stands.
    pub status: Status,
    /// How many came to which end.
    pub counts: Counts,
    /// How many upstream calls held at least one of its addresses.
    pub upstream_calls: u64,
    /// When the last outcome fell.
    pub finished_at: Option<Timestamp>,
}

/// What became of one fresh address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// Where it stands.
    pub index: u32,
    /// How many later rows repeat it.
    pub repeats: u32,
    /// Its outcome.
    pub outcome: Outcome,
}

/// One result. No `Debug`: it holds an address.
#[derive(Clone, PartialEq, Eq)]
pub struct Row<'record> {
    /// The place in the caller's list.
    pub index: u32,
    /// What the caller wrote there.
    pub email: &'record str,
    /// What became of it; `None` while pending.
    pub outcome: Option<Outcome>,
}

impl Record {
    /// A fresh resend of `list`, created now. What is no address has its outcome at once.
    pub fn new(id: ResendId, client: ClientName, force: bool, trace: TraceContext, body: Body) -> Self {
        let mut counts = Counts::new(body.len().into());
        for reason in InvalidReason::ALL {
            counts.add(OutcomeKind::Invalid, body.invalid(*reason).into());
        }
        let state = State {
            status: Status::Queued,
            counts,
            // The ends of stored rows are in the file.
            outcomes: Outcomes::new(body.list().map_or(0, List::len)),
            rest: None,
            upstream_calls: 0,
            finished_at: None,
        };
        let created = Instant::now();
        Self {
            id,
            client,
            created_at: Timestamp::now(),
            created,
            since: created,
            keyed: None,
            force,
            trace,
            body: Arc::new(body),
            promised: AtomicBool::new(false),
            // Whoever made it.
            callers: AtomicU32::new(1),
            state: Mutex::new(state),
            life: watch::Sender::new(Life::default()),
        }
    }

    /// Whether addresses that were not sent run again.
    pub fn is_again(&self) -> bool {
        self.since != self.created
    }

    /// Heap bytes that a resend of `body` takes.
    pub fn bytes(body: &Body) -> usize {
        size_of::<Self>() + body.bytes() + Outcomes::bytes(body.list().map_or(0, List::len))
    }

    /// Tells the outcomes that the list has from the start.
    pub fn tell_invalid(&self, mut tell: impl FnMut(&Outcome, u64)) {
        for reason in InvalidReason::ALL {
            let count = self.body.invalid(*reason);
            if count > 0 {
                tell(&Outcome::Invalid(*reason), count.into());
            }
        }
    }

    /// The outcome of a fresh address in RAM, once it has one.
    pub fn outcome_of(&self, index: u32) -> Option<Outcome> {
        self.state().outcomes.get(index)
    }

    /// Whether its end is owed, also by the next process.
    pub fn is_promised(&self) -> bool {
        self.promised.load(Ordering::Acquire)
    }

    /// Whether what becomes of it is written before it is told: it is owed, or its rows are in the file.
    pub fn is_written(&self) -> bool {
        self.is_promised() || self.body.shape().is_some()
    }

    /// Owes its end from now on. Says whether that is new.
    pub fn promise(&self) -> bool {
        !self.promised.swap(true, Ordering::AcqRel)
    }

    /// The state now.
    pub fn snapshot(&self) -> Snapshot {
        let state = self.state();
        Snapshot {
            status: state.status,
            counts: state.counts,
            upstream_calls: state.upstream_calls,
            finished_at: state.finished_at,
        }
    }

    /// Marks the first look at its addresses.
    pub fn start(&self) {
        let mut state = self.state();
        if state.status == Status::Queued {
            state.status = Status::Running;
        }
    }

    /// Counts a call that held some of its addresses.
    pub fn count_call(&self) {
        self.state().upstream_calls += 1;
    }

    /// Counts at least so many calls: an earlier process made them and had no time to write how many.
    pub fn count_calls_to(&self, calls: u64) {
        let mut state = self.state();
        state.upstream_calls = state.upstream_calls.max(calls);
    }

    /// Writes final outcomes of fresh addresses, which fell at `at`; their repeats inside the list (so many
    /// of each) share them. `tell` hears each outcome with the number of addresses that have it by this.
    pub fn settle(&self, outcomes: &[Settled], at: Timestamp, mut tell: impl FnMut(&Outcome, u64)) {
        let mut state = self.state();
        for Settled { index, repeats, outcome } in outcomes {
            // The ends of stored rows are written, not kept.
            if self.body.list().is_some() {
                if !state.outcomes.is_pending(*index) {
                    continue;
                }
                state.outcomes.set(*index, outcome);
            }
            state.counts.add(outcome.kind(), 1);
            tell(outcome, 1);
            let repeats = u64::from(*repeats);
            if repeats > 0 {
                let sent_at = (*outcome == Outcome::Sent).then_some(at);
                if let Some(at) = sent_at.filter(|_| self.body.list().is_some()) {
                    state.outcomes.set_sent_at(*index, at);
                }
                let shared = outcome.of_repeat(sent_at);
                state.counts.add(shared.kind(), repeats);
                tell(&shared, repeats);
            }
        }
    }

    /// Ends the resend. Addresses without an outcome get `rest`, all at once; wakes whoever waits.
    pub fn finish(&self, status: Status, rest: Option<Outcome>, tell: impl FnMut(&Outcome, u64)) {
        self.finish_at(Timestamp::now(), status, rest, tell);
    }

    /// The same for an end that fell at `at`.
    pub fn finish_at(
        &self,
        at: Timestamp,
        status: Status,
        rest: Option<Outcome>,
        mut tell: impl FnMut(&Outcome, u64),
    ) {
        {
            let mut state = self.state();
            let pending = state.counts.pending();
            if let Some(outcome) = rest.filter(|_| pending > 0) {
                state.counts.add(outcome.kind(), pending);
                tell(&outcome, pending);
                state.rest = Some(outcome);
            }
            state.status = status;
            state.finished_at = Some(at);
        }
        self.live_on(Life::Over);
    }

    /// What became of rows that had no outcome of their own when it ended; `None` before that.
    pub fn rest(&self) -> Option<Outcome> {
        self.state().rest.clone()
    }

    /// The rows from `from` on, at most `limit`, in the caller's order. Rows in the file are read there.
    pub fn rows(&self, from: u32, limit: u32) -> Vec<Row<'_>> {
        let Some(list) = self.body.list() else { return Vec::new() };
        let end = from.saturating_add(limit).min(list.len());
        let state = self.state();
        (from..end)
            .map(|index| Row { index, email: list.text(index), outcome: outcome(list, &state, index) })
            .collect()
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock but for a bug, and a bug in dispatch ends the process.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn outcome(list: &List, state: &State, index: u32) -> Option<Outcome> {
    let own = match list.entry(index) {
        Entry::Fresh(_) => state.outcomes.get(index),
        Entry::Repeat => list.first_of(index).and_then(|first| state.outcomes.of_repeat(first)),
        Entry::Invalid(reason) => Some(Outcome::Invalid(reason)),
    };
    own.or_else(|| state.rest.clone())
}
