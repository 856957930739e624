//! A few of the numbers read back, for the status page: it shows what the metrics say, not a second count.

use super::{BreakerState, Metrics, register::read};
use crate::domain::{CallResult, OutcomeKind, Timestamp};

/// Some of the numbers at one moment.
#[derive(Debug, Clone)]
pub struct Glance {
    /// Addresses by outcome since the start, in the order of [`OutcomeKind::ALL`].
    pub outcomes: [u64; 6],
    /// Upstream calls since the start that were accepted.
    pub accepted_calls: u64,
    /// Upstream calls since the start that ended otherwise.
    pub other_calls: u64,
    /// How long all these calls took together.
    pub call_seconds: f64,
    /// Upstream calls in flight.
    pub in_flight: u64,
    /// The learned rate in calls a second.
    pub rate: f64,
    /// Its ceiling, when there is one.
    pub ceiling: Option<f64>,
    /// Where the breaker stands.
    pub breaker: BreakerState,
    /// When upstream last accepted a call.
    pub last_success: Option<Timestamp>,
    /// Whether the credential is good, as far as known.
    pub credential_valid: bool,
    /// When the token in use ends, if that is known.
    pub credential_expiry: Option<Timestamp>,
    /// Bytes that kept resends take.
    pub store_bytes: u64,
    /// Bytes that are free where the store's file is.
    pub store_free_bytes: u64,
    /// How long the oldest resend under way has waited.
    pub oldest_seconds: f64,
    /// Addresses that wait of each client that has some, the most first.
    pub queued: Vec<(String, u64)>,
}

impl Glance {
    /// Addresses that wait.
    pub fn waiting(&self) -> u64 {
        self.queued.iter().map(|(_, addresses)| addresses).sum()
    }
}

impl Metrics {
    /// Reads these numbers.
    pub fn glance(&self) -> Glance {
        let upstream = &self.upstream;
        let accepted_calls = upstream.calls[CallResult::Ok as usize].get();
        let all_calls: u64 = upstream.calls.iter().map(|calls| calls.get()).sum();
        let since_1970 = |seconds: f64| Timestamp((seconds * 1000.0) as u64);
        Glance {
            outcomes: self.outcomes(),
            accepted_calls,
            other_calls: all_calls.saturating_sub(accepted_calls),
            call_seconds: upstream.durations.iter().map(|durations| durations.get_sample_sum()).sum(),
            in_flight: count(upstream.in_flight.get()),
            rate: upstream.rate.get(),
            ceiling: Some(upstream.ceiling.get()).filter(|ceiling| *ceiling > 0.0),
            breaker: match upstream.breaker.get() {
                0 => BreakerState::Closed,
                1 => BreakerState::HalfOpen,
                _ => BreakerState::Open,
            },
            last_success: Some(upstream.last_success.get()).filter(|at| *at > 0.0).map(since_1970),
            credential_valid: upstream.credential_valid.get() != 0,
            credential_expiry: upstream.expiry.get().map(since_1970),
            store_bytes: count(self.store.bytes.get()),
            store_free_bytes: count(self.store.free.get()),
            oldest_seconds: self.dispatch.oldest.get(),
            queued: self.queued(),
        }
    }

    fn outcomes(&self) -> [u64; 6] {
        let mut outcomes = [0; 6];
        for (labels, addresses) in
            read(&self.resends.addresses, |metric| metric.get_counter().get_value() as u64)
        {
            // The labels stand in the order of their names, and a client may be named like an outcome.
            if let Some(kind) = labels.last().and_then(|outcome| OutcomeKind::parse(outcome)) {
                outcomes[kind as usize] += addresses;
            }
        }
        outcomes
    }

    fn queued(&self) -> Vec<(String, u64)> {
        let series = read(&self.dispatch.queued, |metric| count(metric.get_gauge().get_value() as i64));
        let named =
            series.into_iter().filter_map(|(labels, waiting)| Some((labels.into_iter().next()?, waiting)));
        let mut queued: Vec<_> = named.filter(|(_, waiting)| *waiting > 0).collect();
        queued.sort_by(|(one, fewer), (other, more)| more.cmp(fewer).then_with(|| one.cmp(other)));
        queued
    }
}

fn count(gauge: i64) -> u64 {
    u64::try_from(gauge).unwrap_or_default()
}
