//! A small list is answered at upstream speed while a huge one waits, whatever the huge one is made of.

use std::time::Duration;

use faxplus_gateway::sandbox::SandboxOptions;
use serde_json::json;

use crate::gateway::{Gateway, addresses, eventually};

/// Calls of upstream that may pass until three addresses are told: those in flight, their own, and a few.
const FEW_CALLS: usize = 12;

async fn gateway() -> Gateway {
    let options = SandboxOptions { latency: Duration::from_millis(20), ..SandboxOptions::default() };
    Gateway::with(options, &[("upstream.max_in_flight", "4")]).await
}

async fn assert_three_are_answered_soon(gateway: &Gateway) {
    for round in 0..3 {
        let emails = addresses(&format!("small{round}x"), 3);
        // Upstream stands still until the list is taken: what is counted does not hang on how long that took.
        gateway.sandbox.hold_answers();
        let id = gateway.post_async("", &emails).await;
        let before = gateway.sandbox.stats().calls as usize;
        gateway.sandbox.release_answers();

        assert_eq!(gateway.finished(&id).await["counts"]["sent"], 3);

        let calls = gateway.sandbox.calls();
        let held = |email: &String| calls.iter().position(|call| call.emails.contains(email)).unwrap();
        let last = emails.iter().map(held).max().unwrap();
        assert!(last < before + FEW_CALLS, "{} calls", last - before);
    }
}

#[actix_web::test]
async fn three_are_answered_while_200_000_wait() {
    let gateway = gateway().await;
    let big = gateway.post_async("?results=none", &addresses("big", 200_000)).await;
    gateway.until(&big, |resend| resend["counts"]["sent"].as_u64() > Some(0)).await;

    assert_three_are_answered_soon(&gateway).await;

    assert_eq!(gateway.get(&format!("/v1/resends/{big}")).await.json()["status"], "running");
    gateway.stop().await;
}

#[actix_web::test]
async fn three_are_answered_while_200_000_are_refused() {
    let gateway = gateway().await;
    gateway.faults(json!([{"address": "big*", "fate": "status", "status": 400, "error": "bad"}]));
    let big = gateway.post_async("", &addresses("big", 200_000)).await;
    gateway.until(&big, |resend| resend["hold"]["reason"] == "upstream_refusing").await;

    assert_three_are_answered_soon(&gateway).await;

    gateway.stop().await;
}

#[actix_web::test]
async fn three_are_answered_while_200_000_are_duplicates() {
    let gateway = Gateway::with(SandboxOptions::default(), &[("upstream.max_in_flight", "32")]).await;
    let emails = addresses("big", 200_000);
    let first = gateway.post_async("", &emails).await;
    gateway.finished(&first).await;
    let again = gateway.post_async("", &emails).await;

    assert_three_are_answered_soon(&gateway).await;

    let resend = gateway.finished(&again).await;
    assert_eq!((&resend["counts"]["duplicate"], &resend["upstream_calls"]), (&json!(200_000), &json!(0)));
    gateway.stop().await;
}

#[actix_web::test]
async fn duplicates_are_told_while_calls_are_held() {
    let gateway = Gateway::start().await;
    let known = addresses("known", 30);
    gateway.post("", &known).await;
    gateway.faults(json!([{"fate": "status", "status": 429, "retry_after": "60"}]));
    let held = gateway.post_async("", &["new@example.com"]).await;
    gateway.until(&held, |resend| resend["hold"]["reason"] == "throttled").await;

    let answer = gateway.post("", &known).await;

    assert_eq!(answer.words(), ["duplicate"; 30]);
    eventually(async || {
        (gateway.metric("faxplus_gateway_hold{reason=\"throttled\"}").await == 1.0).then_some(())
    })
    .await;
    gateway.stop().await;
}
