//! Callers whose tokens, limits or weights change while something of theirs is under way.

use std::fs;

use awc::http::Method;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{
    gateway::{PATIENCE, addresses, eventually},
    tokens::{Guarded, line},
    wire::Wire,
};

/// Writes the clients file and returns once `token` is known, or no longer.
async fn change(guarded: &Guarded, clients: &[String], token: &str, status: u16) {
    let new = guarded.file.with_extension("new");
    fs::write(&new, clients.concat()).unwrap();
    fs::rename(new, &guarded.file).unwrap();
    eventually(async || (guarded.get(token, "/v1/resends").await.status == status).then_some(())).await;
}

#[actix_web::test]
async fn a_token_that_is_taken_back_while_its_list_comes_in_sends_nothing() {
    let op = line("op", &["o"], "");
    let guarded = Guarded::start(&[line("ann", &["a"], ""), op.clone()], &[]).await;
    let body = json!(["slow@example.com"]).to_string();
    let (first, second) = body.split_at(5);
    let mut wires = Vec::new();
    for path in
        ["POST /v1/resends", "POST /v1/resends?dry_run=true", "PATCH /v3/accounts/self/member-invitations"]
    {
        let mut wire = Wire::connect(guarded.gateway.address()).await;
        let head = "HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer a\r\nContent-Type: application/json\r\n";
        wire.send(format!("{path} {head}Content-Length: {}\r\n\r\n{first}", body.len())).await.unwrap();
        wires.push(wire);
    }
    let series = "faxplus_gateway_http_requests_in_flight";
    eventually(async || (guarded.gateway.metric(series).await >= 3.0).then_some(())).await;

    change(&guarded, &[op], "a", 401).await;

    for mut wire in wires {
        wire.send(second).await.unwrap();
        assert_eq!(wire.answer().await.unwrap().status, 401);
    }
    assert_eq!(guarded.gateway.sandbox.stats().calls, 0);
    guarded.gateway.stop().await;
}

#[actix_web::test]
async fn events_end_for_a_reader_whose_token_is_taken_back() {
    let op = line("op", &["o"], ", operator = true");
    let guarded = Guarded::start(&[line("ann", &["a"], ""), op.clone()], &[]).await;
    guarded.ask("o", Method::POST, "/v1/operator/pause", &Value::Null).await;
    let headers =
        [("authorization", "Bearer a"), ("content-type", "application/json"), ("prefer", "respond-async")];
    let body = json!(addresses("a", 5)).to_string();
    let taken = guarded.gateway.request(Method::POST, "/v1/resends", &headers, body).await;
    let location = taken.header("location").unwrap();
    let mut reader = Wire::connect(guarded.gateway.address()).await;
    let head = "HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer a\r\nConnection: close\r\n\r\n";
    reader.send(format!("GET {location}/events {head}")).await.unwrap();
    eventually(async || reader.has_answer().then_some(())).await;

    change(&guarded, &[op], "a", 401).await;

    let told = timeout(PATIENCE, reader.rest()).await.expect("the stream ends");
    let told = String::from_utf8(told).unwrap();
    assert!(told.contains("event: progress"), "{told}");
    assert!(!told.contains("event: finished"), "{told}");
    guarded.gateway.stop().await;
}

#[actix_web::test]
async fn what_a_key_has_begun_is_met_whatever_is_left_of_the_limit() {
    let guarded = Guarded::start(&[line("ann", &["a"], ", addresses_per_minute = 10")], &[]).await;
    let headers =
        [("authorization", "Bearer a"), ("content-type", "application/json"), ("idempotency-key", "monday")];
    let body = json!(addresses("a", 30)).to_string();
    let post = async || {
        let answer = guarded.gateway.request(Method::POST, "/v1/resends", &headers, body.clone()).await;
        (answer.status.as_u16(), answer.json()["id"].clone())
    };
    let first = post().await;
    assert_eq!(guarded.post("a", "", &addresses("b", 1)).await.status, 429);

    assert_eq!(post().await, first);

    let other = [headers[0], headers[1], ("idempotency-key", "tuesday")];
    let new = guarded.gateway.request(Method::POST, "/v1/resends", &other, body.clone()).await;
    assert_eq!(new.status, 429);
    guarded.gateway.stop().await;
}

#[actix_web::test]
async fn another_weight_holds_for_lists_that_wait_already() {
    let clients = |weight| {
        [
            line("ann", &["a"], &format!(", weight = {weight}")),
            line("bob", &["b"], ""),
            line("op", &["o"], ", operator = true"),
        ]
    };
    let guarded = Guarded::start(&clients(1), &[("upstream.max_in_flight", "1")]).await;
    guarded.ask("o", Method::POST, "/v1/operator/pause", &Value::Null).await;
    for (bearer, name) in [("Bearer a", "ann"), ("Bearer b", "bob")] {
        let headers =
            [("authorization", bearer), ("content-type", "application/json"), ("prefer", "respond-async")];
        let body = json!(addresses(name, 400)).to_string();
        assert_eq!(guarded.gateway.request(Method::POST, "/v1/resends", &headers, body).await.status, 202);
    }
    let mut changed = clients(3).to_vec();
    changed.push(line("new", &["n"], ""));
    change(&guarded, &changed, "n", 200).await;

    guarded.ask("o", Method::POST, "/v1/operator/resume", &Value::Null).await;
    eventually(async || (guarded.gateway.sandbox.stats().calls >= 40).then_some(())).await;

    let calls = guarded.gateway.sandbox.calls();
    let of_ann = calls.iter().take(40).filter(|call| call.emails[0].starts_with("ann")).count();
    assert!((28..=32).contains(&of_ann), "{of_ann} of 40 calls were ann's");
    guarded.gateway.stop().await;
}
