//! The books in a file: what is written before dispatch acts or tells, and what waits for that.
//!
//! One batch is out at a time; what comes meanwhile gathers for the next one (group commit). Dispatch
//! never waits for the store: what has to wait is put down here, in order, and goes on when its batch is
//! committed. What nobody waits for, as the ends of calls, goes along with what somebody does, or a moment
//! later: a call is marked before it is made, so however fast calls are, no more ends are missing at a
//! crash than there are slots.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::{sync::oneshot, time::Instant};

use super::rotation::Renewed;
use crate::{
    domain::{ResendId, Timestamp},
    store::{
        Keeper, Settled,
        file::{Batch, Store, Watch, Write},
    },
};

/// Changes that gather while a batch is out: each turn of the loop adds a few hundred at most.
const MOST_PENDING: usize = 4096;

/// How long a change that nobody waits for may wait for company.
const LINGER: Duration = Duration::from_millis(1);

/// What goes on once something is written.
pub(super) enum After {
    /// A marked call is made.
    Launch(u64, Bytes),
    /// Outcomes of a promised resend are told, which fell then.
    Tell(ResendId, Arc<[Settled]>, Timestamp),
    /// A promised resend ends.
    Finish(ResendId),
    /// A caller is promised that its list outlasts the process.
    Promised(ResendId, oneshot::Sender<Promised>),
    /// A new access token is used, whose refresh token is kept.
    Renewed(Renewed),
}

/// The answer to who asked for a promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Promised {
    /// It is written down.
    Kept,
    /// There is nothing left to promise: the resend has ended.
    Ended,
}

/// The way to the store.
pub(super) struct Books {
    pub(super) store: Store,
    pub(super) keeper: Keeper,
    watch: Watch,
    pending: Vec<Write>,
    /// When the first of those came.
    since: Instant,
    hard: bool,
    /// The number of the last batch that was handed in.
    sent: u64,
    waiting: VecDeque<(u64, After)>,
    gave_up: bool,
}

impl Books {
    pub(super) fn new(store: Store, keeper: Keeper) -> Self {
        let watch = store.watch();
        Self {
            store,
            keeper,
            watch,
            pending: Vec::new(),
            since: Instant::now(),
            hard: false,
            sent: 0,
            waiting: VecDeque::new(),
            gave_up: false,
        }
    }

    /// Writes something with the next batch.
    pub(super) fn write(&mut self, write: Write) {
        if self.pending.is_empty() {
            self.since = Instant::now();
        }
        self.pending.push(write);
    }

    /// Whether so much waits to be written that nothing more may be looked at before some of it is.
    pub(super) fn is_crowded(&self) -> bool {
        self.pending.len() >= MOST_PENDING
    }

    /// Makes the next batch outlast a power cut.
    pub(super) fn make_hard(&mut self) {
        self.hard = true;
    }

    /// Goes on with `after` once everything written so far is committed.
    pub(super) fn then(&mut self, after: After) {
        let number = if self.pending.is_empty() { self.sent } else { self.sent + 1 };
        self.waiting.push_back((number, after));
    }

    /// Hands in what is pending, unless a batch is out, or nobody waits for it yet.
    pub(super) fn hand_in(&mut self, now: Instant) {
        if self.wake().is_none_or(|wake| now < wake) {
            return;
        }
        self.sent += 1;
        let writes = std::mem::take(&mut self.pending);
        self.store.send(Batch { number: self.sent, writes, hard: std::mem::take(&mut self.hard) });
    }

    /// When what is pending is to be handed in; never once given up, so that nobody wakes for it.
    pub(super) fn wake(&self) -> Option<Instant> {
        if self.pending.is_empty() || self.is_out() || self.gave_up {
            return None;
        }
        let is_awaited = self.hard || self.waiting.back().is_some_and(|(number, _)| *number > self.sent);
        Some(if is_awaited { self.since } else { self.since + LINGER })
    }

    /// The next of what may go on now.
    pub(super) fn due(&mut self) -> Option<After> {
        let committed = self.watch.committed();
        self.waiting.front().filter(|(number, _)| *number <= committed)?;
        self.waiting.pop_front().map(|(_, after)| after)
    }

    /// Whether a batch is out.
    pub(super) fn is_out(&self) -> bool {
        self.watch.committed() < self.sent
    }

    /// Whether anything is not yet written, or waits for that.
    pub(super) fn is_busy(&self) -> bool {
        !self.gave_up && (self.is_out() || !self.pending.is_empty() || !self.waiting.is_empty())
    }

    /// Has nothing more written. A store that works again a moment later must not keep a promise of which
    /// somebody is told that nothing came. What is committed by now is due.
    pub(super) fn abandon(&mut self) {
        self.gave_up = true;
        self.store.abandon();
    }

    /// Waits for nothing any more; gives what would have gone on.
    pub(super) fn give_up(&mut self) -> Vec<After> {
        self.pending.clear();
        self.waiting.drain(..).map(|(_, after)| after).collect()
    }

    /// Returns when the store is further, or begins or ends to fail, also if that was before it was asked.
    pub(super) async fn changed(&mut self) {
        self.watch.changed().await;
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use futures_util::FutureExt as _;

    use super::*;
    use crate::{
        domain::ClientName,
        store::{Keeping, Registry, file::Limits},
        telemetry::metrics::{BuildInfo, Metrics},
    };

    const HOUR: Duration = Duration::from_secs(3600);

    fn books(directory: &Path) -> Books {
        let metrics = Metrics::new(BuildInfo::current(), &[ClientName::anonymous()], &[]).unwrap();
        let store = Store::open(&directory.join("gateway.db"), [7; 16], metrics).unwrap();
        let limits = Limits { max_bytes: None, reserve_bytes: 0 };
        let registry = Arc::new(Registry::beside_store(HOUR));
        let keeping = Keeping { retention: HOUR, window: HOUR, limits };
        let keeper = Keeper::start(store.clone(), registry, keeping).unwrap();
        Books::new(store, keeper)
    }

    /// Writes something that somebody waits for, and hands it in.
    fn hand_in(books: &mut Books) {
        books.write(Write::Fact("test", Some("1".to_owned())));
        books.then(After::Finish(ResendId(1)));
        books.hand_in(Instant::now());
    }

    async fn until_committed(mut watch: Watch, number: u64) {
        while watch.committed() < number {
            watch.changed().await;
        }
    }

    /// Commits between the look at the store and the wait for it used to be noticed at the next tick.
    #[tokio::test]
    async fn a_batch_that_is_committed_before_it_is_waited_for_wakes_once_and_no_more() {
        let directory = tempfile::tempdir().unwrap();
        let mut books = books(directory.path());

        for number in 1..=20 {
            hand_in(&mut books);
            until_committed(books.store.watch(), number).await;

            assert!(!books.is_out());
            assert_eq!(books.changed().now_or_never(), Some(()));
            assert!(books.due().is_some());
            // A loop that waits for nothing else sleeps.
            assert_eq!(books.changed().now_or_never(), None);
            assert_eq!(books.wake(), None);
        }
    }

    #[tokio::test]
    async fn a_store_that_has_closed_wakes_nobody() {
        let directory = tempfile::tempdir().unwrap();
        let mut books = books(directory.path());
        let store = books.store.clone();

        store.close();

        assert_eq!(books.changed().now_or_never(), None);
    }
}
