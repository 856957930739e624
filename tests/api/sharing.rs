//! Calls: how many, how full, and shared by whom.

use std::time::Duration;

use faxplus_gateway::sandbox::SandboxOptions;
use futures_util::future::join_all;

use crate::gateway::{Gateway, addresses};

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
    let options = SandboxOptions { latency: Duration::from_millis(50), ..SandboxOptions::default() };
    let gateway = Gateway::with(options, &[("upstream.max_in_flight", "2")]).await;
    let emails = addresses("a", 1000);

    let answers = join_all(emails.iter().map(|email| gateway.post("", std::slice::from_ref(email)))).await;

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
