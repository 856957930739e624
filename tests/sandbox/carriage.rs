//! How answers travel, as the socket shows it: framing, gzip, clocks.

use std::io::Read;
use std::time::{Duration, SystemTime};

use faxplus_gateway::sandbox::Sandbox;
use flate2::read::GzDecoder;
use serde_json::{Value, json};

use crate::client::{
    Client, End, call, faulty_sandbox, patch, patch_to_the_end, patch_with, request, set_faults,
};

const ADDRESS: &str = "a@one.example";
const TRUTH: &str = r#"{"message":"Invitations resent successfully"}"#;
const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";

async fn sandbox_with(rule: Value) -> Sandbox {
    let sandbox = faulty_sandbox([]).await;
    let set = set_faults(&sandbox, &json!([rule])).await;
    assert_eq!(set.status, 200, "{}", set.body);
    sandbox
}

/// The head and the unpacked body of a PATCH that asks for `coding`.
async fn gzipped(sandbox: &Sandbox, coding: &str) -> (String, String) {
    let fields = format!("Authorization: Bearer x\r\nConnection: close\r\nAccept-Encoding: {coding}\r\n");
    let mut client = Client::connect(sandbox).await;
    client.send(&patch_with(&fields, &json!([ADDRESS]).to_string())).await;
    let (bytes, end) = client.rest().await;
    assert_eq!(end, End::Closed);
    let at = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    let (head, body) = bytes.split_at(at);
    let head = String::from_utf8(head.to_vec()).unwrap();
    let mut text = String::new();
    if head.contains("content-encoding: gzip\r\n") {
        assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{head}");
        GzDecoder::new(body).read_to_string(&mut text).unwrap();
    } else {
        text = String::from_utf8(body.to_vec()).unwrap();
    }
    (head, text)
}

#[tokio::test]
async fn a_true_answer_can_be_delimited_by_the_end_of_the_connection() {
    for (framing, seen) in [
        ("close", format!("{HEAD}connection: close\r\n\r\n{TRUTH}")),
        ("http_1_0", format!("{}\r\n{TRUTH}", HEAD.replace("1.1", "1.0"))),
    ] {
        let sandbox = sandbox_with(json!({"fate": "as_usual", "framing": framing})).await;

        assert_eq!(patch_to_the_end(&sandbox, &[ADDRESS]).await, (seen, End::Closed));

        assert_eq!(sandbox.ledger().get(ADDRESS), Some(&1));
    }
}

#[tokio::test]
async fn a_true_answer_can_come_in_chunks_on_a_connection_that_stays() {
    let sandbox = sandbox_with(json!({"fate": "as_usual", "framing": "chunked"})).await;
    let mut client = Client::connect(&sandbox).await;

    for _ in 0..2 {
        let answer = client.call(&patch(&[ADDRESS])).await;

        assert_eq!((answer.status, answer.field("content-length"), answer.body.as_str()), (200, None, TRUTH));
    }
    let one = request("GET", "/v3/accounts/self/", "Connection: close\r\n", "");
    set_faults(
        &sandbox,
        &json!([{"target": "elsewhere", "fate": "status", "status": 404, "body": "x", "framing": "chunked"}]),
    )
    .await;
    let mut client = Client::connect(&sandbox).await;
    client.send(&one).await;
    assert!(client.rest().await.0.ends_with(b"\r\n\r\n1\r\nx\r\n0\r\n\r\n"));
}

#[tokio::test]
async fn every_kind_of_answer_can_be_delimited_by_the_end_of_the_connection() {
    for (rule, line, body) in [
        (json!({"fate": "status", "status": 503, "body": "busy"}), "503 Service Unavailable", "busy"),
        (json!({"fate": "foreign", "page": "default_backend"}), "404 Not Found", "default backend - 404"),
        (json!({"fate": "foreign", "page": "empty"}), "404 Not Found", ""),
    ] {
        let mut rule = rule;
        rule["framing"] = json!("close");
        let sandbox = sandbox_with(rule).await;

        let (seen, end) = patch_to_the_end(&sandbox, &[ADDRESS]).await;

        assert_eq!(end, End::Closed);
        assert!(seen.starts_with(&format!("HTTP/1.1 {line}\r\n")), "{seen}");
        assert!(seen.ends_with(&format!("connection: close\r\n\r\n{body}")), "{seen}");
        assert!(!seen.contains("content-length") && !seen.contains("transfer-encoding"), "{seen}");
    }
}

