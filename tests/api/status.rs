//! The status page and what it shows. How it looks is tested by `tests/status/run`, in a browser.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use awc::error::PayloadError;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::{Bytes, BytesMut};
use faxplus_gateway::sandbox::SandboxOptions;
use futures_util::{StreamExt as _, stream::LocalBoxStream};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use crate::gateway::{Gateway, PATIENCE, addresses, eventually};

/// An open stream of the status.
struct Events {
    pieces: LocalBoxStream<'static, Result<Bytes, PayloadError>>,
    ahead: BytesMut,
}

impl Events {
    async fn open(gateway: &Gateway) -> Self {
        let client = awc::Client::builder().disable_timeout().finish();
        let response = client.get(gateway.admin_url("/status/events")).send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers().get("content-type").unwrap(), "text/event-stream");
        Self { pieces: response.boxed_local(), ahead: BytesMut::new() }
    }

    /// The text of the next event; `None` when the stream has ended as it should.
    async fn next(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.ahead.windows(2).position(|pair| pair == b"\n\n") {
                return Some(String::from_utf8(self.ahead.split_to(end + 2).to_vec()).unwrap());
            }
            match timeout(PATIENCE, self.pieces.next()).await.expect("no event came") {
                Some(piece) => self.ahead.extend_from_slice(&piece.unwrap()),
                None => {
                    assert!(self.ahead.is_empty(), "half an event: {:?}", self.ahead);
                    return None;
                }
            }
        }
    }
}

fn data(event: &str) -> Value {
    serde_json::from_str(event.lines().find_map(|line| line.strip_prefix("data: ")).unwrap()).unwrap()
}

async fn status(gateway: &Gateway) -> Value {
    gateway.admin("/status").await.json()
}

async fn until(gateway: &Gateway, condition: impl Fn(&Value) -> bool) -> Value {
    eventually(async || Some(status(gateway).await).filter(&condition)).await
}

