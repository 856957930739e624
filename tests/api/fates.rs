//! Every fate of the simulated fax.plus leads to the outcome that the contract names, and what was told
//! agrees with the ledger.

use faxplus_gateway::sandbox::SandboxOptions;
use serde_json::{Value, json};

use crate::{
    gateway::{Gateway, addresses},
    port::reserved,
};

const QUICK: &[(&str, &str)] =
    &[("upstream.request_timeout_seconds", "5"), ("upstream.breaker_failures", "100")];

/// The first call meets `fate`; gives what the three addresses in it were told, and whether fax.plus
/// accepted them in that call.
async fn meet(fate: Value) -> (Gateway, Vec<String>, Vec<bool>) {
    let gateway = Gateway::with(SandboxOptions::default(), QUICK).await;
    let mut rule = json!({"calls": {"from": 1, "to": 1}});
    rule.as_object_mut().unwrap().extend(fate.as_object().unwrap().clone());
    gateway.faults(json!([rule]));
    let answer = gateway.post("", &addresses("a", 3)).await;
    let accepted = addresses("a", 3).iter().map(|email| gateway.accepted(email) > 0).collect();
    let words = answer.words();
    (gateway, words, accepted)
}

#[actix_web::test]
async fn what_may_have_acted_is_unknown() {
    for (fate, reason, accepted) in [
        (json!({"fate": "accept_then_500"}), "server_error", true),
        (json!({"fate": "status", "status": 500}), "server_error", false),
        (json!({"fate": "status", "status": 502, "body": "<html>bad gateway</html>"}), "server_error", false),
        (json!({"fate": "status", "status": 504, "body": ""}), "server_error", false),
        (json!({"fate": "status", "status": 503, "body": "<html>busy</html>"}), "server_error", false),
        (json!({"fate": "accept_then_hang_up"}), "connection_lost", true),
        (json!({"fate": "hang_up_after_reading"}), "connection_lost", false),
        (json!({"fate": "hang_up_before_reading"}), "connection_lost", false),
        (json!({"fate": "hang_up_inside_answer", "accept": true}), "connection_lost", true),
        (json!({"fate": "half_a_head", "accept": true}), "connection_lost", true),
        (json!({"fate": "garbage", "accept": true}), "unreadable_answer", true),
        (json!({"fate": "stray_1xx", "status": 103}), "unreadable_answer", true),
        (json!({"fate": "never_answer", "accept": true}), "timeout", true),
        (json!({"fate": "html_200", "accept": true}), "unreadable_answer", true),
        (json!({"fate": "html_200"}), "unreadable_answer", false),
        (json!({"fate": "wrong_json_200", "accept": true}), "unreadable_answer", true),
        (json!({"fate": "status", "status": 226, "accept": true}), "unreadable_answer", true),
    ] {
        let (gateway, words, seen) = meet(fate.clone()).await;

        assert_eq!(words, vec![format!("unknown/{reason}"); 3], "{fate}");
        assert_eq!(seen, [accepted; 3], "{fate}");
        gateway.faults(json!([]));
        let next = gateway.post("", &addresses("b", 3)).await;
        assert_eq!(next.words(), ["sent"; 3], "the call after {fate}");
        gateway.stop().await;
    }
}

#[actix_web::test]
async fn what_was_certainly_not_sent_is_held_and_then_sent_once() {
    for fate in [
        json!({"fate": "status", "status": 408}),
        json!({"fate": "status", "status": 429}),
        json!({"fate": "status", "status": 429, "retry_after": "0"}),
        json!({"fate": "status", "status": 429, "retry_after": "1"}),
        json!({"fate": "status", "status": 429, "retry_after": "Sun, 06 Nov 1994 08:49:37 GMT"}),
        json!({"fate": "status", "status": 429, "retry_after": "soon"}),
        json!({"fate": "status", "status": 503}),
        json!({"fate": "status", "status": 503, "body": "", "retry_after": "1"}),
        json!({"fate": "status", "status": 418}),
        json!({"fate": "redirect", "status": 307, "location": "/v3/accounts/self"}),
        json!({"fate": "token_expired"}),
        json!({"fate": "delay", "ms": 20}),
        json!({"fate": "slow_body", "ms": 20}),
        json!({"fate": "close_after_answer"}),
        json!({"fate": "status", "status": 403}),
    ] {
        let (gateway, words, _) = meet(fate.clone()).await;

        assert_eq!(words, ["sent"; 3], "{fate}");
        for email in addresses("a", 3) {
            assert_eq!(gateway.accepted(&email), 1, "{fate}");
        }
        gateway.stop().await;
    }
}

#[actix_web::test]
async fn an_absurd_retry_after_is_cut_to_the_setting() {
    let gateway =
        Gateway::with(SandboxOptions::default(), &[("upstream.max_retry_after_seconds", "1")]).await;
    let absurd = "99999999999999999999999";
    gateway.faults(json!([{"fate": "status", "status": 429, "retry_after": absurd, "times": 1}]));

    let answer = gateway.post("", &["a@example.com"]).await;

    assert_eq!(answer.words(), ["sent"]);
    gateway.stop().await;
}

#[actix_web::test]
async fn an_address_refused_alone_is_rejected_in_upstreams_words() {
    for status in [400, 404, 409, 410, 413, 422] {
        let gateway = Gateway::start().await;
        gateway.faults(json!([{"address": "bad@*", "fate": "status", "status": status,
            "error": "not_pending", "description": "Nobody\u{7} waits."}]));

        let answer = gateway.post("", &["a@example.com", "bad@example.com", "b@example.com"]).await;

        assert_eq!(answer.status, 207);
        assert_eq!(answer.words(), ["sent", "rejected/not_pending", "sent"], "{status}");
        assert_eq!(answer.json()["results"][1]["detail"], "Nobody waits.");
        assert_eq!(gateway.accepted("bad@example.com"), 0);
        gateway.stop().await;
    }
}

#[actix_web::test]
async fn an_upstream_that_is_not_there_is_waited_for_and_nobody_is_in_doubt() {
    let (_reserved, address) = reserved();
    let base_url = format!("http://{address}/v3");
    let gateway = Gateway::with(SandboxOptions::default(), &[("upstream.base_url", &base_url)]).await;
    let id = gateway.post_async("", &addresses("a", 25)).await;
    let held = gateway.until(&id, |resend| resend["hold"].is_object()).await;
    assert_eq!(held["hold"]["reason"], "upstream_unavailable");
    assert_eq!(held["counts"]["pending"], 25);
    assert!(held["hold"]["detail"].as_str().unwrap().starts_with("25 addresses are safe; "), "{held}");
    assert_eq!(held["upstream_calls"], 0);

    let late = faxplus_gateway::sandbox::Sandbox::start(address, SandboxOptions::default()).await.unwrap();
    let resend = gateway.finished(&id).await;

    assert_eq!(resend["counts"]["sent"], 25);
    assert!(late.ledger().values().all(|accepted| *accepted == 1));
    gateway.stop().await;
    late.stop().await;
}
