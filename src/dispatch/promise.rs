//! The estimate that a resend was accepted with, kept to be held against what became of it.

use std::time::Duration;

use tokio::time::Instant;

/// Shorter than this, a time says more about the turns of the thread than about the estimate.
const WORTH_SCORING: Duration = Duration::from_secs(1);
/// Keeps the ratio finite for a promise of nothing.
const SHORTEST: Duration = Duration::from_millis(1);

/// How long a resend was said to take, when it was accepted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Promise {
    made: Instant,
    lasts: Duration,
}

impl Promise {
    /// A promise, made now, to be done after `lasts`.
    pub(super) fn new(lasts: Duration, now: Instant) -> Self {
        Self { made: now, lasts }
    }

    /// The real time divided by the promised one, for a resend that is done now: 1 is a promise kept to
    /// the moment, 2 took twice as long. `None` when both are too short to say anything; if only one of
    /// them is short, the estimate was wrong, and that counts.
    pub(super) fn ratio(&self, now: Instant) -> Option<f64> {
        let took = now.saturating_duration_since(self.made);
        (took.max(self.lasts) >= WORTH_SCORING)
            .then(|| took.as_secs_f64() / self.lasts.max(SHORTEST).as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ratio(promised_ms: u64, real_ms: u64) -> Option<f64> {
        let now = Instant::now();
        Promise::new(Duration::from_millis(promised_ms), now).ratio(now + Duration::from_millis(real_ms))
    }

    #[test]
    fn a_promise_is_scored_by_how_often_the_real_time_holds_it() {
        assert_eq!(ratio(2000, 2000), Some(1.0));
        assert_eq!(ratio(2000, 3000), Some(1.5));
        assert_eq!(ratio(4000, 1000), Some(0.25));
    }

    #[test]
    fn what_was_promised_short_and_was_short_is_not_scored() {
        assert_eq!(ratio(0, 0), None);
        assert_eq!(ratio(999, 999), None);
    }

    #[test]
    fn a_short_promise_that_took_long_and_a_long_one_that_was_short_are_scored() {
        assert_eq!(ratio(500, 2000), Some(4.0));
        assert_eq!(ratio(2000, 500), Some(0.25));
        assert_eq!(ratio(0, 1000), Some(1000.0));
    }
}
