//! The end of a gateway with a file, and its next start: what was promised goes on, once.

use std::{collections::BTreeSet, time::Duration};

use faxplus_gateway::sandbox::{Fate, Rule, SandboxOptions};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    gateway::{Answer, Gateway, addresses, eventually},
    wire::Wire,
};

/// A store at `path`, more work than can be done, and little time at the end.
fn soon_over(path: &str) -> [(&str, &str); 3] {
    [("store.path", path), ("upstream.max_calls_per_second", "20"), ("server.drain_timeout_seconds", "1")]
}

/// A path for a store, in a directory that goes with the test.
pub fn place() -> (TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gateway.db").to_str().unwrap().to_owned();
    (directory, path)
}

fn slow() -> SandboxOptions {
    SandboxOptions { latency: Duration::from_millis(20), ..SandboxOptions::default() }
}

/// Posts a list on a connection of its own, and waits for the end.
pub async fn begin_post(gateway: &Gateway, query: &str, emails: &[String]) -> Wire {
    let body = serde_json::to_string(emails).unwrap();
    let mut wire = Wire::connect(gateway.address()).await;
    wire.send(format!(
        "POST /v1/resends{query} HTTP/1.1\r\nHost: g\r\nContent-Type: application/json\r\nPrefer: wait=240\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    ))
    .await
    .unwrap();
    wire
}

async fn begin_get(gateway: &Gateway, path: &str) -> Wire {
    let mut wire = Wire::connect(gateway.address()).await;
    wire.send(format!("GET {path} HTTP/1.1\r\nHost: g\r\n\r\n")).await.unwrap();
    wire
}

pub async fn until_active(gateway: &Gateway, resends: f64) {
    let active = "faxplus_gateway_resends_active";
    eventually(async || (gateway.metric(active).await == resends).then_some(())).await;
}

fn count(resend: &Value, outcome: &str) -> u64 {
    resend["counts"][outcome].as_u64().unwrap()
}

/// Each of them was accepted once, and nobody else was.
fn assert_each_sent_once(gateway: &Gateway, lists: &[&[String]]) {
    let ledger = gateway.sandbox.ledger();
    let all: BTreeSet<_> = lists.concat().into_iter().collect();
    assert!(ledger.values().all(|accepted| *accepted == 1), "somebody was mailed twice");
    assert_eq!(ledger.keys().cloned().collect::<BTreeSet<_>>(), all);
}

fn id_of(answer: &Answer) -> String {
    answer.json()["id"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn what_is_unfinished_at_the_end_goes_on_at_the_next_start_and_nobody_is_mailed_twice() {
    let (_directory, path) = place();
    let settings = soon_over(&path);
    let mut gateway = Gateway::with(slow(), &settings).await;
    let (promised, mut waited, compat) = (addresses("p", 1800), addresses("w", 900), addresses("c", 600));
    waited.extend_from_slice(&promised[500..550]);
    let id = gateway.post_async("", &promised).await;
    let mut follower = begin_get(&gateway, &format!("/v1/resends/{id}/events")).await;
    let mut asker = begin_get(&gateway, &format!("/v1/resends/{id}?wait=240")).await;
    let mut caller = begin_post(&gateway, "", &waited).await;
    let body = serde_json::to_string(&compat).unwrap();
    let mut sdk = Wire::connect(gateway.address()).await;
    sdk.send(format!(
        "PATCH /v3/accounts/self/member-invitations HTTP/1.1\r\nHost: g\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    ))
    .await
    .unwrap();
    until_active(&gateway, 3.0).await;
    eventually(async || (gateway.sandbox.stats().addresses_accepted > 100).then_some(())).await;

    gateway.begin_stop();
    let (accepted, still_sending) = (caller.answer().await.unwrap(), sdk.answer().await.unwrap());
    let (events, asked) = (follower.answer().await.unwrap().text(), asker.answer().await.unwrap().json());

    assert_eq!(accepted.status, 202, "{accepted:?}");
    assert_eq!(accepted.header("location").unwrap(), format!("/v1/resends/{}", id_of(&accepted)));
    assert_eq!(
        (still_sending.status.as_u16(), &still_sending.json()["error"]),
        (504, &"still_sending".into())
    );
    let last = events.trim_end().rsplit("\n\n").next().unwrap();
    assert!(last.starts_with("event: progress\n") && !events.contains("event: finished"), "{events}");
    assert_eq!(asked["status"], "running");
    assert!(count(&asked, "pending") > 0 && count(&asked, "sent") > 0, "{asked}");
    let gateway = gateway.restart(&[("upstream.max_calls_per_second", "0")]).await;
    let (first, second) = (gateway.finished(&id).await, gateway.finished(&id_of(&accepted)).await);
    let third = gateway.finished(still_sending.json()["resend_id"].as_str().unwrap()).await;
    assert!(count(&first, "sent") >= count(&asked, "sent") && first["created_at"] == asked["created_at"]);
    assert_eq!(
        count(&first, "sent") + count(&second, "sent") + count(&third, "sent"),
        3300,
        "{first} {second}"
    );
    assert_eq!(count(&first, "duplicate") + count(&second, "duplicate"), 50);
    assert!(first["upstream_calls"].as_u64().unwrap() >= 175, "calls before the restart count: {first}");
    assert_each_sent_once(&gateway, &[&promised, &waited, &compat]);
    gateway.stop().await;
}

#[actix_web::test]
async fn a_call_that_is_cut_off_at_the_deadline_is_in_doubt_and_the_rest_goes_on() {
    let (_directory, path) = place();
    let faults = vec![Rule::new(Fate::NeverAnswer { accept: true }).address("stuck@example.com")];
    let settings = [
        ("store.path", path.as_str()),
        ("upstream.max_in_flight", "1"),
        ("server.drain_timeout_seconds", "1"),
    ];
    let mut gateway = Gateway::with(SandboxOptions { faults, ..SandboxOptions::default() }, &settings).await;
    let mut emails = vec!["stuck@example.com".to_owned()];
    emails.extend(addresses("a", 30));
    let mut caller = begin_post(&gateway, "", &emails).await;
    eventually(async || gateway.sandbox.ledger().contains_key("stuck@example.com").then_some(())).await;

    gateway.begin_stop();
    let accepted = caller.answer().await.unwrap();
    assert_eq!(accepted.status, 202, "{accepted:?}");
    let gateway = gateway.restart(&[]).await;
    let resend = gateway.finished(&id_of(&accepted)).await;

    // The first call proves that fax.plus answers, so the stuck one may be it or hold ten.
    assert_eq!((count(&resend, "unknown"), count(&resend, "sent")), (10, 21), "{resend}");
    let results = gateway.results(&id_of(&accepted)).await;
    let doubtful = results.iter().filter(|(_, outcome)| outcome == "unknown/interrupted");
    assert_eq!(doubtful.count(), 10);
    assert_each_sent_once(&gateway, &[&emails]);
    gateway.stop().await;
}

#[actix_web::test]
async fn a_caller_that_wants_nothing_to_go_on_without_it_is_told_what_was_not_sent() {
    let (_directory, path) = place();
    let mut gateway = Gateway::with(SandboxOptions::default(), &[("store.path", path.as_str())]).await;
    let pause = gateway.request(awc::http::Method::POST, "/v1/operator/pause", &[], "").await;
    assert_eq!(pause.status, 200);
    let mut caller = begin_post(&gateway, "?on_timeout=cancel", &addresses("a", 5)).await;
    let mut other = begin_post(&gateway, "", &addresses("b", 5)).await;
    until_active(&gateway, 2.0).await;

    gateway.begin_stop();
    let (told, accepted) = (caller.answer().await.unwrap(), other.answer().await.unwrap());

    assert_eq!((told.status.as_u16(), told.words()), (502, vec!["not_sent/shutdown".to_owned(); 5]));
    assert_eq!(accepted.status, 202);
    let gateway = gateway.restart(&[]).await;
    let held = gateway.get(&format!("/v1/resends/{}", id_of(&accepted))).await.json();
    assert_eq!(held["hold"]["reason"], "paused", "{held}");
    gateway.request(awc::http::Method::POST, "/v1/operator/resume", &[], "").await;
    assert_eq!(count(&gateway.finished(&id_of(&accepted)).await, "sent"), 5);
    assert_each_sent_once(&gateway, &[&addresses("b", 5)]);
    gateway.stop().await;
}

#[actix_web::test]
async fn who_is_in_doubt_and_would_be_tried_again_ends_in_doubt_with_the_gateway() {
    let (_directory, path) = place();
    let faults = vec![Rule::new(Fate::AcceptThen500).address("doubtful@example.com")];
    let settings = [
        ("store.path", path.as_str()),
        ("upstream.on_unknown", "resend"),
        ("upstream.breaker_failures", "1"),
        // Beyond the end: nothing more is called.
        ("upstream.breaker_cooldown_seconds", "60"),
    ];
    let mut gateway = Gateway::with(SandboxOptions { faults, ..SandboxOptions::default() }, &settings).await;
    let mut emails = vec!["doubtful@example.com".to_owned()];
    emails.extend(addresses("a", 20));
    let mut caller = begin_post(&gateway, "", &emails).await;
    let hold = "faxplus_gateway_hold{reason=\"upstream_unavailable\"}";
    eventually(async || (gateway.metric(hold).await == 1.0).then_some(())).await;

    gateway.begin_stop();
    let accepted = caller.answer().await.unwrap();
    assert_eq!(accepted.status, 202, "{accepted:?}");
    gateway.end().await;
    gateway.sandbox.set_faults(Vec::new());
    let gateway = gateway.restart(&[]).await;
    let resend = gateway.finished(&id_of(&accepted)).await;

    assert_eq!((count(&resend, "unknown"), count(&resend, "sent")), (10, 11), "{resend}");
    let results = gateway.results(&id_of(&accepted)).await;
    assert_eq!(
        results.iter().filter(|(_, outcome)| outcome == "unknown/server_error").count(),
        10,
        "{results:?}"
    );
    assert_each_sent_once(&gateway, &[&emails]);
    gateway.stop().await;
}

#[actix_web::test]
async fn a_caller_that_has_gone_keeps_nobody() {
    let (_directory, path) = place();
    let settings = [("store.path", path.as_str()), ("server.drain_timeout_seconds", "3600")];
    let mut gateway = Gateway::with(SandboxOptions::default(), &settings).await;
    gateway.request(awc::http::Method::POST, "/v1/operator/pause", &[], "").await;
    let caller = begin_post(&gateway, "", &addresses("a", 5)).await;
    until_active(&gateway, 1.0).await;
    let requests = "faxplus_gateway_http_requests_in_flight";
    caller.reset();
    // One of them is the question itself.
    eventually(async || (gateway.metric(requests).await == 1.0).then_some(())).await;

    gateway.begin_stop();

    // Ends well, and long before the deadline.
    gateway.stop().await;
}

#[actix_web::test]
async fn a_list_too_long_for_ram_goes_on_whether_it_was_promised_before_or_is_at_the_end() {
    let (_directory, path) = place();
    let settings = soon_over(&path);
    let mut gateway = Gateway::with(slow(), &settings).await;
    // More than a megabyte, and more rows than are restored to RAM.
    let (promised, waited) =
        (addresses(&"promised-".repeat(6), 15_000), addresses(&"waited-".repeat(7), 15_000));
    let id = gateway.post_async("", &promised).await;
    let mut caller = begin_post(&gateway, "", &waited).await;
    until_active(&gateway, 2.0).await;
    eventually(async || (gateway.sandbox.stats().addresses_accepted > 100).then_some(())).await;

    gateway.begin_stop();
    let accepted = caller.answer().await.unwrap();
    assert_eq!(accepted.status, 202, "{accepted:?}");
    let gateway =
        gateway.restart(&[("upstream.max_calls_per_second", "0"), ("upstream.max_in_flight", "64")]).await;

    for id in [id, id_of(&accepted)] {
        let resend = gateway.finished(&id).await;
        assert_eq!(count(&resend, "sent"), 15_000, "{resend}");
    }
    assert_each_sent_once(&gateway, &[&promised, &waited]);
    gateway.stop().await;
}

#[actix_web::test]
async fn a_store_that_can_not_be_written_at_the_end_keeps_nobody_and_callers_are_told_the_truth() {
    let (_directory, path) = place();
    let settings = soon_over(&path);
    let mut gateway = Gateway::with(slow(), &settings).await;
    let (promised, waited) = (addresses("p", 1000), addresses("w", 1000));
    let id = gateway.post_async("", &promised).await;
    let mut caller = begin_post(&gateway, "", &waited).await;
    until_active(&gateway, 2.0).await;
    let database = rusqlite::Connection::open(&path).unwrap();
    database.busy_timeout(Duration::from_secs(60)).unwrap();
    database.execute_batch("BEGIN IMMEDIATE").unwrap();

    gateway.begin_stop();
    let told = caller.answer().await.unwrap();

    assert!([207, 502].contains(&told.status.as_u16()), "{told:?}");
    let ledger = gateway.sandbox.ledger();
    for (email, outcome) in told.outcomes() {
        let accepted = ledger.get(&email).copied().unwrap_or(0);
        assert_eq!(accepted, u64::from(outcome == "sent"), "{email}: {outcome}");
        assert!(["sent", "not_sent/shutdown"].contains(&outcome.as_str()), "{email}: {outcome}");
    }
    gateway.end().await;
    drop(database);
    let gateway = gateway.restart(&[]).await;
    let resend = gateway.finished(&id).await;
    assert_eq!(count(&resend, "sent") + count(&resend, "unknown"), 1000, "{resend}");
    assert!(gateway.sandbox.ledger().values().all(|accepted| *accepted == 1), "somebody was mailed twice");
    gateway.stop().await;
}
