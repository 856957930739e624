//! How long so many calls take from now on: the pace, the slots and the latency played through in thought.
//!
//! Pure. Knows nothing of refusals and trouble that are still to come.

use std::{collections::VecDeque, time::Duration};

/// So many calls are played through one by one; what comes after them goes on at the speed of the last.
const PLAYED: u64 = 1000;
/// Longer than anybody waits.
const ENDLESS: f64 = 1e9;

/// How calls go in good times.
#[derive(Debug, Clone, Copy)]
pub(super) struct Forecast {
    /// Calls a second that the pace allows now.
    pub(super) rate: f64,
    /// What each accepted call adds to that.
    pub(super) growth: f64,
    /// Where that ends.
    pub(super) highest: f64,
    /// Most calls in flight.
    pub(super) slots: usize,
    /// Whether all slots may be used before the first success.
    pub(super) proven: bool,
    /// How long one call takes.
    pub(super) latency: Duration,
}

/// A call in thought.
#[derive(Debug, Clone, Copy)]
struct Played {
    end: f64,
    /// Whether it waited for its permit: only then its success raises the rate.
    was_awaited: bool,
}

impl Default for Forecast {
    fn default() -> Self {
        let latency = Duration::from_millis(200);
        Self { rate: 1.0, growth: 0.0, highest: 1.0, slots: 1, proven: false, latency }
    }
}

impl Forecast {
    /// From now to the end of the last of so many calls.
    pub(super) fn duration(&self, calls: u64) -> Duration {
        let latency = self.latency.as_secs_f64();
        let (mut rate, mut due, mut end) = (self.rate.max(0.01), 0.0_f64, 0.0);
        let mut slots = if self.proven { self.slots } else { 1 };
        let mut in_flight: VecDeque<Played> = VecDeque::with_capacity(self.slots);
        for _ in 0..calls.min(PLAYED) {
            let mut start = due;
            while let Some(first) = in_flight.front().copied() {
                if first.end > start {
                    if in_flight.len() < slots {
                        break;
                    }
                    start = first.end;
                }
                in_flight.pop_front();
                slots = self.slots;
                if first.was_awaited {
                    rate = (rate + self.growth).min(self.highest.max(rate));
                }
            }
            let was_awaited = start < due + 1.0 / rate;
            due = start + 1.0 / rate;
            end = start + latency;
            in_flight.push_back(Played { end, was_awaited });
        }
        let rest = calls.saturating_sub(PLAYED) as f64;
        let interval = (1.0 / rate).max(latency / self.slots.max(1) as f64);
        Duration::from_secs_f64((end + rest * interval).min(ENDLESS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten calls a second at most, which are learned already, and 50 ms a call.
    const PACED: Forecast = Forecast {
        rate: 10.0,
        growth: 0.0,
        highest: 10.0,
        slots: 8,
        proven: true,
        latency: Duration::from_millis(50),
    };

    fn seconds(forecast: &Forecast, calls: u64) -> f64 {
        (forecast.duration(calls).as_secs_f64() * 1000.0).round() / 1000.0
    }

    #[test]
    fn the_pace_spaces_the_calls_and_the_last_one_takes_its_time() {
        assert_eq!(seconds(&PACED, 0), 0.0);
        assert_eq!(seconds(&PACED, 1), 0.05);
        assert_eq!(seconds(&PACED, 61), 6.05);
        assert_eq!(seconds(&PACED, 50_001), 5000.05);
    }

    #[test]
    fn slow_calls_are_bound_by_the_slots() {
        let slow = Forecast { latency: Duration::from_secs(4), ..PACED };

        assert_eq!(seconds(&slow, 8), 4.7);
        assert_eq!(seconds(&slow, 9), 8.0);
        assert_eq!(seconds(&slow, 80), 40.7);
        assert!((seconds(&slow, 8000) - 4000.0).abs() < 5.0);
    }

    #[test]
    fn before_the_first_success_one_call_is_alone() {
        let unproven = Forecast { proven: false, latency: Duration::from_secs(1), ..PACED };

        assert_eq!(seconds(&unproven, 1), 1.0);
        assert_eq!(seconds(&unproven, 2), 2.0);
        assert_eq!(seconds(&unproven, 3), 2.1);
    }

    #[test]
    fn a_rate_that_is_still_sought_grows_with_each_success_up_to_what_binds_it() {
        let sought = Forecast { rate: 20.0, growth: 1.0, highest: 1000.0, ..PACED };
        let bound = Forecast { highest: 40.0, ..sought };

        // Twenty at first; doubled after about 0.7 s; 160 a second is all that eight slots carry.
        assert!((0.7..0.9).contains(&seconds(&sought, 20)), "{}", seconds(&sought, 20));
        assert!((8.0..9.0).contains(&seconds(&sought, 1200)), "{}", seconds(&sought, 1200));
        assert!((seconds(&bound, 840) - seconds(&bound, 440) - 10.0).abs() < 0.01);
    }

    #[test]
    fn a_rate_that_was_refused_above_is_kept_when_it_is_past_the_highest() {
        let past = Forecast { rate: 20.0, highest: 10.0, growth: 1.0, ..PACED };

        assert_eq!(seconds(&past, 21), 1.05);
    }
}
