//! Dry runs: what they say, that it comes true, and that nothing happens because of them.

use std::{cell::Cell, time::Duration};

use faxplus_gateway::sandbox::SandboxOptions;
use futures_util::future::join;
use serde_json::{Value, json};

use crate::gateway::{Gateway, addresses, eventually};

const LIST: [&str; 6] = [
    "new@example.com",
    "NEW@example.com",
    "nobody",
    "sent@example.com",
    "doubt@example.com",
    "b@example.com",
];

/// A gateway that has sent one address of [`LIST`] and is in doubt about another.
async fn experienced() -> Gateway {
    let options = SandboxOptions { latency: Duration::from_millis(5), ..SandboxOptions::default() };
    let gateway = Gateway::with(options, &[]).await;
    gateway.faults(json!([{"address": "doubt@*", "fate": "accept_then_500", "times": 1}]));
    for email in ["sent@example.com", "doubt@example.com"] {
        gateway.post("?results=none", &[email]).await;
    }
    gateway
}

async fn plan(gateway: &Gateway, emails: &[impl AsRef<str>]) -> Value {
    let answer = gateway.post("?dry_run=true", emails).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

fn seconds(timed: &Value) -> f64 {
    let at = |name: &str| humantime::parse_rfc3339(timed[name].as_str().unwrap()).unwrap();
    at("finished_at").duration_since(at("created_at")).unwrap().as_secs_f64()
}

#[actix_web::test]
async fn a_dry_run_says_what_would_happen_and_makes_nothing_happen() {
    let gateway = experienced().await;
    let (stats, ledger) = (gateway.sandbox.stats(), gateway.sandbox.ledger());
    let resends = gateway.get("/v1/resends").await.json();
    let sent_at = gateway.post("", &["sent@example.com"]).await.json()["results"][0]["sent_at"].clone();
    let metrics = counters(&gateway).await;

    let answer = gateway.post("?dry_run=true", &LIST).await;

    let body = answer.json();
    assert_eq!(answer.status, 200);
    assert_eq!(
        body["counts"],
        json!({"received": 6, "would_send": 2, "duplicate": 2, "invalid": 1, "unknown": 1})
    );
    assert_eq!(
        body["results"],
        json!([
            {"index": 0, "email": "new@example.com", "outcome": "would_send"},
            {"index": 1, "email": "NEW@example.com", "outcome": "duplicate"},
            {"index": 2, "email": "nobody", "outcome": "invalid", "reason": "no_at_sign"},
            {"index": 3, "email": "sent@example.com", "outcome": "duplicate", "sent_at": sent_at},
            {"index": 4, "email": "doubt@example.com", "outcome": "unknown", "reason": "earlier_doubt"},
            {"index": 5, "email": "b@example.com", "outcome": "would_send"}
        ])
    );
    assert_eq!((&body["dry_run"], &body["status"]), (&json!(true), &json!("finished")));
    assert_eq!((&body["upstream_calls"], body.get("id")), (&json!(1), None));
    assert!(body["estimated_seconds"].as_f64().is_some_and(|seconds| seconds > 0.0), "{body}");
    assert_eq!((gateway.sandbox.stats(), gateway.sandbox.ledger()), (stats, ledger));
    assert_eq!(counters(&gateway).await, metrics);
    let now = gateway.get("/v1/resends").await.json();
    assert_eq!(now["resends"].as_array().unwrap().len(), resends["resends"].as_array().unwrap().len() + 1);
    gateway.stop().await;
}

/// Every count of the metrics that speaks of addresses, resends or calls; gauges lag a moment behind.
async fn counters(gateway: &Gateway) -> Vec<String> {
    let text = gateway.admin("/metrics").await.text();
    let speaks = ["addresses", "resends_total", "resend_", "upstream_calls", "dedupe_hits", "outcome"];
    let is_one = |line: &&str| {
        line.strip_prefix("faxplus_gateway_")
            .is_some_and(|name| speaks.iter().any(|word| name.starts_with(word)))
    };
    text.lines().filter(is_one).map(str::to_owned).collect()
}

#[actix_web::test]
async fn the_results_of_a_dry_run_are_those_asked_for() {
    let gateway = experienced().await;

    for (results, expected) in
        [("all", Some(vec![0, 1, 2, 3, 4, 5])), ("problems", Some(vec![2, 4])), ("none", None)]
    {
        let body = gateway.post(&format!("?dry_run=true&results={results}"), &LIST).await.json();

        let indexes = body.get("results").map(|rows| {
            rows.as_array().unwrap().iter().map(|row| row["index"].as_u64().unwrap()).collect::<Vec<_>>()
        });
        assert_eq!(indexes, expected, "{results}");
        assert_eq!(body["counts"]["received"], 6);
    }
    let long = gateway.post("?dry_run=true", &addresses("a", 5000)).await;
    assert_eq!(long.words(), ["would_send"; 5000]);
    assert_eq!(long.header("content-length"), None, "all of it was held in memory");
    gateway.stop().await;
}

#[actix_web::test]
async fn with_force_what_was_before_counts_for_nothing_but_repeats_do() {
    let gateway = experienced().await;

    let answer = gateway.post("?dry_run=true&force=true", &LIST).await;

    assert_eq!(
        answer.words(),
        ["would_send", "duplicate", "invalid/no_at_sign", "would_send", "would_send", "would_send"]
    );
    gateway.stop().await;
}

#[actix_web::test]
async fn an_address_in_a_call_right_now_would_be_a_duplicate_also_with_force() {
    let gateway = Gateway::start().await;
    gateway.sandbox.hold_answers();
    let first = gateway.post_async("", &["a@example.com"]).await;
    eventually(async || (gateway.sandbox.stats().calls == 1).then_some(())).await;

    let told = gateway.post("?dry_run=true", &["A@example.com"]).await;
    let forced = gateway.post("?dry_run=true&force=true", &["a@example.com"]).await;

    assert_eq!((told.words(), forced.words()), (vec!["duplicate".to_owned()], vec!["duplicate".to_owned()]));
    assert_eq!((&told.json()["upstream_calls"], &told.json()["estimated_seconds"]), (&json!(0), &json!(0.0)));
    gateway.sandbox.release_answers();
    gateway.finished(&first).await;
    gateway.stop().await;
}

#[actix_web::test]
async fn what_a_post_refuses_a_dry_run_refuses() {
    let gateway = Gateway::with(SandboxOptions::default(), &[("intake.max_addresses", "3")]).await;

    for (query, content_type, body, status, word) in [
        ("?dry_run=true", "application/json", "[]".to_owned(), 422, "empty-list"),
        ("?dry_run=true", "text/plain", "\n\n".to_owned(), 422, "empty-list"),
        ("?dry_run=true", "application/json", "[\"a@example.com\",".to_owned(), 400, "malformed-body"),
        ("?dry_run=true", "image/png", "x".to_owned(), 415, "media-type"),
        ("?dry_run=true", "text/plain", addresses("a", 4).join("\n"), 413, "too-large"),
        ("?dry_run=1", "text/plain", "a@example.com".to_owned(), 400, "bad-query"),
        ("?dry_run=true&dry_run=true", "text/plain", "a@example.com".to_owned(), 400, "bad-query"),
        ("?dry_run=true&results=some", "text/plain", "a@example.com".to_owned(), 400, "bad-query"),
    ] {
        let headers = [("content-type", content_type)];
        let path = format!("/v1/resends{query}");
        let answer = gateway.request(awc::http::Method::POST, &path, &headers, body).await;

        assert_eq!(answer.status, status, "{query} {word}: {answer:?}");
        answer.problem(word);
    }
    for path in ["/v1/resends?dry_run=true", "/v1/resends/x/results?dry_run=true"] {
        assert_eq!(gateway.get(path).await.problem("bad-query")["parameter"], "dry_run", "{path}");
    }
    gateway.assert_nothing_was_taken().await;
    gateway.stop().await;
}

#[actix_web::test]
async fn the_wait_has_no_meaning_for_a_dry_run_and_does_no_harm() {
    let gateway = Gateway::start().await;
    gateway.faults(json!([{"fate": "status", "status": 429, "retry_after": "60"}]));
    let held = gateway.post_async("", &["held@example.com"]).await;
    gateway.until(&held, |resend| resend["hold"]["reason"] == "throttled").await;

    for (query, prefer) in [
        ("?dry_run=true", "respond-async"),
        ("?dry_run=true&on_timeout=cancel", "wait=30"),
        ("?dry_run=true", "wait=0"),
    ] {
        let answer =
            gateway.post_with(query, &[("prefer", prefer)], &["a@example.com", "b@example.com"]).await;

        assert_eq!((answer.status.as_u16(), answer.words()), (200, vec!["would_send".to_owned(); 2]));
        assert_eq!((answer.header("preference-applied"), answer.header("location")), (None, None));
        let body = answer.json();
        assert_eq!(body["hold"]["reason"], "throttled");
        assert!(body["hold"]["detail"].as_str().unwrap().starts_with("2 addresses would wait; "), "{body}");
        assert!(body["estimated_seconds"].as_f64().is_some_and(|seconds| seconds > 50.0), "{body}");
    }
    gateway.stop().await;
}

#[actix_web::test]
async fn the_memory_of_a_dry_run_is_given_back() {
    let gateway = Gateway::with(SandboxOptions::default(), &[("intake.memory_bytes", "1000000")]).await;
    let emails = addresses("a", 10_000);

    for _ in 0..5 {
        assert_eq!(plan(&gateway, &emails).await["counts"]["would_send"], 10_000);
    }

    let refused = gateway.post("?dry_run=true", &addresses("much", 60_000)).await;
    assert_eq!(refused.status, 503);
    refused.problem("no-memory");
    gateway.stop().await;
}

/// A list in which everything is mixed that a look can find.
fn mixed() -> Vec<String> {
    let mut emails = Vec::new();
    emails.extend(addresses("known", 300));
    emails.extend(addresses("new", 5));
    emails.extend(addresses("known", 700));
    emails.extend(addresses("NEW", 3));
    emails.push("nobody".to_owned());
    emails.extend(addresses("more", 23));
    for number in 0..12 {
        emails.push(format!("x{number}@refused.example"));
        emails.extend(addresses(&format!("part{number}x"), 3));
    }
    emails.extend(["doubt@doubt.example", "Doubt@doubt.example"].map(str::to_owned));
    emails
}

#[actix_web::test]
async fn a_run_makes_the_calls_and_has_the_duplicates_that_the_plan_said() {
    let gateway = Gateway::start().await;
    gateway.faults(json!([
        {"address": "*@refused.example", "fate": "status", "status": 404, "error": "not_found"},
        {"address": "*@doubt.example", "fate": "accept_then_500"}
    ]));
    let mut history = addresses("known", 700);
    for number in 0..12 {
        history.insert(number * 50, format!("x{number}@refused.example"));
    }
    for list in [history, vec!["doubt@doubt.example".to_owned()]] {
        gateway.post("?results=none", &list).await;
    }
    let emails = mixed();

    let planned = plan(&gateway, &emails).await;
    let calls = gateway.sandbox.stats().calls;
    let run = gateway.post("", &emails).await.json();

    let (would, did) = (&planned["counts"], &run["counts"]);
    assert_eq!(planned["upstream_calls"], 12 + (5 + 23 + 36_u64).div_ceil(10));
    assert_eq!(run["upstream_calls"], planned["upstream_calls"]);
    assert_eq!(gateway.sandbox.stats().calls - calls, planned["upstream_calls"].as_u64().unwrap());
    assert_eq!(did["duplicate"], would["duplicate"]);
    assert_eq!((&did["unknown"], &did["invalid"]), (&would["unknown"], &would["invalid"]));
    assert_eq!(
        (did["sent"].as_u64().unwrap(), did["rejected"].as_u64().unwrap()),
        (would["would_send"].as_u64().unwrap() - 12, 12)
    );
    gateway.stop().await;
}

#[actix_web::test]
async fn three_are_answered_while_300_000_are_planned() {
    let gateway = Gateway::start().await;
    let emails = addresses("big", 300_000);
    let planned = Cell::new(false);

    let big = async {
        let answer = gateway.post("?dry_run=true&results=none", &emails).await;
        planned.set(true);
        answer
    };
    let small = async {
        let mut rounds = 0;
        while !planned.get() {
            assert_eq!(
                gateway.post("", &addresses(&format!("small{rounds}x"), 3)).await.words(),
                ["sent"; 3]
            );
            rounds += 1;
        }
        rounds
    };
    let (answer, rounds) = join(big, small).await;

    assert_eq!(answer.json()["upstream_calls"], 30_000);
    assert!(rounds > 3, "only {rounds} times were three answered meanwhile");
    gateway.stop().await;
}

/// A plan that came true, or not.
struct Timed {
    foretold: f64,
    took: f64,
    /// Calls made beyond those foretold: refused ones.
    more_calls: u64,
}

#[allow(clippy::print_stdout, reason = "the figures of the run")]
async fn timed(gateway: &Gateway, name: &str, count: usize) -> Timed {
    let emails = addresses(name, count);
    let planned = gateway.post("?dry_run=true&results=none", &emails).await.json();
    let id = gateway.post_async("", &emails).await;
    let run = gateway.finished(&id).await;
    let calls = |resend: &Value| resend["upstream_calls"].as_u64().unwrap();
    let timed = Timed {
        foretold: planned["estimated_seconds"].as_f64().unwrap(),
        took: seconds(&run),
        more_calls: calls(&run) - calls(&planned),
    };
    let Timed { foretold, took, more_calls } = timed;
    println!(
        "{name}: {count} addresses, foretold {foretold:.2} s, took {took:.2} s; {more_calls} more calls"
    );
    timed
}

fn assert_close(Timed { foretold, took, .. }: &Timed) {
    assert!((foretold - took).abs() <= 0.1 * took, "foretold {foretold:.2} s, took {took:.2} s");
}

#[actix_web::test]
#[ignore = "takes half a minute and measures time; .ci/run runs it on its own"]
async fn a_run_takes_as_long_as_the_plan_said_to_a_tenth() {
    let latency = |ms| SandboxOptions { latency: Duration::from_millis(ms), ..SandboxOptions::default() };

    let paced = Gateway::with(latency(50), &[("upstream.max_calls_per_second", "10")]).await;
    for (name, count) in [("unproven", 600), ("paced", 500)] {
        let timed = timed(&paced, name, count).await;
        assert_close(&timed);
        assert_eq!(timed.more_calls, 0);
    }
    paced.stop().await;

    let slow = Gateway::with(latency(1000), &[("upstream.max_in_flight", "4")]).await;
    timed(&slow, "unseen", 10).await;
    assert_close(&timed(&slow, "slow", 240).await);
    slow.stop().await;

    let limited = SandboxOptions { calls_per_second: Some(15.0), burst: 3, ..latency(50) };
    let limited = Gateway::with(limited, &[]).await;
    timed(&limited, "unlearned", 600).await;
    assert_close(&timed(&limited, "learned", 900).await);
    limited.stop().await;
}
