//! The metrics of a gateway, read.

use std::collections::{BTreeMap, BTreeSet};

use crate::gateway::Gateway;

const PREFIX: &str = "faxplus_gateway_";

/// One reading. Names are without the prefix of the gateway.
pub struct Scrape {
    pub text: String,
    /// The type of each family.
    pub types: BTreeMap<String, String>,
    /// Each sample by its name and labels as written.
    pub samples: BTreeMap<String, f64>,
}

impl Scrape {
    pub async fn of(gateway: &Gateway) -> Self {
        let text = gateway.admin("/metrics").await.text();
        let (mut types, mut samples) = (BTreeMap::new(), BTreeMap::new());
        for line in text.lines() {
            let line = line.replace(PREFIX, "");
            if let Some(family) = line.strip_prefix("# TYPE ") {
                let (name, kind) = family.split_once(' ').unwrap();
                assert_eq!(types.insert(name.to_owned(), kind.to_owned()), None, "{name} twice");
            } else if !line.starts_with('#') {
                let (series, value) = line.rsplit_once(' ').unwrap();
                assert_eq!(samples.insert(series.to_owned(), value.parse().unwrap()), None, "{series} twice");
            }
        }
        Self { text, types, samples }
    }

    /// One sample.
    pub fn value(&self, series: &str) -> f64 {
        *self.samples.get(series).unwrap_or_else(|| panic!("no series {series}"))
    }

    /// The sum over all samples of a family.
    pub fn sum(&self, name: &str) -> f64 {
        let of_family = self.samples.iter().filter(|(series, _)| series.split('{').next() == Some(name));
        of_family.map(|(_, value)| value).sum()
    }

    /// The names of the labels of a family; those of histograms without `le`.
    pub fn labels(&self, name: &str) -> BTreeSet<&str> {
        let bucket = format!("{name}_bucket");
        let series = self.samples.keys().find(|series| {
            let family = series.split('{').next();
            family == Some(name) || family == Some(&bucket)
        });
        let series = series.unwrap_or_else(|| panic!("no sample of {name}"));
        let labels = series.split_once('{').map_or("", |(_, labels)| labels.trim_end_matches('}'));
        let names = labels.split("\",").filter_map(|label| label.split_once('=')).map(|(name, _)| name);
        names.filter(|name| *name != "le").collect()
    }
}
