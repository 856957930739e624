//! What others may see of dispatch: a small copy, made anew a few times a second.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{
    forecast::Forecast,
    trouble::{Cause, Trouble},
};
use crate::domain::{Hold, NotSentReason, Paused, ResendId, Timestamp};

/// Whoever waits for work that a person holds up looks again after this; nobody knows better.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// Most resends of which is told how much of each is left.
pub(super) const TOLD: usize = 256;

/// Most resends that are named to operators at once.
pub(super) const NEWEST: usize = 20;

/// Dispatch at one moment.
#[derive(Debug, Clone, Default)]
pub struct View {
    /// What holds the work, the weightiest first.
    pub holds: Vec<Hold>,
    /// The operator's pause, if there is one.
    pub paused: Option<Paused>,
    /// How calls go from here on.
    pub(super) forecast: Forecast,
    /// Addresses without an outcome, of all resends.
    pub queued: u64,
    /// Resends under way.
    pub active: usize,
    /// Addresses without an outcome of each of them, at most [`TOLD`].
    pub(super) left: Arc<[(ResendId, u64)]>,
    /// The newest of them, newest first; a bounded few.
    pub newest: Arc<[ResendId]>,
    /// Calls in flight.
    pub in_flight: usize,
    /// Most addresses of one call.
    pub batch_size: usize,
}

impl View {
    /// How long `addresses` of this resend take from now, at the present pace and with the others that
    /// share it. Holds that end by themselves are counted in; while paused nobody knows.
    pub fn estimate(&self, id: ResendId, addresses: u64) -> Option<Duration> {
        self.paused.is_none().then(|| self.unless_paused(Some(id), addresses))
    }

    /// When whoever waits for `addresses` of this resend had best ask again.
    pub fn look_again(&self, id: ResendId, addresses: u64) -> Duration {
        self.unless_paused(Some(id), addresses).max(self.least_wait())
    }

    /// When `addresses` of the queue, whosever they are, will have made room.
    pub fn room_after(&self, addresses: u64) -> Duration {
        (self.held() + self.forecast.duration(self.calls_of(addresses))).max(self.least_wait())
    }

    fn least_wait(&self) -> Duration {
        if self.paused.is_some() { LOOK_AGAIN } else { Duration::ZERO }
    }

    fn unless_paused(&self, id: Option<ResendId>, addresses: u64) -> Duration {
        self.held() + self.forecast.duration(self.in_turn(id, self.calls_of(addresses)))
    }

    /// Calls until so many of one resend are made. Turns go around: while another waits, each call of this
    /// one stands beside one of its calls.
    fn in_turn(&self, id: Option<ResendId>, calls: u64) -> u64 {
        let others = self.left.iter().filter(|(other, _)| Some(*other) != id);
        let beside: u64 = others.map(|(_, addresses)| self.calls_of(*addresses).min(calls)).sum();
        let untold = self.active.saturating_sub(self.left.len()) as u64;
        let in_turn = calls.saturating_mul(untold + 1).saturating_add(beside);
        // Nobody waits for longer than for all that there is.
        let queued = self.calls_of(self.queued);
        let is_counted = self.left.iter().any(|(other, _)| Some(*other) == id);
        in_turn.min(if is_counted { queued.max(calls) } else { calls.saturating_add(queued) })
    }

    /// The estimate for a list that would come now and make so many calls.
    pub fn estimate_of_newcomer(&self, calls: u64) -> Option<Duration> {
        if calls == 0 {
            return Some(Duration::ZERO);
        }
        if self.paused.is_some() {
            return None;
        }
        Some(self.held() + self.forecast.duration(self.in_turn(None, calls)))
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

/// A pause as callers are told it, with what the operator has to say.
pub(super) fn told_pause(paused: &Paused) -> Hold {
    let words = paused.note.words().map_or(String::new(), |words| format!(" (\"{words}\")"));
    Hold {
        reason: NotSentReason::Paused,
        since: paused.since,
        next_attempt_at: None,
        detail: format!("an operator paused the gateway{words}; goes on when an operator resumes it"),
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
        // No trouble of upstream has these reasons; a pause is told with its note.
        NotSentReason::Paused => "an operator paused the gateway",
        NotSentReason::Expired | NotSentReason::Cancelled | NotSentReason::Shutdown => "the resend is ending",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::PauseNote;

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
    fn the_estimate_counts_the_others_in_as_long_as_they_last_but_never_more_than_the_queue() {
        let left = Arc::from([(ResendId(1), 100), (ResendId(2), 20), (ResendId(3), 1000)]);
        let view = View { queued: 1120, active: 3, left, ..view() };

        // Ten calls of its own, two of the short one, ten of the long one.
        assert_eq!(view.estimate(ResendId(1), 100), Some(Duration::from_millis(10_500)));
        assert_eq!(view.estimate(ResendId(2), 20), Some(Duration::from_millis(2500)));
        assert_eq!(view.estimate(ResendId(3), 1000), Some(Duration::from_millis(55_500)));
        // One that nobody has seen yet comes on top.
        assert_eq!(view.estimate(ResendId(4), 20), Some(Duration::from_millis(3500)));
    }

    #[test]
    fn who_would_come_now_stands_in_turn_with_those_who_wait() {
        let view = View { queued: 110, active: 3, ..view() };

        assert_eq!(view.estimate_of_newcomer(0), Some(Duration::ZERO));
        assert_eq!(view.estimate_of_newcomer(1), Some(Duration::from_millis(1500)));
        assert_eq!(view.estimate_of_newcomer(100), Some(Duration::from_millis(55_000)));
    }

    #[test]
    fn who_would_come_now_waits_for_short_ones_no_longer_than_they_last() {
        let left = Arc::from([(ResendId(1), 300), (ResendId(2), 30)]);
        let view = View { queued: 330, active: 2, left, ..view() };

        // Ten calls of its own, ten of the long one, three of the short one.
        assert_eq!(view.estimate_of_newcomer(10), Some(Duration::from_millis(11_000)));
        assert_eq!(view.estimate_of_newcomer(1), Some(Duration::from_millis(1000)));
        assert_eq!(view.estimate_of_newcomer(100), Some(Duration::from_millis(66_000)));
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

        assert!(view.estimate(ResendId(1), 10) > Some(Duration::from_secs(3590)));
        assert!(view.estimate_of_newcomer(1) > Some(Duration::from_secs(3590)));
        assert_eq!(view.estimate_of_newcomer(0), Some(Duration::ZERO));
    }

    #[test]
    fn while_paused_nobody_knows_the_end_and_all_are_told_to_look_again_later() {
        let note = PauseNote::parse("until noon").unwrap();
        let paused = Paused { since: Timestamp(7), note };
        let hold = told_pause(&paused);
        let view = View { paused: Some(paused), queued: 10_000, active: 1, ..view() };

        assert_eq!((view.estimate(ResendId(1), 10), view.estimate_of_newcomer(1)), (None, None));
        assert_eq!(view.estimate_of_newcomer(0), Some(Duration::ZERO));
        assert_eq!(view.look_again(ResendId(1), 10), LOOK_AGAIN);
        assert_eq!(view.room_after(10_000), Duration::from_millis(499_500));
        assert_eq!((hold.since, hold.next_attempt_at), (Timestamp(7), None));
        assert_eq!(
            hold.detail,
            "an operator paused the gateway (\"until noon\"); goes on when an operator resumes it"
        );
    }
}
