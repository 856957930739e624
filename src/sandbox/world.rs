//! Everything the connections share.
//!
//! Owns the books, the faults, the throttle and the credentials, each behind its own lock. No lock is held
//! across an await, and where two are held the books come last.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::books::Books;
use super::credentials::Credentials;
use super::faults::{Faults, Rule};
use super::options::SandboxOptions;
use super::throttle::Throttle;

/// The shared state of one sandbox.
#[derive(Debug)]
pub(super) struct World {
    pub(super) latency: Duration,
    pub(super) retry_after: Option<Duration>,
    pub(super) throttle_probes: bool,
    started: Instant,
    books: Mutex<Books>,
    faults: Mutex<Faults>,
    throttle: Option<Mutex<Throttle>>,
    credentials: Mutex<Credentials>,
    answers_held: watch::Sender<bool>,
}

/// A call between its head and the end of its answer.
pub(super) struct InFlight<'a>(&'a World);

impl World {
    pub(super) fn new(options: SandboxOptions) -> Self {
        let throttle = options.calls_per_second.map(|rate| Mutex::new(Throttle::new(rate, options.burst)));
        Self {
            latency: options.latency,
            retry_after: options.retry_after,
            throttle_probes: options.throttle_probes,
            started: Instant::now(),
            books: Mutex::new(Books::new(options.calls_kept)),
            faults: Mutex::new(Faults::new(options.seed, options.faults)),
            throttle,
            credentials: Mutex::new(Credentials::new(options.tokens, options.oauth, options.seed)),
            answers_held: watch::Sender::new(false),
        }
    }

    pub(super) fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn credentials(&self) -> MutexGuard<'_, Credentials> {
        self.credentials.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts other rules in force.
    pub(super) fn set_faults(&self, rules: Vec<Rule>) {
        self.faults().replace(rules, self.age());
    }

    /// Holds back the answers to PATCHes, or lets them go.
    pub(super) fn hold_answers(&self, held: bool) {
        self.answers_held.send_replace(held);
    }

    /// Waits until answers are not held back.
    pub(super) async fn until_answers_go(&self) {
        // The sender is part of the same value, so it outlives this wait.
        let mut held = self.answers_held.subscribe();
        held.wait_for(|held| !held).await.ok();
    }

    /// Time since the start.
    pub(super) fn age(&self) -> Duration {
        self.started.elapsed()
    }

    /// Takes a place under the limit of calls per second.
    pub(super) fn lets_through(&self) -> bool {
        self.throttle.as_ref().is_none_or(|throttle| {
            throttle.lock().unwrap_or_else(PoisonError::into_inner).lets_through(Instant::now())
        })
    }

    /// Empties the books, fills the bucket, puts the rules in force afresh. Rules and credentials stay.
    pub(super) fn reset(&self) {
        self.faults().restart(self.age());
        if let Some(throttle) = &self.throttle {
            throttle.lock().unwrap_or_else(PoisonError::into_inner).refill();
        }
        self.books().reset();
    }

    /// Counts a call as in flight until the guard is dropped.
    pub(super) fn enter(&self) -> InFlight<'_> {
        self.books().enter();
        InFlight(self)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.books().leave();
    }
}
