//! The limit of calls per second and the count of calls in flight, under tokio's paused clock.

use std::time::Duration;

use faxplus_gateway::sandbox::SandboxOptions;
use tokio::task::JoinSet;
use tokio::time::advance;

use crate::client::{Client, patch, request, sandbox};

#[tokio::test(start_paused = true)]
async fn exactly_the_permitted_calls_are_let_through() {
    let options = SandboxOptions { calls_per_second: Some(10.0), burst: 5, ..SandboxOptions::default() };
    let sandbox = sandbox(options).await;
    let mut client = Client::connect(&sandbox).await;
    let mut statuses = Vec::new();

    for call in 0..200 {
        let address = format!("a{call}@one.example");
        statuses.push(client.call(&patch(&[&address])).await.status);
        advance(Duration::from_millis(50)).await;
    }

    let passed = statuses.iter().filter(|status| **status == 200).count();
    assert_eq!(passed, 104, "a burst of 5, and one for every further 100 of 9,950 ms");
    assert!(statuses[..9].iter().all(|status| *status == 200), "{:?}", &statuses[..12]);
    assert_eq!(sandbox.ledger().len(), 104);
    let stats = sandbox.stats();
    assert_eq!((stats.calls, stats.refused_by_throttle), (200, 96));
    assert_eq!((stats.calls_by_status["200"], stats.calls_by_status["429"]), (104, 96));
}

#[tokio::test(start_paused = true)]
async fn the_refusal_says_when_to_come_back_if_it_was_told_to() {
    for (retry_after, told) in [
        (None, None),
        (Some(Duration::from_millis(1_500)), Some("2")),
        (Some(Duration::from_secs(7)), Some("7")),
    ] {
        let options =
            SandboxOptions { calls_per_second: Some(1.0), retry_after, ..SandboxOptions::default() };
        let sandbox = sandbox(options).await;
        let mut client = Client::connect(&sandbox).await;

        assert_eq!(client.call(&patch(&["a@one.example"])).await.status, 200);
        let refused = client.call(&patch(&["b@one.example"])).await;

        assert_eq!((refused.status, refused.field("retry-after")), (429, told));
        assert_eq!(refused.json()["error"], "too_many_requests");
        assert!(!sandbox.ledger().contains_key("b@one.example"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_reset_fills_the_bucket() {
    let options = SandboxOptions { calls_per_second: Some(1.0), burst: 2, ..SandboxOptions::default() };
    let sandbox = sandbox(options).await;
    let mut client = Client::connect(&sandbox).await;
    let mut statuses = Vec::new();

    for _ in 0..2 {
        for _ in 0..3 {
            statuses.push(client.call(&patch(&["a@one.example"])).await.status);
        }
        sandbox.reset();
    }

    assert_eq!(statuses, [200, 200, 429, 200, 200, 429]);
}

#[tokio::test(start_paused = true)]
async fn probes_take_a_place_only_if_told_to() {
    for (throttle_probes, expected) in [(false, 200), (true, 429)] {
        let options =
            SandboxOptions { calls_per_second: Some(1.0), throttle_probes, ..SandboxOptions::default() };
        let sandbox = sandbox(options).await;
        let mut client = Client::connect(&sandbox).await;
        let probe = request("GET", "/v3/accounts/self", "Authorization: Bearer x\r\n", "");

        assert_eq!(client.call(&patch(&["a@one.example"])).await.status, 200);

        assert_eq!(client.call(&probe).await.status, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn the_most_calls_in_flight_are_counted() {
    let latency = Duration::from_secs(1);
    let sandbox = sandbox(SandboxOptions { latency, ..SandboxOptions::default() }).await;

    for together in [3, 7, 5] {
        let mut calls = JoinSet::new();
        for n in 0..together {
            let mut client = Client::connect(&sandbox).await;
            calls.spawn(async move { client.call(&patch(&[&format!("a{n}@one.example")])).await.status });
        }
        assert_eq!(calls.join_all().await, vec![200; together]);
    }

    assert_eq!(sandbox.stats().most_in_flight, 7);
    assert_eq!(sandbox.calls().len(), 15);
}

#[tokio::test(start_paused = true)]
async fn the_log_tells_when_each_call_arrived() {
    let sandbox =
        sandbox(SandboxOptions { latency: Duration::from_secs(9), ..SandboxOptions::default() }).await;
    let mut client = Client::connect(&sandbox).await;

    for _ in 0..2 {
        advance(Duration::from_millis(250)).await;
        assert_eq!(client.call(&patch(&["a@one.example"])).await.status, 200);
    }

    let calls = sandbox.calls();
    assert_eq!(calls[0].at, Duration::from_millis(250));
    assert!(calls[1].at >= Duration::from_millis(9_500) && calls[1].at < Duration::from_millis(9_510));
}
