//! What is learned while calling survives a restart: the pace, culprits, a replaced refresh token.

use std::{fs, time::Duration};

use faxplus_gateway::sandbox::{OAuthOptions, SandboxOptions};
use serde_json::json;

use crate::gateway::{Gateway, addresses, eventually};

const RATE: &str = "faxplus_gateway_upstream_rate_calls_per_second";

#[actix_web::test]
async fn the_learned_pace_is_kept_under_the_ceiling_of_the_day() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gateway.db");
    let gateway = Gateway::with(SandboxOptions::default(), &[("store.path", path.to_str().unwrap())]).await;
    let first = gateway.metric(RATE).await;
    assert_eq!(gateway.post("?results=none", &addresses("a", 2000)).await.status, 200);
    let learned =
        eventually(async || Some(gateway.metric(RATE).await).filter(|rate| *rate > 2.0 * first)).await;

    let gateway = gateway.restart(&[]).await;
    let kept = gateway.metric(RATE).await;
    let gateway = gateway.restart(&[("upstream.max_calls_per_second", "7")]).await;
    let under_the_ceiling = gateway.metric(RATE).await;

    assert!(kept >= learned, "{kept} of {learned}");
    assert_eq!(under_the_ceiling, 7.0);
    gateway.stop().await;
}

#[actix_web::test]
async fn a_limit_that_was_met_is_not_run_into_again_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gateway.db");
    let options = SandboxOptions { calls_per_second: Some(40.0), burst: 3, ..SandboxOptions::default() };
    let gateway = Gateway::with(options, &[("store.path", path.to_str().unwrap())]).await;
    assert_eq!(gateway.post("?results=none", &addresses("a", 1500)).await.status, 200);
    let throttled =
        |gateway: &Gateway| gateway.sandbox.stats().calls_by_status.get("429").copied().unwrap_or(0);
    let before = throttled(&gateway);
    assert!(before > 0, "the limit was never met");
    let learned = gateway.metric(RATE).await;

    let gateway = gateway.restart(&[]).await;
    let kept = gateway.metric(RATE).await;

    assert!((kept - learned).abs() < 0.1 * learned, "{kept} of {learned}");
    assert!(kept < 45.0, "{kept}");
    gateway.stop().await;
}

#[actix_web::test]
async fn a_known_culprit_costs_one_call_after_a_restart_and_one_that_was_accepted_is_none() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gateway.db");
    let gateway = Gateway::with(SandboxOptions::default(), &[("store.path", path.to_str().unwrap())]).await;
    let refused = json!([{"address": "bad*", "fate": "status", "status": 400, "error": "bad"}]);
    gateway.faults(refused.clone());
    let mut first = addresses("a", 18);
    first.extend(["bad1@example.com".to_owned(), "bad2@example.com".to_owned()]);
    let answer = gateway.post("", &first).await;
    assert_eq!(answer.json()["counts"]["rejected"], 2);
    gateway.faults(json!([]));
    assert_eq!(gateway.post("", &["bad2@example.com"]).await.status, 200);
    let gateway = gateway.restart(&[]).await;
    gateway.faults(refused);
    let before = gateway.sandbox.stats().calls;

    let mut second = vec!["bad1@example.com".to_owned()];
    second.extend(addresses("b", 20));
    let answer = gateway.post("", &second).await;
    let calls = gateway.sandbox.stats().calls - before;
    let plan = gateway.post("?dry_run=true&force=true", &["bad2@example.com", "c1@example.com"]).await;

    assert_eq!((answer.json()["counts"]["sent"].as_u64(), calls), (Some(20), 3), "{answer:?}");
    assert_eq!(plan.json()["upstream_calls"], 1, "one that was accepted goes with others");
    gateway.stop().await;
}

fn rotating() -> SandboxOptions {
    let oauth = OAuthOptions {
        rotates: true,
        client_id: Some("client".to_owned()),
        client_secret: Some("client-secret".to_owned()),
        refresh_token: Some("seed".to_owned()),
        ..OAuthOptions::default()
    };
    SandboxOptions { tokens: Some(Vec::new()), oauth, ..SandboxOptions::default() }
}

