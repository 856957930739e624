//! What waits, and what holds it.

use std::{collections::HashMap, time::Duration};

use prometheus::{Gauge, IntGauge, IntGaugeVec, Result};

use super::{
    Metrics,
    register::{Register, gauge_value},
};
use crate::domain::{ClientName, NotSentReason};

#[derive(Debug)]
pub(super) struct DispatchSeries {
    pub(super) queued: IntGaugeVec,
    queued_by_client: HashMap<ClientName, IntGauge>,
    pub(super) oldest: Gauge,
    holds: Vec<IntGauge>,
}

impl DispatchSeries {
    pub(super) fn new(register: &Register<'_>, clients: &[ClientName]) -> Result<Self> {
        let queued = register.gauges(
            "queue_addresses",
            "Addresses that wait for their upstream call, by client.",
            &["client"],
        )?;
        let of_client = |client: &ClientName| {
            Ok((client.clone(), queued.get_metric_with_label_values(&[client.as_str()])?))
        };
        let holds = register.gauges(
            "hold",
            "1 while work is held for this reason; nothing held is lost.",
            &["reason"],
        )?;
        let hold = |reason: &NotSentReason| holds.get_metric_with_label_values(&[reason.as_str()]);
        Ok(Self {
            queued_by_client: clients.iter().map(of_client).collect::<Result<_>>()?,
            oldest: register.decimal_gauge(
                "queue_oldest_seconds",
                "Age of the oldest resend that waits; 0 when none does.",
            )?,
            holds: NotSentReason::ALL.iter().map(hold).collect::<Result<_>>()?,
            queued,
        })
    }

    /// Makes the series of a client.
    pub(super) fn add(&self, client: &ClientName) {
        drop(self.queued.with_label_values(&[client.as_str()]));
    }
}

impl Metrics {
    /// How many addresses of a client wait. A client that was not named at the start gets its series now.
    pub fn set_queued(&self, client: &ClientName, addresses: u64) {
        match self.dispatch.queued_by_client.get(client) {
            Some(gauge) => gauge.set(gauge_value(addresses)),
            None => self.dispatch.queued.with_label_values(&[client.as_str()]).set(gauge_value(addresses)),
        }
    }

    /// How long the oldest waiting resend has waited; zero when none does.
    pub fn set_queue_oldest(&self, age: Duration) {
        self.dispatch.oldest.set(age.as_secs_f64());
    }

    /// Whether work is held for this reason.
    pub fn set_hold(&self, reason: NotSentReason, held: bool) {
        self.dispatch.holds[reason as usize].set(i64::from(held));
    }
}
