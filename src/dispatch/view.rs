//! What others may see of dispatch: a small copy, made anew a few times a second.

use std::{sync::Arc, time::Duration};

use super::{credential::SOON, forecast::Forecast, shares::Shares};
use crate::domain::{ClientTag, Hold, Paused, ResendId, Timestamp};

/// Whoever waits for work that a person holds up looks again after this; nobody knows better.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// Most resends of which is told how much of each is left.
pub(super) const TOLD: usize = 256;

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
    /// Who shares the calls; of at most [`TOLD`] resends it is told how much of each is left.
    pub(super) shares: Shares,
    /// A bounded few of them: those with most left, then the newest.
    pub named: Arc<[ResendId]>,
    /// When the token in use ends, if a person has to put a new one into its place.
    pub(super) token_ends_at: Option<Timestamp>,
    /// Calls in flight.
    pub in_flight: usize,
}

impl View {
    /// How long `addresses` of this resend of a client take from now, at the present pace and with the others
    /// that share it. Holds that end by themselves are counted in; while paused nobody knows.
    pub fn estimate(&self, id: ResendId, client: ClientTag, addresses: u64) -> Option<Duration> {
        self.paused.is_none().then(|| self.unless_paused(Some(id), client, addresses))
    }

    /// When the token in use ends, if that is soon or over and a person has to put a new one into its place.
    pub fn token_ends_soon(&self) -> Option<Timestamp> {
        self.token_ends_at.filter(|at| *at < Timestamp::now().plus(SOON))
    }

    /// Most addresses of one call.
    pub fn batch_size(&self) -> usize {
        self.shares.batch_size
    }

    /// When whoever waits for `addresses` of this resend of a client had best ask again.
    pub fn look_again(&self, id: ResendId, client: ClientTag, addresses: u64) -> Duration {
        self.unless_paused(Some(id), client, addresses).max(self.least_wait())
    }

    /// When `addresses` of the queue, whosever they are, will have made room.
    pub fn room_after(&self, addresses: u64) -> Duration {
        self.after(self.shares.calls_of(addresses)).max(self.least_wait())
    }

    /// When `addresses` of this client, in whichever resend, will have made room.
    pub(super) fn own_room_after(&self, client: ClientTag, addresses: u64) -> Duration {
        self.after(self.shares.until_client(client, self.shares.calls_of(addresses))).max(self.least_wait())
    }

    /// The estimate for a list that would come now from this client and make so many calls.
    pub fn estimate_of_newcomer(&self, client: ClientTag, calls: u64) -> Option<Duration> {
        match calls {
            0 => Some(Duration::ZERO),
            _ if self.paused.is_some() => None,
            _ => Some(self.after(self.shares.until_resend(client, None, calls))),
        }
    }

    fn least_wait(&self) -> Duration {
        if self.paused.is_some() { LOOK_AGAIN } else { Duration::ZERO }
    }

    fn unless_paused(&self, id: Option<ResendId>, client: ClientTag, addresses: u64) -> Duration {
        self.after(self.shares.until_resend(client, id, self.shares.calls_of(addresses)))
    }

    fn after(&self, calls: u64) -> Duration {
        self.held() + self.forecast.duration(calls)
    }

    fn held(&self) -> Duration {
        let until = self.holds.iter().filter_map(|hold| hold.next_attempt_at).max();
        Duration::from_millis(until.map_or(0, |at| at.0.saturating_sub(Timestamp::now().0)))
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use crate::{
        dispatch::{
            said::told_pause,
            shares::{Lane, Left},
        },
        domain::{NotSentReason, PauseNote},
    };

    const BY: ClientTag = ClientTag(1);

    /// Two calls a second that take no time.
    fn view() -> View {
        let forecast = Forecast {
            rate: 2.0,
            highest: 2.0,
            proven: true,
            latency: Duration::ZERO,
            ..Forecast::default()
        };
        View { forecast, shares: shares(0, 0, &[]), ..View::default() }
    }

    /// Resends of one client.
    fn shares(addresses: u64, resends: u64, left: &[(u128, u64)]) -> Shares {
        let lane = Lane { client: BY, weight: NonZeroU32::MIN, addresses, resends };
        let left =
            left.iter().map(|(id, addresses)| Left { id: ResendId(*id), client: BY, addresses: *addresses });
        Shares { lanes: Arc::from([lane]), left: left.collect(), batch_size: 10 }
    }

    #[test]
    fn the_estimate_counts_the_others_in_as_long_as_they_last_but_never_more_than_the_queue() {
        let view = View { shares: shares(1120, 3, &[(1, 100), (2, 20), (3, 1000)]), ..view() };

        // Ten calls of its own, two of the short one, ten of the long one.
        assert_eq!(view.estimate(ResendId(1), BY, 100), Some(Duration::from_millis(10_500)));
        assert_eq!(view.estimate(ResendId(2), BY, 20), Some(Duration::from_millis(2500)));
        assert_eq!(view.estimate(ResendId(3), BY, 1000), Some(Duration::from_millis(55_500)));
        // One that nobody has seen yet comes on top.
        assert_eq!(view.estimate(ResendId(4), BY, 20), Some(Duration::from_millis(3500)));
    }

    #[test]
    fn who_would_come_now_stands_in_turn_with_those_who_wait() {
        let view = View { shares: shares(110, 3, &[]), ..view() };

        assert_eq!(view.estimate_of_newcomer(BY, 0), Some(Duration::ZERO));
        assert_eq!(view.estimate_of_newcomer(BY, 1), Some(Duration::from_millis(1500)));
        assert_eq!(view.estimate_of_newcomer(BY, 100), Some(Duration::from_millis(55_000)));
    }

    #[test]
    fn who_would_come_now_waits_for_short_ones_no_longer_than_they_last() {
        let view = View { shares: shares(330, 2, &[(1, 300), (2, 30)]), ..view() };

        // Ten calls of its own, ten of the long one, three of the short one.
        assert_eq!(view.estimate_of_newcomer(BY, 10), Some(Duration::from_millis(11_000)));
        assert_eq!(view.estimate_of_newcomer(BY, 1), Some(Duration::from_millis(1000)));
        assert_eq!(view.estimate_of_newcomer(BY, 100), Some(Duration::from_millis(66_000)));
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

        assert!(view.estimate(ResendId(1), BY, 10) > Some(Duration::from_secs(3590)));
        assert!(view.estimate_of_newcomer(BY, 1) > Some(Duration::from_secs(3590)));
        assert_eq!(view.estimate_of_newcomer(BY, 0), Some(Duration::ZERO));
    }

    #[test]
    fn while_paused_nobody_knows_the_end_and_all_are_told_to_look_again_later() {
        let note = PauseNote::parse("until noon").unwrap();
        let paused = Paused { since: Timestamp(7), note };
        let hold = told_pause(&paused);
        let view = View { paused: Some(paused), shares: shares(10_000, 1, &[]), ..view() };

        assert_eq!((view.estimate(ResendId(1), BY, 10), view.estimate_of_newcomer(BY, 1)), (None, None));
        assert_eq!(view.estimate_of_newcomer(BY, 0), Some(Duration::ZERO));
        assert_eq!(view.look_again(ResendId(1), BY, 10), LOOK_AGAIN);
        assert_eq!(view.room_after(10_000), Duration::from_millis(499_500));
        assert_eq!((hold.since, hold.next_attempt_at), (Timestamp(7), None));
        assert_eq!(
            hold.detail,
            "an operator paused the gateway (\"until noon\"); goes on when an operator resumes it"
        );
    }
}
