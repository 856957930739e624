//! The published text: names, labels, zeros, and what the methods change.

mod changes;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use super::*;
use crate::domain::{CallResult, InvalidReason, NotSentReason, Outcome, Status, Timestamp, UnknownReason};

/// Name, type and series at the start for one client and the two routes below.
const CONTRACT: &[(&str, &str, usize)] = &[
    ("http_requests_total", "counter", 8),
    ("http_request_duration_seconds", "histogram", 3),
    ("http_requests_in_flight", "gauge", 1),
    ("auth_failures_total", "counter", 3),
    ("addresses_received_total", "counter", 1),
    ("addresses_total", "counter", 6),
    ("outcome_reasons_total", "counter", 23),
    ("resends_total", "counter", 2),
    ("resends_active", "gauge", 1),
    ("resend_first_call_seconds", "histogram", 1),
    ("resend_estimate_ratio", "histogram", 1),
    ("queue_addresses", "gauge", 1),
    ("queue_oldest_seconds", "gauge", 1),
    ("hold", "gauge", 10),
    ("upstream_calls_total", "counter", 12),
    ("upstream_call_duration_seconds", "histogram", 12),
    ("upstream_batch_addresses", "histogram", 1),
    ("upstream_retries_total", "counter", 8),
    ("upstream_in_flight", "gauge", 1),
    ("upstream_rate_calls_per_second", "gauge", 1),
    ("upstream_rate_ceiling_calls_per_second", "gauge", 1),
    ("upstream_breaker_state", "gauge", 1),
    ("last_upstream_success_timestamp_seconds", "gauge", 1),
    ("dedupe_entries", "gauge", 1),
    ("dedupe_hits_total", "counter", 4),
    ("dedupe_evictions_total", "counter", 2),
    ("credential_valid", "gauge", 1),
    ("credential_refreshes_total", "counter", 2),
    ("store_operation_duration_seconds", "histogram", 3),
    ("store_errors_total", "counter", 3),
    ("store_bytes", "gauge", 1),
    ("store_free_bytes", "gauge", 1),
    ("sandbox", "gauge", 1),
    ("build_info", "gauge", 1),
];

fn metrics() -> Arc<Metrics> {
    let routes = [
        Route { pattern: "/v1/resends", method: "POST", statuses: &[200, 400] },
        Route { pattern: "/livez", method: "GET", statuses: &[200] },
    ];
    let build = BuildInfo { version: "1.2.3".into(), commit: "abc".into() };
    Metrics::new(build, &[ClientName::anonymous()], &routes).unwrap()
}

/// Series and values, and the type by family.
struct Published {
    values: BTreeMap<String, f64>,
    types: BTreeMap<String, String>,
    helps: BTreeSet<String>,
}

impl Published {
    fn of(metrics: &Metrics) -> Self {
        let mut published = Self { values: BTreeMap::new(), types: BTreeMap::new(), helps: BTreeSet::new() };
        for line in metrics.render().unwrap().lines() {
            match line.split(' ').collect::<Vec<_>>()[..] {
                ["#", "HELP", name, _, ..] => assert!(published.helps.insert(name.into()), "{line}"),
                ["#", "TYPE", name, kind] => {
                    assert!(published.types.insert(name.into(), kind.into()).is_none(), "{line}");
                }
                _ => {
                    let (series, value) = line.rsplit_once(' ').unwrap();
                    assert!(
                        published.values.insert(series.into(), value.parse().unwrap()).is_none(),
                        "{line}"
                    );
                }
            }
        }
        published
    }

    fn value(&self, series: &str) -> f64 {
        let series = format!("faxplus_gateway_{series}");
        *self.values.get(&series).unwrap_or_else(|| panic!("no series {series}"))
    }

    fn series_of(&self, name: &str, kind: &str) -> usize {
        let counted = if kind == "histogram" { format!("{name}_count") } else { name.to_owned() };
        self.values.keys().filter(|series| series.split('{').next() == Some(&counted)).count()
    }
}

#[test]
fn every_metric_of_the_contract_has_all_its_series_from_the_start() {
    let published = Published::of(&metrics());

    for (name, kind, series) in CONTRACT {
        let name = format!("faxplus_gateway_{name}");
        assert_eq!(published.types.get(&name).map(String::as_str), Some(*kind), "{name}");
        assert!(published.helps.contains(&name), "{name}");
        assert_eq!(published.series_of(&name, kind), *series, "{name}");
    }
    let own = published.types.keys().filter(|name| name.starts_with("faxplus_gateway_")).count();
    assert_eq!(own, CONTRACT.len(), "a metric that the contract does not have");
    assert!(published.types.contains_key("process_resident_memory_bytes"));
}

#[test]
fn the_end_of_a_credential_is_published_only_while_it_is_known() {
    let metrics = metrics();
    let name = "faxplus_gateway_credential_expiry_timestamp_seconds";

    metrics.set_credential_expiry(Some(Timestamp(1_764_000_000_500)));
    assert_eq!(Published::of(&metrics).value("credential_expiry_timestamp_seconds"), 1_764_000_000.5);
    assert_eq!(Published::of(&metrics).types.get(name).map(String::as_str), Some("gauge"));

    metrics.set_credential_expiry(None);
    assert!(!metrics.render().unwrap().contains(name));
}

