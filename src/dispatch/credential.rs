//! When the credential is renewed and proved, and what follows.
//!
//! One renewal at a time. Ahead of its end an access token is replaced while calls go on. Once it is
//! refused (or there is none yet) calls wait: the files are read again, a new token is had if the
//! refused one is still in use, and it is proved with `GET accounts/self` before the next call.

use std::time::Duration;

use secrecy::SecretString;
use tokio::time::Instant;

use super::{
    dispatcher::Dispatcher, health::CREDENTIAL_CHECKS, message::Event, rotation::Renewed, trouble::Cause,
};
use crate::{
    domain::Timestamp,
    upstream::{CredentialError, Probe, RenewalError},
};

/// A token that ends within this time is warned about.
pub(super) const SOON: Duration = Duration::from_secs(7 * 86_400);

/// What is known of the credential besides its health.
#[derive(Debug, Default)]
pub(super) struct Tending {
    /// Whether a renewal is under way.
    renewing: bool,
    /// Whether it may be at the token endpoint.
    pub(super) asking: bool,
    /// Whether what came of it is being written.
    pub(super) keeping: bool,
    /// The replaced refresh token as the books have it.
    pub(super) kept: Option<SecretString>,
    /// Which token was refused last; at first the one that is not there.
    pub(super) refused: u64,
    /// Refreshes that failed in a row.
    failures: u32,
}

impl Tending {
    /// Whether the token endpoint may be answering.
    pub(super) fn is_asking(&self) -> bool {
        self.asking
    }

    /// Whether the refresh token beside the access token in use is not yet written.
    pub(super) fn is_keeping(&self) -> bool {
        self.keeping
    }
}

/// How the proof of a credential went.
pub(super) struct Proof {
    /// Which token it is about.
    pub(super) generation: u64,
    /// Whether a file brought it, just before the proof.
    pub(super) reread: bool,
    /// Whether that one was had for the proof.
    pub(super) refreshed: bool,
    pub(super) found: Result<Probe, RenewalError>,
}

impl Dispatcher {
    /// Does what is due.
    pub(super) fn tend_credential(&mut self, now: Instant) {
        if self.tending.renewing || self.needs_no_token() {
            return;
        }
        if self.health.waits_for_credential() {
            if self.health.wants_credential_proof(now) {
                self.prove_credential();
            }
        } else if self.upstream.refresh_at().is_some_and(|at| at <= now) {
            (self.tending.renewing, self.tending.asking) = (true, true);
            let upstream = self.upstream.clone();
            self.spawn(async move { Event::CredentialRenewed(Renewed::Ahead(upstream.refresh().await)) });
        }
    }

    /// Whether the gateway ends and calls nobody any more.
    fn needs_no_token(&self) -> bool {
        self.draws_no_more() || (self.drain.is_some() && self.resends.is_empty())
    }

    /// When the credential is to be looked at next, if at a known time.
    pub(super) fn credential_wake(&self) -> Option<Instant> {
        let idle = !self.tending.renewing && !self.health.waits_for_credential() && !self.needs_no_token();
        self.upstream.refresh_at().filter(|_| idle)
    }

    fn prove_credential(&mut self) {
        (self.tending.renewing, self.tending.asking) = (true, true);
        let refused = self.tending.refused;
        let upstream = self.upstream.clone();
        self.spawn(async move {
            // What the files hold now is what is to be proved; unreadable ones leave the old.
            let reread = upstream.reread_credential().await.unwrap_or_else(|error| {
                tracing::warn!(%error, "A credential's file can't be used; what is in use stays.");
                false
            });
            let is_refused = upstream.generation() == refused;
            let found = if is_refused { upstream.refresh().await } else { Ok(false) };
            Event::CredentialRenewed(Renewed::ForProof { reread, found })
        });
    }

    /// Upstream refuses a token. One that has been replaced since says nothing about the new one.
    pub(super) fn token_refused(&mut self, generation: u64, launched: Instant, now: Instant) {
        let is_in_use = generation == self.upstream.generation();
        if is_in_use && self.health.credential_refused(launched, now) {
            self.tending.refused = self.upstream.generation();
            self.metrics.set_credential_valid(false);
        }
    }

