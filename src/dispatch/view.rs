//! What others may see of dispatch: a small copy, made anew a few times a second.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{
    forecast::Forecast,
    trouble::{Cause, Trouble},
};
use crate::domain::{Hold, NotSentReason, Timestamp};

/// Most resends of which is told how much of each is left.
pub(super) const TOLD: usize = 256;

/// Dispatch at one moment.
#[derive(Debug, Clone, Default)]
pub struct View {
    /// What holds the work, the weightiest first.
    pub holds: Vec<Hold>,
    /// How calls go from here on.
    pub(super) forecast: Forecast,
    /// Addresses without an outcome, of all resends.
    pub queued: u64,
    /// Resends under way.
    pub active: usize,
    /// Addresses without an outcome of each of them, at most [`TOLD`].
    pub(super) left: Arc<[u64]>,
    /// Most addresses of one call.
    pub batch_size: usize,
}

impl View {
    /// How long `addresses` of one resend take from now, at the present pace and with the others that
    /// share it. Holds that end by themselves are counted in.
    pub fn estimate(&self, addresses: u64) -> Duration {
        let ahead = addresses.saturating_mul(self.active.max(1) as u64).min(self.queued.max(addresses));
        self.held() + self.forecast.duration(self.calls_of(ahead))
    }

    /// The same for a list that would come now and make so many calls.
    pub fn estimate_of_newcomer(&self, calls: u64) -> Duration {
        if calls == 0 {
            return Duration::ZERO;
        }
        // Turns go around: while another waits, each call of this one stands beside one of its calls.
        let beside: u64 = self.left.iter().map(|addresses| self.calls_of(*addresses).min(calls)).sum();
        let untold = self.active.saturating_sub(self.left.len()) as u64;
        let in_turn = calls.saturating_mul(untold + 1).saturating_add(beside);
        self.held() + self.forecast.duration(in_turn.min(calls.saturating_add(self.calls_of(self.queued))))
    }

    fn calls_of(&self, addresses: u64) -> u64 {
        addresses.div_ceil(self.batch_size.max(1) as u64)
    }

    fn held(&self) -> Duration {
        let until = self.holds.iter().filter_map(|hold| hold.next_attempt_at).max();
        Duration::from_millis(until.map_or(0, |at| at.0.saturating_sub(Timestamp::now().0)))
    }
}

/// A trouble as callers are told it.
pub(super) fn told(trouble: &Trouble, now: Instant) -> Hold {
    let told_now = Timestamp::now();
    let since = now.saturating_duration_since(trouble.since);
    let wait = trouble.next_attempt.saturating_duration_since(now);
    Hold {
        reason: trouble.reason,
        since: Timestamp(told_now.0.saturating_sub(since.as_millis() as u64)),
        next_attempt_at: Some(told_now.plus(wait)),
        detail: sentence(trouble.reason, trouble.cause).to_owned(),
    }
}

fn sentence(reason: NotSentReason, cause: Cause) -> &'static str {
    match cause {
        Cause::Itself => of_reason(reason),
        Cause::NoTokenYet => {
            "the token endpoint of fax.plus has not given an access token yet; goes on when it does"
        }
        Cause::ClientRefused => {
            "the token endpoint of fax.plus refuses the OAuth2 client; goes on when the client's secret \
             changes or is accepted again"
        }
        Cause::GrantRefused => {
            "the token endpoint of fax.plus refuses the refresh token: it is revoked, used or wrong; goes on \
             when it changes or is accepted again"
        }
        Cause::EndpointSilent => {
            "the token endpoint of fax.plus can't be reached or does not answer; it is asked again and the \
             work goes on when it gives an access token"
        }
        Cause::EndpointFailing => {
            "the token endpoint of fax.plus answers with errors; it is asked again and the work goes on when \
             it gives an access token"
        }
        Cause::EndpointElsewhere => {
            "what answers at credentials.token_url gives no access token; goes on when it does"
        }
        Cause::ProofUnanswered => {
            "fax.plus does not answer when a new access token is shown to it; goes on when it accepts it"
        }
    }
}

fn of_reason(reason: NotSentReason) -> &'static str {
    match reason {
        NotSentReason::UpstreamUnavailable => {
            "fax.plus can't be reached or fails; it is tried carefully and the work goes on when it answers"
        }
        NotSentReason::Throttled => {
            "fax.plus asks for fewer calls; the work goes on after the wait it asks for"
        }
        NotSentReason::CredentialsRejected => {
            "fax.plus refuses the access token; goes on when the token changes or is accepted again"
        }
        NotSentReason::Forbidden => {
            "fax.plus says that this account may not resend invitations; goes on when a lone try succeeds"
        }
        NotSentReason::UpstreamRefusing => {
            "fax.plus refused one lone address after the other; one a second is tried until it accepts one"
        }
        NotSentReason::Misconfigured => {
            "what answers at upstream.base_url does not behave like fax.plus; goes on when it does"
        }
        NotSentReason::Paused => "an operator paused the gateway; goes on when it is resumed",
        NotSentReason::Expired | NotSentReason::Cancelled | NotSentReason::Shutdown => "the resend is ending",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two calls a second that take no time.
    fn view() -> View {
        let forecast = Forecast {
            rate: 2.0,
            highest: 2.0,
            proven: true,
            latency: Duration::ZERO,
            ..Forecast::default()
        };
        View { forecast, batch_size: 10, ..View::default() }
    }

    #[test]
    fn the_estimate_counts_the_others_in_but_never_more_than_the_queue() {
        let view = View { queued: 110, active: 3, ..view() };

        assert_eq!(view.estimate(10), Duration::from_millis(1000));
        assert_eq!(view.estimate(60), Duration::from_millis(5000));
        assert_eq!(view.estimate(1000), Duration::from_millis(49_500));
    }

    #[test]
    fn who_would_come_now_stands_in_turn_with_those_who_wait() {
        let view = View { queued: 110, active: 3, ..view() };

        assert_eq!(view.estimate_of_newcomer(0), Duration::ZERO);
        assert_eq!(view.estimate_of_newcomer(1), Duration::from_millis(1500));
        assert_eq!(view.estimate_of_newcomer(100), Duration::from_millis(55_000));
    }

    #[test]
    fn who_would_come_now_waits_for_short_ones_no_longer_than_they_last() {
        let left = Arc::from([300, 30]);
        let view = View { queued: 330, active: 2, left, ..view() };

        // Ten calls of its own, ten of the long one, three of the short one.
        assert_eq!(view.estimate_of_newcomer(10), Duration::from_millis(11_000));
        assert_eq!(view.estimate_of_newcomer(1), Duration::from_millis(1000));
        assert_eq!(view.estimate_of_newcomer(100), Duration::from_millis(66_000));
    }

    #[test]
    fn a_hold_that_ends_by_itself_is_waited_for() {
        let hold = Hold {
            reason: NotSentReason::Throttled,
            since: Timestamp::now(),
            next_attempt_at: Some(Timestamp::now().plus(Duration::from_secs(3600))),
            detail: String::new(),
        };
        let view = View { holds: vec![hold], ..view() };

        assert!(view.estimate(10) > Duration::from_secs(3590));
        assert!(view.estimate_of_newcomer(1) > Duration::from_secs(3590));
        assert_eq!(view.estimate_of_newcomer(0), Duration::ZERO);
    }
}
