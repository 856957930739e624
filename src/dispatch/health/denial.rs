//! Answers that may speak of one address or of everything: 403, 404, and those that fax.plus did not write.
//!
//! They leave one lone address at a time, the first at once, then less and less often. A call launched later that
//! is accepted ends that.

use std::time::Duration;

use tokio::time::Instant;

use super::{Health, LONE_INTERVAL};
use crate::{
    dispatch::{
        backoff::Backoff,
        trouble::{Cause, Trouble, again},
    },
    domain::NotSentReason,
    upstream::Stranger,
};

/// What such an answer was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dispatch) enum Denial {
    /// fax.plus said 403.
    Forbidden,
    /// fax.plus said 404.
    NotFound,
    /// Something answered that does not behave like fax.plus.
    Stranger(Stranger),
}

impl Denial {
    fn reason(self) -> NotSentReason {
        match self {
            Self::Forbidden => NotSentReason::Forbidden,
            Self::NotFound | Self::Stranger(_) => NotSentReason::Misconfigured,
        }
    }

    fn cause(self) -> Cause {
        match self {
            Self::Forbidden => Cause::Itself,
            Self::NotFound => Cause::NotFound,
            Self::Stranger(stranger) => Cause::Stranger(stranger),
        }
    }
}

impl Health {
    /// A call launched at `launched` was denied.
    pub(in crate::dispatch) fn was_denied(
        &mut self,
        denial: Denial,
        launched: Instant,
        now: Instant,
        jitter: f64,
    ) {
        let backoff = Backoff { min: LONE_INTERVAL, ..self.backoff };
        let trouble = again(self.denied, denial.reason(), launched, now, |attempt| {
            // Right after the first, a lone address shows whether it was one address or everything.
            if attempt == 1 { Duration::ZERO } else { backoff.next_delay(attempt - 1, None, jitter) }
        });
        self.denied = Some(Trouble { reason: denial.reason(), cause: denial.cause(), ..trouble });
    }

    /// The first address of a new resend was denied, ahead of the next try: that try is not put off for it.
    pub(in crate::dispatch) fn newcomer_denied(&mut self, denial: Denial, launched: Instant, now: Instant) {
        match &mut self.denied {
            Some(trouble) => {
                (trouble.reason, trouble.cause, trouble.judged) = (denial.reason(), denial.cause(), now);
            }
            None => self.was_denied(denial, launched, now, 0.0),
        }
    }

    /// Whether an earlier call was denied, and none has been accepted since.
    pub(in crate::dispatch) fn was_denied_before(&self, launched: Instant) -> bool {
        self.denied.is_some_and(|trouble| launched >= trouble.judged)
    }

    /// An address is rejected on no better evidence than a call that was accepted a while ago: then it was not
    /// everything that was denied.
    pub(in crate::dispatch) fn believed_earlier_proof(&mut self) {
        self.denied = None;
        self.on_earlier_proof += 1;
    }

    /// How many were, since a call was accepted.
    pub(in crate::dispatch) fn believed_on_earlier_proof(&self) -> usize {
        self.on_earlier_proof
    }

    /// Whether a call was accepted in the last `time`, with the base URL and the credential in use.
    pub(in crate::dispatch) fn accepted_within(&self, time: Duration, now: Instant) -> bool {
        self.accepted.is_some_and(|launched| now.saturating_duration_since(launched) < time)
    }
}
