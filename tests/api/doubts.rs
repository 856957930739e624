//! An address that may have been sent is not sent again by itself, and never becomes certain again.

use awc::http::Method;
use faxplus_gateway::sandbox::SandboxOptions;
use serde_json::{Value, json};

use crate::{
    gateway::{Gateway, addresses, eventually},
    truth::{adds_up, count, tally},
};

const RESEND: &[(&str, &str)] =
    &[("upstream.on_unknown", "resend"), ("upstream.max_attempts", "3"), ("upstream.max_backoff_ms", "20")];

async fn resending(rules: Value, more: &[(&str, &str)]) -> Gateway {
    let gateway = Gateway::with(SandboxOptions::default(), &[RESEND, more].concat()).await;
    gateway.faults(rules);
    gateway
}

#[actix_web::test]
async fn an_address_in_doubt_that_is_posted_again_costs_no_call() {
    let gateway = Gateway::start().await;
    gateway.faults(json!([{"times": 1, "fate": "accept_then_hang_up"}]));
    assert_eq!(gateway.post_one("a@example.com").await.1, "unknown/connection_lost");

    for email in ["a@example.com", "A@Example.com"] {
        let (answer, told) = gateway.post_one(email).await;

        assert_eq!((answer.status.as_u16(), told.as_str()), (207, "unknown/earlier_doubt"));
        assert_eq!(answer.json()["upstream_calls"], 0);
    }
    assert_eq!((gateway.sandbox.stats().calls, gateway.accepted("a@example.com")), (1, 1));
    gateway.stop().await;
}

#[actix_web::test]
async fn force_sends_what_is_in_doubt_and_that_settles_the_doubt() {
    let gateway = Gateway::start().await;
    gateway.faults(json!([{"times": 1, "fate": "status", "status": 500}]));
    assert_eq!(gateway.post_one("a@example.com").await.1, "unknown/server_error");

    let forced = gateway.post("?force=true", &["a@example.com"]).await;

    assert_eq!((forced.status.as_u16(), forced.words()), (200, vec!["sent".to_owned()]));
    assert_eq!(gateway.accepted("a@example.com"), 1);
    assert_eq!(gateway.post_one("a@example.com").await.1, "duplicate");
    gateway.stop().await;
}

#[actix_web::test]
async fn force_that_fails_for_certain_leaves_the_earlier_doubt() {
    let gateway = Gateway::start().await;
    gateway.faults(json!([
        {"times": 1, "fate": "accept_then_500"},
        {"times": 1, "fate": "status", "status": 400, "error": "bad"},
    ]));
    assert_eq!(gateway.post_one("a@example.com").await.1, "unknown/server_error");
    assert_eq!(gateway.post("?force=true", &["a@example.com"]).await.words(), ["rejected/bad"]);

    assert_eq!(gateway.post_one("a@example.com").await.1, "unknown/earlier_doubt");
    gateway.stop().await;
}

#[actix_web::test]
async fn a_doubt_ends_with_the_window() {
    let gateway = Gateway::with(SandboxOptions::default(), &[("dedupe.window_seconds", "1")]).await;
    gateway.faults(json!([{"times": 1, "fate": "status", "status": 500}]));
    assert_eq!(gateway.post_one("a@example.com").await.1, "unknown/server_error");

    let mut doubts = 0;
    eventually(async || {
        let (_, told) = gateway.post_one("a@example.com").await;
        doubts += usize::from(told == "unknown/earlier_doubt");
        (told == "sent").then_some(())
    })
    .await;

    assert!(doubts > 0);
    assert_eq!(gateway.accepted("a@example.com"), 1);
    gateway.stop().await;
}

#[actix_web::test]
async fn the_repeats_of_an_address_in_doubt_are_in_doubt() {
    let gateway = Gateway::start().await;
    gateway.faults(json!([{"times": 1, "fate": "accept_then_500"}]));

    let answer = gateway.post("", &["a@example.com", "A@example.com"]).await;

    assert_eq!(answer.words(), ["unknown/server_error", "unknown/server_error"]);
    assert_eq!(answer.json()["counts"]["unknown"], 2);
    gateway.stop().await;
}

#[actix_web::test]
async fn resend_tries_a_doubt_again_until_it_is_sent() {
    let gateway = resending(json!([{"times": 2, "fate": "accept_then_500"}]), &[]).await;

    let answer = gateway.post("", &addresses("a", 10)).await;

    assert_eq!((answer.status.as_u16(), tally(&answer.outcomes(), "sent")), (200, 10));
    assert_eq!(gateway.sandbox.stats().calls, 3);
    // That is what the setting means: somebody may be mailed twice, or three times.
    assert!(gateway.sandbox.ledger().values().all(|accepted| *accepted == 3));
    gateway.stop().await;
}

