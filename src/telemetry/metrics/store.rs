//! The store's file: how long its operations take, which fail, how much room is left.

use std::time::Duration;

use prometheus::{Histogram, IntCounter, IntGauge, Result};

use super::{
    Metrics, StoreOperation,
    register::{Register, gauge_value},
};

const SECONDS: &[f64] = &[0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0];

#[derive(Debug)]
pub(super) struct StoreSeries {
    durations: Vec<Histogram>,
    errors: Vec<IntCounter>,
    pub(super) bytes: IntGauge,
    pub(super) free: IntGauge,
}

impl StoreSeries {
    pub(super) fn new(register: &Register<'_>) -> Result<Self> {
        let durations = register.histograms(
            "store_operation_duration_seconds",
            "Time of an operation on the store's file.",
            &["operation"],
            SECONDS,
        )?;
        let duration =
            |operation: &StoreOperation| durations.get_metric_with_label_values(&[operation.as_str()]);
        Ok(Self {
            durations: StoreOperation::ALL.iter().map(duration).collect::<Result<_>>()?,
            errors: register.counters_of(
                "store_errors_total",
                "Operations on the store's file that failed.",
                "operation",
                StoreOperation::ALL.iter().map(|operation| operation.as_str()),
            )?,
            bytes: register.gauge("store_bytes", "Bytes that kept resends take.")?,
            free: register
                .gauge("store_free_bytes", "Bytes that are free where the store's file is; 0 without one.")?,
        })
    }
}

impl Metrics {
    /// Observes an operation that ended, well or not.
    pub fn store_operation(&self, operation: StoreOperation, duration: Duration) {
        self.store.durations[operation as usize].observe(duration.as_secs_f64());
    }

    /// Counts an operation that failed.
    pub fn store_failed(&self, operation: StoreOperation) {
        self.store.errors[operation as usize].inc();
    }

    /// How many bytes kept resends take.
    pub fn set_store_bytes(&self, bytes: u64) {
        self.store.bytes.set(gauge_value(bytes));
    }

    /// How many bytes are free where the store's file is.
    pub fn set_store_free_bytes(&self, bytes: u64) {
        self.store.free.set(gauge_value(bytes));
    }
}
