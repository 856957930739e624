//! Turns a verdict into outcomes, one for each address, and tells followers.

use std::sync::Arc;

use tokio::time::Instant;

use super::{
    call::{Call, Member},
    dispatcher::Dispatcher,
    health::Denial,
    split::split,
};
use crate::{
    config::OnUnknown,
    domain::{ClientName, NotSentReason, Outcome, Refusal, ResendId, Timestamp, UnknownReason},
    store::file::CallEnd,
    telemetry::metrics::{DedupeHit, RetryReason},
    upstream::{Outage, Report, Stranger, Unsent, Verdict},
};

impl Dispatcher {
    /// Settles a call that ended.
    pub(super) fn call_ended(&mut self, id: u64, call: Call, report: Report, now: Instant) {
        self.ledger.call_ended(id, self.end_of(&call, &report.verdict));
        let result = report.verdict.result();
        self.metrics.call_finished(result, report.took, call.members.len());
        let resends = call.resends();
        self.leave_call(&call, !matches!(report.verdict, Verdict::NotSent(Unsent::Unreachable(_))));
        tracing::debug!(
            trace_id = %call.trace.id(),
            result = result.as_str(),
            addresses = call.members.len(),
            duration_ms = report.took.as_millis() as u64,
            "Upstream call ended."
        );
        let was_on_trial = self.health.is_credential_on_trial();
        match report.verdict {
            Verdict::Sent => self.was_sent(call, report.took, now),
            Verdict::Refused(refusal) => self.was_refused(call, &refusal, now),
            Verdict::Forbidden(refusal) => self.was_denied(call, Denial::Forbidden, &refusal, now),
            Verdict::NotFound(refusal) => self.was_denied(call, Denial::NotFound, &refusal, now),
            Verdict::Unknown(reason) => self.is_in_doubt(call, reason, now),
            Verdict::NotSent(unsent) => self.was_not_sent(call, unsent, now),
            Verdict::Unauthorized(by) => self.was_unauthorized(call, report.generation, by, now),
            Verdict::Misconfigured(stranger) => self.was_misconfigured(call, stranger, now),
        }
        if was_on_trial && !self.health.is_credential_on_trial() && !self.health.waits_for_credential() {
            self.credential_accepted();
        }
        self.flush();
        // A stopped resend may have waited for nothing but this call.
        for id in resends {
            self.finish_if_done(id);
        }
    }

    /// How a call ended, as the books remember it: whom it may have mailed.
    fn end_of(&self, call: &Call, verdict: &Verdict) -> CallEnd {
        match verdict {
            Verdict::Sent => CallEnd::Sent,
            Verdict::Unknown(reason) => CallEnd::Unknown(*reason),
            Verdict::Refused(_) if call.members.len() > 1 && !self.options.isolate_rejected => {
                CallEnd::Unknown(UnknownReason::RefusedBatch)
            }
            Verdict::Refused(refusal) if call.members.len() == 1 => CallEnd::Rejected(Arc::clone(refusal)),
            Verdict::Refused(_)
            | Verdict::NotFound(_)
            | Verdict::Forbidden(_)
            | Verdict::NotSent(_)
            | Verdict::Unauthorized(_)
            | Verdict::Misconfigured(_) => CallEnd::NotSent,
        }
    }

    fn was_sent(&mut self, call: Call, took: std::time::Duration, now: Instant) {
        self.pace.admitted(call.permit, now);
        self.health.succeeded(call.launched);
        self.latency.record(took);
        for id in call.resends() {
            if let Some(active) = self.resends.get_mut(&id) {
                active.shares = true;
            }
        }
        for member in call.members {
            self.forgive(member.key);
            self.end(member, Outcome::Sent, now);
        }
    }

    fn was_refused(&mut self, mut call: Call, refusal: &Arc<Refusal>, now: Instant) {
        self.pace.admitted(call.permit, now);
        self.health.answered(call.launched);
        self.stop_sharing(&call);
        if call.members.len() > 1 {
            if !self.options.isolate_rejected {
                return self.end_all(call, &Outcome::Unknown(UnknownReason::RefusedBatch), now);
            }
            self.metrics.retry(RetryReason::Rejected);
            let (first, second) = split(call.members, |member| self.client_of(member.resend));
            // The owner of the first member pays for the part with its turns.
            self.keep_part(second);
            return self.keep_part(first);
        }
        if let Some(member) = call.members.pop() {
            // Another refusal of a known culprit is no evidence against upstream.
            if !self.culprits.contains(member.key, now) || self.health.tries_lone_addresses() {
                self.health.refused_alone(now);
            }
            self.add_culprit(member.key, now);
            let outcome = or_doubt(&member, || Outcome::Rejected(Arc::clone(refusal)));
            self.end(member, outcome, now);
        }
    }