#[actix_web::test]
async fn a_replaced_refresh_token_outlasts_the_process_and_a_changed_seed_wins_over_it() {
    let directory = tempfile::tempdir().unwrap();
    let (path, seed) = (directory.path().join("gateway.db"), directory.path().join("seed"));
    fs::write(&seed, "seed\n").unwrap();
    let settings = [
        ("store.path", path.to_str().unwrap()),
        ("credentials.kind", "oauth2"),
        ("credentials.client_id", "client"),
        ("credentials.client_secret", "client-secret"),
        ("credentials.refresh_token_file", seed.to_str().unwrap()),
    ];
    let gateway = Gateway::with(rotating(), &settings).await;
    assert_eq!(gateway.post("", &["a@example.com"]).await.status, 200);

    // The seed is of no use any more: only what was kept is.
    let gateway = gateway.restart(&[]).await;
    assert_eq!(gateway.post("", &["b@example.com"]).await.status, 200);
    let gateway = gateway.restart(&[]).await;
    assert_eq!(gateway.post("", &["c@example.com"]).await.status, 200);
    assert_eq!(gateway.sandbox.stats().token_requests, 3);

    // A person has made a new grant, which ends the old one.
    fs::write(&seed, "new seed\n").unwrap();
    let oauth = OAuthOptions { refresh_token: Some("new seed".to_owned()), ..rotating().oauth };
    gateway.sandbox.set_oauth(oauth);
    gateway.sandbox.expire_access_tokens();
    let gateway = gateway.restart(&[]).await;
    assert_eq!(gateway.post("", &["d@example.com"]).await.status, 200);
    let gateway = gateway.restart(&[]).await;
    assert_eq!(gateway.post("", &["e@example.com"]).await.status, 200);
    gateway.stop().await;
}

/// OAuth2 with a seed in the settings, and a store at `path`.
fn oauth2(path: &str) -> [(&str, &str); 5] {
    [
        ("store.path", path),
        ("credentials.kind", "oauth2"),
        ("credentials.client_id", "client"),
        ("credentials.client_secret", "client-secret"),
        ("credentials.refresh_token", "seed"),
    ]
}

#[actix_web::test]
async fn the_end_waits_for_a_refresh_that_is_under_way() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gateway.db");
    let settings = oauth2(path.to_str().unwrap());
    let options = rotating();
    let rules = json!([{"target": "token", "times": 1, "fate": "delay", "ms": 1_500}]);
    let faults = faxplus_gateway::sandbox::parse_faults(rules.to_string().as_bytes()).unwrap();
    let mut gateway = Gateway::with(SandboxOptions { faults, ..options }, &settings).await;
    eventually(async || (gateway.sandbox.stats().token_requests == 1).then_some(())).await;

    gateway.end().await;

    let file = rusqlite::Connection::open(&path).unwrap();
    let sql = "SELECT value FROM facts WHERE name = 'refresh_token'";
    let kept: String = file.query_row(sql, [], |row| row.get(0)).unwrap();
    assert!(kept.contains(" sandbox-refresh-") && !kept.contains("seed"), "{kept}");
    let gateway = gateway.restart(&[]).await;
    assert_eq!(gateway.post("", &["a@example.com"]).await.status, 200);
    assert_eq!(gateway.sandbox.stats().token_requests, 2);
    gateway.stop().await;
}

#[actix_web::test]
async fn a_new_access_token_is_not_used_before_the_refresh_token_beside_it_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gateway.db");
    let settings = oauth2(path.to_str().unwrap());
    let rules = json!([{"target": "token", "times": 1, "fate": "delay", "ms": 5_000}]);
    let faults = faxplus_gateway::sandbox::parse_faults(rules.to_string().as_bytes()).unwrap();
    let gateway = Gateway::with(SandboxOptions { faults, ..rotating() }, &settings).await;
    let other = rusqlite::Connection::open(&path).unwrap();
    other.busy_timeout(Duration::from_secs(60)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();

    // SQLite waits ten seconds for the lock; by then the token has long been there.
    let failed = "faxplus_gateway_store_errors_total{operation=\"commit\"}";
    eventually(async || (gateway.metric(failed).await > 0.0).then_some(())).await;

    let stats = gateway.sandbox.stats();
    assert_eq!((stats.token_requests, stats.probes, stats.calls), (1, 0, 0));
    other.execute_batch("COMMIT").unwrap();
    // Lists are refused until the store has been written again.
    eventually(async || (gateway.post("", &["a@example.com"]).await.status == 200).then_some(())).await;
    gateway.stop().await;
}

#[actix_web::test]
async fn a_pause_survives_the_restart() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gateway.db");
    let gateway = Gateway::with(SandboxOptions::default(), &[("store.path", path.to_str().unwrap())]).await;
    let body = r#"{"note": "until noon"}"#;
    let json = [("content-type", "application/json")];
    let paused = gateway.request(awc::http::Method::POST, "/v1/operator/pause", &json, body).await.json();

    let gateway = gateway.restart(&[]).await;

    let now = gateway.get("/v1/operator").await.json();
    assert_eq!(
        (&now["paused"], &now["since"], &now["note"]),
        (&json!(true), &paused["since"], &json!("until noon"))
    );
    gateway.request(awc::http::Method::POST, "/v1/operator/resume", &[], "").await;
    let gateway = gateway.restart(&[]).await;
    assert_eq!(gateway.get("/v1/operator").await.json()["paused"], false);
    tokio::time::timeout(Duration::from_secs(60), gateway.stop()).await.unwrap();
}
