//! Two lists with one address: the second waits for the call of the first, and shares its end.

use serde_json::json;

use crate::gateway::{Gateway, eventually};

/// Posts a list whose address is in a call that stays in flight; gives its id once it waits for that call.
async fn follow(gateway: &Gateway, email: &str) -> String {
    let id = gateway.post_async("", &[email]).await;
    gateway.until(&id, |resend| resend["status"] == "running").await;
    id
}

#[actix_web::test]
async fn who_follows_a_call_in_flight_shares_its_end() {
    for (fate, expected) in [
        (json!({"fate": "status", "status": 500, "times": 1}), "unknown/server_error"),
        (json!({"fate": "status", "status": 400, "error": "bad", "times": 1}), "rejected/bad"),
        (json!({"fate": "delay", "ms": 1}), "duplicate"),
    ] {
        let gateway = Gateway::start().await;
        gateway.faults(json!([fate]));
        gateway.sandbox.hold_answers();
        let first = gateway.post_async("", &["a@example.com"]).await;
        eventually(async || (gateway.sandbox.stats().calls == 1).then_some(())).await;
        let second = follow(&gateway, "A@example.com").await;

        gateway.sandbox.release_answers();
        gateway.finished(&second).await;

        assert_eq!(gateway.results(&second).await[0].1, expected, "{fate}");
        assert_eq!(gateway.sandbox.stats().calls, 1, "{fate}");
        gateway.finished(&first).await;
        gateway.stop().await;
    }
}

#[actix_web::test]
async fn who_follows_a_call_that_was_not_sent_is_sent_once() {
    let gateway = Gateway::start().await;
    gateway.faults(json!([{"fate": "status", "status": 429, "times": 1}]));
    gateway.sandbox.hold_answers();
    let first = gateway.post_async("", &["a@example.com"]).await;
    eventually(async || (gateway.sandbox.stats().calls == 1).then_some(())).await;
    let second = follow(&gateway, "a@example.com").await;

    gateway.sandbox.release_answers();
    let mut told = Vec::new();
    for id in [&first, &second] {
        gateway.finished(id).await;
        told.push(gateway.results(id).await[0].1.clone());
    }

    assert_eq!(gateway.accepted("a@example.com"), 1);
    told.sort();
    assert_eq!(told, ["duplicate", "sent"]);
    gateway.stop().await;
}
