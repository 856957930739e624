//! The sandbox's own endpoints.

use faxplus_gateway::sandbox::{Fate, Rule};
use serde_json::{Value, json};

use crate::client::{Client, call, faulty_sandbox, patch, plain_sandbox, request};

fn faults(json: &str) -> String {
    request("POST", "/sandbox/faults", "Content-Type: application/json\r\n", json)
}

#[tokio::test]
async fn the_stats_tell_what_was_called_and_accepted() {
    let sandbox = plain_sandbox().await;
    let mut client = Client::connect(&sandbox).await;
    client.call(&patch(&["a@one.example", "b@one.example"])).await;
    client.call(&patch(&["a@one.example"])).await;
    client.call(&patch(&[])).await;
    client.call(&request("GET", "/v3/accounts/self", "", "")).await;
    client.call(&request("POST", "/token", "", "")).await;

    let stats = client.call(&request("GET", "/sandbox/stats", "", "")).await;

    assert_eq!(stats.field("content-type"), Some("application/json"));
    let expected = json!({
        "calls": 3, "calls_by_status": {"200": 2, "400": 1}, "addresses_accepted": 3,
        "distinct_addresses_accepted": 2, "largest_batch": 2, "calls_with_repeats": 0, "most_in_flight": 1,
        "probes": 1, "elsewhere": 0, "fates": {}, "refused_by_throttle": 0, "token_requests": 1, "token_requests_in_query": 0,
    });
    assert_eq!(stats.json(), expected);
    assert_eq!(serde_json::to_value(sandbox.stats()).unwrap(), expected);
}

#[tokio::test]
async fn the_ledger_is_told_line_by_line_over_many_pages() {
    let sandbox = plain_sandbox().await;
    let mut client = Client::connect(&sandbox).await;
    let emails: Vec<String> = (0..2_500).map(|n| format!("a\"{n:04}@one.example")).collect();
    for ten in emails.chunks(10) {
        let ten: Vec<&str> = ten.iter().map(String::as_str).collect();
        assert_eq!(client.call(&patch(&ten)).await.status, 200);
    }
    client.call(&patch(&[&emails[7]])).await;

    let answer = client.call(&request("GET", "/sandbox/ledger", "", "")).await;

    assert_eq!(answer.field("content-type"), Some("application/x-ndjson"));
    let rows: Vec<Value> = answer.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 2_500);
    for (n, row) in rows.iter().enumerate() {
        assert_eq!(*row, json!({ "email": emails[n], "accepted": if n == 7 { 2 } else { 1 } }));
    }
    let closing = request("GET", "/sandbox/ledger", "Connection: close\r\n", "");
    assert_eq!(client.call(&closing).await.body, answer.body);
    let mut old = Client::connect(&sandbox).await;
    old.send("GET /sandbox/ledger HTTP/1.0\r\n\r\n").await;
    let old = String::from_utf8(old.rest().await.0).unwrap();
    let (head, body) = old.split_once("\r\n\r\n").unwrap();
    assert!(!head.contains("transfer-encoding"), "{head}");
    assert_eq!(body, answer.body);
}

#[tokio::test]
async fn a_reset_empties_the_books_and_leaves_the_rules() {
    let sandbox = faulty_sandbox([Rule::new(Fate::status(503)).calls(1..=1).times(1)]).await;
    let mut client = Client::connect(&sandbox).await;
    let mut statuses = Vec::new();

    for _ in 0..2 {
        statuses.push(client.call(&patch(&["a@one.example"])).await.status);
        statuses.push(client.call(&patch(&["a@one.example"])).await.status);
        assert_eq!(client.call(&request("POST", "/sandbox/reset", "", "")).await.status, 200);
        assert!(sandbox.ledger().is_empty() && sandbox.calls().is_empty());
        assert_eq!(sandbox.stats(), Default::default());
    }

    assert_eq!(statuses, [503, 200, 503, 200]);
    assert_eq!(client.call(&request("GET", "/sandbox/ledger", "", "")).await.body, "");
}

#[tokio::test]
async fn faults_are_replaced_and_read_back() {
    let sandbox = plain_sandbox().await;
    let mut client = Client::connect(&sandbox).await;

    let set =
        client.call(&faults(r#"[{"every": 2, "fate": "status", "status": 429, "retry_after": "3"}]"#)).await;
    assert_eq!(set.status, 200);
    assert_eq!(client.call(&patch(&["a@one.example"])).await.status, 200);
    let refused = client.call(&patch(&["a@one.example"])).await;
    assert_eq!((refused.status, refused.field("retry-after")), (429, Some("3")));

    let read = client.call(&request("GET", "/sandbox/faults", "", "")).await;
    assert_eq!(read.body, set.body);
    assert_eq!(client.call(&faults(&read.body)).await.status, 200);
    assert_eq!(client.call(&faults("[]")).await.body, "[]");
    assert_eq!(client.call(&patch(&["a@one.example"])).await.status, 200);
    assert_eq!(client.call(&patch(&["a@one.example"])).await.status, 200);
}

#[tokio::test]
async fn faults_that_make_no_sense_are_refused_by_rule_and_field_and_change_nothing() {
    let sandbox = faulty_sandbox([Rule::new(Fate::status(503))]).await;

    let refused = call(&sandbox, &faults(r#"[{"fate": "garbage"}, {"fate": "delay", "sm": 5}]"#)).await;

    assert_eq!(refused.status, 400);
    assert_eq!(
        refused.json(),
        json!({ "error": "invalid_faults", "description": "rule 2: field `ms`: is missing" })
    );
    assert_eq!(call(&sandbox, &patch(&["a@one.example"])).await.status, 503);
}

#[tokio::test]
async fn the_front_page_names_every_endpoint_and_fate() {
    let sandbox = plain_sandbox().await;

    let help = call(&sandbox, &request("GET", "/", "", "")).await;

    assert_eq!((help.status, help.field("content-type")), (200, Some("text/plain; charset=utf-8")));
    for word in [
        "member-invitations",
        "/token",
        "/sandbox/stats",
        "/sandbox/ledger",
        "/sandbox/reset",
        "/sandbox/faults",
        "as_usual",
        "delay",
        "status",
        "foreign",
        "default_backend",
        "challenge",
        "cloudflare",
        "gzip_if_accepted",
        "http_1_0",
        "clock_offset_seconds",
        "retry_after_date_seconds",
        "elsewhere",
        "seconds {from, to}",
        "accept_then_500",
        "accept_then_hang_up",
        "hang_up_before_reading",
        "hang_up_after_reading",
        "hang_up_inside_answer",
        "half_a_head",
        "garbage",
        "stray_1xx",
        "never_answer",
        "redirect",
        "token_expired",
        "html_200",
        "wrong_json_200",
        "slow_body",
        "close_after_answer",
    ] {
        assert!(help.body.contains(word), "{word}");
    }
}
