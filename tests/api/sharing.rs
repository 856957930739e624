//! Calls: how many, how full, and shared by whom.

use std::time::Duration;

use faxplus_gateway::sandbox::SandboxOptions;
use futures_util::future::{join, join_all};
use serde_json::json;

use crate::gateway::{Gateway, addresses, eventually};

#[actix_web::test]
async fn a_list_of_25_makes_3_calls() {
    let gateway = Gateway::start().await;

    let answer = gateway.post("", &addresses("a", 25)).await;

    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["upstream_calls"], 3);
    let stats = gateway.sandbox.stats();
    assert_eq!((stats.calls, stats.largest_batch, stats.addresses_accepted), (3, 10, 25));
    gateway.stop().await;
}

#[actix_web::test]
async fn a_thousand_single_requests_share_full_calls() {
    let options = SandboxOptions { latency: Duration::from_millis(20), ..SandboxOptions::default() };
    let gateway = Gateway::with(options, &[("upstream.max_in_flight", "2")]).await;
    let emails = addresses("a", 1000);
    // However long they take to come in, they wait together.
    gateway.sandbox.hold_answers();
    let released = async {
        let active = async || gateway.metric("faxplus_gateway_resends_active").await == 1000.0;
        eventually(async || active().await.then_some(())).await;
        gateway.sandbox.release_answers();
    };

    let posts = join_all(emails.iter().map(|email| gateway.post("", std::slice::from_ref(email))));
    let (answers, ()) = join(posts, released).await;

    assert!(answers.iter().all(|answer| answer.status == 200 && answer.words() == ["sent"]));
    let stats = gateway.sandbox.stats();
    assert!(stats.calls <= 115, "{} calls", stats.calls);
    assert_eq!(stats.most_in_flight, 2);
    assert_eq!(stats.addresses_accepted, 1000);
    gateway.stop().await;
}

#[actix_web::test]
async fn fifty_concurrent_posts_of_one_list_reach_upstream_once() {
    let options = SandboxOptions { latency: Duration::from_millis(5), ..SandboxOptions::default() };
    let gateway = Gateway::with(options, &[]).await;
    let emails = addresses("a", 100);

    let answers = join_all((0..50).map(|_| gateway.post("", &emails))).await;

    let mut sent = 0;
    for answer in &answers {
        assert_eq!(answer.status, 200);
        let counts = answer.json()["counts"].clone();
        assert_eq!(counts["sent"].as_u64().unwrap() + counts["duplicate"].as_u64().unwrap(), 100);
        sent += counts["sent"].as_u64().unwrap();
    }
    assert_eq!(sent, 100);
    let ledger = gateway.sandbox.ledger();
    assert_eq!(ledger.len(), 100);
    assert!(ledger.values().all(|accepted| *accepted == 1));
    gateway.stop().await;
}

#[actix_web::test]
async fn who_was_refused_alone_shares_no_call_with_others_again() {
    let options = SandboxOptions { latency: Duration::from_millis(20), ..SandboxOptions::default() };
    let gateway = Gateway::with(options, &[("upstream.max_in_flight", "1")]).await;
    gateway.faults(json!([{"address": "bad@*", "fate": "status", "status": 410, "error": "not_found"}]));
    gateway.post("", &["bad@example.com"]).await;
    let others = gateway.post_async("?results=none", &addresses("other", 300)).await;
    gateway.until(&others, |resend| resend["counts"]["sent"].as_u64() > Some(0)).await;

    let answer = gateway.post("", &["bad@example.com"]).await;

    assert_eq!(answer.words(), ["rejected/not_found"]);
    gateway.finished(&others).await;
    assert_eq!(gateway.sandbox.stats().calls, 1 + 30 + 1);
    gateway.stop().await;
}

#[actix_web::test]
async fn fresh_addresses_far_apart_among_duplicates_still_fill_calls() {
    let gateway = Gateway::start().await;
    let known = addresses("known", 1000);
    gateway.post("?results=none", &known).await;
    let mut emails = Vec::new();
    for (number, part) in known.chunks(100).enumerate() {
        emails.push(format!("new{number}@example.com"));
        emails.extend_from_slice(part);
    }

    let run = gateway.post("?results=none", &emails).await.json();

    assert_eq!((&run["counts"]["sent"], &run["upstream_calls"]), (&json!(10), &json!(1)));
    gateway.stop().await;
}
