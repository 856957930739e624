//! Brings the rows of stored lists to hand, a chunk at a time, with a bounded number of them in RAM.

use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use tokio::time::Instant;

use super::{
    dispatcher::Dispatcher,
    message::{Event, Loading},
    rows::Loaded,
};
use crate::{domain::ResendId, store::file::read};

/// Chunks in RAM that have nothing out, of all stored lists together: about 12 MB.
const AT_HAND: usize = 256;
/// Chunks being read at once.
const AT_ONCE: usize = 8;
/// After a read that failed.
const RETRY: Duration = Duration::from_millis(500);

/// Who waits for rows, and whose are at hand.
#[derive(Debug, Default)]
pub(super) struct Feed {
    hungry: BTreeSet<ResendId>,
    /// Chunks at hand, the longest there first; some of them have gone already.
    at_hand: VecDeque<(ResendId, u32)>,
    reading: usize,
    not_before: Option<Instant>,
}

impl Dispatcher {
    /// Notes that a resend may need rows.
    pub(super) fn may_be_hungry(&mut self, id: ResendId) {
        if self.resends.get(&id).is_some_and(|active| active.wants().is_some()) {
            self.feed.hungry.insert(id);
        }
    }

    /// Reads what is needed next.
    pub(super) fn feed(&mut self, now: Instant) {
        if self.feed.not_before.is_some_and(|at| at > now) {
            return;
        }
        self.feed.not_before = None;
        while self.feed.reading < AT_ONCE {
            let Some(id) = self.feed.hungry.pop_first() else { return };
            let Some(active) = self.resends.get_mut(&id) else { continue };
            let Some(number) = active.wants() else { continue };
            let Some(books) = self.ledger.books() else { continue };
            active.rows.loading = Some(number);
            self.feed.reading += 1;
            let store = books.store.clone();
            self.spawn(async move {
                let found = store
                    .read(move |db| Ok(read::chunk(db, id, number)?.zip(Some(read::ends(db, id, number)?))))
                    .await;
                Event::Loaded(Loading { id, number, found })
            });
        }
    }

    /// When to look again after a read that failed.
    pub(super) fn feed_wake(&self) -> Option<Instant> {
        self.feed.not_before.filter(|_| !self.feed.hungry.is_empty())
    }

    /// Takes in rows that were read.
    pub(super) fn loaded(&mut self, loading: Loading, now: Instant) {
        let Loading { id, number, found } = loading;
        self.feed.reading -= 1;
        let Some(active) = self.resends.get_mut(&id) else { return };
        active.rows.loading = None;
        match found {
            Ok(Some((rows, ends))) => {
                active.rows.put(number, Loaded::new(rows, &ends));
                self.feed.at_hand.push_back((id, number));
                self.requeue(id);
                self.to_strip.push_back(id);
            }
            Ok(None) => {
                tracing::error!(resend = %id, number, "Rows of a resend are not in the store as they were written.");
                self.feed.not_before = Some(now + RETRY);
            }
            Err(fault) => {
                tracing::warn!(%fault, "Rows can't be read from the store; they are read again.");
                self.feed.not_before = Some(now + RETRY);
            }
        }
        self.may_be_hungry(id);
        self.make_room();
    }

    /// Drops the rows that lay idle for longest.
    fn make_room(&mut self) {
        let mut tries = self.feed.at_hand.len().saturating_sub(AT_HAND);
        while tries > 0 {
            tries -= 1;
            let Some((id, number)) = self.feed.at_hand.pop_front() else { return };
            let Some(active) = self.resends.get_mut(&id) else { continue };
            if active.rows.drop_idle(number) {
                self.leave_queue_if_empty(id);
            } else {
                self.feed.at_hand.push_back((id, number));
            }
        }
    }
}
