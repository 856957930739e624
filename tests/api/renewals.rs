//! Renewals of a credential that cross something else: a late answer, a file that changes, a probe.

use std::{fs, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use faxplus_gateway::sandbox::{OAuthOptions, SandboxOptions, parse_faults};
use serde_json::json;

use crate::gateway::{Gateway, addresses, eventually};

const CLIENT: [(&str, &str); 3] = [
    ("credentials.kind", "oauth2"),
    ("credentials.client_id", "client"),
    ("credentials.client_secret", "client-secret"),
];

const FAILED: &str = "faxplus_gateway_credential_refreshes_total{result=\"failed\"}";

fn oauth2<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [&CLIENT[..], more].concat()
}

/// Regression: the connection on which the token endpoint answered 1xx was used again, and where it has
/// the host of the API, the token that came late was taken for the answer to a PATCH: `sent`.
#[actix_web::test]
async fn a_stray_1xx_of_the_token_endpoint_does_not_answer_the_next_patch() {
    let oauth = OAuthOptions { expires_in: Duration::from_secs(2), ..OAuthOptions::default() };
    let options = SandboxOptions { tokens: Some(Vec::new()), oauth, ..SandboxOptions::default() };
    let gateway = Gateway::with(options, &oauth2(&[("credentials.refresh_token", "seed")])).await;
    assert_eq!(gateway.post("", &["first@example.com"]).await.status, 200);
    gateway.faults(json!([
        {"fate": "status", "status": 400, "error": "bad"},
        {"target": "token", "times": 1, "fate": "stray_1xx", "gap_ms": 1_500},
    ]));
    eventually(async || (gateway.metric(FAILED).await == 1.0).then_some(())).await;

    let answer = gateway.post("", &["a@example.com"]).await;

    assert_eq!(answer.words(), ["rejected/bad"]);
    gateway.stop().await;
}

/// Regression: the refusal of the old seed put the new one off, which the file had brought meanwhile.
#[actix_web::test]
async fn a_seed_that_changes_while_the_old_one_is_being_refused_is_tried_at_once() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), "old\n").unwrap();
    let oauth = OAuthOptions { refresh_token: Some("new".to_owned()), ..OAuthOptions::default() };
    // Longer than files are left alone.
    let rules = json!([{"target": "token", "times": 1, "fate": "delay", "ms": 6_000}]);
    let faults = parse_faults(rules.to_string().as_bytes()).unwrap();
    let options = SandboxOptions { tokens: Some(Vec::new()), oauth, faults, ..SandboxOptions::default() };
    let path = file.path().to_str().unwrap();
    let gateway = Gateway::with(options, &oauth2(&[("credentials.refresh_token_file", path)])).await;
    eventually(async || (gateway.sandbox.stats().token_requests == 1).then_some(())).await;

    fs::write(file.path(), "new\n").unwrap();
    let answer = gateway.post("", &addresses("a", 3)).await;

    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(gateway.metric(FAILED).await, 0.0);
    assert_eq!(gateway.sandbox.stats().token_requests, 2);
    gateway.stop().await;
}

/// Regression: what the proof of a refused token found in the file was not told to the gauge.
#[actix_web::test]
async fn the_end_of_a_token_that_a_proof_finds_in_its_file_is_published() {
    let token = |end: u64| {
        let claims = URL_SAFE_NO_PAD.encode(json!({"exp": end}).to_string());
        format!("e30.{claims}.c2ln")
    };
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), token(3_900_000_000)).unwrap();
    let options = SandboxOptions { tokens: Some(vec![token(4_000_000_000)]), ..SandboxOptions::default() };
    let gateway = Gateway::with(options, &[("credentials.token_file", file.path().to_str().unwrap())]).await;

    fs::write(file.path(), token(4_000_000_000)).unwrap();
    let answer = gateway.post("", &["a@example.com"]).await;

    assert_eq!(answer.status, 200, "{answer:?}");
    let expiry = "faxplus_gateway_credential_expiry_timestamp_seconds";
    assert_eq!(gateway.metric(expiry).await, 4_000_000_000.0);
    gateway.stop().await;
}

/// Regression: told was the moment at which the breaker would probe, which `Retry-After` forbids.
#[actix_web::test]
async fn the_next_attempt_that_is_told_is_after_the_wait_that_was_asked_for() {
    let overrides = [("upstream.breaker_failures", "1")];
    let gateway = Gateway::with(SandboxOptions::default(), &overrides).await;
    gateway.faults(json!([{"fate": "status", "status": 503, "retry_after": "600"}]));

    let id = gateway.post_async("", &["a@example.com"]).await;
    let held = gateway.until(&id, |resend| resend["hold"].is_object()).await;

    let at = held["hold"]["next_attempt_at"].as_str().unwrap();
    let at = humantime::parse_rfc3339(at).unwrap();
    let wait = at.duration_since(std::time::SystemTime::now()).unwrap_or_default();
    assert!(wait > Duration::from_secs(590), "{held}");
    gateway.stop().await;
}

/// Regression: the token that had come meanwhile was held, refreshed and proved for the 401 to the old one.
#[actix_web::test]
async fn a_401_to_a_probe_with_a_token_that_was_replaced_meanwhile_holds_nothing() {
    let oauth = OAuthOptions { expires_in: Duration::from_secs(2), ..OAuthOptions::default() };
    let options = SandboxOptions { tokens: Some(Vec::new()), oauth, ..SandboxOptions::default() };
    let one_at_a_time = [
        ("credentials.refresh_token", "seed"),
        ("upstream.batch_size", "1"),
        ("upstream.max_in_flight", "1"),
        ("upstream.breaker_failures", "1"),
    ];
    let gateway = Gateway::with(options, &oauth2(&one_at_a_time)).await;
    eventually(async || (gateway.sandbox.stats().probes == 1).then_some(())).await;
    // The breaker probes after a second; that is looked at when the first token is over.
    gateway.faults(json!([
        {"fate": "status", "status": 500, "times": 1},
        {"target": "probe", "fate": "delay", "ms": 1_500, "times": 1},
    ]));

    let answer = gateway.post("", &["a@example.com", "b@example.com"]).await;

    assert_eq!(answer.words(), ["unknown/server_error", "sent"]);
    assert_eq!(gateway.sandbox.stats().probes, 2, "that of the breaker and the first proof, no other");
    gateway.stop().await;
}
