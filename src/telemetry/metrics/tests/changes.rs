//! What the methods of upstream and of the gauges change.

use super::*;

#[test]
fn a_call_counts_its_end_its_time_and_its_addresses() {
    let metrics = metrics();

    for result in CallResult::ALL {
        metrics.call_finished(result, Duration::from_millis(20), 10);
    }

    let published = Published::of(&metrics);
    for result in CallResult::ALL {
        let word = result.as_str();
        assert_eq!(published.value(&format!("upstream_calls_total{{result=\"{word}\"}}")), 1.0);
        assert_eq!(
            published.value(&format!("upstream_call_duration_seconds_count{{result=\"{word}\"}}")),
            1.0
        );
    }
    assert_eq!(published.value("upstream_batch_addresses_sum"), 120.0);
    assert!(published.value("last_upstream_success_timestamp_seconds") > 1.7e9);
}

#[test]
fn each_setter_sets_its_own_gauge() {
    let metrics = metrics();
    metrics.set_resends_active(1);
    metrics.set_store_bytes(2);
    metrics.set_queue_oldest(Duration::from_millis(3500));
    metrics.set_hold(NotSentReason::Throttled, true);
    metrics.set_upstream_in_flight(4);
    metrics.set_rate(5.5);
    metrics.set_rate_ceiling(Some(6.5));
    metrics.set_breaker(BreakerState::Open);
    metrics.set_dedupe_entries(7);
    metrics.set_credential_valid(false);
    metrics.credential_refreshed(true);
    metrics.credential_refreshed(false);
    metrics.credential_refreshed(false);
    metrics.set_sandbox(true);
    metrics.resend_ended(Status::Finished);
    metrics.resend_ended(Status::Running);
    metrics.resend_first_call(Duration::from_secs(1));
    metrics.resend_estimate(1.5);
    metrics.dedupe_hit(DedupeHit::Doubt, 8);
    metrics.eviction(EvictionCause::Size);

    let published = Published::of(&metrics);

    for (series, value) in [
        ("resends_active", 1.0),
        ("store_bytes", 2.0),
        ("queue_oldest_seconds", 3.5),
        (r#"hold{reason="throttled"}"#, 1.0),
        (r#"hold{reason="paused"}"#, 0.0),
        ("upstream_in_flight", 4.0),
        ("upstream_rate_calls_per_second", 5.5),
        ("upstream_rate_ceiling_calls_per_second", 6.5),
        ("upstream_breaker_state", 2.0),
        ("dedupe_entries", 7.0),
        ("credential_valid", 0.0),
        (r#"credential_refreshes_total{result="ok"}"#, 1.0),
        (r#"credential_refreshes_total{result="failed"}"#, 2.0),
        ("sandbox", 1.0),
        (r#"resends_total{status="finished"}"#, 1.0),
        (r#"resends_total{status="cancelled"}"#, 0.0),
        ("resend_first_call_seconds_sum", 1.0),
        ("resend_estimate_ratio_sum", 1.5),
        (r#"dedupe_hits_total{kind="doubt"}"#, 8.0),
        (r#"dedupe_evictions_total{cause="size"}"#, 1.0),
    ] {
        assert_eq!(published.value(series), value, "{series}");
    }
}

#[test]
fn every_end_of_a_call_but_success_is_a_reason_to_call_again() {
    let mut reasons = BTreeSet::new();
    for result in CallResult::ALL {
        match RetryReason::after(result) {
            Some(reason) => {
                reasons.insert(reason.as_str());
            }
            None => assert_eq!(result, CallResult::Ok),
        }
    }

    assert_eq!(reasons.len(), RetryReason::ALL.len());
}
