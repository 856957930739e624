//! What callers posted, and what became of it.

use std::{collections::HashMap, time::Duration};

use prometheus::{Histogram, IntCounter, IntCounterVec, IntGauge, Result};

use super::{
    Metrics,
    register::{Register, gauge_value},
};
use crate::domain::{ClientName, InvalidReason, NotSentReason, Outcome, OutcomeKind, Status, UnknownReason};

const SECONDS: &[f64] =
    &[0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0];

/// Close together around 1, where the estimate was right.
const RATIOS: &[f64] = &[0.1, 0.25, 0.5, 0.67, 0.8, 0.9, 0.95, 1.0, 1.05, 1.1, 1.25, 1.5, 2.0, 4.0, 10.0];

#[derive(Debug)]
pub(super) struct ResendSeries {
    received: IntCounterVec,
    pub(super) addresses: IntCounterVec,
    clients: HashMap<ClientName, ClientSeries>,
    invalid: Vec<IntCounter>,
    not_sent: Vec<IntCounter>,
    unknown: Vec<IntCounter>,
    finished: IntCounter,
    cancelled: IntCounter,
    active: IntGauge,
    first_call: Histogram,
    estimate: Histogram,
}

#[derive(Debug)]
struct ClientSeries {
    received: IntCounter,
    by_outcome: Vec<IntCounter>,
}

impl ResendSeries {
    pub(super) fn new(register: &Register<'_>, clients: &[ClientName]) -> Result<Self> {
        let received =
            register.counters("addresses_received_total", "Addresses in accepted resends.", &["client"])?;
        let addresses = register.counters(
            "addresses_total",
            "Addresses that came to their end, by outcome.",
            &["outcome", "client"],
        )?;
        let clients = clients
            .iter()
            .map(|client| Ok((client.clone(), ClientSeries::new(client, &received, &addresses)?)))
            .collect::<Result<_>>()?;
        let reasons = register.counters(
            "outcome_reasons_total",
            "Addresses that ended invalid, not_sent or unknown, by reason.",
            &["outcome", "reason"],
        )?;
        let words = |kind: OutcomeKind, words: Vec<&str>| -> Result<Vec<IntCounter>> {
            words.iter().map(|word| reasons.get_metric_with_label_values(&[kind.as_str(), word])).collect()
        };
        let ends = register.counters("resends_total", "Resends that came to their end.", &["status"])?;
        let end = |status: Status| ends.get_metric_with_label_values(&[status.as_str()]);
        Ok(Self {
            invalid: words(OutcomeKind::Invalid, InvalidReason::ALL.iter().map(|r| r.as_str()).collect())?,
            not_sent: words(OutcomeKind::NotSent, NotSentReason::ALL.iter().map(|r| r.as_str()).collect())?,
            unknown: words(OutcomeKind::Unknown, UnknownReason::ALL.iter().map(|r| r.as_str()).collect())?,
            finished: end(Status::Finished)?,
            cancelled: end(Status::Cancelled)?,
            active: register.gauge("resends_active", "Resends that are accepted and not yet finished.")?,
            first_call: register.histogram(
                "resend_first_call_seconds",
                "Time from the acceptance of a resend to its first upstream call.",
                SECONDS,
            )?,
            estimate: register.histogram(
                "resend_estimate_ratio",
                "Real time of a finished resend divided by the time promised when it was accepted; 1 = met.",
                RATIOS,
            )?,
            received,
            addresses,
            clients,
        })
    }

    /// Makes the series of a client.
    pub(super) fn add(&self, client: &ClientName) {
        drop(self.received.with_label_values(&[client.as_str()]));
        for kind in OutcomeKind::ALL {
            drop(self.addresses.with_label_values(&[kind.as_str(), client.as_str()]));
        }
    }
}

impl ClientSeries {
    fn new(client: &ClientName, received: &IntCounterVec, addresses: &IntCounterVec) -> Result<Self> {
        let outcome =
            |kind: &OutcomeKind| addresses.get_metric_with_label_values(&[kind.as_str(), client.as_str()]);
        Ok(Self {
            received: received.get_metric_with_label_values(&[client.as_str()])?,
            by_outcome: OutcomeKind::ALL.iter().map(outcome).collect::<Result<_>>()?,
        })
    }
}

/// A client that nobody has added, such as one that is gone from the clients file and has work in the store,
/// gets its series at its first count: names come from authentication only, so the set stays closed.
impl Metrics {
    /// Counts the addresses of a resend that is now accepted.
    pub fn addresses_received(&self, client: &ClientName, addresses: u64) {
        match self.resends.clients.get(client) {
            Some(series) => series.received.inc_by(addresses),
            None => self.resends.received.with_label_values(&[client.as_str()]).inc_by(addresses),
        }
    }

    /// Counts addresses that ended like this, with the reason when the outcome has one of a closed set.
    pub fn outcome(&self, client: &ClientName, outcome: &Outcome, addresses: u64) {
        let kind = outcome.kind();
        match self.resends.clients.get(client) {
            Some(series) => series.by_outcome[kind as usize].inc_by(addresses),
            None => {
                let labels = [kind.as_str(), client.as_str()];
                self.resends.addresses.with_label_values(&labels).inc_by(addresses);
            }
        }
        match outcome {
            Outcome::Invalid(reason) => self.resends.invalid[*reason as usize].inc_by(addresses),
            Outcome::NotSent(reason) => self.resends.not_sent[*reason as usize].inc_by(addresses),
            Outcome::Unknown(reason) => self.resends.unknown[*reason as usize].inc_by(addresses),
            Outcome::Sent | Outcome::Duplicate(_) | Outcome::Rejected(_) => {}
        }
    }

    /// Counts a resend that ended. `Queued` and `Running` are no ends and count nothing.
    pub fn resend_ended(&self, status: Status) {
        match status {
            Status::Finished => self.resends.finished.inc(),
            Status::Cancelled => self.resends.cancelled.inc(),
            Status::Queued | Status::Running => {}
        }
    }

    /// How many resends are accepted and not finished.
    pub fn set_resends_active(&self, resends: u64) {
        self.resends.active.set(gauge_value(resends));
    }

    /// How long a resend waited for its first upstream call.
    pub fn resend_first_call(&self, since_acceptance: Duration) {
        self.resends.first_call.observe(since_acceptance.as_secs_f64());
    }

    /// How many times as long as promised a resend took that is finished now. The caller leaves out those
    /// that were too short to score.
    pub fn resend_estimate(&self, ratio: f64) {
        self.resends.estimate.observe(ratio);
    }
}
