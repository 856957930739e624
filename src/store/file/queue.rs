//! What waits for the writing thread: one batch of dispatch, which goes first, and bulk work of intake.
//!
//! Bounded by those who hand work in: dispatch has one batch out at a time and gathers the next one
//! meanwhile; bulk work holds one of a few places until it is done.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::oneshot;

use super::{Store, error::Fault, write::Write};
use crate::domain::ResendId;

/// Changes that are made together or not at all.
#[derive(Debug, Default)]
pub struct Batch {
    /// Its number, for the one who hands in one after the other.
    pub number: u64,
    /// The changes, in order.
    pub writes: Vec<Write>,
    /// Whether they must outlast a power cut.
    pub hard: bool,
}

/// A batch that somebody waits for, and that may fail.
pub(super) struct Bulk {
    pub(super) batch: Batch,
    /// Hears whether the same is to be done again.
    pub(super) done: oneshot::Sender<Result<bool, Fault>>,
}

/// Resends that wait to be erased; what finds no place is erased at the next start.
const ERASURES: usize = 10_000;

/// What the thread does next.
pub(super) struct Work {
    /// A resend to erase a part of, when there is nothing else to do.
    pub(super) erasure: Option<ResendId>,
    pub(super) urgent: Option<Batch>,
    pub(super) bulk: Vec<Bulk>,
}

#[derive(Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    urgent: Option<Batch>,
    bulk: VecDeque<Bulk>,
    erasures: VecDeque<ResendId>,
    is_closed: bool,
    is_abandoned: bool,
}

impl Store {
    /// What dispatch has handed in and is not yet committed is not to be, whatever happens to the disk.
    pub fn abandon(&self) {
        self.shared.queue.abandon();
    }
}

impl Queue {
    /// Hands the batch of dispatch in. One that still waits is joined.
    pub(super) fn put_urgent(&self, batch: Batch) {
        let mut waiting = self.waiting();
        match &mut waiting.urgent {
            None => waiting.urgent = Some(batch),
            Some(before) => {
                before.writes.extend(batch.writes);
                before.hard |= batch.hard;
                before.number = batch.number;
            }
        }
        self.changed.notify_one();
    }

    /// Hands bulk work in; gives it back when the store is closed.
    pub(super) fn put_bulk(&self, bulk: Bulk) -> Result<(), Bulk> {
        let mut waiting = self.waiting();
        if waiting.is_closed {
            return Err(bulk);
        }
        waiting.bulk.push_back(bulk);
        self.changed.notify_one();
        Ok(())
    }

    /// All bulk work that waits, when there is no hope for it now.
    pub(super) fn take_bulk(&self) -> Vec<Bulk> {
        self.waiting().bulk.drain(..).collect()
    }

    /// Erases a resend when there is time for it.
    pub(super) fn put_erasure(&self, resend: ResendId) {
        let mut waiting = self.waiting();
        if waiting.erasures.len() < ERASURES {
            waiting.erasures.push_back(resend);
            self.changed.notify_one();
        }
    }

    /// Nothing new is taken; what waits is still done.
    pub(super) fn close(&self) {
        self.waiting().is_closed = true;
        self.changed.notify_one();
    }

    /// Whether nothing new is taken.
    pub(super) fn is_closed(&self) -> bool {
        self.waiting().is_closed
    }

    /// What dispatch has handed in and is not yet written must not be written any more.
    pub(super) fn abandon(&self) {
        let mut waiting = self.waiting();
        waiting.is_abandoned = true;
        waiting.urgent = None;
    }

    /// Whether dispatch has given up on what it has handed in.
    pub(super) fn is_abandoned(&self) -> bool {
        self.waiting().is_abandoned
    }

    /// Waits for work, at most so long: `None` when the queue is closed and empty. All that is urgent
    /// comes, and a little of the bulk.
    pub(super) fn take(&self, at_most: Duration, bulk: usize) -> Option<Work> {
        let waiting = self.waiting();
        let idle =
            |waiting: &mut Waiting| waiting.urgent.is_none() && waiting.bulk.is_empty() && !waiting.is_closed;
        let (mut waiting, _) =
            self.changed.wait_timeout_while(waiting, at_most, idle).unwrap_or_else(PoisonError::into_inner);
        let urgent = waiting.urgent.take();
        let bulk = bulk.min(waiting.bulk.len());
        let bulk: Vec<_> = waiting.bulk.drain(..bulk).collect();
        let is_idle = urgent.is_none() && bulk.is_empty() && !waiting.is_closed;
        let erasure = if is_idle { waiting.erasures.pop_front() } else { None };
        let work = Work { erasure, urgent, bulk };
        let is_over = waiting.is_closed && work.urgent.is_none() && work.bulk.is_empty();
        (!is_over).then_some(work)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
