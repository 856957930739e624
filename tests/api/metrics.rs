//! Metrics: all there from the start, true to what callers were told, and without a word of theirs.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use awc::http::Method;
use faxplus_gateway::sandbox::SandboxOptions;
use serde_json::json;

use crate::{
    gateway::{Gateway, addresses, eventually},
    scrape::Scrape,
};

/// Every metric of the contract: name, type, labels.
const METRICS: [(&str, &str, &[&str]); 38] = [
    ("http_requests_total", "counter", &["method", "route", "status"]),
    ("http_request_duration_seconds", "histogram", &["method", "route"]),
    ("http_requests_in_flight", "gauge", &[]),
    ("auth_failures_total", "counter", &["reason"]),
    ("addresses_received_total", "counter", &["client"]),
    ("addresses_total", "counter", &["client", "outcome"]),
    ("outcome_reasons_total", "counter", &["outcome", "reason"]),
    ("resends_total", "counter", &["status"]),
    ("resends_active", "gauge", &[]),
    ("resend_first_call_seconds", "histogram", &[]),
    ("resend_estimate_ratio", "histogram", &[]),
    ("queue_addresses", "gauge", &["client"]),
    ("queue_oldest_seconds", "gauge", &[]),
    ("hold", "gauge", &["reason"]),
    ("upstream_calls_total", "counter", &["result"]),
    ("upstream_call_duration_seconds", "histogram", &["result"]),
    ("upstream_batch_addresses", "histogram", &[]),
    ("upstream_retries_total", "counter", &["reason"]),
    ("upstream_in_flight", "gauge", &[]),
    ("upstream_rate_calls_per_second", "gauge", &[]),
    ("upstream_rate_ceiling_calls_per_second", "gauge", &[]),
    ("upstream_breaker_state", "gauge", &[]),
    ("last_upstream_success_timestamp_seconds", "gauge", &[]),
    ("dedupe_entries", "gauge", &[]),
    ("dedupe_hits_total", "counter", &["kind"]),
    ("dedupe_evictions_total", "counter", &["cause"]),
    ("credential_valid", "gauge", &[]),
    ("credential_refreshes_total", "counter", &["result"]),
    ("store_operation_duration_seconds", "histogram", &["operation"]),
    ("store_errors_total", "counter", &["operation"]),
    ("store_bytes", "gauge", &[]),
    ("store_free_bytes", "gauge", &[]),
    ("sandbox", "gauge", &[]),
    ("build_info", "gauge", &["commit", "version"]),
    ("process_cpu_seconds_total", "counter", &[]),
    ("process_open_fds", "gauge", &[]),
    ("process_resident_memory_bytes", "gauge", &[]),
    ("process_start_time_seconds", "gauge", &[]),
];

/// What the contract names and is not here from the start: nothing says when an opaque token ends.
const ABSENT: [&str; 1] = ["credential_expiry_timestamp_seconds"];

/// The closed sets of the labels whose words the contract gives.
const WORDS: [(&str, &[&str]); 6] = [
    ("addresses_total", &["sent", "duplicate", "invalid", "rejected", "not_sent", "unknown"]),
    ("resends_total", &["finished", "cancelled"]),
    (
        "hold",
        &[
            "upstream_unavailable",
            "throttled",
            "credentials_rejected",
            "forbidden",
            "upstream_refusing",
            "misconfigured",
            "paused",
        ],
    ),
    (
        "upstream_calls_total",
        &[
            "ok",
            "rejected",
            "unauthorized",
            "forbidden",
            "throttled",
            "unavailable",
            "misconfigured",
            "server_error",
            "timeout",
            "connect_failed",
            "connection_lost",
            "unreadable_answer",
        ],
    ),
    ("dedupe_hits_total", &["recent", "in_flight", "same_request", "doubt"]),
    ("dedupe_evictions_total", &["expired", "size"]),
];

/// Upstream refuses, fails and shuts out some addresses.
async fn faulty() -> Gateway {
    let options = SandboxOptions { latency: Duration::from_millis(100), ..SandboxOptions::default() };
    let gateway = Gateway::with(options, &[]).await;
    gateway.faults(json!([
        {"address": "*@refused.example", "fate": "status", "status": 404, "error": "not_found",
         "description": "jane.roe@refused.example has no invitation"},
        {"address": "*@doubt.example", "fate": "accept_then_500"},
        {"address": "b@example.com", "times": 1, "fate": "status", "status": 503, "retry_after": "0"}
    ]));
    gateway
}

