//! The memory of recent sends.

use prometheus::{IntCounter, IntGauge, Result};

use super::{
    DedupeHit, EvictionCause, Metrics,
    register::{Register, gauge_value},
};

#[derive(Debug)]
pub(super) struct DedupeSeries {
    entries: IntGauge,
    hits: Vec<IntCounter>,
    evictions: Vec<IntCounter>,
}

impl DedupeSeries {
    pub(super) fn new(register: &Register<'_>) -> Result<Self> {
        Ok(Self {
            entries: register.gauge("dedupe_entries", "Addresses remembered, recent sends and doubts.")?,
            hits: register.counters_of(
                "dedupe_hits_total",
                "Addresses that were not sent again, by what was known of them.",
                "kind",
                DedupeHit::ALL.iter().map(|hit| hit.as_str()),
            )?,
            evictions: register.counters_of(
                "dedupe_evictions_total",
                "Addresses forgotten. By size is before their time: they could be sent twice.",
                "cause",
                EvictionCause::ALL.iter().map(|cause| cause.as_str()),
            )?,
        })
    }
}

impl Metrics {
    /// How many addresses are remembered.
    pub fn set_dedupe_entries(&self, addresses: u64) {
        self.dedupe.entries.set(gauge_value(addresses));
    }

    /// Counts addresses that were not sent again.
    pub fn dedupe_hit(&self, hit: DedupeHit, addresses: u64) {
        self.dedupe.hits[hit as usize].inc_by(addresses);
    }

    /// Counts an address that was forgotten.
    pub fn eviction(&self, cause: EvictionCause) {
        self.dedupe.evictions[cause as usize].inc();
    }
}
