//! How the gateway ends: nothing more is drawn, calls in flight end, and what is left is handed back or on.
//!
//! Without a file what was not sent ends so. With one, resends that were promised leave this process and go
//! on in the next. Whoever waits for another one is woken, to have it promised; what nobody was promised by
//! the deadline ends unsent. Nobody is kept by a store that does not write.

use std::{collections::BTreeSet, time::Duration};

use tokio::{sync::oneshot, time::Instant};

use super::{active::Active, books::After, dispatcher::Dispatcher};
use crate::{
    domain::{NotSentReason, Outcome, ResendId, UnknownReason},
    store::file::CallEnd,
};

/// The books have so long after the deadline to be written.
const LAST_WRITES: Duration = Duration::from_secs(3);

/// The end of everything, once asked for.
pub(super) struct Drain {
    pub(super) stop_drawing: Instant,
    pub(super) deadline: Instant,
    done: Option<oneshot::Sender<()>>,
    /// Whether nothing more is drawn.
    stopped: bool,
    /// Whether nobody can ask for anything any more.
    pub(super) is_last: bool,
}

impl Drain {
    pub(super) fn new(stop_drawing: Instant, deadline: Instant, done: oneshot::Sender<()>) -> Self {
        Self { stop_drawing, deadline, done: Some(done), stopped: false, is_last: false }
    }

    /// When to look again, if nothing happens.
    pub(super) fn wake(&self, now: Instant) -> Instant {
        let moments = [self.stop_drawing, self.deadline, self.deadline + LAST_WRITES];
        moments.into_iter().find(|at| *at > now).unwrap_or(now + LAST_WRITES)
    }
}

impl Dispatcher {
    /// Whether nothing more is drawn, because the gateway ends.
    pub(super) fn draws_no_more(&self) -> bool {
        self.drain.as_ref().is_some_and(|drain| drain.stopped)
    }

    /// While draining: works on until it is time to stop, then hands back or on what is left.
    pub(super) fn drain_if_asked(&mut self, now: Instant) {
        let Some(drain) = &mut self.drain else { return };
        let (deadline, is_last) = (drain.deadline, drain.is_last);
        drain.stopped |= now >= drain.stop_drawing || self.health.is_held_beyond(drain.stop_drawing);
        let stopped = drain.stopped;
        if now >= deadline {
            self.interrupt(now);
        }
        if stopped && self.ledger.books().is_some() {
            self.settle_doubts(now);
            self.hand_on(now >= deadline || is_last);
        } else if stopped {
            let ids: Vec<_> = self.resends.keys().copied().collect();
            ids.into_iter().for_each(|id| self.stop(id, NotSentReason::Shutdown));
        }
        if self.resends.is_empty() {
            self.keep_pace_at_the_end();
        }
        if now >= deadline + LAST_WRITES && self.ledger.books().is_some_and(|books| books.is_busy()) {
            self.give_up_on_the_books(now);
        }
    }

    /// Whether a drain was asked for, everything has its outcome or goes on later, and all is written.
    pub(super) fn is_drained(&mut self, now: Instant) -> bool {
        let Some(drain) = &mut self.drain else { return false };
        if !self.resends.is_empty() || self.ledger.books().is_some_and(|books| books.is_busy()) {
            return false;
        }
        // The answer may hold the only refresh token that is still good; memory would lose it anyway.
        if self.tending.is_asking() && now < drain.deadline && self.ledger.books().is_some() {
            return false;
        }
        if let Some(done) = drain.done.take()
            && done.send(()).is_err()
        {
            tracing::debug!("Drained, and nobody waited for it.");
        }
        true
    }

    /// Ends addresses that are in doubt and would have been tried again: the next process could not do
    /// better than call that an earlier doubt. Other members of parts go back to their heads.
    fn settle_doubts(&mut self, now: Instant) {
        let parts: Vec<_> = self.resends.values_mut().flat_map(|active| active.take_parts()).collect();
        for member in parts.into_iter().flatten() {
            match member.doubt {
                Some(reason) => self.end(member, Outcome::Unknown(reason), now),
                None => self.release(member),
            }
        }
        self.flush();
    }

