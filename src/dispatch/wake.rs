//! When the loop is to look again although nothing happened.

use tokio::time::Instant;

use super::{dispatcher::Dispatcher, health::Gate};

impl Dispatcher {
    /// The first moment at which something may be due.
    pub(super) fn next_wake(&mut self, now: Instant) -> Instant {
        let mut wake = self.chores.next();
        let gate = self.health.gate(now, self.options.max_in_flight);
        let may_draw = match gate {
            Gate::Closed(_) | Gate::Shut => false,
            Gate::Newcomer(_) => self.calls.is_empty() && self.has_newcomer(),
            Gate::Lone => self.calls.is_empty(),
            Gate::Open(slots) => self.calls.len() < slots,
        };
        let waits = !self.queue.is_empty() || !self.suspects.is_empty();
        if waits && may_draw && !self.rests() {
            wake = wake.min(self.pace.next_permit(now));
        }
        if let Gate::Closed(until) | Gate::Newcomer(until) = gate {
            // A gate that should have opened waits for a probe that is under way.
            if until > now {
                wake = wake.min(until);
            }
        }
        if let Some(at) = self.ledger.wake() {
            wake = wake.min(at);
        }
        if let Some(at) = self.feed_wake() {
            wake = wake.min(at);
        }
        if let Some(at) = self.credential_wake() {
            wake = wake.min(at);
        }
        if let Some(drain) = &self.drain {
            wake = wake.min(drain.wake(now));
        }
        wake
    }
}
