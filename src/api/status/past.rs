//! The last quarter of an hour, as JSON: a sample a step.

use serde::Serialize;

use crate::{
    api::render::time,
    domain::OutcomeKind,
    telemetry::{History, Sample},
};

#[derive(Serialize)]
pub(super) struct HistoryBody {
    step_seconds: u64,
    most_samples: usize,
    samples: Vec<SampleBody>,
}

#[derive(Serialize)]
struct SampleBody {
    at: String,
    seconds: f64,
    #[serde(flatten)]
    outcomes: OutcomesBody,
    accepted_calls: u64,
    other_calls: u64,
    latency_ms: Option<f64>,
    rate: f64,
    queued: u64,
}

/// Addresses that came to their end, by outcome.
#[derive(Serialize)]
pub(super) struct OutcomesBody {
    sent: u64,
    duplicate: u64,
    invalid: u64,
    rejected: u64,
    not_sent: u64,
    unknown: u64,
}

impl HistoryBody {
    pub(super) fn of(samples: &[Sample]) -> Self {
        Self {
            step_seconds: History::STEP.as_secs(),
            most_samples: History::SAMPLES,
            samples: samples.iter().map(SampleBody::of).collect(),
        }
    }
}

impl SampleBody {
    fn of(sample: &Sample) -> Self {
        Self {
            at: time(sample.at),
            seconds: sample.seconds,
            outcomes: OutcomesBody::of(&sample.outcomes),
            accepted_calls: sample.accepted_calls,
            other_calls: sample.other_calls,
            latency_ms: sample.latency.map(|latency| latency.as_secs_f64() * 1000.0),
            rate: sample.rate,
            queued: sample.waiting,
        }
    }
}

impl OutcomesBody {
    pub(super) fn of(outcomes: &[u64; 6]) -> Self {
        let ended = |kind: OutcomeKind| outcomes[kind as usize];
        Self {
            sent: ended(OutcomeKind::Sent),
            duplicate: ended(OutcomeKind::Duplicate),
            invalid: ended(OutcomeKind::Invalid),
            rejected: ended(OutcomeKind::Rejected),
            not_sent: ended(OutcomeKind::NotSent),
            unknown: ended(OutcomeKind::Unknown),
        }
    }
}
