//! What is known of the credential: refused, missing, to be proved.

use std::time::Duration;

use tokio::time::Instant;

use super::Health;
use crate::dispatch::{
    backoff::Backoff,
    trouble::{Cause, Trouble, again},
};

/// Waits between proofs of a refused credential.
pub(in crate::dispatch) const CREDENTIAL_CHECKS: Backoff =
    Backoff { min: Duration::from_secs(1), max: Duration::from_secs(60), max_told: Duration::from_secs(300) };

impl Health {
    /// There is no access token yet; nothing is called before there is.
    pub(in crate::dispatch) fn credential_missing(&mut self, now: Instant) {
        let cause = Cause::NoTokenYet;
        let reason = cause.reason();
        self.credential =
            Some(Trouble { reason, cause, since: now, next_attempt: now, attempt: 1, judged: now });
    }

    /// 401 to the credential that is in use. Says whether that is news: a call that was launched before
    /// the last proof tells nothing that the proof does not.
    pub(in crate::dispatch) fn credential_refused(&mut self, launched: Instant, now: Instant) -> bool {
        if self.proved_at.is_some_and(|proved| launched < proved) {
            return false;
        }
        let before = self.credential.or(self.credential_before);
        let cause = self.credential.map_or(Cause::Itself, |trouble| trouble.cause);
        let trouble = again(before, cause.reason(), launched, now, |attempt| {
            // The first proof is due at once: the file may hold a newer token already.
            if attempt == 1 { Duration::ZERO } else { CREDENTIAL_CHECKS.next_delay(attempt - 1, None, 0.0) }
        });
        self.credential = Some(Trouble { reason: cause.reason(), cause, ..trouble });
        self.on_trial = false;
        true
    }

    /// Says what refused the credential, unless more is known of the trouble.
    pub(in crate::dispatch) fn name_refusal(&mut self, cause: Cause) {
        if let Some(trouble) = self.credential.as_mut().filter(|trouble| trouble.cause == Cause::Itself) {
            trouble.cause = cause;
        }
    }

    /// A file changed, or another reason to prove the credential now.
    pub(in crate::dispatch) fn credential_changed(&mut self, now: Instant) {
        if std::mem::take(&mut self.on_trial) {
            self.credential = self.credential_before;
        }
        self.credential_before = None;
        if let Some(trouble) = &mut self.credential {
            trouble.next_attempt = now;
        }
    }

    /// The proof of the credential failed or could not be made.
    pub(in crate::dispatch) fn credential_unproven(
        &mut self,
        cause: Cause,
        told: Option<Duration>,
        now: Instant,
    ) {
        if let Some(trouble) = &mut self.credential {
            trouble.reason = cause.reason();
            trouble.cause = cause;
            trouble.attempt += 1;
            trouble.judged = now;
            trouble.next_attempt = now + CREDENTIAL_CHECKS.next_delay(trouble.attempt - 1, told, 0.0);
        }
    }

    /// Upstream knows the credential again.
    pub(in crate::dispatch) fn credential_proven(&mut self, now: Instant) {
        self.credential_before = self.credential.take();
        self.proved_at = Some(now);
        self.proven = false;
    }

    /// The proof was refused, which may only mean that the credential lacks the right to read its account: one
    /// lone call shows whether it may resend. The trouble stands until then, in other words if it has another `cause`.
    pub(in crate::dispatch) fn credential_on_trial(&mut self, cause: Option<Cause>, now: Instant) {
        self.credential_proven(now);
        if let Some(trouble) = &mut self.credential_before {
            if let Some(cause) = cause {
                (trouble.reason, trouble.cause) = (cause.reason(), cause);
            }
            trouble.next_attempt = now;
            self.on_trial = true;
        }
    }

    /// Another credential is in use: what the one before could do proves nothing.
    pub(in crate::dispatch) fn credential_replaced(&mut self, now: Instant) {
        self.accepted = None;
        self.credential_since = Some(now);
    }

    /// Whether a lone call is to show whether the credential is accepted.
    pub(in crate::dispatch) fn is_credential_on_trial(&self) -> bool {
        self.on_trial
    }

    /// How often the credential was refused or could not be proved.
    pub(in crate::dispatch) fn credential_attempts(&self) -> u32 {
        self.credential.map_or(0, |trouble| trouble.attempt)
    }

    /// Whether calls wait for the credential.
    pub(in crate::dispatch) fn waits_for_credential(&self) -> bool {
        self.credential.is_some()
    }

    /// Whether the credential awaits its proof now.
    pub(in crate::dispatch) fn wants_credential_proof(&self, now: Instant) -> bool {
        self.credential.is_some_and(|trouble| trouble.next_attempt <= now) && !self.must_wait(now)
    }
}