#[actix_web::test]
async fn the_page_loads_nothing_from_elsewhere_and_is_held_to_that() {
    let gateway = Gateway::start().await;

    let answer = gateway.admin("/").await;

    assert_eq!(
        (answer.status.as_u16(), answer.header("content-type")),
        (200, Some("text/html; charset=utf-8"))
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
    let policy = answer.header("content-security-policy").unwrap();
    for rule in ["default-src 'none'", "connect-src 'self'", "frame-ancestors 'none'"] {
        assert!(policy.split("; ").any(|one| one == rule), "{policy}");
    }
    for rule in ["script-src 'sha256-", "style-src 'sha256-"] {
        assert!(policy.split("; ").any(|one| one.starts_with(rule) && !one.contains("self")), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    let text = answer.text().replace("http://www.w3.org/2000/svg", "");
    for banned in [
        "http://",
        "https://",
        "innerHTML",
        "insertAdjacentHTML",
        "eval(",
        " style=",
        " onclick",
        " src=",
        "stylesheet",
    ] {
        assert!(!text.contains(banned), "the page has {banned}");
    }
    gateway.stop().await;
}

#[actix_web::test]
async fn a_link_on_another_site_leads_to_the_page_and_another_site_reads_nothing() {
    let gateway = Gateway::start().await;
    let fetched =
        |mode, dest| [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", mode), ("sec-fetch-dest", dest)];

    for (path, mode, dest, code) in [
        ("/", "navigate", "document", 200),
        ("/", "navigate", "iframe", 403),
        ("/", "cors", "empty", 403),
        ("/status", "navigate", "document", 403),
        ("/status", "cors", "empty", 403),
        ("/status/events", "cors", "empty", 403),
    ] {
        let answer = gateway.admin_request(awc::http::Method::GET, path, &fetched(mode, dest)).await;
        assert_eq!(answer.status, code, "{path} {mode} {dest}");
    }
    gateway.stop().await;
}

#[actix_web::test]
async fn the_status_of_a_gateway_without_work_is_well() {
    let gateway = Gateway::with(SandboxOptions::default(), &[("upstream.max_calls_per_second", "50")]).await;

    let status = until(&gateway, |status| status["health"]["state"] == "idle").await;

    assert_eq!(status["health"], json!({"state": "idle", "healthy": true, "holds": [], "words": []}));
    assert_eq!(status["readiness"]["word"], "ready");
    assert_eq!(
        status["readiness"]["checks"],
        json!([{"name": "started", "ok": true}, {"name": "not draining", "ok": true}])
    );
    assert_eq!(status["queue"]["addresses"], 0);
    assert_eq!((&status["queue"]["clients"], &status["resends"]), (&json!([]), &json!([])));
    assert_eq!(
        (&status["upstream"]["ceiling"], &status["upstream"]["breaker"]),
        (&json!(50.0), &json!("closed"))
    );
    assert_eq!(status["credential"], json!({"valid": true, "expires_at": null, "ends_soon": false}));
    assert_eq!((&status["store"]["kind"], &status["store"]["free_bytes"]), (&json!("memory"), &Value::Null));
    assert_eq!((&status["sandbox"], &status["version"]), (&json!(false), &json!(env!("CARGO_PKG_VERSION"))));
    assert_eq!(status["history"]["step_seconds"], 5);
    assert!(status["started_at"].as_str() <= status["time"].as_str(), "{status}");
    assert_eq!(gateway.admin("/status?ann=1").await.status, 400);
    gateway.stop().await;
}

#[actix_web::test]
async fn while_work_is_held_the_status_says_why_in_the_words_of_the_hold() {
    let gateway = Gateway::start().await;
    gateway.faults(json!([{"fate": "token_expired"}, {"target": "probe", "fate": "token_expired"}]));
    let id = gateway.post_async("", &["ann@example.com", "bob@example.com"]).await;

    let status = until(&gateway, |status| status["health"]["state"] == "held").await;

    let hold = &status["health"]["holds"][0];
    assert_eq!(hold["reason"], "credentials_rejected");
    assert_eq!(
        hold["detail"],
        "fax.plus refuses the access token; goes on when the token changes or is accepted again"
    );
    assert!(hold["since"].is_string() && hold["next_attempt_at"].is_string(), "{status}");
    assert_eq!(
        (&status["health"]["healthy"], &status["credential"]["valid"]),
        (&json!(false), &json!(false))
    );
    assert_eq!(status["readiness"]["ready"], true);
    assert_eq!(status["queue"]["clients"], json!([{"client": "anonymous", "addresses": 2}]));
    assert_eq!(
        (&status["resends"][0]["id"], &status["resends"][0]["counts"]["pending"]),
        (&json!(id), &json!(2))
    );
    gateway.stop().await;
}

#[actix_web::test]
async fn a_token_that_ends_soon_or_has_ended_wants_a_look() {
    for (ends_in, words) in [
        (86_400, "the access token ends soon; put a new one into its place"),
        (-420, "the access token has ended; put a new one into its place"),
    ] {
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
        let token = format!("{}.{}.x", part(json!({"alg": "none"})), part(json!({"exp": now + ends_in})));
        let gateway = Gateway::with(SandboxOptions::default(), &[("credentials.token", &token)]).await;

        let status = until(&gateway, |status| status["health"]["state"] == "attention").await;

        assert_eq!(status["health"]["words"], json!([words]));
        assert_eq!(
            (&status["credential"]["valid"], &status["credential"]["ends_soon"]),
            (&json!(true), &json!(true))
        );
        gateway.stop().await;
    }
}

#[actix_web::test]
async fn a_pause_is_told_with_its_note() {
    let gateway = Gateway::start().await;
    let headers = [("content-type", "application/json")];
    let body = r#"{"note": "until <b>noon</b>"}"#;
    gateway.request(awc::http::Method::POST, "/v1/operator/pause", &headers, body).await;

    let status = until(&gateway, |status| status["health"]["state"] == "paused").await;

    assert_eq!(status["health"]["paused"]["note"], "until <b>noon</b>");
    assert_eq!(status["health"]["holds"][0]["next_attempt_at"], Value::Null);
    gateway.stop().await;
}

#[actix_web::test]
async fn the_longest_and_the_newest_running_resends_are_named_and_the_others_counted() {
    let gateway = Gateway::start().await;
    gateway.request(awc::http::Method::POST, "/v1/operator/pause", &[], "").await;
    let long = gateway.post_async("", &addresses("long", 100)).await;
    let mut ids = Vec::new();
    for number in 0..23 {
        ids.push(gateway.post_async("", &[format!("a{number}@example.com")]).await);
    }

    let status = until(&gateway, |status| status["queue"]["resends"] == 24).await;

    let named: Vec<_> = status["resends"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect();
    let expected: Vec<_> = [&long].into_iter().chain(ids.iter().rev().take(19)).map(|id| json!(id)).collect();
    assert_eq!((named, &status["more_resends"]), (expected, &json!(4)));
    gateway.stop().await;
}

#[actix_web::test]
async fn events_come_once_a_second_without_an_address_and_end_with_the_gateway() {
    let options = SandboxOptions { latency: Duration::from_millis(50), ..SandboxOptions::default() };
    let mut gateway = Gateway::with(options, &[("upstream.max_calls_per_second", "20")]).await;
    gateway.post_async("", &addresses("ann", 2000)).await;
    let began = Instant::now();

    let mut events = Events::open(&gateway).await;
    let first = events.next().await.unwrap();
    let mut others = Vec::new();
    for _ in 0..3 {
        others.push(events.next().await.unwrap());
    }
    let took = began.elapsed();
    gateway.begin_stop();
    let mut last = String::new();
    while let Some(event) = events.next().await {
        last = event;
    }

    assert!(first.starts_with("retry: 2000\nevent: status\n"), "{first}");
    assert!(data(&first)["history"].is_object(), "{first}");
    assert!(others.iter().all(|event| event.starts_with("event: status\n")), "{others:?}");
    assert!(others.iter().any(|event| data(event)["resends"][0]["counts"]["sent"].as_u64() > Some(0)));
    assert!(took >= Duration::from_millis(2900), "{took:?}");
    assert_eq!(last, "event: end\ndata: {}\n\n");
    for text in others.iter().chain([&first]) {
        assert!(!text.contains('@') && !text.contains("test-token"), "{text}");
    }
    gateway.stop().await;
}

#[actix_web::test]
async fn samples_of_the_past_are_told_once() {
    let gateway = Gateway::start().await;
    gateway.post("", &["ann@example.com"]).await;

    let mut events = Events::open(&gateway).await;
    let mut samples = Vec::new();
    while samples.len() < 2 {
        let event = data(&events.next().await.unwrap());
        samples.extend(event["history"]["samples"].as_array().cloned().unwrap_or_default());
    }

    assert_eq!(samples.iter().map(|sample| sample["sent"].as_u64().unwrap()).sum::<u64>(), 1, "{samples:?}");
    assert!(samples[0]["latency_ms"].is_number() && samples[1]["latency_ms"].is_null(), "{samples:?}");
    assert_ne!(samples[0]["at"], samples[1]["at"]);
    drop(events);
    gateway.stop().await;
}

#[actix_web::test]
async fn what_the_samples_do_not_hold_yet_is_told_with_them() {
    let gateway = Gateway::start().await;
    gateway.post("", &["ann@example.com", "nobody"]).await;

    let status = status(&gateway).await;

    let samples = status["history"]["samples"].as_array().unwrap().iter();
    let all = |kind: &str| {
        let told: u64 = samples.clone().map(|sample| sample[kind].as_u64().unwrap()).sum();
        told + status["since_sample"][kind].as_u64().unwrap()
    };
    assert_eq!((all("sent"), all("invalid"), all("unknown")), (1, 1, 0), "{status}");
    gateway.stop().await;
}