    /// A call of one resend was not accepted: its addresses join no calls of others until it has a success.
    pub(super) fn stop_sharing(&mut self, call: &Call) {
        if let [only] = call.resends()[..]
            && let Some(active) = self.resends.get_mut(&only)
        {
            active.shares = false;
        }
    }

    fn is_in_doubt(&mut self, mut call: Call, reason: UnknownReason, now: Instant) {
        self.health.failed(Outage::of_doubt(reason), now);
        match self.options.on_unknown {
            OnUnknown::Report => self.end_all(call, &Outcome::Unknown(reason), now),
            OnUnknown::Resend => {
                for member in &mut call.members {
                    member.doubts += 1;
                    member.doubt = Some(reason);
                }
                let spent = |member: &mut Member| member.doubts >= self.options.max_attempts;
                let ended: Vec<_> = call.members.extract_if(.., spent).collect();
                for member in ended {
                    self.end(member, Outcome::Unknown(reason), now);
                }
                if !call.members.is_empty() {
                    self.metrics.retry(RetryReason::Unknown);
                    let wait = NotSentReason::UpstreamUnavailable;
                    self.health.must_pause(wait, None, call.launched, now, fastrand::f64());
                    self.keep_part(call.members);
                }
            }
        }
    }

    fn was_not_sent(&mut self, call: Call, unsent: Unsent, now: Instant) {
        let jitter = fastrand::f64();
        let (reason, told, retry) = match unsent {
            Unsent::Throttled(told) => {
                let rate = call.permit.rate;
                self.pace.throttled(call.permit, now);
                self.health.throttled(rate, told, call.launched, now, jitter);
                return self.retry(RetryReason::Throttled, call);
            }
            Unsent::Unavailable(told) => {
                self.health.failed(Outage::Unavailable, now);
                (NotSentReason::UpstreamUnavailable, told, RetryReason::Unavailable)
            }
            Unsent::OriginUnreachable(edge) => {
                self.health.failed(Outage::OriginUnreachable(edge), now);
                (NotSentReason::UpstreamUnavailable, edge.retry_after(), RetryReason::Unavailable)
            }
            Unsent::Unreachable(kind) => {
                self.health.failed(Outage::of_failure(kind), now);
                (NotSentReason::UpstreamUnavailable, None, RetryReason::ConnectFailed)
            }
        };
        self.health.must_pause(reason, told, call.launched, now, jitter);
        self.retry(retry, call);
    }

    fn was_unauthorized(&mut self, call: Call, generation: u64, by: Option<Stranger>, now: Instant) {
        self.token_refused(generation, call.launched, by, now);
        self.retry(RetryReason::Unauthorized, call);
    }

    fn retry(&mut self, reason: RetryReason, call: Call) {
        self.metrics.retry(reason);
        self.dissolve(call);
    }

    fn end_all(&mut self, call: Call, outcome: &Outcome, now: Instant) {
        for member in call.members {
            self.end(member, outcome.clone(), now);
        }
    }

    /// Gives one address its outcome, and its followers theirs.
    pub(super) fn end(&mut self, member: Member, outcome: Outcome, now: Instant) {
        let client = self.client_of(member.resend);
        self.ledger.remember(member.key, client.tag(), &outcome, now);
        let followers = self.claims.remove(&member.key).unwrap_or_default();
        self.metrics.dedupe_hit(DedupeHit::InFlight, followers.len() as u64);
        let at = Timestamp::now();
        for follower in followers {
            // When it was sent is told to whom it was sent for.
            let is_own = self.client_of(follower.resend) == client;
            self.settled.push((follower.resend, follower.index, outcome.of_repeat(is_own.then_some(at))));
        }
        self.settled.push((member.resend, member.index, outcome));
    }

    fn client_of(&self, resend: ResendId) -> ClientName {
        self.resends.get(&resend).map_or_else(ClientName::anonymous, |active| active.record.client.clone())
    }
}

/// An address that is in doubt stays in doubt whatever is refused later.
pub(super) fn or_doubt(member: &Member, otherwise: impl FnOnce() -> Outcome) -> Outcome {
    match member.doubt {
        Some(reason) => Outcome::Unknown(reason),
        None => otherwise(),
    }
}
