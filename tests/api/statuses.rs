//! Each status that upstream can answer leads to the outcome that the contract names.

use faxplus_gateway::sandbox::{Sandbox, SandboxOptions};
use serde_json::{Value, json};

use crate::{
    gateway::{Gateway, addresses},
    truth::NO_BREAKER,
};

/// Quick retries, so that a call that is held goes on at once.
const QUICK: &[(&str, &str)] = &[NO_BREAKER, ("upstream.max_backoff_ms", "20")];

fn status(status: u16) -> Value {
    json!({"fate": "status", "status": status})
}

fn with(mut rule: Value, fields: Value) -> Value {
    rule.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    rule
}

/// The next call meets `rule`, and only that.
fn next_call(gateway: &Gateway, rule: Value) {
    gateway.faults(json!([with(rule, json!({"times": 1}))]));
}

#[actix_web::test]
async fn a_status_of_200_to_206_with_a_json_object_means_sent() {
    let gateway = Gateway::start().await;

    for code in [200, 201, 202, 203, 206] {
        let email = format!("a{code}@example.com");
        next_call(&gateway, with(status(code), json!({"accept": true, "body": r#"{"message":"ok"}"#})));

        let (answer, told) = gateway.post_one(&email).await;

        assert_eq!((answer.status.as_u16(), told.as_str(), gateway.accepted(&email)), (200, "sent", 1));
    }
    gateway.stop().await;
}

#[actix_web::test]
async fn any_other_2xx_is_a_doubt() {
    let gateway = Gateway::with(SandboxOptions::default(), QUICK).await;

    for code in [204, 207, 226, 299] {
        let email = format!("a{code}@example.com");
        next_call(&gateway, with(status(code), json!({"accept": true})));

        let (answer, told) = gateway.post_one(&email).await;

        assert_eq!((answer.status.as_u16(), told.as_str()), (207, "unknown/unreadable_answer"), "{code}");
        gateway.works(&format!("after-{code}"), 2).await;
    }
    gateway.stop().await;
}

#[actix_web::test]
async fn an_address_refused_alone_is_rejected_in_upstreams_own_words() {
    let gateway = Gateway::start().await;

    for code in [400, 404, 409, 410, 413, 422] {
        let email = format!("a{code}@example.com");
        let words = json!({"error": "no_such_member", "description": "Nobody\r\n of this\tname\u{0}."});
        next_call(&gateway, with(status(code), words));

        let (answer, told) = gateway.post_one(&email).await;

        assert_eq!((answer.status.as_u16(), told.as_str()), (422, "rejected/no_such_member"));
        assert_eq!(answer.json()["results"][0]["detail"], "Nobody of thisname.");
        assert_eq!(gateway.accepted(&email), 0);
        gateway.works(&format!("after-{code}"), 1).await;
    }
    gateway.stop().await;
}

#[actix_web::test]
async fn a_refusal_that_is_not_in_the_words_of_fax_plus_rejects_nobody() {
    let gateway = Gateway::with(SandboxOptions::default(), QUICK).await;

    for (number, body) in
        ["<html>", "", "{}", r#"{"error":"No Such Member"}"#, r#"{"error":"e","status":422}"#]
            .into_iter()
            .enumerate()
    {
        let email = format!("a{number}@example.com");
        next_call(&gateway, with(status(422), json!({"body": body})));

        assert_eq!(gateway.post_one(&email).await.1, "sent", "{body}");
    }
    gateway.stop().await;
}

#[actix_web::test]
async fn what_is_said_of_a_shared_call_is_not_told_of_any_address() {
    let gateway = Gateway::start().await;
    gateway.faults(json!([
        {"lone": false, "address": "bad@*", "fate": "status", "status": 400, "error": "batch", "description": "of ten"},
        {"address": "bad@*", "fate": "status", "status": 400, "error": "alone", "description": "of one"},
    ]));
    let mut list = addresses("a", 9);
    list.insert(4, "bad@example.com".to_owned());

    let answer = gateway.post("", &list).await;

    assert_eq!(answer.status, 207);
    assert_eq!(answer.words()[4], "rejected/alone");
    assert_eq!(answer.json()["results"][4]["detail"], "of one");
    assert!(!answer.text().contains("of ten"));
    gateway.check(&answer.outcomes());
    gateway.stop().await;
}

#[actix_web::test]
async fn a_401_is_proved_with_the_account_before_the_next_patch_and_costs_nobody_an_outcome() {
    let gateway = Gateway::with(SandboxOptions::default(), QUICK).await;

    for (number, rule) in [status(401), json!({"fate": "token_expired"})].into_iter().enumerate() {
        let (before, email) = (gateway.sandbox.stats(), format!("a{number}@example.com"));
        next_call(&gateway, rule);

        let (_, told) = gateway.post_one(&email).await;

        let after = gateway.sandbox.stats();
        assert_eq!((told.as_str(), gateway.accepted(&email)), ("sent", 1));
        assert_eq!((after.calls - before.calls, after.probes - before.probes), (2, 1));
    }
    gateway.stop().await;
}

#[actix_web::test]
async fn a_403_that_passes_ends_sent() {
    let gateway = Gateway::start().await;
    next_call(&gateway, status(403));

    let (_, told) = gateway.post_one("a@example.com").await;

    assert_eq!((told.as_str(), gateway.accepted("a@example.com")), ("sent", 1));
    assert_eq!(gateway.sandbox.stats().calls, 2);
    gateway.stop().await;
}

#[actix_web::test]
async fn an_answer_that_says_later_is_held_and_then_sent_once() {
    let past = "Sun, 06 Nov 1994 08:49:37 GMT";
    let future =
        httpdate::fmt_http_date(std::time::SystemTime::now() + std::time::Duration::from_secs(9_000));
    let html = json!({"body": "<html>", "content_type": "text/html"});
    let told = |after: &str| json!({"retry_after": after});
    let rules = [
        status(408),
        status(429),
        with(status(429), html.clone()),
        with(status(429), told("0")),
        with(status(429), told(past)),
        with(status(429), told("soon")),
        with(status(429), told("99999999999999999999999")),
        with(status(429), told(&future)),
        status(503),
        with(with(status(503), html.clone()), told("0")),
        with(with(status(503), html), told(past)),
    ];

    for rule in rules {
        // A gateway for each: what 429 teaches the pace is no part of this.
        let overrides = [QUICK, &[("upstream.max_retry_after_seconds", "1")]].concat();
        let gateway = Gateway::with(SandboxOptions::default(), &overrides).await;
        next_call(&gateway, rule.clone());

        let (_, told) = gateway.post_one("a@example.com").await;

        assert_eq!((told.as_str(), gateway.accepted("a@example.com")), ("sent", 1), "{rule}");
        assert_eq!(gateway.sandbox.stats().calls, 2, "{rule}");
        gateway.works("after", 1).await;
        gateway.stop().await;
    }
}

#[actix_web::test]
async fn an_answer_that_is_not_fax_pluss_holds_the_work_as_misconfigured() {
    let gateway = Gateway::with(SandboxOptions::default(), QUICK).await;

    for code in [405, 406, 418, 421, 451, 499] {
        let email = format!("a{code}@example.com");
        gateway.faults(json!([status(code)]));
        let id = gateway.post_async("", &[&email]).await;

        gateway.held(&id, "misconfigured").await;
        gateway.faults(json!([]));

        assert_eq!(gateway.finished(&id).await["counts"]["sent"], 1, "{code}");
        assert_eq!(gateway.accepted(&email), 1);
    }
    gateway.stop().await;
}

#[actix_web::test]
async fn a_redirect_is_held_and_never_followed() {
    let gateway = Gateway::with(SandboxOptions::default(), QUICK).await;
    let elsewhere = Sandbox::start(([127, 0, 0, 1], 0).into(), SandboxOptions::default()).await.unwrap();
    let location = format!("{}/accounts/self/member-invitations", elsewhere.base_url());

    for code in [300, 301, 302, 303, 304, 307, 308] {
        let email = format!("a{code}@example.com");
        gateway.faults(json!([{"fate": "redirect", "status": code, "location": location}]));
        let id = gateway.post_async("", &[&email]).await;

        gateway.held(&id, "misconfigured").await;
        gateway.faults(json!([]));

        assert_eq!(gateway.finished(&id).await["counts"]["sent"], 1, "{code}");
        assert_eq!(gateway.accepted(&email), 1);
    }
    assert_eq!((elsewhere.stats().calls, elsewhere.stats().probes), (0, 0));
    elsewhere.stop().await;
    gateway.stop().await;
}

#[actix_web::test]
async fn a_failure_that_may_have_acted_is_a_doubt_and_is_not_tried_again() {
    let gateway = Gateway::with(SandboxOptions::default(), QUICK).await;
    let html = json!({"body": "<html>", "content_type": "text/html"});
    let mut rules: Vec<_> = [500, 501, 502, 504, 507, 599].map(status).into();
    rules.extend([500, 502, 503, 504].map(|code| with(status(code), html.clone())));
    rules.push(with(status(503), json!({"body": ""})));
    rules.push(with(status(500), json!({"retry_after": "0"})));
    rules.push(with(status(502), json!({"accept": true})));

    for (number, rule) in rules.into_iter().enumerate() {
        let (before, email) = (gateway.sandbox.stats().calls, format!("a{number}@example.com"));
        next_call(&gateway, rule.clone());

        let (answer, told) = gateway.post_one(&email).await;

        assert_eq!((answer.status.as_u16(), told.as_str()), (207, "unknown/server_error"), "{rule}");
        assert_eq!(gateway.sandbox.stats().calls - before, 1, "{rule}");
        gateway.works(&format!("after-{number}"), 2).await;
    }
    gateway.stop().await;
}
