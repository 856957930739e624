//! The last quarter of an hour in small steps: what the metrics grew by in each. For the status page; a real
//! history is kept by whoever scrapes the metrics.
//!
//! Owns a ring of [`History::SAMPLES`] samples, where the oldest makes room for the newest, and what the metrics
//! said at the end of the newest, so that what happened since is told with it.

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

/// The past as it is told at one moment: the parts agree with each other.
#[derive(Debug, Clone)]
pub struct Past {
    /// Samples, oldest first.
    pub samples: Vec<Sample>,
    /// The number of the newest there is.
    pub newest: u64,
    /// Addresses that came to their end since the newest, by outcome in the order of the contract.
    pub since: [u64; 6],
    /// What the metrics say.
    pub now: Glance,
}

/// The samples. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct History {
    ring: Arc<Mutex<Ring>>,
}

#[derive(Debug, Default)]
struct Ring {
    samples: VecDeque<Sample>,
    /// What the metrics said at the end of the newest; before the first they said nothing.
    last: Option<Glance>,
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
        let mut began = Instant::now();
        loop {
            let now = steps.tick().await;
            self.add(metrics.glance(), now - began);
            began = now;
        }
    }

    /// The samples after the one with this number, and what happened since.
    pub fn after(&self, number: u64, metrics: &Metrics) -> Past {
        let ring = self.ring();
        let now = metrics.glance();
        let newest = ring.samples.back().map_or(0, |sample| sample.number);
        let samples = ring.samples.iter().filter(|sample| sample.number > number).copied().collect();
        Past { samples, newest, since: grown(&now, ring.last.as_ref()), now }
    }

    fn add(&self, now: Glance, took: Duration) {
        let mut ring = self.ring();
        let last = ring.last.as_ref();
        let before = |count: fn(&Glance) -> u64| last.map_or(0, count);
        let accepted = now.accepted_calls.saturating_sub(before(|last| last.accepted_calls));
        let other = now.other_calls.saturating_sub(before(|last| last.other_calls));
        let seconds = (now.call_seconds - last.map_or(0.0, |last| last.call_seconds)).max(0.0);
        let outcomes = grown(&now, last);
        if ring.samples.len() == Self::SAMPLES {
            ring.samples.pop_front();
        }
        let number = ring.samples.back().map_or(0, |sample| sample.number) + 1;
        ring.samples.push_back(Sample {
            number,
            at: Timestamp::now(),
            seconds: took.as_secs_f64(),
            outcomes,
            accepted_calls: accepted,
            other_calls: other,
            latency: (accepted + other > 0)
                .then(|| Duration::from_secs_f64(seconds / (accepted + other) as f64)),
            rate: now.rate,
            waiting: now.waiting(),
        });
        ring.last = Some(now);
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Addresses that came to their end between two looks.
fn grown(now: &Glance, last: Option<&Glance>) -> [u64; 6] {
    let before = last.map_or([0; 6], |last| last.outcomes);
    std::array::from_fn(|kind| now.outcomes[kind].saturating_sub(before[kind]))
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
        history.add(metrics.glance(), Duration::from_secs(5));
        metrics.outcome(&known, &Outcome::Sent, 7);
        metrics.outcome(&like_an_outcome, &Outcome::Sent, 3);
        metrics.set_queued(&like_an_outcome, 40);
        metrics.call_finished(CallResult::Ok, Duration::from_millis(100), 10);
        metrics.call_finished(CallResult::Throttled, Duration::from_millis(300), 10);

        history.add(metrics.glance(), Duration::from_secs(5));

        let Past { samples, newest, .. } = history.after(0, &metrics);
        let sample = samples[1];
        assert_eq!((newest, sample.number, sample.outcomes, sample.waiting), (2, 2, [10, 0, 0, 0, 0, 0], 40));
        assert_eq!(samples[0].outcomes, [5, 0, 0, 0, 0, 0], "what came before the first sample is in it");
        assert_eq!((sample.accepted_calls, sample.other_calls), (1, 1));
        assert!((sample.latency.unwrap().as_secs_f64() - 0.2).abs() < 1e-6, "{sample:?}");
    }

    #[test]
    fn the_oldest_sample_makes_room_for_the_newest() {
        let (metrics, history) = (metrics(), History::default());

        for _ in 0..History::SAMPLES + 20 {
            history.add(metrics.glance(), History::STEP);
        }

        let Past { samples, newest, .. } = history.after(0, &metrics);
        assert_eq!((samples.len(), samples[0].number, newest), (History::SAMPLES, 21, 200));
        assert_eq!(history.after(198, &metrics).samples.len(), 2);
        assert_eq!(samples[0].latency, None);
    }

    #[test]
    fn what_happened_since_the_newest_sample_is_told_with_it() {
        let (metrics, history) = (metrics(), History::default());
        let client = ClientName::anonymous();
        metrics.outcome(&client, &Outcome::Sent, 5);
        assert_eq!(history.after(0, &metrics).since, [5, 0, 0, 0, 0, 0]);

        history.add(metrics.glance(), History::STEP);
        metrics.outcome(&client, &Outcome::Sent, 2);
        let past = history.after(0, &metrics);

        let told: u64 = past.samples.iter().map(|sample| sample.outcomes[0]).sum();
        assert_eq!((told + past.since[0], past.since[0]), (past.now.outcomes[0], 2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_sample_is_taken_at_the_end_of_each_step() {
        let history = History::default();
        let metrics = metrics();
        let keeping = tokio::spawn(history.clone().keep(Arc::clone(&metrics)));

        tokio::time::sleep(History::STEP * 3 + History::STEP / 2).await;

        let samples = history.after(0, &metrics).samples;
        assert_eq!(samples.iter().map(|sample| sample.seconds.round() as u64).collect::<Vec<_>>(), [5, 5, 5]);
        keeping.abort();
    }
}
