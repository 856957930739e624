//! How resends end: done, stopped early, or held too long. How the gateway itself ends is in `drain`.

use std::sync::Arc;

use tokio::time::Instant;

use super::{
    active::{Active, End},
    books::After,
    call::Call,
    dispatcher::Dispatcher,
};
use crate::{
    domain::{NotSentReason, Outcome, ResendId, Status},
    store::Record,
    telemetry::metrics::DedupeHit,
};

impl Dispatcher {
    /// Draws nothing more of a resend. Its calls in flight end with their true outcome; what is left
    /// then is `not_sent` with this reason, as one row.
    pub(super) fn stop(&mut self, id: ResendId, reason: NotSentReason) {
        let may_stop = |active: &&mut Active| active.stop.is_none() && active.ending.is_none();
        let Some(active) = self.resends.get_mut(&id).filter(may_stop) else { return };
        let parts = active.give_up(reason);
        let client = active.record.client.clone();
        if std::mem::take(&mut active.queued) {
            self.queue.remove(&client, id);
        }
        self.suspects.retain(|suspect| suspect.resend != id);
        for followers in self.claims.values_mut() {
            followers.retain(|follower| follower.resend != id);
        }
        // Its own parts may hold members of others, and parts of others may hold some of its own.
        let mut members: Vec<_> = parts.into_iter().flatten().collect();
        for other in self.resends.values_mut() {
            members.extend(other.extract(|member| member.resend == id));
        }
        for member in members {
            self.release(member);
        }
        self.flush();
        // A call that waits for its mark to be written would keep it waiting as long as the store fails.
        let is_unmade = |call: &Call| !call.made && call.members.iter().any(|member| member.resend == id);
        let unmade: Vec<_> =
            self.calls.iter().filter(|(_, call)| is_unmade(call)).map(|(call, _)| *call).collect();
        for call in unmade {
            self.call_off(call);
        }
        self.finish_if_done(id);
    }

    /// Ends a resend that has nothing left to do; one that was promised once its end is written.
    pub(super) fn finish_if_done(&mut self, id: ResendId) {
        let may_end = |active: &&mut Active| active.ending.is_none() && active.untold == 0;
        let Some(active) = self.resends.get_mut(&id).filter(may_end) else { return };
        let done = match active.stop {
            None => active.unsettled == 0,
            Some(_) => active.calling == 0,
        };
        if !done {
            return;
        }
        match self.ledger.books() {
            Some(books) if active.record.is_written() => {
                let end = active.end();
                if active.record.is_promised() {
                    books.make_hard();
                }
                books.write(active.record.row(Some((end.status, end.rest.as_ref(), end.at))));
                active.ending = Some(end);
                books.then(After::Finish(id));
            }
            Some(_) | None => self.finish(id),
        }
    }

    /// Ends a resend and tells its end.
    pub(super) fn finish(&mut self, id: ResendId) {
        let Some(active) = self.resends.get(&id) else { return };
        let (left, End { status, rest, at }) = (u64::from(active.unsettled), active.end());
        self.queue_shrank(id, left);
        self.leave_queue(id);
        let Some(mut active) = self.resends.remove(&id) else { return };
        for part in active.take_parts() {
            self.keep_part(part);
        }
        if !active.record.is_again() {
            self.metrics.dedupe_hit(DedupeHit::SameRequest, u64::from(active.record.body.repeats()));
        }
        // Counted before anybody is told: whoever has the answer finds it in the metrics.
        self.metrics.resend_ended(status);
        if status == Status::Finished
            && let Some(ratio) = active.promise.and_then(|promise| promise.ratio(Instant::now()))
        {
            self.metrics.resend_estimate(ratio);
        }
        let (metrics, client) = (&self.metrics, &active.record.client);
        let tell = |outcome: &Outcome, addresses| metrics.outcome(client, outcome, addresses);
        // What was written is what is told.
        active.record.finish_at(at, status, rest, tell);
        self.registry.ended(&active.record);
        let counts = active.record.snapshot().counts;
        tracing::info!(
            resend = %id,
            trace_id = %active.record.trace.id(),
            client = client.as_str(),
            status = status.as_str(),
            received = counts.received,
            sent = counts.of(crate::domain::OutcomeKind::Sent),
            "Resend ended."
        );
        self.archive(&active.record);
    }

    /// Keeps an ended resend that was not written as it went on, so far as there is a file and time for it.
    pub(super) fn archive(&mut self, record: &Arc<Record>) {
        if let Some(books) = self.ledger.books()
            && record.snapshot().status.is_final()
            && !record.is_written()
        {
            books.keeper.archive(Arc::clone(record));
        }
    }

    /// Ends what has been held for longer than it may be. Time in the queue does not count.
    pub(super) fn expire(&mut self, now: Instant) {
        let Some((reason, since)) = self.health.held_by().zip(self.health.held_since()) else { return };
        let max_hold = self.options.max_hold;
        if now.saturating_duration_since(since) < max_hold {
            return;
        }
        let expired: Vec<_> = self
            .resends
            .iter()
            .filter(|(_, active)| now.saturating_duration_since(active.record.since) >= max_hold)
            .map(|(id, active)| (*id, active.record.trace.id()))
            .collect();
        for (id, trace_id) in expired {
            tracing::warn!(resend = %id, %trace_id, reason = reason.as_str(), "Held for too long; not sent.");
            self.stop(id, reason);
        }
    }

    pub(super) fn leave_queue(&mut self, id: ResendId) {
        if let Some(active) = self.resends.get_mut(&id)
            && std::mem::take(&mut active.queued)
        {
            self.queue.remove(&active.record.client, id);
        }
    }
}
