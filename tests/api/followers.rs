//! Two lists with one address: the second waits for the call of the first, and shares its end.

use faxplus_gateway::sandbox::SandboxOptions;
use serde_json::json;

use crate::gateway::Gateway;

#[actix_web::test]
async fn who_follows_a_call_in_flight_shares_its_end() {
    for (fate, expected) in [
        (json!({"fate": "status", "status": 500, "times": 1}), "unknown/server_error"),
        (json!({"fate": "status", "status": 400, "error": "bad", "times": 1}), "rejected/bad"),
        (json!({"fate": "delay", "ms": 1}), "duplicate"),
    ] {
        let options =
            SandboxOptions { latency: std::time::Duration::from_millis(200), ..SandboxOptions::default() };
        let gateway = Gateway::with(options, &[]).await;
        gateway.faults(json!([fate]));
        let first = gateway.post_async("", &["a@example.com"]).await;
        crate::gateway::eventually(async || (gateway.sandbox.stats().calls == 1).then_some(())).await;

        let second = gateway.post("", &["A@example.com"]).await;

        assert_eq!(second.words(), [expected], "{fate}");
        assert_eq!(gateway.sandbox.stats().calls, 1, "{fate}");
        gateway.finished(&first).await;
        gateway.stop().await;
    }
}

#[actix_web::test]
async fn who_follows_a_call_that_was_not_sent_is_sent_once() {
    let options =
        SandboxOptions { latency: std::time::Duration::from_millis(200), ..SandboxOptions::default() };
    let gateway = Gateway::with(options, &[]).await;
    gateway.faults(json!([{"fate": "status", "status": 429, "times": 1}]));
    let first = gateway.post_async("", &["a@example.com"]).await;
    crate::gateway::eventually(async || (gateway.sandbox.stats().calls == 1).then_some(())).await;

    let second = gateway.post("", &["a@example.com"]).await;

    assert_eq!(gateway.accepted("a@example.com"), 1);
    let mut told = [second.words()[0].clone(), gateway.results(&first).await[0].1.clone()];
    told.sort();
    assert_eq!(told, ["duplicate", "sent"]);
    gateway.stop().await;
}
