//! Looking one address up: the three answers, and what is refused.

use awc::http::Method;
use faxplus_gateway::sandbox::SandboxOptions;
use serde_json::{Value, json};

use crate::gateway::{Answer, Gateway, eventually};

const PATH: &str = "/v1/recent-sends/lookup";
const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

async fn ask(gateway: &Gateway, email: &str) -> Value {
    let answer = gateway.request(Method::POST, PATH, JSON, json!({"email": email}).to_string()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

fn millis(time: &Value) -> u128 {
    let time = humantime::parse_rfc3339(time.as_str().unwrap()).unwrap();
    time.duration_since(std::time::UNIX_EPOCH).unwrap().as_millis()
}

#[actix_web::test]
async fn an_address_is_recent_in_doubt_or_neither_in_whatever_form_it_is_asked_for() {
    let gateway = Gateway::with(SandboxOptions::default(), &[("dedupe.window_seconds", "90")]).await;
    gateway.faults(json!([{"address": "doubt@*", "fate": "accept_then_500", "times": 1}]));
    assert_eq!(ask(&gateway, "ann@bücher.example").await, json!({"recent": false}));
    gateway.post("", &["ann@bücher.example"]).await;
    gateway.post("", &["doubt@example.com"]).await;
    let sent_at = gateway.post("", &["ann@bücher.example"]).await.json()["results"][0]["sent_at"].clone();

    for form in ["ann@bücher.example", " Ann@XN--bcher-kva.example\n"] {
        let told = ask(&gateway, form).await;

        assert_eq!(told["sent_at"], sent_at, "{form:?}");
        assert_eq!(told["recent"], true);
        assert_eq!(millis(&told["expires_at"]) - millis(&sent_at), 90_000);
        assert_eq!(told.as_object().unwrap().len(), 3);
    }
    let doubt = ask(&gateway, "Doubt@example.com").await;
    assert_eq!((&doubt["recent"], doubt.as_object().unwrap().len()), (&json!(false), 2), "{doubt}");
    assert!(millis(&doubt["doubt_since"]) > 0);
    assert_eq!(ask(&gateway, "else@example.com").await, json!({"recent": false}));
    gateway.post("?force=true", &["doubt@example.com"]).await;
    assert_eq!(ask(&gateway, "doubt@example.com").await["recent"], true, "the doubt is settled");
    assert_eq!(gateway.sandbox.stats().calls, 3);
    gateway.stop().await;
}

#[actix_web::test]
async fn a_call_in_flight_hides_nothing_that_was_before() {
    let gateway = Gateway::start().await;
    gateway.post("", &["a@example.com"]).await;
    let before = ask(&gateway, "a@example.com").await;
    gateway.sandbox.hold_answers();
    let again = gateway.post_async("?force=true", &["a@example.com", "b@example.com"]).await;
    eventually(async || (gateway.sandbox.stats().calls == 2).then_some(())).await;

    let (told, other) = (ask(&gateway, "a@example.com").await, ask(&gateway, "b@example.com").await);

    assert_eq!((told, other), (before, json!({"recent": false})));
    gateway.sandbox.release_answers();
    gateway.finished(&again).await;
    gateway.stop().await;
}

#[actix_web::test]
async fn with_the_window_off_nothing_is_recent() {
    let gateway = Gateway::with(SandboxOptions::default(), &[("dedupe.window_seconds", "0")]).await;
    gateway.post("", &["a@example.com"]).await;

    assert_eq!(ask(&gateway, "a@example.com").await, json!({"recent": false}));
    gateway.stop().await;
}

#[actix_web::test]
async fn a_question_that_is_none_is_refused_and_no_address_is_told_again() {
    let gateway = Gateway::start().await;
    let text: &[(&str, &str)] = &[("content-type", "text/plain")];
    let packed: &[(&str, &str)] = &[("content-type", "application/json"), ("content-encoding", "gzip")];
    let long = json!({"email": "zebra".repeat(1000)}).to_string();

    for (headers, body, status, word) in [
        (JSON, "", 400, "malformed-body"),
        (JSON, "[\"zebra@example.com\"]", 400, "malformed-body"),
        (JSON, "{}", 400, "malformed-body"),
        (JSON, "{\"email\": 7}", 400, "malformed-body"),
        (JSON, "{\"email\": \"zebra@example.com\", \"zebra\": 1}", 400, "malformed-body"),
        (JSON, "{\"email\": \"zebra@example.com\"", 400, "malformed-body"),
        (JSON, &long, 413, "too-large"),
        (text, "zebra@example.com", 415, "media-type"),
        (&[], "{\"email\": \"zebra@example.com\"}", 415, "media-type"),
        (packed, "{\"email\": \"zebra@example.com\"}", 415, "media-type"),
        (JSON, "{\"email\": \"zebra\"}", 422, "not-an-address"),
    ] {
        let answer: Answer = gateway.request(Method::POST, PATH, headers, body.to_owned()).await;

        assert_eq!(answer.status, status, "{body}: {answer:?}");
        let problem = answer.problem(word);
        assert!(!problem.to_string().contains("zebra"), "{problem}");
        if word == "not-an-address" {
            assert_eq!(problem["reason"], "no_at_sign");
        }
    }
    let asked = format!("{PATH}?email=zebra@example.com");
    assert_eq!(
        gateway.request(Method::POST, &asked, JSON, "{}").await.problem("bad-query")["parameter"],
        "email"
    );
    assert_eq!(gateway.get(PATH).await.header("allow"), Some("POST"));
    gateway.stop().await;
}