#[actix_web::test]
async fn resend_gives_up_after_max_attempts_and_says_unknown() {
    let gateway = resending(json!([{"fate": "status", "status": 500}]), &[]).await;

    let (answer, told) = gateway.post_one("a@example.com").await;

    assert_eq!((answer.status.as_u16(), told.as_str()), (207, "unknown/server_error"));
    assert_eq!(gateway.sandbox.stats().calls, 3);
    assert_eq!(gateway.post_one("a@example.com").await.1, "unknown/earlier_doubt");
    gateway.stop().await;
}

#[actix_web::test]
async fn a_doubt_that_is_refused_later_stays_unknown() {
    let gateway = resending(
        json!([
            {"times": 1, "fate": "accept_then_500"},
            {"address": "bad@*", "fate": "status", "status": 400},
        ]),
        &[],
    )
    .await;
    let mut list = addresses("a", 9);
    list.push("bad@example.com".to_owned());

    let answer = gateway.post("", &list).await;

    assert_eq!(tally(&answer.outcomes(), "sent"), 9);
    assert_eq!(answer.words()[9], "unknown/server_error");
    assert_eq!(gateway.accepted("bad@example.com"), 1);
    gateway.stop().await;
}

/// Regression: an address in doubt that was forbidden alone went back to the head of its list, again and
/// again, and nobody behind it got a turn.
#[actix_web::test]
async fn a_doubt_that_is_forbidden_later_stays_unknown_and_holds_up_nobody() {
    let rules = json!([
        {"times": 1, "fate": "accept_then_500"},
        {"address": "bad@*", "fate": "status", "status": 403},
    ]);
    let gateway = resending(rules, &[]).await;
    let mut list = addresses("a", 15);
    list.insert(1, "bad@example.com".to_owned());

    let answer = gateway.post("", &list).await;

    assert_eq!((tally(&answer.outcomes(), "sent"), answer.words()[1].as_str()), (15, "unknown/server_error"));
    assert_eq!(gateway.accepted("bad@example.com"), 1);
    gateway.stop().await;
}

#[actix_web::test]
async fn a_doubt_that_is_forbidden_and_then_cancelled_stays_unknown() {
    let rules = json!([{"times": 1, "fate": "accept_then_500"}, {"fate": "status", "status": 403}]);
    let gateway = resending(rules, &[]).await;
    let id = gateway.post_async("", &addresses("a", 12)).await;
    // One was forbidden alone, nine wait to go alone, two were never called.
    gateway.held(&id, "forbidden").await;
    eventually(async || (gateway.sandbox.stats().calls >= 3).then_some(())).await;

    let path = format!("/v1/resends/{id}");
    let cancelled = gateway.request(Method::DELETE, &path, &[], "").await.json();

    assert!(adds_up(&cancelled), "{cancelled}");
    assert_eq!((count(&cancelled, "unknown"), count(&cancelled, "not_sent")), (10, 2));
    assert_eq!(gateway.post_one("a0@example.com").await.1, "unknown/earlier_doubt");
    gateway.stop().await;
}

#[actix_web::test]
async fn a_doubt_that_is_held_for_too_long_stays_unknown_and_the_rest_is_not_sent() {
    let gateway = resending(
        json!([{"times": 1, "fate": "accept_then_500"}, {"fate": "status", "status": 429}]),
        &[("dispatch.max_hold_seconds", "1")],
    )
    .await;

    let answer = gateway.post("", &addresses("a", 25)).await;

    let told = answer.outcomes();
    assert_eq!(answer.status, 207);
    assert_eq!((tally(&told, "unknown/server_error"), tally(&told, "not_sent/throttled")), (10, 15));
    gateway.check(&told);
    gateway.stop().await;
}

#[actix_web::test]
async fn a_doubt_that_is_cancelled_stays_unknown() {
    let gateway = resending(
        json!([
            {"times": 1, "fate": "accept_then_hang_up"},
            {"fate": "status", "status": 429, "retry_after": "600"},
        ]),
        &[],
    )
    .await;
    let id = gateway.post_async("", &addresses("a", 25)).await;
    gateway.held(&id, "throttled").await;

    let cancelled = gateway.request(Method::DELETE, &format!("/v1/resends/{id}"), &[], "").await.json();

    let told = gateway.results(&id).await;
    assert_eq!(cancelled["status"], "cancelled");
    assert!(adds_up(&cancelled) && count(&cancelled, "pending") == 0, "{cancelled}");
    assert_eq!((tally(&told, "unknown/connection_lost"), tally(&told, "not_sent/cancelled")), (10, 15));
    gateway.check(&told);
    gateway.stop().await;
}