#[actix_web::test]
async fn every_metric_of_the_contract_is_there_from_the_start() {
    let gateway = Gateway::start().await;

    let scrape = Scrape::of(&gateway).await;

    for (name, kind, labels) in METRICS {
        assert_eq!(scrape.types.get(name).map(String::as_str), Some(kind), "{name}");
        assert_eq!(scrape.labels(name), labels.iter().copied().collect(), "{name}");
    }
    for name in ABSENT {
        assert!(!scrape.types.contains_key(name), "{name} is here now: move it to METRICS");
    }
    let known: BTreeSet<_> = METRICS.iter().map(|(name, ..)| *name).collect();
    let unknown: Vec<_> = scrape.types.keys().filter(|name| !known.contains(name.as_str())).collect();
    assert!(unknown.iter().all(|name| name.starts_with("process_")), "not in the contract: {unknown:?}");
    for (name, words) in WORDS {
        for word in words {
            assert!(
                scrape.samples.keys().any(|series| series.starts_with(&format!("{name}{{"))
                    && series.contains(&format!("\"{word}\""))),
                "{name} {word}"
            );
        }
    }
    assert_eq!((scrape.value("credential_valid"), scrape.value("sandbox")), (1.0, 0.0));
    let type_ = gateway.admin("/metrics").await;
    assert_eq!(type_.header("content-type"), Some("text/plain; version=0.0.4"));
    gateway.stop().await;
}

#[actix_web::test]
async fn no_series_is_born_by_traffic_and_none_holds_what_callers_wrote() {
    let gateway = faulty().await;
    let before = Scrape::of(&gateway).await;
    let list = ["jane.roe@example.com", "jane.roe", "jane.roe@refused.example", "jane.roe@doubt.example"];

    gateway.post("?jane.roe=1", &list).await;
    gateway.post("?results=none", &list).await;
    gateway.post_body("text/jane.roe", "jane.roe@example.com").await;
    gateway.post_body("text/plain", b"jane.roe@example.com\xff".to_vec()).await;
    let brew = Method::from_bytes(b"JANE.ROE").unwrap();
    for (method, path) in [
        (Method::GET, "/jane.roe@example.com"),
        (Method::GET, "/v1/resends/jane.roe@example.com"),
        (Method::GET, "/v1/resends/jane.roe/results?outcome=jane.roe"),
        (brew, "/v1/resends"),
        (Method::DELETE, "/v1/resends/jane.roe"),
    ] {
        for fields in [&[][..], &[("origin", "http://jane.roe")], &[("user-agent", "jane.roe")]] {
            gateway.request(method.clone(), path, fields, "").await;
            gateway.admin_request(method.clone(), path, fields).await;
            gateway.admin_request(Method::GET, "/readyz?jane.roe", fields).await;
            gateway.admin_request(Method::GET, "/livez", fields).await;
            gateway.admin_request(Method::PUT, "/metrics", fields).await;
        }
    }
    let after = Scrape::of(&gateway).await;

    let born: Vec<_> = after.samples.keys().filter(|series| !before.samples.contains_key(*series)).collect();
    assert!(born.is_empty(), "{born:?}");
    assert!(!after.text.to_lowercase().contains("jane") && !after.text.contains('@'), "{}", after.text);
    gateway.stop().await;
}

