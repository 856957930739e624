//! Every fate as the client sees it, byte by byte, and whether the ledger has the address.

use std::time::Duration;

use faxplus_gateway::sandbox::{Fate, Rule, Sandbox, SandboxOptions, StatusAnswer, Target};
use tokio::time::{Instant, timeout};

use crate::client::{
    Client, End, call, faulty_sandbox, patch, patch_to_the_end, patch_with, request, sandbox, without_date,
};

const ADDRESS: &str = "a@one.example";
const TRUTH: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 45\r\n\r\n\
                     {\"message\":\"Invitations resent successfully\"}";

async fn sandbox_with(fate: Fate) -> Sandbox {
    faulty_sandbox([Rule::new(fate)]).await
}

fn accepted(sandbox: &Sandbox) -> bool {
    let calls = sandbox.calls();
    let by_log = calls.last().unwrap().accepted;
    assert_eq!(by_log, sandbox.ledger().contains_key(ADDRESS), "log and ledger differ");
    by_log
}

/// The bytes of one call's answer on a connection that stays open, and that it does stay open.
async fn bytes_of(sandbox: &Sandbox) -> String {
    let mut client = Client::connect(sandbox).await;
    let answer = client.call(&patch(&[ADDRESS])).await;
    let next = client.call(&request("GET", "/sandbox/stats", "", "")).await;
    assert_eq!(next.status, 200);
    format!("{}{}", without_date(answer.head.as_bytes()), answer.body)
}

#[tokio::test]
async fn the_connection_ends_as_each_fate_says_and_the_ledger_knows_the_truth() {
    let garbage = String::from_utf8_lossy(b"\x16\x03\x01\x00\x2a\xff\xfe this is not HTTP \x00\r\n\r\n");
    let half_answer = &TRUTH[..TRUTH.len() - 23];
    let half_head = "HTTP/1.1 200 OK\r\ncontent-ty";
    for (fate, seen, status, in_ledger) in [
        (Fate::AcceptThenHangUp, "", None, true),
        (Fate::HangUpAfterReading, "", None, false),
        (Fate::HangUpInsideAnswer { accept: true }, half_answer, Some(200), true),
        (Fate::HangUpInsideAnswer { accept: false }, half_answer, Some(200), false),
        (Fate::HalfAHead { accept: true }, half_head, None, true),
        (Fate::HalfAHead { accept: false }, half_head, None, false),
        (Fate::Garbage { accept: true }, &garbage, None, true),
        (Fate::Garbage { accept: false }, &garbage, None, false),
        (Fate::CloseAfterAnswer, TRUTH, Some(200), true),
    ] {
        let sandbox = sandbox_with(fate.clone()).await;

        let (bytes, end) = patch_to_the_end(&sandbox, &[ADDRESS]).await;

        assert_eq!((bytes.as_str(), end), (seen, End::Closed), "{fate:?}");
        assert_eq!(accepted(&sandbox), in_ledger, "{fate:?}");
        let last = sandbox.calls().remove(0);
        assert_eq!((last.status, last.fate), (status, Some(fate.name())));
    }
}

#[tokio::test]
async fn answers_on_an_open_connection_are_what_each_fate_says() {
    let error = |line: &str, error: &str, description: &str| {
        let body = format!(r#"{{"description":"{description}","error":"{error}"}}"#);
        let length = body.len();
        format!("HTTP/1.1 {line}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}")
    };
    let unauthorized =
        "The access token provided is expired, revoked, malformed, or invalid for other reasons.";
    let failed = "An unexpected error happened, please contact support";
    for (fate, seen, in_ledger) in [
        (Fate::AcceptThen500, error("500 Internal Server Error", "internal_server_error", failed), true),
        (Fate::status(500), error("500 Internal Server Error", "internal_server_error", failed), false),
        (Fate::TokenExpired, error("401 Unauthorized", "unauthorized", unauthorized), false),
        (
            Fate::status(403),
            error("403 Forbidden", "forbidden", "You are not allowed to access this resource."),
            false,
        ),
        (
            Fate::WrongJson200 { body: "null".to_owned(), accept: true },
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 4\r\n\r\nnull".to_owned(),
            true,
        ),
        (
            Fate::Redirect { status: 307, location: "https://elsewhere.example/".to_owned() },
            "HTTP/1.1 307 Temporary Redirect\r\nlocation: https://elsewhere.example/\r\ncontent-length: 0\r\n\r\n"
                .to_owned(),
            false,
        ),
    ] {
        let sandbox = sandbox_with(fate.clone()).await;

        assert_eq!(bytes_of(&sandbox).await, seen, "{fate:?}");
        assert_eq!(accepted(&sandbox), in_ledger, "{fate:?}");
    }
}

#[tokio::test]
async fn a_status_can_carry_whatever_an_edge_proxy_might_send() {
    let fate = Fate::Status(StatusAnswer {
        status: 503,
        retry_after: Some("Wed, 21 Oct 2026 07:28:00 GMT".to_owned()),
        body: Some("<h1>busy</h1>".to_owned()),
        content_type: Some("text/html".to_owned()),
        accept: true,
        ..StatusAnswer::default()
    });
    let sandbox = sandbox_with(fate).await;

    let seen = bytes_of(&sandbox).await;

    let head = "HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/html\r\n\
                retry-after: Wed, 21 Oct 2026 07:28:00 GMT\r\ncontent-length: 13\r\n\r\n";
    assert_eq!(seen, format!("{head}<h1>busy</h1>"));
    assert!(accepted(&sandbox));

    sandbox.set_faults(vec![Rule::new(Fate::Status(StatusAnswer {
        status: 503,
        body: Some(String::new()),
        ..StatusAnswer::default()
    }))]);
    assert_eq!(bytes_of(&sandbox).await, "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n");

    sandbox.set_faults(vec![Rule::new(Fate::Status(StatusAnswer {
        status: 404,
        error: Some("not_pending".to_owned()),
        description: Some("No such invitation".to_owned()),
        ..StatusAnswer::default()
    }))]);
    assert!(
        bytes_of(&sandbox).await.ends_with(r#"{"description":"No such invitation","error":"not_pending"}"#)
    );
}

#[tokio::test]
async fn an_html_page_comes_with_a_200() {
    let sandbox = sandbox_with(Fate::Html200 { accept: false }).await;

    let answer = call(&sandbox, &patch(&[ADDRESS])).await;

    assert_eq!((answer.status, answer.field("content-type")), (200, Some("text/html")));
    assert!(answer.body.starts_with("<!DOCTYPE html>"));
    assert!(!accepted(&sandbox));
    sandbox.set_faults(vec![Rule::new(Fate::Html200 { accept: true })]);
    assert_eq!(call(&sandbox, &patch(&[ADDRESS])).await.status, 200);
    assert!(accepted(&sandbox));
}

#[tokio::test]
async fn hanging_up_before_reading_resets_although_no_body_was_sent() {
    let sandbox = sandbox_with(Fate::HangUpBeforeReading).await;
    let mut client = Client::connect(&sandbox).await;
    let whole = patch(&[ADDRESS]);
    let (head, _) = whole.split_at(whole.find("[").unwrap());

    client.send(head).await;

    assert_eq!(client.rest().await, (Vec::new(), End::Reset));
    assert!(!accepted(&sandbox));
    let last = sandbox.calls().remove(0);
    assert_eq!((last.fate, last.batch), (Some("hang_up_before_reading"), 0));
}

#[tokio::test(start_paused = true)]
async fn stray_interim_answers_come_before_the_true_one() {
    for (status, line) in [(100, "100 Continue"), (102, "102 Processing"), (103, "103 Early Hints")] {
        for gap_ms in [0, 500] {
            let sandbox = sandbox_with(Fate::Stray1xx { status, gap_ms }).await;
            let mut client = Client::connect(&sandbox).await;
            let sent = Instant::now();

            let interim = client.call(&patch(&[ADDRESS])).await;
            let answer = client.answer().await;

            assert_eq!(interim.head, format!("HTTP/1.1 {line}\r\n\r\n"));
            assert_eq!(format!("{}{}", without_date(answer.head.as_bytes()), answer.body), TRUTH);
            assert_eq!(sent.elapsed() >= Duration::from_millis(500), gap_ms == 500);
            assert!(accepted(&sandbox));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_never_answered_leaves_the_connection_open() {
    for accept in [true, false] {
        let sandbox = sandbox_with(Fate::NeverAnswer { accept }).await;
        let mut client = Client::connect(&sandbox).await;
        client.send(&patch(&[ADDRESS])).await;

        let waited = timeout(Duration::from_secs(86_400), client.rest()).await;

        assert!(waited.is_err());
        assert_eq!(accepted(&sandbox), accept);
        assert_eq!(sandbox.stats().calls_by_status.get("none"), Some(&1));
        sandbox.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_delay_comes_before_the_call_is_accepted_and_latency_after() {
    let latency = Duration::from_millis(400);
    let faults = vec![Rule::new(Fate::Delay { ms: 300 }).times(1)];
    let sandbox = sandbox(SandboxOptions { latency, faults, ..SandboxOptions::default() }).await;
    let mut client = Client::connect(&sandbox).await;
    let sent = Instant::now();
    client.send(&patch(&[ADDRESS])).await;

    assert!(timeout(Duration::from_millis(290), client.bytes()).await.is_err());
    assert!(sandbox.ledger().is_empty());
    assert!(timeout(Duration::from_millis(200), client.bytes()).await.is_err());
    assert!(accepted(&sandbox));
    assert_eq!(client.answer().await.status, 200);
    assert!(sent.elapsed() >= Duration::from_millis(700));
    assert_eq!(sandbox.calls()[0].fate, Some("delay"));
}

#[tokio::test(start_paused = true)]
async fn a_slow_body_comes_in_pieces() {
    let sandbox = sandbox_with(Fate::SlowBody { ms: 1_000 }).await;
    let mut client = Client::connect(&sandbox).await;
    let sent = Instant::now();
    client.send(&patch(&[ADDRESS])).await;

    let head = client.bytes().await;
    assert_eq!(without_date(&head), TRUTH[..TRUTH.len() - 45]);
    assert!(sent.elapsed() < Duration::from_millis(100));
    let first = client.bytes().await;
    assert_eq!(first, b"{\"mes");
    let mut body = first;
    while body.len() < 45 {
        body.extend(client.bytes().await);
    }

    assert!(TRUTH.as_bytes().ends_with(&body));
    assert!(sent.elapsed() >= Duration::from_millis(990));
    assert!(accepted(&sandbox));
}

#[tokio::test]
async fn a_fate_that_accepts_does_not_show_on_a_call_that_is_refused_anyway() {
    let sandbox = sandbox_with(Fate::AcceptThenHangUp).await;

    let body = serde_json::to_string(&[ADDRESS]).unwrap();
    assert_eq!(call(&sandbox, &patch_with("", &body)).await.status, 401);
    assert_eq!(call(&sandbox, &patch(&[])).await.status, 400);

    assert!(sandbox.ledger().is_empty());
}

#[tokio::test]
async fn a_call_with_a_refused_address_is_refused_as_a_whole() {
    for status in [400, 404, 409, 422] {
        let sandbox = faulty_sandbox([Rule::new(Fate::status(status)).address("*@Bad.example")]).await;
        let mut client = Client::connect(&sandbox).await;

        assert_eq!(client.call(&patch(&[ADDRESS, "x@BAD.example"])).await.status, status);
        assert!(sandbox.ledger().is_empty());
        assert_eq!(client.call(&patch(&[ADDRESS])).await.status, 200);
        assert_eq!(client.call(&patch(&["x@bad.example"])).await.status, status);
        assert_eq!(sandbox.ledger().keys().collect::<Vec<_>>(), [ADDRESS]);
    }
}

#[tokio::test]
async fn probes_meet_their_own_fates() {
    let sandbox = faulty_sandbox([
        Rule::new(Fate::status(503)).target(Target::Probe).calls(2..=2),
        Rule::new(Fate::AcceptThenHangUp).target(Target::Probe).calls(3..=3),
    ])
    .await;
    let probe = request("GET", "/v3/accounts/self", "Authorization: Bearer x\r\n", "");
    let mut client = Client::connect(&sandbox).await;

    assert_eq!(client.call(&patch(&[ADDRESS])).await.status, 200);
    assert_eq!(client.call(&probe).await.status, 200);
    assert_eq!(client.call(&probe).await.status, 503);
    client.send(&probe).await;

    assert_eq!(client.rest().await, (Vec::new(), End::Closed));
    assert_eq!((sandbox.stats().probes, sandbox.stats().calls), (3, 1));
}