    /// Lets promised resends go, wakes those who may want a promise, and ends what gets none. Resends with
    /// nothing left to draw end with their calls.
    fn hand_on(&mut self, too_late: bool) {
        let ids: Vec<_> = self.resends.keys().copied().collect();
        for id in ids {
            let Some(active) = self.resends.get(&id) else { continue };
            let left = active.unsettled.saturating_sub(active.calling + active.untold);
            if active.stop.is_some() || active.ending.is_some() || left == 0 {
                continue;
            }
            let record = &active.record;
            if !record.is_promised() && (too_late || !record.has_caller()) {
                self.stop(id, NotSentReason::Shutdown);
                continue;
            }
            record.suspend();
            // Whoever waits for the promise would take leaving for its being kept.
            let is_owed = record.is_promised() && !active.promising;
            if is_owed && active.calling == 0 && active.untold == 0 {
                self.leave(id);
            }
        }
    }

    /// Leaves a promised resend to the next process.
    fn leave(&mut self, id: ResendId) {
        let left = self.resends.get(&id).map_or(0, |active| u64::from(active.unsettled));
        self.queue_shrank(id, left);
        self.leave_queue(id);
        let Some(active) = self.resends.remove(&id) else { return };
        if let Some(books) = self.ledger.books() {
            books.write(active.record.row(None));
        }
        active.record.leave();
        tracing::info!(
            resend = %id,
            trace_id = %active.record.trace.id(),
            client = active.record.client.as_str(),
            pending = active.record.snapshot().counts.pending(),
            "Resend goes on at the next start."
        );
    }

    /// Abandons the calls in flight: in doubt if anything of them was written, not sent if not.
    fn interrupt(&mut self, now: Instant) {
        self.drop_jobs();
        self.metrics.set_upstream_in_flight(0);
        let calls: Vec<_> = self.calls.drain().collect();
        for (id, call) in calls {
            self.has_departed(id, &call);
            let was_written = call.written.is_set();
            self.ledger.call_ended(
                id,
                if was_written { CallEnd::Unknown(UnknownReason::Interrupted) } else { CallEnd::NotSent },
            );
            let ids = call.resends();
            self.leave_call(&call, was_written);
            for member in call.members {
                if was_written {
                    self.end(member, Outcome::Unknown(UnknownReason::Interrupted), now);
                } else {
                    self.release(member);
                }
            }
            self.flush();
            for id in ids {
                self.finish_if_done(id);
            }
        }
    }

    /// The store does not write, and nobody can be kept for longer: who was promised nothing (or has not
    /// heard of a promise yet) is told what is known here, the rest is left as the file has it.
    fn give_up_on_the_books(&mut self, now: Instant) {
        if let Some(books) = self.ledger.books() {
            books.abandon();
        }
        self.go_on(now);
        let Some(books) = self.ledger.books() else { return };
        let unwritten = books.give_up();
        tracing::error!(
            unwritten = unwritten.len(),
            "The store can't be written; ends without. Calls of the last moments are in doubt at the next start."
        );
        let is_unpromised = |active: &&Active| active.promising || !active.record.is_promised();
        let unpromised: BTreeSet<_> =
            self.resends.values().filter(is_unpromised).map(|active| active.record.id).collect();
        for after in unwritten {
            if let After::Tell(id, outcomes, at) = after
                && unpromised.contains(&id)
            {
                self.tell(id, &outcomes, at);
            }
        }
        let ids: Vec<_> = self.resends.keys().copied().collect();
        for id in ids {
            if unpromised.contains(&id) {
                if let Some(active) = self.resends.get_mut(&id) {
                    active.stop.get_or_insert(NotSentReason::Shutdown);
                }
                self.finish(id);
            } else {
                self.leave(id);
            }
        }
    }
}