#[actix_web::test]
async fn counters_tell_what_callers_were_told() {
    let gateway = faulty().await;
    let list = [
        "a@example.com",
        "A@example.com",
        "b@example.com",
        "a@EXAMPLE.com",
        "nobody",
        "",
        "r@refused.example",
        "R@refused.example",
        "c@example.com",
    ];
    let before = gateway.post("", &["c@example.com"]).await;
    let in_doubt = gateway.post("", &["x@doubt.example"]).await;

    let both = tokio::join!(gateway.post("", &list), gateway.post("", &list));
    let doubt = gateway.post("", &["x@doubt.example"]).await;
    let cancelled = {
        gateway.faults(json!([{"fate": "status", "status": 429, "retry_after": "60"}]));
        gateway.post_with("?on_timeout=cancel", &[("prefer", "wait=1")], &addresses("held", 12)).await
    };

    let answers = [before, in_doubt, both.0, both.1, doubt, cancelled];
    let scrape = eventually(async || {
        let scrape = Scrape::of(&gateway).await;
        (scrape.value("resends_active") == 0.0
            && scrape.value("queue_addresses{client=\"anonymous\"}") == 0.0)
            .then_some(scrape)
    })
    .await;
    let mut told: BTreeMap<String, f64> = BTreeMap::new();
    for (_, outcome) in answers.iter().flat_map(|answer| answer.outcomes()) {
        let (word, reason) = outcome.split_once('/').unwrap_or((&outcome, ""));
        *told.entry(format!("addresses_total{{client=\"anonymous\",outcome=\"{word}\"}}")).or_default() +=
            1.0;
        if ["invalid", "not_sent", "unknown"].contains(&word) {
            let series = format!("outcome_reasons_total{{outcome=\"{word}\",reason=\"{reason}\"}}");
            *told.entry(series).or_default() += 1.0;
        }
    }
    for (series, value) in &scrape.samples {
        if series.starts_with("addresses_total") || series.starts_with("outcome_reasons_total") {
            assert_eq!(*value, told.get(series).copied().unwrap_or(0.0), "{series}");
        }
    }
    assert_eq!(scrape.value("addresses_received_total{client=\"anonymous\"}"), 2.0 + 9.0 + 9.0 + 1.0 + 12.0);
    assert_eq!(scrape.value("resends_total{status=\"finished\"}"), 5.0);
    assert_eq!(scrape.value("resends_total{status=\"cancelled\"}"), 1.0);
    // Three repeats in each of the two lists; the second list follows the first, or finds it sent.
    assert_eq!(scrape.value("dedupe_hits_total{kind=\"same_request\"}"), 6.0);
    assert_eq!(scrape.value("dedupe_hits_total{kind=\"doubt\"}"), 1.0);
    let shared = scrape.value("dedupe_hits_total{kind=\"recent\"}")
        + scrape.value("dedupe_hits_total{kind=\"in_flight\"}");
    assert!((4.0..=5.0).contains(&shared), "{shared}");
    assert_calls_agree(&gateway, &scrape);
    gateway.stop().await;
}

/// Upstream's books and the gateway's agree on every call.
fn assert_calls_agree(gateway: &Gateway, scrape: &Scrape) {
    let (stats, calls) = (gateway.sandbox.stats(), gateway.sandbox.calls());
    assert_eq!(scrape.sum("upstream_calls_total"), stats.calls as f64);
    for (result, status) in [
        ("ok", "200"),
        ("rejected", "404"),
        ("server_error", "500"),
        ("unavailable", "503"),
        ("throttled", "429"),
    ] {
        let seen = stats.calls_by_status.get(status).copied().unwrap_or(0);
        assert!(seen > 0, "no call was {status}: {stats:?}");
        assert_eq!(
            scrape.value(&format!("upstream_calls_total{{result=\"{result}\"}}")),
            seen as f64,
            "{result}"
        );
        let timed = format!("upstream_call_duration_seconds_count{{result=\"{result}\"}}");
        assert_eq!(scrape.value(&timed), seen as f64, "{result}");
    }
    assert_eq!(scrape.value("upstream_batch_addresses_count"), stats.calls as f64);
    let carried: usize = calls.iter().map(|call| call.batch).sum();
    assert_eq!(scrape.value("upstream_batch_addresses_sum"), carried as f64);
    assert_eq!((scrape.value("upstream_in_flight"), scrape.value("http_requests_in_flight")), (0.0, 1.0));
    assert!(
        scrape.value("last_upstream_success_timestamp_seconds") > scrape.value("process_start_time_seconds")
    );
}

#[actix_web::test]
async fn an_address_that_follows_a_call_in_flight_is_counted_as_such() {
    let gateway = Gateway::start().await;
    gateway.sandbox.hold_answers();
    let first = gateway.post_async("", &["a@example.com"]).await;
    eventually(async || (gateway.accepted("a@example.com") == 1).then_some(())).await;

    let second = gateway.post_async("", &["A@example.com", "nobody"]).await;
    gateway.until(&second, |resend| resend["status"] == "running").await;
    gateway.sandbox.release_answers();
    let second = gateway.finished(&second).await["counts"].clone();
    let third = gateway.post("", &["a@example.com"]).await;

    assert_eq!((&second["duplicate"], &second["invalid"]), (&json!(1), &json!(1)));
    assert_eq!(third.words(), ["duplicate"]);
    assert_eq!(gateway.finished(&first).await["counts"]["sent"], 1);
    let scrape = Scrape::of(&gateway).await;
    for (kind, hits) in [("in_flight", 1.0), ("recent", 1.0), ("same_request", 0.0), ("doubt", 0.0)] {
        assert_eq!(scrape.value(&format!("dedupe_hits_total{{kind=\"{kind}\"}}")), hits, "{kind}");
    }
    gateway.stop().await;
}
