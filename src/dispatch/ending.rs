//! How resends end: done, stopped early, held too long, or with the gateway itself.

use tokio::time::Instant;

use super::dispatcher::Dispatcher;
use crate::{
    domain::{NotSentReason, Outcome, ResendId, Status, UnknownReason},
    telemetry::metrics::DedupeHit,
};

impl Dispatcher {
    /// Draws nothing more of a resend. Its calls in flight end with their true outcome; what is left
    /// then is `not_sent` with this reason, as one row.
    pub(super) fn stop(&mut self, id: ResendId, reason: NotSentReason) {
        let Some(active) = self.resends.get_mut(&id).filter(|active| active.stop.is_none()) else { return };
        let parts = active.give_up(reason);
        let client = active.record.client.clone();
        if std::mem::take(&mut active.queued) {
            self.queue.remove(&client, id);
        }
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
        self.finish_if_done(id);
    }

    pub(super) fn finish_if_done(&mut self, id: ResendId) {
        let Some(active) = self.resends.get(&id) else { return };
        let done = match active.stop {
            None => active.unsettled == 0,
            Some(_) => active.calling == 0,
        };
        if !done {
            return;
        }
        let left = u64::from(active.unsettled);
        let rest = active.stop.map(Outcome::NotSent);
        let status = match active.stop {
            Some(NotSentReason::Cancelled) => Status::Cancelled,
            Some(_) if left > 0 => Status::Cancelled,
            Some(_) | None => Status::Finished,
        };
        self.queue_shrank(id, left);
        self.leave_queue(id);
        let Some(mut active) = self.resends.remove(&id) else { return };
        for part in active.take_parts() {
            self.keep_part(part);
        }
        self.metrics.dedupe_hit(DedupeHit::SameRequest, u64::from(active.record.list.repeats()));
        // Counted before anybody is told: whoever has the answer finds it in the metrics.
        self.metrics.resend_ended(status);
        if status == Status::Finished
            && let Some(ratio) = active.promise.ratio(Instant::now())
        {
            self.metrics.resend_estimate(ratio);
        }
        let (metrics, client) = (&self.metrics, &active.record.client);
        active.record.finish(status, rest, |outcome, addresses| metrics.outcome(client, outcome, addresses));
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
    }

    /// Ends what has been held for longer than it may be. Time in the queue does not count.
    pub(super) fn expire(&mut self, now: Instant) {
        let Some(hold) = self.health.holds().into_iter().min_by_key(|trouble| trouble.since) else { return };
        let max_hold = self.options.max_hold;
        if now.saturating_duration_since(hold.since) < max_hold {
            return;
        }
        let reason = self.health.holds().first().map_or(hold.reason, |trouble| trouble.reason);
        let expired: Vec<_> = self
            .resends
            .iter()
            .filter(|(_, active)| now.saturating_duration_since(active.record.created) >= max_hold)
            .map(|(id, active)| (*id, active.record.trace.id()))
            .collect();
        for (id, trace_id) in expired {
            tracing::warn!(resend = %id, %trace_id, reason = reason.as_str(), "Held for too long; not sent.");
            self.stop(id, reason);
        }
    }

    /// While draining: works on until it is time to stop, then hands back what is left.
    pub(super) fn drain_if_asked(&mut self, now: Instant) {
        let Some(drain) = &self.drain else { return };
        let (stop_drawing, deadline) = (drain.stop_drawing, drain.deadline);
        let hopeless = self.health.holds().iter().any(|trouble| trouble.next_attempt > stop_drawing);
        if now >= stop_drawing || hopeless {
            let ids: Vec<_> = self.resends.keys().copied().collect();
            for id in ids {
                self.stop(id, NotSentReason::Shutdown);
            }
        }
        if now >= deadline {
            self.interrupt(now);
        }
    }

    /// Whether a drain was asked for and everything has its outcome.
    pub(super) fn is_drained(&mut self) -> bool {
        if !self.resends.is_empty() {
            return false;
        }
        let Some(drain) = &mut self.drain else { return false };
        if let Some(done) = drain.done.take()
            && done.send(()).is_err()
        {
            tracing::debug!("Drained, and nobody waited for it.");
        }
        true
    }

    /// Abandons the calls in flight: in doubt if anything of them was written, not sent if not.
    fn interrupt(&mut self, now: Instant) {
        self.drop_jobs();
        self.metrics.set_upstream_in_flight(0);
        let calls: Vec<_> = self.calls.drain().map(|(_, call)| call).collect();
        for call in calls {
            let ids = call.resends();
            self.leave_call(&call, call.written.is_set());
            for member in call.members {
                if call.written.is_set() {
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

    fn leave_queue(&mut self, id: ResendId) {
        if let Some(active) = self.resends.get_mut(&id)
            && std::mem::take(&mut active.queued)
        {
            self.queue.remove(&active.record.client, id);
        }
    }
}
