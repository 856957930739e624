//! How long upstream takes to accept a call, lately.

use std::time::Duration;

/// Weight of the newest call in the running mean.
const NEWEST: f64 = 0.1;
/// What a call is taken to last until one was seen.
const UNSEEN: Duration = Duration::from_millis(200);

/// A running mean of call durations.
#[derive(Debug, Default)]
pub(super) struct Latency {
    seconds: Option<f64>,
}

impl Latency {
    pub(super) fn record(&mut self, took: Duration) {
        let took = took.as_secs_f64();
        self.seconds = Some(self.seconds.map_or(took, |mean| mean + (took - mean) * NEWEST));
    }

    /// The mean.
    pub(super) fn mean(&self) -> Duration {
        self.seconds.map_or(UNSEEN, Duration::from_secs_f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_call_moves_the_mean_by_a_tenth() {
        let mut latency = Latency::default();
        assert_eq!(latency.mean(), UNSEEN);

        latency.record(Duration::from_millis(100));
        latency.record(Duration::from_millis(200));

        assert!((latency.mean().as_secs_f64() - 0.11).abs() < 1e-9);
    }
}
