//! What is known of upstream's condition, and what it and an operator let through.
//!
//! Pure: time and chance come in. Each kind of trouble is remembered with the moment it began. A
//! success lifts it only when its call was launched after that moment: calls that were under way when
//! trouble began prove nothing about its end.

mod credential;
mod denial;
mod pause;
mod troubles;

use std::time::Duration;

use tokio::time::Instant;

pub(super) use self::credential::CREDENTIAL_CHECKS;
pub(super) use self::denial::Denial;
use self::pause::Pause;
use super::{
    backoff::Backoff,
    breaker::{Breaker, BreakerState},
    trouble::{Cause, Trouble, again},
};
use crate::{domain::NotSentReason, upstream::Outage};

/// So many lone refusals without one success, and upstream refuses everything.
const LONE_REFUSALS: u32 = 20;
/// While upstream refuses everything, one lone address is tried so often.
const LONE_INTERVAL: Duration = Duration::from_secs(1);
/// Resends that arrive meanwhile have their first address tried sooner: another caller's list is the
/// best evidence that it was not upstream that refused everything.
const NEWCOMER_INTERVAL: Duration = Duration::from_millis(100);
/// What may be drawn now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gate {
    /// Calls of any size while fewer than so many are in flight.
    Open(usize),
    /// One call of one address, when none is in flight.
    Lone,
    /// The same, but only of a resend that was not tried yet; of anybody from then on.
    Newcomer(Instant),
    /// Nothing until then.
    Closed(Instant),
    /// Nothing until an operator says so; nobody knows when that is.
    Shut,
}

#[derive(Debug)]
pub(super) struct Health {
    paused: Option<Pause>,
    backoff: Backoff,
    breaker: Breaker,
    breaker_since: Option<Instant>,
    /// What the last failure looked like.
    outage: Cause,
    pausing: Option<Trouble>,
    credential: Option<Trouble>,
    /// The trouble with the credential before its last proof, which no call has confirmed yet.
    credential_before: Option<Trouble>,
    /// When the credential was last proved: a refusal of a call launched before is an old story.
    proved_at: Option<Instant>,
    refusing: Option<Trouble>,
    /// Answers that may speak of one address or of everything.
    denied: Option<Trouble>,
    lone_refusals: u32,
    proven: bool,
    last_success: Option<Instant>,
    /// When the last call was launched that was accepted with the credential in use.
    accepted: Option<Instant>,
    /// Addresses rejected since the last accepted call because of it.
    on_earlier_proof: usize,
    /// Since when the credential in use is.
    credential_since: Option<Instant>,
    /// Whether one lone call is to show whether the credential is accepted.
    on_trial: bool,
}

impl Health {
    pub(super) fn new(backoff: Backoff, breaker: Breaker) -> Self {
        Self {
            paused: None,
            backoff,
            breaker,
            breaker_since: None,
            outage: Cause::Itself,
            pausing: None,
            credential: None,
            credential_before: None,
            proved_at: None,
            refusing: None,
            denied: None,
            lone_refusals: 0,
            proven: false,
            last_success: None,
            accepted: None,
            on_earlier_proof: 0,
            credential_since: None,
            on_trial: false,
        }
    }

    /// What may be drawn now, with at most `slots` calls in flight in good times.
    pub(super) fn gate(&self, now: Instant, slots: usize) -> Gate {
        if self.paused.is_some() {
            return Gate::Shut;
        }
        // What would open these gates obeys `Retry-After`, too.
        let probed = |at: Instant| self.pausing.map_or(at, |trouble| at.max(trouble.next_attempt));
        if let Some(trouble) = &self.credential {
            return Gate::Closed(probed(trouble.next_attempt));
        }
        if let BreakerState::Open(until) = self.breaker.state() {
            return Gate::Closed(probed(until));
        }
        if let Some(trouble) = self.pausing.filter(|trouble| trouble.next_attempt > now) {
            return Gate::Closed(trouble.next_attempt);
        }
        let lone =
            [&self.refusing, &self.denied].into_iter().flatten().max_by_key(|trouble| trouble.next_attempt);
        if let Some(trouble) = lone.filter(|trouble| trouble.next_attempt > now) {
            let newcomers = trouble.judged + NEWCOMER_INTERVAL;
            return if newcomers <= now {
                Gate::Newcomer(trouble.next_attempt)
            } else {
                Gate::Closed(newcomers)
            };
        }
        let half_open = self.breaker.state() == BreakerState::HalfOpen;
        if half_open || self.on_trial || self.tries_lone_addresses() {
            return Gate::Lone;
        }
        if !self.proven || self.breaker.is_shaken() || self.pausing.is_some() {
            Gate::Open(1)
        } else {
            Gate::Open(slots)
        }
    }