#[test]
fn everything_begins_at_zero_but_what_is_known() {
    let published = Published::of(&metrics());

    let not_zero: Vec<_> = published
        .values
        .iter()
        .filter(|(series, value)| **value != 0.0 && series.starts_with("faxplus_gateway_"))
        .map(|(series, _)| series.as_str())
        .collect();

    let expected = r#"faxplus_gateway_build_info{commit="abc",version="1.2.3"}"#;
    assert_eq!(not_zero, [expected, "faxplus_gateway_credential_valid"]);
}

#[test]
fn names_and_label_values_are_plain_words() {
    let published = Published::of(&metrics());

    for series in published.values.keys() {
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{series}");
        assert!(!labels.contains(['@', '\\', ' ']), "{series}");
    }
}

#[test]
fn two_gateways_in_one_process_do_not_meet() {
    let (one, other) = (metrics(), metrics());

    one.retry(RetryReason::Throttled);

    let series = r#"upstream_retries_total{reason="throttled"}"#;
    assert_eq!(Published::of(&one).value(series), 1.0);
    assert_eq!(Published::of(&other).value(series), 0.0);
}

#[test]
fn every_outcome_counts_under_its_word_and_reason() {
    let metrics = metrics();
    let client = ClientName::anonymous();
    metrics.addresses_received(&client, 12);
    metrics.outcome(&client, &Outcome::Sent, 3);
    for reason in InvalidReason::ALL {
        metrics.outcome(&client, &Outcome::Invalid(*reason), 1);
    }
    for reason in NotSentReason::ALL {
        metrics.outcome(&client, &Outcome::NotSent(*reason), 1);
    }
    for reason in UnknownReason::ALL {
        metrics.outcome(&client, &Outcome::Unknown(*reason), 1);
    }

    let published = Published::of(&metrics);

    assert_eq!(published.value(r#"addresses_received_total{client="anonymous"}"#), 12.0);
    assert_eq!(published.value(r#"addresses_total{client="anonymous",outcome="sent"}"#), 3.0);
    assert_eq!(published.value(r#"addresses_total{client="anonymous",outcome="not_sent"}"#), 10.0);
    let reasons: Vec<_> =
        published.values.iter().filter(|(series, _)| series.contains("outcome_reasons_total")).collect();
    assert!(reasons.len() == 23 && reasons.iter().all(|(_, count)| **count == 1.0), "{reasons:?}");
}

#[test]
fn a_client_that_is_new_gets_its_own_series() {
    let metrics = metrics();
    let billing = ClientName::new("billing");

    metrics.addresses_received(&billing, 2);
    metrics.outcome(&billing, &Outcome::Sent, 2);
    metrics.set_queued(&billing, 5);

    let published = Published::of(&metrics);
    assert_eq!(published.value(r#"addresses_total{client="billing",outcome="sent"}"#), 2.0);
    assert_eq!(published.value(r#"addresses_total{client="anonymous",outcome="sent"}"#), 0.0);
    assert_eq!(published.value(r#"queue_addresses{client="billing"}"#), 5.0);
}

#[test]
fn a_client_that_is_added_has_all_its_series_at_zero_and_keeps_what_it_has() {
    let metrics = metrics();
    let (billing, crm) = (ClientName::new("billing"), ClientName::new("crm"));
    metrics.add_clients(std::slice::from_ref(&billing));
    metrics.addresses_received(&billing, 2);

    metrics.add_clients(&[billing, crm]);

    let published = Published::of(&metrics);
    let series_of = |client: &str| {
        let label = format!("client=\"{client}\"");
        published.values.iter().filter(|(series, _)| series.contains(&label)).collect::<Vec<_>>()
    };
    assert_eq!(series_of("crm").len(), series_of("anonymous").len());
    assert!(series_of("crm").iter().all(|(_, value)| **value == 0.0));
    assert_eq!(published.value(r#"addresses_received_total{client="billing"}"#), 2.0);
}

#[test]
fn a_request_is_in_flight_until_its_guard_is_dropped() {
    let metrics = metrics();

    let guard = metrics.http_in_flight();
    assert_eq!(Published::of(&metrics).value("http_requests_in_flight"), 1.0);
    drop(guard);

    assert_eq!(Published::of(&metrics).value("http_requests_in_flight"), 0.0);
}

#[test]
fn an_answer_counts_under_its_pattern_and_never_under_a_path() {
    let metrics = metrics();

    metrics.http_finished("/v1/resends", "POST", 200, Duration::from_millis(7));
    metrics.http_finished("/v1/resends", "POST", 503, Duration::ZERO);
    metrics.http_finished("/v1/ann@example.com", "GET", 404, Duration::ZERO);
    metrics.http_finished("/v1/resends", "HUSH", 405, Duration::ZERO);

    let published = Published::of(&metrics);
    let requests = |labels: &str| published.value(&format!("http_requests_total{{{labels}}}"));
    assert_eq!(requests(r#"method="POST",route="/v1/resends",status="200""#), 1.0);
    assert_eq!(requests(r#"method="POST",route="/v1/resends",status="503""#), 1.0);
    assert_eq!(requests(r#"method="OTHER",route="unmatched",status="404""#), 1.0);
    assert_eq!(requests(r#"method="OTHER",route="unmatched",status="405""#), 1.0);
    assert!(!metrics.render().unwrap().contains("ann@"));
    let bucket = r#"http_request_duration_seconds_bucket{method="POST",route="/v1/resends",le="0.01"}"#;
    assert_eq!(published.value(bucket), 2.0);
}
