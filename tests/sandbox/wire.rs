//! Framing: connections that stay, bodies in chunks, requests that are not well-formed.

use std::time::Duration;

use tokio::task::yield_now;
use tokio::time::timeout;

use crate::client::{Client, End, call, patch, patch_with, plain_sandbox, request};

const PATCH_HEAD: &str = "PATCH /v3/accounts/self/member-invitations HTTP/1.1\r\nAuthorization: Bearer x\r\n";

#[tokio::test]
async fn a_connection_serves_one_call_after_the_other() {
    let sandbox = plain_sandbox().await;
    let mut client = Client::connect(&sandbox).await;

    for _ in 0..3 {
        let answer = client.call(&patch(&["a@one.example"])).await;
        assert_eq!((answer.status, answer.field("connection")), (200, None));
    }
    client.send(&format!("{}{}", patch(&["b@one.example"]), patch(&["c@one.example"]))).await;

    assert_eq!((client.answer().await.status, client.answer().await.status), (200, 200));
    assert_eq!(sandbox.ledger().values().copied().collect::<Vec<_>>(), [3, 1, 1]);
}

#[tokio::test]
async fn a_client_that_wants_to_close_is_closed() {
    let sandbox = plain_sandbox().await;
    let body = r#"["a@one.example"]"#;
    let closing = patch_with("Authorization: Bearer x\r\nConnection: close\r\n", body);

    for request in
        [closing.clone(), closing.replace("HTTP/1.1", "HTTP/1.0").replace("Connection: close", "A: b")]
    {
        let mut client = Client::connect(&sandbox).await;
        let answer = client.call(&request).await;

        assert_eq!((answer.status, answer.field("connection")), (200, Some("close")));
        assert_eq!(client.rest().await, (Vec::new(), End::Closed));
    }
}

#[tokio::test]
async fn a_chunked_body_is_read_however_it_is_cut() {
    let sandbox = plain_sandbox().await;
    let chunked = format!(
        "{PATCH_HEAD}Transfer-Encoding: chunked\r\n\r\n2;why=not\r\n[\"\r\nf\r\na@one.example\"]\r\n0\r\nX: trailer\r\n\r\n"
    );
    let mut client = Client::connect(&sandbox).await;

    assert_eq!(client.call(&chunked).await.status, 200);
    for letter in chunked.split_inclusive(|_: char| true) {
        client.send(letter).await;
        yield_now().await;
    }
    assert_eq!(client.answer().await.status, 200);
    assert_eq!(client.call(&patch(&["b@one.example"])).await.status, 200);

    assert_eq!(
        sandbox.ledger().into_iter().collect::<Vec<_>>(),
        [("a@one.example".to_owned(), 2), ("b@one.example".to_owned(), 1)]
    );
}

#[tokio::test]
async fn a_body_of_a_mebibyte_is_read_and_one_byte_more_is_not() {
    let sandbox = plain_sandbox().await;
    let most = 1024 * 1024;
    let body = format!("[\"a@one.example\"]{}", " ".repeat(most - 17));
    let one_more = format!("{body} ");
    let in_chunks = |body: &str| {
        let (first, second) = body.split_at(600_000);
        format!(
            "{PATCH_HEAD}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{first}\r\n{:x}\r\n{second}\r\n0\r\n\r\n",
            first.len(),
            second.len()
        )
    };

    for (request, status) in [
        (patch_with("Authorization: Bearer x\r\n", &body), 200),
        (in_chunks(&body), 200),
        (patch_with("Authorization: Bearer x\r\n", &one_more), 413),
        (in_chunks(&one_more), 413),
        (patch_with("Authorization: Bearer x\r\n", &body.repeat(16)), 413),
    ] {
        assert_eq!(call(&sandbox, &request).await.status, status);
    }

    assert_eq!(sandbox.ledger()["a@one.example"], 2);
    assert_eq!(sandbox.stats().calls_by_status["413"], 3);
}

#[tokio::test]
async fn what_is_not_well_formed_is_refused_and_the_connection_ends() {
    let sandbox = plain_sandbox().await;
    let body = "[\"a@one.example\"]";
    let long = format!("GET / HTTP/1.1\r\nA: {}\r\n\r\n", "x".repeat(16 * 1024));
    let fields = format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(65));
    for (bytes, status) in [
        ("\x16\x03\x01 hello\r\n\r\n".to_owned(), 400),
        ("GET / HTTP/2.0\r\n\r\n".to_owned(), 400),
        (format!("{PATCH_HEAD}Content-Length: 17\r\nTransfer-Encoding: chunked\r\n\r\n{body}"), 400),
        (format!("{PATCH_HEAD}Content-Length: 17\r\nContent-Length: 18\r\n\r\n{body}"), 400),
        (format!("{PATCH_HEAD}Content-Length: -1\r\n\r\n{body}"), 400),
        (format!("{PATCH_HEAD}Transfer-Encoding: gzip\r\n\r\n{body}"), 400),
        (format!("{PATCH_HEAD}Transfer-Encoding: chunked\r\n\r\nzz\r\n{body}"), 400),
        (format!("{PATCH_HEAD}Transfer-Encoding: chunked\r\n\r\n10\r\n{body}\r\n0\r\n\r\n"), 400),
        (format!("{PATCH_HEAD}Transfer-Encoding: chunked\r\n\r\n11\r\n{body}XX0\r\n\r\n"), 400),
        (format!("{PATCH_HEAD}Transfer-Encoding: chunked\r\n\r\n1;{}", "x".repeat(300)), 400),
        (format!("{PATCH_HEAD}Transfer-Encoding: chunked\r\n\r\n0\r\nno colon\r\n\r\n"), 400),
        (long, 431),
        (fields, 431),
    ] {
        let mut client = Client::connect(&sandbox).await;
        let answer = client.call(&bytes).await;

        assert_eq!((answer.status, answer.field("connection")), (status, Some("close")), "{bytes:.200}");
        assert_eq!(client.rest().await.0, b"", "{bytes:.200}");
    }
    assert!(sandbox.ledger().is_empty());
    assert_eq!(call(&sandbox, &request("GET", "/", "", "")).await.status, 200);
}

#[tokio::test]
async fn a_call_that_breaks_off_is_recorded_as_never_answered() {
    let sandbox = plain_sandbox().await;
    let mut client = Client::connect(&sandbox).await;
    client.send(&format!("{PATCH_HEAD}Content-Length: 100\r\n\r\n[\"a@one.example\"]")).await;

    drop(client);

    let recorded = async {
        while sandbox.stats().calls == 0 {
            yield_now().await;
        }
    };
    timeout(Duration::from_secs(20), recorded).await.unwrap();
    assert_eq!(sandbox.calls()[0].status, None);
    assert!(sandbox.ledger().is_empty());
}
