//! How many calls a second are let through.
//!
//! A token bucket in whole nanoseconds (as a single "next free moment", GCRA), so that a call exactly on time
//! is never refused by rounding. Pure: the moment is an argument.

use std::time::Duration;

use tokio::time::Instant;

/// The bucket.
#[derive(Debug)]
pub(super) struct Throttle {
    spacing: Duration,
    allowance: Duration,
    /// When the bucket will be full again.
    full_at: Option<Instant>,
}

impl Throttle {
    /// Lets `burst` calls through at once and `calls_per_second` in the long run.
    pub(super) fn new(calls_per_second: f64, burst: u32) -> Self {
        let spacing = Duration::try_from_secs_f64(1.0 / calls_per_second).unwrap_or(Duration::MAX);
        Self { spacing, allowance: spacing.saturating_mul(burst.max(1) - 1), full_at: None }
    }

    /// Takes one call's place; `false` when there is none.
    pub(super) fn lets_through(&mut self, now: Instant) -> bool {
        let full_at = self.full_at.map_or(now, |full_at| full_at.max(now));
        if full_at.duration_since(now) > self.allowance {
            return false;
        }
        // A spacing beyond the clock's reach never frees its place again.
        let far = Duration::from_secs(u64::from(u32::MAX));
        self.full_at = full_at.checked_add(self.spacing).or_else(|| now.checked_add(far));
        true
    }

    /// Fills the bucket.
    pub(super) fn refill(&mut self) {
        self.full_at = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn let_through(throttle: &mut Throttle, start: Instant, every_ms: u64, calls: u32) -> usize {
        let moments = (0..calls).map(|call| start + Duration::from_millis(every_ms) * call);
        moments.filter(|moment| throttle.lets_through(*moment)).count()
    }

    #[test]
    fn calls_on_time_are_never_refused() {
        let mut throttle = Throttle::new(10.0, 1);

        assert_eq!(let_through(&mut throttle, Instant::now(), 100, 200), 200);
    }

    #[test]
    fn calls_too_fast_are_let_through_at_the_rate() {
        let mut throttle = Throttle::new(10.0, 1);

        assert_eq!(let_through(&mut throttle, Instant::now(), 50, 200), 100);
    }

    #[test]
    fn a_full_bucket_lets_a_burst_through_and_no_more() {
        let start = Instant::now();
        let mut throttle = Throttle::new(10.0, 5);

        assert_eq!(let_through(&mut throttle, start, 0, 50), 5);
        assert_eq!(let_through(&mut throttle, start + Duration::from_millis(100), 0, 50), 1);
        assert_eq!(let_through(&mut throttle, start + Duration::from_secs(60), 0, 50), 5);
        throttle.refill();
        assert_eq!(let_through(&mut throttle, start + Duration::from_secs(60), 0, 50), 5);
    }

    #[test]
    fn a_rate_of_almost_nothing_lets_one_call_through() {
        let mut throttle = Throttle::new(f64::MIN_POSITIVE, 1);

        assert_eq!(let_through(&mut throttle, Instant::now(), 1_000_000, 50), 1);
    }
}
