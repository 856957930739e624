//! The README's tables against the program: what is there is told, and what is told is there.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects")]

use std::collections::{BTreeMap, BTreeSet};

use faxplus_gateway::{
    api::ROUTES,
    domain::{ClientName, Timestamp},
    telemetry::{Metrics, metrics::BuildInfo},
};

const README: &str = include_str!("../README.md");
const DEFAULTS: &str = include_str!("../config/default.toml");

/// The rows under a heading of the third rank that begin with a word in backticks: their cells, without backticks.
fn rows(heading: &str) -> Vec<Vec<String>> {
    let (_, section) = README.split_once(&format!("\n### {heading}\n")).unwrap();
    let section = section.split("\n### ").next().unwrap();
    section
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.split('|').skip(1).map(|cell| cell.trim().trim_matches('`').to_owned()).collect())
        .collect()
}

/// Every key with its default, as `config/default.toml` writes it.
fn defaults() -> BTreeMap<String, String> {
    let mut section = "";
    let mut keys = BTreeMap::new();
    for line in DEFAULTS.lines().filter(|line| !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']');
        } else if let Some((key, value)) = line.split_once(" = ") {
            keys.insert(format!("{section}.{key}"), value.to_owned());
        }
    }
    keys
}

#[test]
fn the_settings_table_holds_every_key_with_its_default_and_no_other() {
    let rows = rows("Settings");

    let told: BTreeMap<_, _> = rows.iter().map(|cells| (cells[0].clone(), cells[1].clone())).collect();

    assert_eq!(told.len(), rows.len(), "a key stands there twice");
    assert_eq!(told, defaults());
}

#[test]
fn the_metrics_table_holds_every_name_and_no_other() {
    let metrics = Metrics::new(BuildInfo::current(), &[ClientName::anonymous()], ROUTES).unwrap();
    // The one metric that is there only once something is known.
    metrics.set_credential_expiry(Some(Timestamp::now()));
    let text = metrics.render().unwrap();
    let published: BTreeSet<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .map(|rest| rest.split(' ').next().unwrap().to_owned())
        .collect();
    let rows = rows("Metrics and health");

    let told: BTreeSet<_> = rows.iter().map(|cells| cells[0].clone()).collect();

    assert_eq!(told.len(), rows.len(), "a name stands there twice");
    assert_eq!(told, published);
}
