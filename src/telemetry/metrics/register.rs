//! Makes metrics under the prefix of the gateway and registers them.

use prometheus::{
    Counter, Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Opts, Registry, Result,
    core::Collector,
    proto::{Metric, MetricFamily},
};

const PREFIX: &str = "faxplus_gateway";
/// That of what every exporter tells of its process.
const PROCESS: &str = "process";

/// Where new metrics go.
pub(super) struct Register<'registry> {
    registry: &'registry Registry,
}

impl<'registry> Register<'registry> {
    pub(super) fn new(registry: &'registry Registry) -> Self {
        Self { registry }
    }

    pub(super) fn counters(&self, name: &str, help: &str, labels: &[&str]) -> Result<IntCounterVec> {
        self.add(IntCounterVec::new(Opts::new(name, help).namespace(PREFIX), labels)?)
    }

    /// One counter for each word of the one label, in the order given.
    pub(super) fn counters_of(
        &self,
        name: &str,
        help: &str,
        label: &str,
        words: impl IntoIterator<Item = &'static str>,
    ) -> Result<Vec<IntCounter>> {
        let family = self.counters(name, help, &[label])?;
        words.into_iter().map(|word| family.get_metric_with_label_values(&[word])).collect()
    }

    pub(super) fn gauge(&self, name: &str, help: &str) -> Result<IntGauge> {
        self.add(IntGauge::with_opts(Opts::new(name, help).namespace(PREFIX))?)
    }

    /// One of the standard `process_*`.
    pub(super) fn process_gauge(&self, name: &str, help: &str) -> Result<IntGauge> {
        self.add(IntGauge::with_opts(Opts::new(name, help).namespace(PROCESS))?)
    }

    /// One of the standard `process_*`.
    pub(super) fn process_counter(&self, name: &str, help: &str) -> Result<Counter> {
        self.add(Counter::with_opts(Opts::new(name, help).namespace(PROCESS))?)
    }

    pub(super) fn decimal_gauge(&self, name: &str, help: &str) -> Result<Gauge> {
        self.add(Gauge::with_opts(Opts::new(name, help).namespace(PREFIX))?)
    }

    /// A gauge that has a series only while it has a value.
    pub(super) fn absent_gauge(&self, name: &str, help: &str) -> Result<AbsentGauge> {
        let gauges = self.add(GaugeVec::new(Opts::new(name, help).namespace(PREFIX), &[])?)?;
        Ok(AbsentGauge(gauges))
    }

    pub(super) fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> Result<IntGaugeVec> {
        self.add(IntGaugeVec::new(Opts::new(name, help).namespace(PREFIX), labels)?)
    }

    pub(super) fn histogram(&self, name: &str, help: &str, buckets: &[f64]) -> Result<Histogram> {
        let options = HistogramOpts::new(name, help).namespace(PREFIX).buckets(buckets.to_vec());
        self.add(Histogram::with_opts(options)?)
    }

    pub(super) fn histograms(
        &self,
        name: &str,
        help: &str,
        labels: &[&str],
        buckets: &[f64],
    ) -> Result<HistogramVec> {
        let options = HistogramOpts::new(name, help).namespace(PREFIX).buckets(buckets.to_vec());
        self.add(HistogramVec::new(options, labels)?)
    }

    fn add<M: Collector + Clone + 'static>(&self, metric: M) -> Result<M> {
        self.registry.register(Box::new(metric.clone()))?;
        Ok(metric)
    }
}

/// A gauge that may have no value.
#[derive(Debug)]
pub(super) struct AbsentGauge(GaugeVec);

impl AbsentGauge {
    pub(super) fn set(&self, value: Option<f64>) {
        match value {
            Some(value) => self.0.with_label_values::<&str>(&[]).set(value),
            None => self.0.reset(),
        }
    }

    pub(super) fn get(&self) -> Option<f64> {
        read(&self.0, |metric| metric.get_gauge().get_value()).pop().map(|(_, value)| value)
    }
}

/// Each series of a family: the values of its labels, in the order of their names, and what `value` finds.
pub(super) fn read<T>(family: &impl Collector, value: impl Fn(&Metric) -> T) -> Vec<(Vec<String>, T)> {
    let labels = |metric: &Metric| metric.get_label().iter().map(|label| label.value().to_owned()).collect();
    let families = family.collect();
    let metrics = families.iter().flat_map(MetricFamily::get_metric);
    metrics.map(|metric| (labels(metric), value(metric))).collect()
}

/// A count as a gauge takes it.
pub(super) fn gauge_value(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