    /// A call launched at `launched` was accepted.
    pub(super) fn succeeded(&mut self, launched: Instant) {
        self.answered(launched);
        self.proven = true;
        self.lone_refusals = 0;
        self.refusing = None;
        self.last_success = self.last_success.max(Some(launched));
        self.on_earlier_proof = 0;
        if self.credential_since.is_none_or(|since| launched >= since) {
            self.accepted = self.accepted.max(Some(launched));
        }
        if self.denied.is_some_and(|trouble| launched >= trouble.since) {
            self.denied = None;
        }
    }

    /// A call was refused for what it held: upstream works.
    pub(super) fn answered(&mut self, launched: Instant) {
        if self.proved_at.is_none_or(|proved| launched >= proved) {
            self.credential_before = None;
            self.on_trial = false;
        }
        self.breaker.answered();
        if self.breaker.state() == BreakerState::Closed {
            self.breaker_since = None;
        }
        if self.pausing.is_some_and(|trouble| launched >= trouble.since) {
            self.pausing = None;
        }
    }

    /// A call of one address was refused for it.
    pub(super) fn refused_alone(&mut self, now: Instant) {
        self.lone_refusals += 1;
        if self.lone_refusals >= LONE_REFUSALS {
            let since = self.refusing.map_or(now, |trouble| trouble.since);
            self.refusing = Some(Trouble {
                reason: NotSentReason::UpstreamRefusing,
                cause: Cause::Itself,
                since,
                next_attempt: now + LONE_INTERVAL,
                attempt: self.lone_refusals,
                judged: now,
            });
        }
    }

    /// Certainly not sent, and worth another try after a wait; `told` is what upstream asks for.
    pub(super) fn must_pause(
        &mut self,
        reason: NotSentReason,
        told: Option<Duration>,
        launched: Instant,
        now: Instant,
        jitter: f64,
    ) {
        let delay = |attempt| self.backoff.next_delay(attempt, told, jitter);
        self.pausing = Some(again(self.pausing, reason, launched, now, delay));
    }

    /// Upstream said 429 while so many calls went a second; otherwise like [`Health::must_pause`].
    pub(super) fn throttled(
        &mut self,
        rate: f64,
        told: Option<Duration>,
        launched: Instant,
        now: Instant,
        jitter: f64,
    ) {
        let backoff = self.backoff.at_rate(rate);
        let delay = |attempt| backoff.next_delay(attempt, told, jitter);
        self.pausing = Some(again(self.pausing, NotSentReason::Throttled, launched, now, delay));
    }

    /// What looks like an outage: no connection, no answer, a failure of upstream itself.
    pub(super) fn failed(&mut self, seen: Outage, now: Instant) {
        self.outage = Cause::Outage(seen);
        self.breaker.failed(now);
        if self.breaker.state() != BreakerState::Closed {
            self.breaker_since.get_or_insert(now);
        }
    }

    /// Whether the open breaker awaits its probe now. While nothing may be drawn nobody needs to know.
    pub(super) fn wants_probe(&self, now: Instant) -> bool {
        matches!(self.breaker.state(), BreakerState::Open(until) if until <= now)
            && self.paused.is_none()
            && self.credential.is_none()
            && !self.must_wait(now)
    }

    /// `Retry-After` is obeyed by probes, too.
    fn must_wait(&self, now: Instant) -> bool {
        self.pausing.is_some_and(|trouble| trouble.next_attempt > now)
    }

    pub(super) fn probe_answered(&mut self) {
        self.breaker.probe_answered();
    }

    pub(super) fn probe_failed(&mut self, seen: Outage, told: Option<Duration>, now: Instant) {
        self.outage = Cause::Outage(seen);
        self.breaker.probe_failed(now, told.map(|told| told.min(self.backoff.max_told)));
    }

    /// Whether the open breaker's probe is due and has failed so often that a lone call is to decide in its place:
    /// what makes it fail may not touch the calls.
    pub(super) fn gives_up_probing(&self) -> bool {
        self.breaker.gives_up_probing()
    }

    pub(super) fn breaker(&self) -> BreakerState {
        self.breaker.state()
    }

    /// Whether only lone addresses are tried: refusals have left nothing else to be learned from.
    pub(super) fn tries_lone_addresses(&self) -> bool {
        self.refusing.is_some() || self.denied.is_some()
    }

    /// Whether a call launched after `moment` was accepted.
    pub(super) fn succeeded_since(&self, moment: Instant) -> bool {
        self.last_success.is_some_and(|launched| launched > moment)
    }
}

#[cfg(test)]
mod tests;
