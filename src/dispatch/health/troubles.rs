//! Everything that holds work, as it is shown to callers and operators.

use super::Health;
use crate::{
    dispatch::{breaker::BreakerState, trouble::Trouble},
    domain::NotSentReason,
};

impl Health {
    /// All trouble that holds work now, the weightiest first.
    pub(in crate::dispatch) fn troubles(&self) -> Vec<Trouble> {
        let breaker = match self.breaker.state() {
            BreakerState::Closed => None,
            BreakerState::Open(until) => Some(until),
            // A lone call was tried, and something else is wrong by now.
            BreakerState::HalfOpen if self.denied.is_some() => None,
            BreakerState::HalfOpen => self.breaker_since,
        }
        .zip(self.breaker_since)
        .map(|(next_attempt, since)| Trouble {
            reason: NotSentReason::UpstreamUnavailable,
            cause: self.outage,
            since,
            next_attempt,
            attempt: 0,
            judged: since,
        });
        let pausing = self
            .pausing
            .filter(|pausing| {
                [breaker, self.denied].into_iter().flatten().all(|other| other.reason != pausing.reason)
            })
            .map(|pausing| match pausing.reason {
                NotSentReason::UpstreamUnavailable => Trouble { cause: self.outage, ..pausing },
                _ => pausing,
            });
        // Their probes and lone calls obey `Retry-After`, too.
        let paused_until = self.pausing.map(|pausing| pausing.next_attempt);
        let probed = |trouble: Trouble| Trouble {
            next_attempt: paused_until.map_or(trouble.next_attempt, |until| until.max(trouble.next_attempt)),
            ..trouble
        };
        let credential = self.credential.or(self.credential_before.filter(|_| self.on_trial));
        let [credential, breaker, denied] =
            [credential, breaker, self.denied].map(|trouble| trouble.map(probed));
        [credential, breaker, denied, self.refusing, pausing].into_iter().flatten().collect()
    }
}