#[tokio::test]
async fn gzip_comes_unasked_or_only_where_it_is_accepted() {
    for (encoding, asked, comes) in [
        ("gzip", "identity", true),
        ("gzip_if_accepted", "gzip, deflate", true),
        ("gzip_if_accepted", "identity", false),
        ("gzip_if_accepted", "gzip;q=0", false),
    ] {
        let sandbox = sandbox_with(json!({"fate": "as_usual", "encoding": encoding})).await;

        let (head, body) = gzipped(&sandbox, asked).await;

        assert_eq!(head.contains("content-encoding: gzip\r\n"), comes, "{encoding} for {asked}: {head}");
        assert_eq!(body, TRUTH);
        assert_eq!(sandbox.ledger().get(ADDRESS), Some(&1));
    }
    let foreign = json!({"fate": "foreign", "page": "default_backend", "encoding": "gzip"});
    assert_eq!(gzipped(&sandbox_with(foreign).await, "identity").await.1, "default backend - 404");
    let empty = json!({"fate": "foreign", "page": "empty", "encoding": "gzip"});
    assert!(!gzipped(&sandbox_with(empty).await, "gzip").await.0.contains("content-encoding"));
}

#[tokio::test]
async fn a_true_refusal_is_carried_as_usual_too_and_is_no_acceptance() {
    let sandbox = sandbox_with(json!({"fate": "as_usual", "headers": {"via": "1.1 edge"}})).await;

    let answer = call(&sandbox, &patch_with("", &json!([ADDRESS]).to_string())).await;

    assert_eq!((answer.status, answer.field("via")), (401, Some("1.1 edge")));
    assert!(sandbox.ledger().is_empty() && !sandbox.calls()[0].accepted);
}

#[tokio::test]
async fn as_usual_is_an_exception_from_the_rules_below_it() {
    let sandbox = faulty_sandbox([]).await;
    let rules =
        json!([{"address": "*@good.example", "fate": "as_usual"}, {"fate": "foreign", "page": "text"}]);
    set_faults(&sandbox, &rules).await;

    assert_eq!(call(&sandbox, &patch(&[ADDRESS])).await.status, 404);
    let answer = patch_to_the_end;
    assert_eq!(call(&sandbox, &patch(&["a@good.example"])).await.body, TRUTH);

    set_faults(&sandbox, &json!([{"fate": "as_usual", "framing": "close"}])).await;
    assert!(answer(&sandbox, &[ADDRESS]).await.0.ends_with(TRUTH));
}

#[tokio::test]
async fn retry_after_is_sent_as_it_is_spelt() {
    for spelling in
        ["20.0", "20s", "+20", "20, 20", " 20", "", "-1", "Sunday, 06-Nov-94 08:49:37 GMT", "soon"]
    {
        let sandbox = sandbox_with(json!({"fate": "status", "status": 429, "retry_after": spelling})).await;

        let seen = call(&sandbox, &patch(&[ADDRESS])).await.head;

        assert!(seen.contains(&format!("\r\nretry-after: {spelling}\r\n")), "{spelling}: {seen}");
        assert!(sandbox.ledger().is_empty());
    }
    let twice = json!({"fate": "status", "status": 429, "headers": {"Retry-After": ["20", "30"]}});
    let seen = call(&sandbox_with(twice).await, &patch(&[ADDRESS])).await.head;
    assert!(seen.contains("\r\nRetry-After: 20\r\nRetry-After: 30\r\n"), "{seen}");
}

#[tokio::test]
async fn a_clock_can_be_wrong_and_a_retry_after_counts_from_it() {
    for offset in [-300, 0, 7_200] {
        let rule = json!({"fate": "status", "status": 429, "retry_after_date_seconds": 20, "clock_offset_seconds": offset});
        let sandbox = sandbox_with(rule).await;
        let before = SystemTime::now();

        let answer = call(&sandbox, &patch(&[ADDRESS])).await;

        let after = SystemTime::now();
        assert_eq!(answer.head.matches("date: ").count(), 1, "{}", answer.head);
        let date = httpdate::parse_http_date(answer.field("date").unwrap()).unwrap();
        let until = httpdate::parse_http_date(answer.field("retry-after").unwrap()).unwrap();
        assert_eq!(until.duration_since(date).unwrap(), Duration::from_secs(20));
        let shift = |time: SystemTime| {
            let seconds = time.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
            seconds.checked_add_signed(offset).unwrap()
        };
        let told = date.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        assert!((shift(before)..=shift(after)).contains(&told), "{offset}: {}", answer.head);
    }
    let undated = sandbox_with(json!({"fate": "as_usual", "headers": {"Date": null}})).await;
    assert_eq!(call(&undated, &patch(&[ADDRESS])).await.field("date"), None);
}
