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
    call::{Call, Denied, Member, Origin},
    dispatcher::Dispatcher,
    health::Denial,
    settle::or_doubt,
};
use crate::{
    domain::{AddressKey, NotSentReason, Outcome, Refusal},
    telemetry::metrics::RetryReason,
    upstream::Stranger,
};

/// An accepted call proves for so long that this base URL and this credential work.
const PROOF_LASTS: Duration = Duration::from_secs(3600);
/// So many addresses in a row may be rejected on such a proof alone: more of them are evidence against it.
const MOST_ON_AN_EARLIER_PROOF: usize = 2;
/// An address that was denied alone so often, while others were accepted, is not tried again.
const MOST_DENIALS: u8 = 3;

/// Why an address may be rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Evidence {
    /// Another address was accepted between two denials of this one, or it is known to be refused.
    OfItself,
    /// A call was accepted a while ago, and no other address is left to try.
    EarlierProof,
}

impl Dispatcher {
    /// fax.plus said 403 or 404. Each address of the call goes alone from here.
    pub(super) fn was_denied(&mut self, call: Call, denial: Denial, refusal: &Arc<Refusal>, now: Instant) {
        self.pace.admitted(call.permit, now);
        self.health.answered(call.launched);
        let is_alone = call.members.len() == 1;
        let mut is_decided = false;
        let (origin, launched) = (call.origin, call.launched);
        for member in call.members {
            let evidence = if is_alone { self.evidence_against(&member, now) } else { None };
            if let Some(evidence) = evidence {
                is_decided = true;
                if evidence == Evidence::EarlierProof {
                    self.health.believed_earlier_proof();
                }
                self.add_culprit(member.key, now);
                let outcome = or_doubt(&member, || Outcome::Rejected(Arc::clone(refusal)));
                self.end(member, outcome, now);
            } else if is_alone {
                self.set_denied_aside(member, true, now);
            } else {
                self.set_aside(member);
            }
        }
        if !is_decided {
            self.metrics.retry(match denial {
                Denial::Forbidden => RetryReason::Forbidden,
                Denial::NotFound | Denial::Stranger(_) => RetryReason::Misconfigured,
            });
            self.note_denial(denial, origin, launched, now);
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
        let is_second = self.health.was_denied_before(call.launched);
        let is_new = call.members.iter().all(|member| member.denied.is_none());
        self.note_denial(Denial::Stranger(stranger), call.origin, call.launched, now);
        // One address whose page asks for a wait must not hold the others; two of them speak for everything.
        if is_second
            && is_new
            && let Some(told) = stranger.retry_after()
        {
            let reason = NotSentReason::Misconfigured;
            self.health.must_pause(reason, Some(told), call.launched, now, fastrand::f64());
        }
        if let ([_], Some(member)) = (&call.members[..], call.members.first().cloned()) {
            call.members.clear();
            return self.set_denied_aside(member, false, now);
        }
        self.stop_sharing(&call);
        self.dissolve(call);
    }

    fn note_denial(&mut self, denial: Denial, origin: Origin, launched: Instant, now: Instant) {
        match origin {
            Origin::Newcomer => self.health.newcomer_denied(denial, launched, now),
            Origin::Fresh | Origin::Part => {
                self.health.was_denied(denial, launched, now, fastrand::f64());
            }
        }
    }

    /// Whether fax.plus denies this lone address for what it is.
    fn evidence_against(&self, member: &Member, now: Instant) -> Option<Evidence> {
        let before = member.denied.filter(|denied| denied.by_fax_plus);
        if before.is_some_and(|denied| self.health.succeeded_since(denied.at)) {
            return Some(Evidence::OfItself);
        }
        if !self.health.accepted_within(PROOF_LASTS, now) {
            return None;
        }
        if self.culprits.contains(member.key, now) {
            return Some(Evidence::OfItself);
        }
        let believed = self.health.believed_on_earlier_proof() + self.suspects.len();
        (believed < MOST_ON_AN_EARLIER_PROOF && !self.has_untried()).then_some(Evidence::EarlierProof)
    }

    /// Whether any address waits, or is in a call, that was not denied alone.
    fn has_untried(&self) -> bool {
        !self.calls.is_empty() || self.resends.values().any(Active::has_untried)
    }

    /// An address was denied alone: others are tried before it is tried again.
    fn set_denied_aside(&mut self, mut member: Member, by_fax_plus: bool, now: Instant) {
        if let Some(reason) = member.doubt {
            // It could only become sent or unknown; the addresses behind it must not wait.
            return self.end(member, Outcome::Unknown(reason), now);
        }
        let times = match member.denied {
            None => 1,
            Some(before) => before.times + u8::from(self.health.succeeded_since(before.at)),
        };
        member.denied = Some(Denied { at: now, by_fax_plus, times });
        self.set_aside(member);
    }

    /// Whether so many others were accepted between the denials of this address that it is given up.
    pub(super) fn is_given_up(&self, member: &Member) -> bool {
        member
            .denied
            .is_some_and(|denied| denied.times >= MOST_DENIALS && self.health.succeeded_since(denied.at))
    }

    /// Whether an address is sent alone from the start.
    pub(super) fn goes_alone(&self, key: AddressKey, now: Instant) -> bool {
        self.culprits.contains(key, now) || self.given_up.contains(key, now)
    }

    /// Ends an address that something else keeps answering for. It holds no claim.
    pub(super) fn give_up(&mut self, member: &Member, now: Instant) {
        // Not written anywhere: what it is known for is not the word of fax.plus.
        self.given_up.add(member.key, now);
        let outcome = Outcome::NotSent(NotSentReason::Misconfigured);
        self.settled.push((member.resend, member.index, outcome));
    }
}
