//! The last quarter of an hour in small steps: what the metrics grew by in each. For the status page; a real
//! history is kept by whoever scrapes the metrics.
//!
//! Owns a ring of [`History::SAMPLES`] samples; the oldest makes room for the newest.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::metrics::{Glance, Metrics};
use crate::domain::Timestamp;

/// One step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// Its number; the first has 1.
    pub number: u64,
    /// When it ended.
    pub at: Timestamp,
    /// How long it was.
    pub seconds: f64,
    /// Addresses that came to their end in it, by outcome in the order of the contract.
    pub outcomes: [u64; 6],
    /// Calls that were accepted in it.
    pub accepted_calls: u64,
    /// Calls that ended otherwise in it.
    pub other_calls: u64,
    /// How long its calls took in the mean; `None` without calls.
    pub latency: Option<Duration>,
    /// The learned rate at its end.
    pub rate: f64,
    /// Addresses that waited at its end.
    pub waiting: u64,
}

/// The samples. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct History {
    samples: Arc<Mutex<VecDeque<Sample>>>,
}

impl History {
    /// Length of a step.
    pub const STEP: Duration = Duration::from_secs(5);
    /// Most samples: a quarter of an hour.
    pub const SAMPLES: usize = 180;

    /// Takes a sample at the end of each step, for ever.
    pub async fn keep(self, metrics: Arc<Metrics>) {
        let mut steps = interval_at(Instant::now() + Self::STEP, Self::STEP);
        steps.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut last, mut began) = (metrics.glance(), Instant::now());
        loop {
            let now = steps.tick().await;
            let glance = metrics.glance();
            self.add(&last, &glance, now - began);
            (last, began) = (glance, now);
        }
    }

    /// The samples after the one with this number, oldest first, and the number of the newest.
    pub fn after(&self, number: u64) -> (Vec<Sample>, u64) {
        let samples = self.samples();
        let newest = samples.back().map_or(0, |sample| sample.number);
        (samples.iter().filter(|sample| sample.number > number).copied().collect(), newest)
    }

    fn add(&self, last: &Glance, now: &Glance, took: Duration) {
        let grown = |now: u64, last: u64| now.saturating_sub(last);
        let (accepted, other) =
            (grown(now.accepted_calls, last.accepted_calls), grown(now.other_calls, last.other_calls));
        let seconds = (now.call_seconds - last.call_seconds).max(0.0);
        let mut samples = self.samples();
        if samples.len() == Self::SAMPLES {
            samples.pop_front();
        }
        let number = samples.back().map_or(0, |sample| sample.number) + 1;
        samples.push_back(Sample {
            number,
            at: Timestamp::now(),
            seconds: took.as_secs_f64(),
            outcomes: std::array::from_fn(|kind| grown(now.outcomes[kind], last.outcomes[kind])),
            accepted_calls: accepted,
            other_calls: other,
            latency: (accepted + other > 0)
                .then(|| Duration::from_secs_f64(seconds / (accepted + other) as f64)),
            rate: now.rate,
            waiting: now.waiting(),
        });
    }

    fn samples(&self) -> MutexGuard<'_, VecDeque<Sample>> {
        self.samples.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{CallResult, ClientName, Outcome},
        telemetry::metrics::BuildInfo,
    };

    fn metrics() -> Arc<Metrics> {
        Metrics::new(BuildInfo::current(), &[ClientName::anonymous()], &[]).unwrap()
    }

    #[test]
    fn a_sample_holds_what_the_metrics_grew_by() {
        let (metrics, history) = (metrics(), History::default());
        let (known, like_an_outcome) = (ClientName::anonymous(), ClientName::new("unknown"));
        metrics.outcome(&known, &Outcome::Sent, 5);
        let last = metrics.glance();
        metrics.outcome(&known, &Outcome::Sent, 7);
        metrics.outcome(&like_an_outcome, &Outcome::Sent, 3);
        metrics.set_queued(&like_an_outcome, 40);
        metrics.call_finished(CallResult::Ok, Duration::from_millis(100), 10);
        metrics.call_finished(CallResult::Throttled, Duration::from_millis(300), 10);

        history.add(&last, &metrics.glance(), Duration::from_secs(5));

        let (samples, newest) = history.after(0);
        let sample = samples[0];
        assert_eq!((newest, sample.number, sample.outcomes, sample.waiting), (1, 1, [10, 0, 0, 0, 0, 0], 40));
        assert_eq!((sample.accepted_calls, sample.other_calls), (1, 1));
        assert!((sample.latency.unwrap().as_secs_f64() - 0.2).abs() < 1e-6, "{sample:?}");
    }

    #[test]
    fn the_oldest_sample_makes_room_for_the_newest() {
        let (metrics, history) = (metrics(), History::default());
        let glance = metrics.glance();

        for _ in 0..History::SAMPLES + 20 {
            history.add(&glance, &glance, History::STEP);
        }

        let (samples, newest) = history.after(0);
        assert_eq!((samples.len(), samples[0].number, newest), (History::SAMPLES, 21, 200));
        assert_eq!(history.after(198).0.len(), 2);
        assert_eq!(samples[0].latency, None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_sample_is_taken_at_the_end_of_each_step() {
        let history = History::default();
        let keeping = tokio::spawn(history.clone().keep(metrics()));

        tokio::time::sleep(History::STEP * 3 + History::STEP / 2).await;

        let (samples, _) = history.after(0);
        assert_eq!(samples.iter().map(|sample| sample.seconds.round() as u64).collect::<Vec<_>>(), [5, 5, 5]);
        keeping.abort();
    }
}
