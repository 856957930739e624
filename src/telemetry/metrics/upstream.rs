//! Calls to fax.plus: how they ended, how fast they may go, whether the credential is good.

use std::time::Duration;

use prometheus::{Gauge, Histogram, IntCounter, IntGauge, Result};

use super::{
    BreakerState, Metrics, RetryReason,
    register::{AbsentGauge, Register, gauge_value},
};
use crate::domain::{CallResult, Timestamp};

const SECONDS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0];
const ADDRESSES: &[f64] = &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0];

#[derive(Debug)]
pub(super) struct UpstreamSeries {
    pub(super) calls: Vec<IntCounter>,
    pub(super) durations: Vec<Histogram>,
    batch: Histogram,
    retries: Vec<IntCounter>,
    pub(super) in_flight: IntGauge,
    pub(super) rate: Gauge,
    pub(super) ceiling: Gauge,
    pub(super) breaker: IntGauge,
    pub(super) last_success: Gauge,
    pub(super) credential_valid: IntGauge,
    refreshes: Vec<IntCounter>,
    pub(super) expiry: AbsentGauge,
}

impl UpstreamSeries {
    pub(super) fn new(register: &Register<'_>) -> Result<Self> {
        let durations = register.histograms(
            "upstream_call_duration_seconds",
            "Time of an upstream call, from the connection to the end of the answer.",
            &["result"],
            SECONDS,
        )?;
        let duration = |result: CallResult| durations.get_metric_with_label_values(&[result.as_str()]);
        let series = Self {
            calls: register.counters_of(
                "upstream_calls_total",
                "Upstream calls that ended.",
                "result",
                CallResult::ALL.map(CallResult::as_str),
            )?,
            durations: CallResult::ALL.into_iter().map(duration).collect::<Result<_>>()?,
            batch: register.histogram(
                "upstream_batch_addresses",
                "Addresses in an upstream call.",
                ADDRESSES,
            )?,
            retries: register.counters_of(
                "upstream_retries_total",
                "Calls whose addresses are called again, by how the call ended; \"unknown\" only when \
                 upstream.on_unknown is resend.",
                "reason",
                RetryReason::ALL.iter().map(|reason| reason.as_str()),
            )?,
            in_flight: register.gauge("upstream_in_flight", "Upstream calls in flight.")?,
            rate: register.decimal_gauge("upstream_rate_calls_per_second", "The learned rate of calls.")?,
            ceiling: register.decimal_gauge(
                "upstream_rate_ceiling_calls_per_second",
                "The configured ceiling of the rate; 0 when there is none.",
            )?,
            breaker: register
                .gauge("upstream_breaker_state", "The breaker: 0 closed, 1 half-open, 2 open.")?,
            last_success: register.decimal_gauge(
                "last_upstream_success_timestamp_seconds",
                "When upstream last accepted a call, in seconds since 1970; 0 when it has not yet.",
            )?,
            credential_valid: register
                .gauge("credential_valid", "0 while fax.plus refuses the credential, else 1.")?,
            refreshes: register.counters_of(
                "credential_refreshes_total",
                "Requests for a new OAuth2 access token that ended.",
                "result",
                ["ok", "failed"],
            )?,
            expiry: register.absent_gauge(
                "credential_expiry_timestamp_seconds",
                "When the token in use ends, in seconds since 1970; there only when that is known.",
            )?,
        };
        series.credential_valid.set(1);
        Ok(series)
    }
}

impl Metrics {
    /// Counts a call of `addresses` that ended; a success sets the time of the last one.
    pub fn call_finished(&self, result: CallResult, duration: Duration, addresses: usize) {
        let series = &self.upstream;
        series.calls[result as usize].inc();
        series.durations[result as usize].observe(duration.as_secs_f64());
        series.batch.observe(addresses as f64);
        if result == CallResult::Ok {
            series.last_success.set(Timestamp::now().0 as f64 / 1000.0);
        }
    }

    /// Counts a call whose addresses are called again; see [`RetryReason::after`].
    pub fn retry(&self, reason: RetryReason) {
        self.upstream.retries[reason as usize].inc();
    }

    /// How many calls are in flight.
    pub fn set_upstream_in_flight(&self, calls: usize) {
        self.upstream.in_flight.set(gauge_value(calls as u64));
    }

    /// The learned rate.
    pub fn set_rate(&self, calls_per_second: f64) {
        self.upstream.rate.set(calls_per_second);
    }

    /// The configured ceiling of the rate, when there is one.
    pub fn set_rate_ceiling(&self, calls_per_second: Option<f64>) {
        self.upstream.ceiling.set(calls_per_second.unwrap_or(0.0));
    }

    /// Where the breaker stands.
    pub fn set_breaker(&self, state: BreakerState) {
        self.upstream.breaker.set(state as i64);
    }

    /// Counts a request for a new access token that ended.
    pub fn credential_refreshed(&self, ok: bool) {
        self.upstream.refreshes[usize::from(!ok)].inc();
    }

    /// When the token in use ends; `None` when nobody said.
    pub fn set_credential_expiry(&self, at: Option<Timestamp>) {
        self.upstream.expiry.set(at.map(|at| at.0 as f64 / 1000.0));
    }

    /// Whether the credential is good, as far as known.
    pub fn set_credential_valid(&self, valid: bool) {
        self.upstream.credential_valid.set(i64::from(valid));
    }
}
