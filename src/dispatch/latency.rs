//! How long upstream takes to accept a call, lately.

use std::time::Duration;

/// Weight of the newest call in the running mean.
const NEWEST: f64 = 0.1;

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

    /// Most calls a second that so many slots can carry; no bound until a call was seen.
    pub(super) fn calls_per_second(&self, slots: usize) -> f64 {
        self.seconds.map_or(f64::INFINITY, |seconds| slots as f64 / seconds.max(0.000_1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_and_latency_bound_the_calls_a_second() {
        let mut latency = Latency::default();
        assert_eq!(latency.calls_per_second(8), f64::INFINITY);

        latency.record(Duration::from_millis(100));

        assert!((latency.calls_per_second(8) - 80.0).abs() < 1e-9);
    }
}