    pub(super) fn credential_proved(&mut self, proof: Proof, now: Instant) {
        self.tending.renewing = false;
        if proof.reread {
            self.has_new_secrets();
        }
        if proof.refreshed {
            self.has_a_token();
        }
        let probe = match proof.found {
            Ok(probe) => probe,
            Err(error) => return self.has_no_token(&error, now),
        };
        if proof.generation != self.upstream.generation() {
            // A file brought another one meanwhile: that is the one to be proved.
            return self.health.credential_changed(now);
        }
        match probe {
            Probe::Alive => {
                self.credential_accepted();
                self.health.credential_proven(now);
            }
            Probe::Refused => self.proof_refused(proof.generation, now),
            Probe::Failing(..) if probe.is_refused() => self.proof_refused(proof.generation, now),
            Probe::Failing(_, told) => {
                let is_new = proof.generation != self.tending.refused;
                let cause = if is_new { Cause::ProofUnanswered } else { Cause::Itself };
                self.health.credential_unproven(cause, told, now);
            }
        }
    }

    /// fax.plus does not show the account. A token that a call was refused with a moment ago is not tried again
    /// at once; any other may only lack the right to read the account, and a lone call decides.
    fn proof_refused(&mut self, generation: u64, now: Instant) {
        let is_new = generation != self.tending.refused;
        if is_new {
            self.metrics.set_credential_valid(true);
        }
        if is_new || self.health.is_credential_refused_for_long() {
            self.health.credential_on_trial(now);
        } else {
            self.health.credential_unproven(Cause::Itself, None, now);
        }
    }

    /// Notes that the lone call which was to show whether the credential is accepted has shown it.
    pub(super) fn credential_accepted(&mut self) {
        tracing::info!("Upstream accepts the credential.");
        self.metrics.set_credential_valid(true);
    }

    pub(super) fn credential_refreshed(&mut self, found: Result<bool, RenewalError>, now: Instant) {
        self.tending.renewing = false;
        match found {
            Ok(_) => {
                self.has_a_token();
                self.metrics.set_credential_valid(true);
                // A token refused meanwhile was the old one: the new one is proved without waiting.
                self.health.credential_changed(now);
            }
            Err(error) => self.has_no_token(&error, now),
        }
    }

    pub(super) fn credential_reread(&mut self, found: Result<bool, CredentialError>, now: Instant) {
        match found {
            Ok(false) => {}
            Ok(true) => {
                self.forget_rotation();
                self.has_new_secrets();
                self.health.credential_changed(now);
            }
            Err(error) => {
                tracing::warn!(%error, "A credential's file can't be used; what is in use stays.");
            }
        }
    }

    fn has_new_secrets(&mut self) {
        self.health.credential_replaced();
        tracing::info!("Took over a new secret from its file.");
        self.tell_expiry();
    }

    fn has_no_token(&mut self, error: &RenewalError, now: Instant) {
        tracing::warn!(%error, "No new access token; it is asked for again.");
        self.metrics.credential_refreshed(false);
        let (cause, told) = Cause::of(error);
        if matches!(error, RenewalError::ClientRefused | RenewalError::GrantRefused | RenewalError::Denied) {
            self.metrics.set_credential_valid(false);
        }
        self.health.credential_unproven(cause, told, now);
        self.tending.failures += 1;
        let wait = CREDENTIAL_CHECKS.next_delay(self.tending.failures, told, fastrand::f64());
        self.upstream.refresh_later(now + wait);
    }

    fn has_a_token(&mut self) {
        tracing::info!("Has a new access token.");
        self.tending.failures = 0;
        self.metrics.credential_refreshed(true);
        self.tell_expiry();
    }

    /// When the token in use ends, if a person has to put a new one into its place.
    pub(super) fn token_to_be_replaced(&self) -> Option<Timestamp> {
        self.upstream.token_expires_at().filter(|_| self.upstream.refresh_at().is_none())
    }

    /// Publishes when the token in use ends, and warns when a person has to act soon.
    pub(super) fn tell_expiry(&self) {
        let expires_at = self.upstream.token_expires_at();
        self.metrics.set_credential_expiry(expires_at);
        if let Some(at) = self.token_to_be_replaced().filter(|at| *at < Timestamp::now().plus(SOON)) {
            let expires_at = humantime::format_rfc3339_seconds(at.into()).to_string();
            tracing::warn!(expires_at, "The access token ends soon; put a new one into its place.");
        }
    }
}
