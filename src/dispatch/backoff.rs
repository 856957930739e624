//! How long to stay away after a failure: the one retry decision.

use std::time::Duration;

/// Jittered exponential waits between two bounds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Backoff {
    pub(super) min: Duration,
    pub(super) max: Duration,
    /// The most that upstream's own `Retry-After` is followed.
    pub(super) max_told: Duration,
}

/// Calls that a refusal for being too fast holds back at first.
const HELD_BACK: f64 = 40.0;

impl Backoff {
    /// After a call that was too fast, at so many calls a second: the first wait is no longer than a few calls
    /// take. A bucket that is filled so fast has room again by then.
    pub(super) fn at_rate(self, rate: f64) -> Self {
        let few = Duration::try_from_secs_f64(HELD_BACK / rate).unwrap_or(self.min);
        Self { min: self.min.min(few), ..self }
    }

    /// The wait before attempt `attempt` + 1 (attempts count from 1): own backoff, or what upstream
    /// `told` when that is longer. `jitter` is in 0..1 and shortens the own part by up to half.
    pub(super) fn next_delay(&self, attempt: u32, told: Option<Duration>, jitter: f64) -> Duration {
        let doublings = attempt.saturating_sub(1).min(30);
        let own = self.min.saturating_mul(1 << doublings).min(self.max);
        let own = own.mul_f64(1.0 - jitter.clamp(0.0, 1.0) / 2.0);
        own.max(told.unwrap_or_default().min(self.max_told))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff = Backoff {
        min: Duration::from_millis(200),
        max: Duration::from_secs(30),
        max_told: Duration::from_secs(3600),
    };

    #[test]
    fn waits_double_up_to_the_bound() {
        let waits: Vec<_> =
            [1, 2, 3, 8, 9, 1000].map(|attempt| BACKOFF.next_delay(attempt, None, 0.0).as_millis()).into();

        assert_eq!(waits, [200, 400, 800, 25_600, 30_000, 30_000]);
    }

    #[test]
    fn jitter_shortens_by_up_to_half() {
        assert_eq!(BACKOFF.next_delay(1, None, 1.0), Duration::from_millis(100));
    }

    #[test]
    fn a_call_that_was_too_fast_holds_back_no_more_than_some_forty_at_first() {
        let first = |rate| BACKOFF.at_rate(rate).next_delay(1, None, 0.0).as_millis();

        assert_eq!([0.0, 0.5, 100.0, 200.0, 400.0, 2000.0].map(first), [200, 200, 200, 200, 100, 20]);
        assert_eq!(BACKOFF.at_rate(2000.0).next_delay(3, None, 0.0), Duration::from_millis(80));
        let told = Some(Duration::from_secs(7));
        assert_eq!(BACKOFF.at_rate(2000.0).next_delay(1, told, 0.0), Duration::from_secs(7));
    }

    #[test]
    fn the_longer_of_own_and_told_wins_and_an_absurd_one_is_cut() {
        let told = |seconds| BACKOFF.next_delay(1, Some(Duration::from_secs(seconds)), 0.0);

        assert_eq!(told(0), Duration::from_millis(200));
        assert_eq!(told(7), Duration::from_secs(7));
        assert_eq!(told(u64::MAX), Duration::from_secs(3600));
    }
}
