//! What becomes of calls that were answered for a reason that may be one address or everything.
//!
//! fax.plus says 403 or 404, or something else answers in its place: nothing was sent, and the answer does not
//! say which address is meant, if any. From here one lone address at a time is tried, each time another one,
//! until one is accepted. An address ends here only on evidence: `rejected` when fax.plus itself denies it alone
//! while others are accepted, `not_sent` when something else keeps answering in its place while others pass.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{
    active::Active,
    call::{Call, Denied, Member},
    dispatcher::Dispatcher,
    health::Denial,
    settle::or_doubt,
};
use crate::{
    domain::{NotSentReason, Outcome, Refusal},
    telemetry::metrics::RetryReason,
    upstream::Stranger,
};

/// An accepted call proves for so long that this base URL and this credential work.
const PROOF_LASTS: Duration = Duration::from_secs(3600);
/// An address that was denied alone so often, while others were accepted, is not tried again.
const MOST_DENIALS: u8 = 3;

impl Dispatcher {
    /// fax.plus said 403 or 404. Each address of the call goes alone from here.
    pub(super) fn was_denied(&mut self, call: Call, denial: Denial, refusal: &Arc<Refusal>, now: Instant) {
        self.pace.admitted(call.permit, now);
        self.health.answered(call.launched);
        let is_alone = call.members.len() == 1;
        let mut is_decided = false;
        for member in call.members {
            if is_alone && self.is_its_own_fault(&member, now) {
                is_decided = true;
                self.add_culprit(member.key, now);
                let outcome = or_doubt(&member, || Outcome::Rejected(Arc::clone(refusal)));
                self.end(member, outcome, now);
            } else if is_alone {
                self.set_denied_aside(member, now);
            } else {
                self.set_aside(member);
            }
        }
        if !is_decided {
            self.metrics.retry(match denial {
                Denial::Forbidden => RetryReason::Forbidden,
                Denial::NotFound | Denial::Stranger(_) => RetryReason::Misconfigured,
            });
            self.health.was_denied(denial, call.launched, now, fastrand::f64());
        }
    }

    /// Something that does not behave like fax.plus answered. The call dissolves: most likely none of its
    /// addresses is the reason.
    pub(super) fn was_misconfigured(&mut self, mut call: Call, stranger: Stranger, now: Instant) {
        tracing::warn!(
            trace_id = %call.trace.id(),
            answered = %stranger,
            "Upstream does not answer like fax.plus; calls are held."
        );
        self.metrics.retry(RetryReason::Misconfigured);
        let jitter = fastrand::f64();
        self.health.was_denied(Denial::Stranger(stranger), call.launched, now, jitter);
        if let Some(told) = stranger.retry_after() {
            self.health.must_pause(NotSentReason::Misconfigured, Some(told), call.launched, now, jitter);
        }
        if let ([_], Some(member)) = (&call.members[..], call.members.first().cloned()) {
            call.members.clear();
            return self.set_denied_aside(member, now);
        }
        self.stop_sharing(&call);
        self.dissolve(call);
    }

    /// Whether fax.plus denies this lone address for what it is: others are accepted, or were a while ago and
    /// none is left to try.
    fn is_its_own_fault(&self, member: &Member, now: Instant) -> bool {
        if member.denied.is_some_and(|denied| self.health.succeeded_since(denied.at)) {
            return true;
        }
        self.health.accepted_within(PROOF_LASTS, now)
            && (self.culprits.contains(member.key, now) || !self.has_untried())
    }

    fn has_untried(&self) -> bool {
        !self.calls.is_empty() || self.resends.values().any(Active::has_untried)
    }

    /// An address was denied alone: others are tried before it is tried again.
    fn set_denied_aside(&mut self, mut member: Member, now: Instant) {
        if let Some(reason) = member.doubt {
            // It could only become sent or unknown; the addresses behind it must not wait.
            return self.end(member, Outcome::Unknown(reason), now);
        }
        let times = match member.denied {
            None => 1,
            Some(before) => before.times + u8::from(self.health.succeeded_since(before.at)),
        };
        member.denied = Some(Denied { at: now, times });
        self.set_aside(member);
    }

    /// Whether so many others were accepted between the denials of this address that it is given up.
    pub(super) fn is_given_up(&self, member: &Member) -> bool {
        member
            .denied
            .is_some_and(|denied| denied.times >= MOST_DENIALS && self.health.succeeded_since(denied.at))
    }

    /// Ends an address that keeps being denied alone. It holds no claim.
    pub(super) fn give_up(&mut self, member: &Member, now: Instant) {
        self.add_culprit(member.key, now);
        let outcome = Outcome::NotSent(NotSentReason::Misconfigured);
        self.settled.push((member.resend, member.index, outcome));
    }
}
