//! Pausing and resuming: nothing is drawn, nothing is lost, and everybody is told why.

use std::time::Duration;

use awc::http::Method;
use faxplus_gateway::sandbox::SandboxOptions;
use serde_json::{Value, json};

use crate::{
    events::follow,
    gateway::{Answer, Gateway, addresses, eventually},
    wire::Wire,
};

const PAUSED: &str = "faxplus_gateway_hold{reason=\"paused\"}";
const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

impl Gateway {
    async fn pause(&self, body: impl Into<String>) -> Value {
        self.order("pause", body).await
    }

    async fn resume(&self) -> Value {
        self.order("resume", "").await
    }

    async fn order(&self, order: &str, body: impl Into<String>) -> Value {
        let path = format!("/v1/operator/{order}");
        let answer = self.request(Method::POST, &path, JSON, body.into()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    /// Waits until no call is in flight any more.
    async fn quiet(&self) -> Value {
        let told = async || Some(self.get("/v1/operator").await.json());
        eventually(async || told().await.filter(|told| told["calls_in_flight"] == 0)).await
    }
}

async fn begin_post(gateway: &Gateway, emails: &[String]) -> Wire {
    let body = serde_json::to_string(emails).unwrap();
    let mut wire = Wire::connect(gateway.address()).await;
    wire.begin_post(&format!("Prefer: wait=240\r\nContent-Length: {}\r\n", body.len())).await;
    wire.send(body).await.unwrap();
    wire
}

/// An upstream that takes so many milliseconds for a call.
fn slow(latency: u64) -> SandboxOptions {
    SandboxOptions { latency: Duration::from_millis(latency), ..SandboxOptions::default() }
}

#[actix_web::test]
async fn a_pause_before_a_list_holds_all_of_it_and_says_so() {
    let gateway = Gateway::start().await;
    let before = gateway.get("/v1/operator").await.json();

    let ordered = gateway.pause(r#"{"note": "fax.plus has maintenance until noon"}"#).await;
    let answer = gateway.post_with("", &[("prefer", "wait=1")], &addresses("a", 12)).await;

    let idle = json!({"paused": false, "calls_in_flight": 0, "queued_addresses": 0, "active_resends": 0});
    assert_eq!(before, idle);
    assert_eq!((&ordered["paused"], &ordered["calls_in_flight"]), (&json!(true), &json!(0)));
    assert_eq!(answer.status, 202);
    let resend = answer.json();
    let detail = "12 addresses are safe; an operator paused the gateway (\"fax.plus has maintenance until \
                  noon\"); goes on when an operator resumes it";
    let hold =
        json!({"reason": "paused", "since": ordered["since"], "next_attempt_at": null, "detail": detail});
    assert_eq!(resend["hold"], hold);
    assert_eq!((&resend["counts"]["pending"], &resend["estimated_finish_at"]), (&json!(12), &Value::Null));
    assert_eq!(answer.retry_after(), Some(60), "nobody knows the end");
    assert_eq!((gateway.sandbox.stats().calls, gateway.metric(PAUSED).await), (0, 1.0));
    let standing = gateway.get("/v1/operator").await.json();
    assert_eq!((&standing["queued_addresses"], &standing["active_resends"]), (&json!(12), &json!(1)));

    let resumed = gateway.resume().await;
    let resend = gateway.finished(resend["id"].as_str().unwrap()).await;

    assert_eq!((&resumed["paused"], resumed.as_object().unwrap().len()), (&json!(false), 4), "{resumed}");
    assert_eq!((&resend["counts"]["sent"], &resend["hold"]), (&json!(12), &Value::Null));
    assert_eq!(gateway.metric(PAUSED).await, 0.0);
    assert!(gateway.sandbox.ledger().values().all(|accepted| *accepted == 1));
    gateway.stop().await;
}

#[actix_web::test]
async fn a_pause_in_the_middle_lets_calls_in_flight_end_and_draws_no_more() {
    let gateway = Gateway::with(slow(300), &[("upstream.max_in_flight", "3")]).await;
    let lists = [addresses("a", 200), addresses("b", 200)];
    let ids = [gateway.post_async("", &lists[0]).await, gateway.post_async("", &lists[1]).await];
    eventually(async || (gateway.sandbox.ledger().len() >= 40).then_some(())).await;

    let ordered = gateway.pause("").await;
    let in_flight = gateway.sandbox.ledger().len();
    gateway.quiet().await;
    // Time in which many calls would have been made.
    gateway.get(&format!("/v1/resends/{}?wait=1", ids[0])).await;

    let calls = ordered["calls_in_flight"].as_u64().unwrap();
    assert!((1..=3).contains(&calls), "{ordered}");
    let accepted = gateway.sandbox.ledger();
    assert!(accepted.len() < in_flight + 31 && accepted.len() < 400, "{in_flight} {}", accepted.len());
    for id in &ids {
        for (email, outcome) in gateway.results(id).await {
            assert_eq!(outcome == "sent", accepted.contains_key(&email), "{email}: {outcome}");
            assert!(outcome == "sent" || outcome == "pending", "{email}: {outcome}");
        }
    }

    gateway.resume().await;

    for id in &ids {
        assert_eq!(gateway.finished(id).await["counts"]["sent"], 200);
    }
    let ledger = gateway.sandbox.ledger();
    assert!(ledger.len() == 400 && ledger.values().all(|accepted| *accepted == 1));
    gateway.stop().await;
}

#[actix_web::test]
async fn the_parts_of_a_refused_call_wait_too() {
    let gateway = Gateway::start().await;
    gateway.faults(json!([{"address": "a3@*", "fate": "status", "status": 404}]));
    gateway.sandbox.hold_answers();
    let id = gateway.post_async("", &addresses("a", 10)).await;
    eventually(async || (gateway.sandbox.stats().calls == 1).then_some(())).await;

    gateway.pause("").await;
    gateway.sandbox.release_answers();
    gateway.quiet().await;
    let held = gateway.get(&format!("/v1/resends/{id}?wait=1")).await.json();

    assert_eq!((&held["upstream_calls"], &held["counts"]["pending"]), (&json!(1), &json!(10)));
    assert_eq!((&held["hold"]["reason"], gateway.sandbox.stats().calls), (&json!("paused"), 1));
    gateway.resume().await;
    let counts = gateway.finished(&id).await["counts"].clone();
    assert_eq!((&counts["sent"], &counts["rejected"]), (&json!(9), &json!(1)));
    gateway.stop().await;
}

#[actix_web::test]
async fn what_needs_no_call_is_told_while_paused() {
    let gateway = Gateway::with(SandboxOptions::default(), &[("upstream.max_in_flight", "1")]).await;
    assert_eq!(gateway.post("", &["a@example.com"]).await.words(), ["sent"]);
    gateway.sandbox.hold_answers();
    let first = gateway.post_async("", &["b@example.com"]).await;
    eventually(async || (gateway.sandbox.stats().calls == 2).then_some(())).await;
    let waits = gateway.post_async("", &["a@example.com", "c@example.com"]).await;

    gateway.pause("").await;
    let told = gateway.post_async("", &["a@example.com", "nobody", "B@example.com"]).await;
    gateway.until(&told, |resend| resend["counts"]["duplicate"] == 1).await;
    gateway.sandbox.release_answers();

    let counts = gateway.finished(&told).await["counts"].clone();
    assert_eq!(
        (&counts["duplicate"], &counts["invalid"]),
        (&json!(2), &json!(1)),
        "one of them was in flight"
    );
    assert_eq!(gateway.finished(&first).await["counts"]["sent"], 1);
    let waits = gateway.until(&waits, |resend| resend["counts"]["duplicate"] == 1).await;
    assert_eq!((&waits["counts"]["pending"], &waits["hold"]["reason"]), (&json!(1), &json!("paused")));
    gateway.stop().await;
}

#[actix_web::test]
async fn duplicates_that_come_to_lead_their_list_are_told_when_the_pause_begins() {
    let gateway = Gateway::with(SandboxOptions::default(), &[("upstream.max_in_flight", "1")]).await;
    let (known, fresh) = (addresses("known", 15), addresses("fresh", 15));
    assert_eq!(gateway.post("", &known).await.status, 200);
    let list = [&fresh[..10], &known[..], &fresh[10..]].concat();
    gateway.sandbox.hold_answers();
    let id = gateway.post_async("", &list).await;
    eventually(async || (gateway.sandbox.stats().calls == 3).then_some(())).await;

    gateway.pause("").await;
    gateway.sandbox.release_answers();
    let held = gateway.until(&id, |resend| resend["counts"]["sent"] == 10).await;

    assert_eq!((&held["counts"]["duplicate"], &held["counts"]["pending"]), (&json!(15), &json!(5)));
    gateway.resume().await;
    assert_eq!(gateway.finished(&id).await["counts"]["sent"], 15);
    gateway.stop().await;
}

#[actix_web::test]
async fn both_orders_may_be_repeated_and_only_the_note_changes() {
    let gateway = Gateway::start().await;
    let id = {
        gateway.pause(r#"{"note": " first  "}"#).await;
        gateway.post_async("", &["a@example.com"]).await
    };
    let first = gateway.get("/v1/operator").await.json();
    let since = humantime::parse_rfc3339(first["since"].as_str().unwrap()).unwrap();
    // So that another moment would be seen.
    eventually(async || (since.elapsed().unwrap() > Duration::from_millis(20)).then_some(())).await;
    let hold = async || gateway.get(&format!("/v1/resends/{id}")).await.json()["hold"].clone();

    for (body, note) in [
        ("", json!("first")),
        ("{}", json!("first")),
        (r#"{"note": null}"#, json!("first")),
        (r#"{"note": "second"}"#, json!("second")),
        (r#"{"note": ""}"#, Value::Null),
    ] {
        let again = gateway.pause(body).await;

        assert_eq!((&again["note"], &again["since"]), (&note, &first["since"]), "{body}");
        let (hold, words) = (hold().await, note.as_str().unwrap_or_default());
        assert!(hold["detail"].as_str().unwrap().contains(words), "{hold}");
        assert_eq!(hold["since"], first["since"]);
    }
    let times = [gateway.resume().await, gateway.resume().await, gateway.order("resume", "{}").await];

    assert!(times.iter().all(|told| told["paused"] == false && told["since"].is_null()), "{times:?}");
    assert_eq!(gateway.finished(&id).await["counts"]["sent"], 1);
    gateway.stop().await;
}

#[actix_web::test]
async fn followers_hear_of_a_pause_and_of_another_note() {
    let gateway = Gateway::start().await;
    gateway.pause(r#"{"note": "first"}"#).await;
    let id = gateway.post_async("", &["a@example.com"]).await;
    let mut events = follow(&gateway, &id).await;

    let mut told = async |words: &str| {
        while !events.block().await.expect("the stream has not ended").contains(words) {}
    };
    told("first").await;
    gateway.pause(r#"{"note": "second"}"#).await;
    told("second").await;
    gateway.resume().await;
    told("event: finished").await;

    gateway.stop().await;
}

#[actix_web::test]
async fn what_is_paused_for_too_long_is_not_sent_for_that_reason() {
    let gateway = Gateway::with(SandboxOptions::default(), &[("dispatch.max_hold_seconds", "1")]).await;
    gateway.pause("").await;

    let answer = gateway.post("", &["a@example.com", "nobody"]).await;

    assert_eq!(answer.status, 502);
    assert_eq!(answer.words(), ["not_sent/paused", "invalid/no_at_sign"]);
    gateway.resume().await;
    assert_eq!(gateway.post("", &["a@example.com"]).await.words(), ["sent"], "it was freed");
    assert_eq!(gateway.accepted("a@example.com"), 1);
    gateway.stop().await;
}

#[actix_web::test]
async fn a_wait_that_ends_in_a_pause_can_cancel_and_names_it() {
    let gateway = Gateway::start().await;
    gateway.pause("").await;

    let answer = gateway.post_with("?on_timeout=cancel", &[("prefer", "wait=1")], &addresses("a", 2)).await;

    assert_eq!((answer.status.as_u16(), answer.words()), (502, vec!["not_sent/paused".to_owned(); 2]));
    assert_eq!(answer.json()["status"], "cancelled");
    gateway.stop().await;
}

#[actix_web::test]
async fn a_resend_can_be_cancelled_while_paused() {
    let gateway = Gateway::with(slow(300), &[("upstream.max_in_flight", "1")]).await;
    let id = gateway.post_async("", &addresses("a", 300)).await;
    eventually(async || (gateway.sandbox.stats().calls >= 1).then_some(())).await;
    gateway.pause("").await;

    let cancelled = gateway.request(Method::DELETE, &format!("/v1/resends/{id}"), &[], "").await.json();

    assert_eq!((&cancelled["status"], &cancelled["counts"]["pending"]), (&json!("cancelled"), &json!(0)));
    for (email, outcome) in gateway.results(&id).await {
        let sent = gateway.accepted(&email) == 1;
        assert_eq!(outcome, if sent { "sent" } else { "not_sent/cancelled" }, "{email}");
    }
    let none_left = async || gateway.get("/v1/operator").await.json()["active_resends"] == 0;
    eventually(async || none_left().await.then_some(())).await;
    gateway.stop().await;
}

#[actix_web::test]
async fn a_paused_gateway_ends_at_once_and_hands_back_what_waits() {
    // Whatever it waited for would outlast the test's patience.
    let endless = [("server.drain_timeout_seconds", "3600")];
    let mut gateway = Gateway::with(SandboxOptions::default(), &endless).await;
    gateway.sandbox.hold_answers();
    let mut flies = begin_post(&gateway, &["flies@example.com".to_owned()]).await;
    eventually(async || (gateway.sandbox.stats().calls == 1).then_some(())).await;
    gateway.pause("").await;
    let mut waits = begin_post(&gateway, &addresses("waits", 20)).await;
    let both = async || gateway.get("/v1/operator").await.json()["active_resends"] == 2;
    eventually(async || both().await.then_some(())).await;

    gateway.begin_stop();
    gateway.sandbox.release_answers();
    let (flies, waits) = (flies.answer().await.unwrap(), waits.answer().await.unwrap());

    assert_eq!((flies.status.as_u16(), flies.words()), (200, vec!["sent".to_owned()]));
    assert_eq!((waits.status.as_u16(), waits.words()), (502, vec!["not_sent/shutdown".to_owned(); 20]));
    gateway.stop().await;
}

#[actix_web::test]
async fn a_dry_run_foretells_the_hold_and_no_time() {
    let gateway = Gateway::start().await;
    gateway.pause(r#"{"note": "until noon"}"#).await;

    let plan = gateway.post("?dry_run=true", &["a@example.com", "b@example.com"]).await.json();

    assert_eq!((&plan["upstream_calls"], &plan["estimated_seconds"]), (&json!(1), &Value::Null));
    let detail = plan["hold"]["detail"].as_str().unwrap();
    assert!(
        detail.starts_with("2 addresses would wait; an operator paused") && detail.contains("until noon")
    );
    gateway.stop().await;
}

#[actix_web::test]
async fn a_failing_upstream_is_not_probed_while_paused_and_at_once_after() {
    let gateway = Gateway::start().await;
    gateway.faults(json!([
        {"fate": "status", "status": 500},
        {"target": "probe", "fate": "status", "status": 500}
    ]));
    let id = gateway.post_async("", &addresses("a", 100)).await;
    eventually(async || (gateway.sandbox.stats().probes >= 1).then_some(())).await;

    gateway.pause("").await;
    let probes = gateway.sandbox.stats().probes;
    let held = gateway.get(&format!("/v1/resends/{id}?wait=3")).await.json();

    assert_eq!((held["hold"]["reason"].as_str(), held["status"].as_str()), (Some("paused"), Some("running")));
    assert_eq!(gateway.sandbox.stats().probes, probes, "the second one was due two seconds after the first");
    assert_eq!(gateway.metric("faxplus_gateway_hold{reason=\"upstream_unavailable\"}").await, 1.0);
    gateway.faults(json!([]));
    gateway.resume().await;
    let counts = gateway.finished(&id).await["counts"].clone();
    assert_eq!(counts["sent"].as_u64().unwrap() + counts["unknown"].as_u64().unwrap(), 100);
    gateway.stop().await;
}

#[actix_web::test]
async fn a_new_token_is_proved_while_paused() {
    let options = SandboxOptions { tokens: Some(Vec::new()), ..SandboxOptions::default() };
    let gateway = Gateway::with(options, &[]).await;
    let id = gateway.post_async("", &["a@example.com"]).await;
    gateway.until(&id, |resend| resend["hold"]["reason"] == "credentials_rejected").await;
    gateway.pause("").await;

    gateway.sandbox.set_tokens(None);
    let valid = async || gateway.metric("faxplus_gateway_credential_valid").await == 1.0;
    eventually(async || valid().await.then_some(())).await;

    assert_eq!(gateway.accepted("a@example.com"), 0);
    gateway.resume().await;
    assert_eq!(gateway.finished(&id).await["counts"]["sent"], 1);
    gateway.stop().await;
}

#[actix_web::test]
async fn an_order_that_is_none_is_refused_and_changes_nothing() {
    let gateway = Gateway::start().await;
    let text: &[(&str, &str)] = &[("content-type", "text/plain")];
    let other: &[(&str, &str)] = &[("origin", "https://evil.example")];
    let long = json!({"note": "n".repeat(501)}).to_string();
    let huge = json!({"note": "n".repeat(9000)}).to_string();

    for (order, headers, body, status, word) in [
        ("pause", JSON, "[]", 400, "malformed-body"),
        ("pause", JSON, "{\"note\": 7}", 400, "malformed-body"),
        ("pause", JSON, "{\"notes\": \"zebra\"}", 400, "malformed-body"),
        ("pause", JSON, "{\"note\": \"zebra\"", 400, "malformed-body"),
        ("pause", text, "zebra", 415, "media-type"),
        ("pause", JSON, "{\"note\": \"zebra\\nzebra\"}", 422, "bad-note"),
        ("pause", JSON, "{\"note\": \"\\u001b[2J\"}", 422, "bad-note"),
        ("pause", JSON, &long, 422, "bad-note"),
        ("pause", JSON, &huge, 413, "too-large"),
        ("pause", other, "", 403, "cross-site"),
        ("pause?note=zebra", JSON, "", 400, "bad-query"),
        ("resume", JSON, "{\"note\": \"zebra\"}", 400, "malformed-body"),
        ("resume", other, "", 403, "cross-site"),
        ("resume?now=true", JSON, "", 400, "bad-query"),
    ] {
        let path = format!("/v1/operator/{order}");
        let answer: Answer = gateway.request(Method::POST, &path, headers, body.to_owned()).await;

        assert_eq!(answer.status, status, "{order} {body}: {answer:?}");
        let problem = answer.problem(word);
        assert!(!problem.to_string().contains("zebra"), "{problem}");
    }
    assert_eq!(gateway.get("/v1/operator").await.json()["paused"], false);
    assert_eq!(gateway.get("/v1/operator/pause").await.header("allow"), Some("POST"));
    assert_eq!(
        gateway.request(Method::POST, "/v1/operator", &[], "").await.header("allow"),
        Some("GET, HEAD")
    );
    gateway.pause(json!({"note": "é".repeat(500)}).to_string()).await;
    gateway.stop().await;
}

#[actix_web::test]
async fn without_authentication_only_a_loopback_listener_takes_orders() {
    let open = [("server.listen", "0.0.0.0:0"), ("auth.allow_anonymous", "true")];
    let gateway = Gateway::with(SandboxOptions::default(), &open).await;

    for (method, path) in [
        (Method::GET, "/v1/operator"),
        (Method::POST, "/v1/operator/pause"),
        (Method::POST, "/v1/operator/resume"),
    ] {
        let answer = gateway.request(method, path, JSON, "{}").await;

        assert_eq!(answer.status, 403, "{path}: {answer:?}");
        answer.problem("not-allowed");
    }
    assert_eq!(gateway.post("", &["a@example.com"]).await.words(), ["sent"]);
    gateway.stop().await;
}
