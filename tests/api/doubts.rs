//! Doubts: told once, never repeated on their own, and only settled by a person or by the settings.

use faxplus_gateway::sandbox::SandboxOptions;
use serde_json::json;

use crate::gateway::{Gateway, addresses};

#[actix_web::test]
async fn a_doubt_is_not_mailed_again_but_by_force() {
    let gateway = Gateway::start().await;
    gateway.faults(json!([{"fate": "accept_then_500", "times": 1}]));
    assert_eq!(gateway.post("", &["a@example.com"]).await.words(), ["unknown/server_error"]);

    let again = gateway.post("", &["a@example.com"]).await;
    assert_eq!((again.status.as_u16(), again.words()), (207, vec!["unknown/earlier_doubt".to_owned()]));
    assert_eq!(gateway.sandbox.stats().calls, 1);

    assert_eq!(gateway.post("?force=true", &["a@example.com"]).await.words(), ["sent"]);
    assert_eq!(gateway.post("", &["a@example.com"]).await.words(), ["duplicate"]);
    assert_eq!(gateway.accepted("a@example.com"), 2);
    gateway.stop().await;
}

#[actix_web::test]
async fn with_resend_a_doubt_is_tried_again_until_it_is_sent() {
    let gateway = Gateway::with(SandboxOptions::default(), &[("upstream.on_unknown", "resend")]).await;
    gateway.faults(json!([{"fate": "status", "status": 500, "times": 2}]));

    let answer = gateway.post("", &addresses("a", 10)).await;

    assert_eq!(answer.words(), ["sent"; 10]);
    assert_eq!(answer.json()["upstream_calls"], 3);
    gateway.stop().await;
}

#[actix_web::test]
async fn with_resend_a_doubt_ends_unknown_after_the_last_attempt_also_when_it_is_refused_then() {
    for last in [json!({"fate": "status", "status": 500}), json!({"fate": "status", "status": 400})] {
        let gateway = Gateway::with(
            SandboxOptions::default(),
            &[("upstream.on_unknown", "resend"), ("upstream.max_attempts", "2")],
        )
        .await;
        let first = json!({"fate": "accept_then_500", "times": 1});
        gateway.faults(json!([first, last]));

        let answer = gateway.post("", &["a@example.com"]).await;

        assert_eq!(answer.words(), ["unknown/server_error"], "{last}");
        assert_eq!(gateway.sandbox.stats().calls, 2);
        gateway.stop().await;
    }
}

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
