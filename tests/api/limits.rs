//! What is too much: of one body, of all of them, of what waits, of what is kept, of connections.

use std::{iter::repeat_n, time::Duration};

use awc::http::Method;
use faxplus_gateway::sandbox::SandboxOptions;
use serde_json::json;
use tokio::time::timeout;

use crate::{
    bodies::{FORMATS, post_gzipped, written},
    gateway::{Answer, Gateway, addresses},
    wire::Wire,
};

const ASYNC: &[(&str, &str)] = &[("prefer", "respond-async")];

async fn limited(overrides: &[(&str, &str)]) -> Gateway {
    Gateway::with(SandboxOptions::default(), overrides).await
}

#[actix_web::test]
async fn decoded_bytes_are_counted_against_the_limit() {
    let gateway = limited(&[("intake.max_body_bytes", "1000")]).await;
    let (fits, too_long) = (json_of_length(1000), json_of_length(1001));
    let bomb = [b"[".as_slice(), &[b' '; 10_000_000]].concat();

    let whole = gateway.post_body("application/json", fits.clone()).await;
    let packed = post_gzipped(&gateway, "application/json", fits.as_bytes()).await;
    let refused = [
        gateway.post_body("application/json", too_long.clone()).await,
        post_gzipped(&gateway, "application/json", too_long.as_bytes()).await,
        post_gzipped(&gateway, "application/json", &bomb).await,
        post_gzipped(&gateway, "text/plain", &bomb).await,
    ];

    assert_eq!((whole.status.as_u16(), packed.words()[0].as_str()), (200, "duplicate"));
    for answer in refused {
        assert_eq!(answer.status, 413, "{answer:?}");
        assert_eq!(answer.problem("too-large")["limit"], json!({"max_body_bytes": 1000}));
    }
    assert_eq!(gateway.sandbox.stats().addresses_accepted, 1);
    gateway.stop().await;
}

#[actix_web::test]
async fn one_address_more_than_may_be_is_too_many() {
    let gateway = limited(&[("intake.max_addresses", "3")]).await;

    for format in FORMATS {
        let answer = gateway.post_body(format, written(format, &addresses("a", 4))).await;

        assert_eq!(answer.status, 413, "{answer:?}");
        assert_eq!(answer.problem("too-large")["limit"], json!({"max_addresses": 3}));
    }
    gateway.assert_nothing_was_taken().await;
    assert_eq!(gateway.post("", &addresses("a", 3)).await.status, 200);
    gateway.stop().await;
}

#[actix_web::test]
async fn a_list_beyond_the_memory_for_reading_is_refused_and_gives_its_memory_back() {
    let gateway = limited(&[("intake.memory_bytes", "65536")]).await;

    for _ in 0..3 {
        let answer = gateway.post("", &addresses("much", 5000)).await;

        assert_eq!(answer.status, 503, "{answer:?}");
        answer.problem("no-memory");
        assert!(answer.retry_after().is_some_and(|seconds| seconds >= 1));
    }
    gateway.assert_nothing_was_taken().await;
    assert_eq!(gateway.post("", &addresses("little", 100)).await.status, 200);
    gateway.stop().await;
}

#[actix_web::test]
async fn one_string_of_a_megabyte_is_too_long_and_told_cut() {
    let gateway = Gateway::start().await;
    let long: String = "a\u{e4}".chars().chain(repeat_n('\u{20ac}', 350_000)).collect();

    for format in FORMATS {
        let body = if format == "text/csv" {
            format!("email\n{long}").into_bytes()
        } else {
            written(format, std::slice::from_ref(&long))
        };
        let answer = gateway.post_body(format, body).await;

        assert_eq!(answer.status, 422, "{format}");
        let (email, outcome) = answer.outcomes().remove(0);
        assert_eq!(outcome, "invalid/too_long");
        // 1,024 falls inside a character of three bytes.
        assert!(long.starts_with(&email) && email.len() == 1023, "{} bytes", email.len());
    }
    assert_eq!(gateway.sandbox.stats().calls, 0);
    gateway.stop().await;
}

/// With these settings and an upstream that asks everybody to wait.
async fn holding(overrides: &[(&str, &str)]) -> Gateway {
    let gateway = limited(overrides).await;
    gateway.faults(json!([{"fate": "status", "status": 429, "retry_after": "60"}]));
    gateway
}

async fn cancel(gateway: &Gateway, id: &str) {
    let answer = gateway.request(Method::DELETE, &format!("/v1/resends/{id}"), &[], "").await;
    assert_eq!(answer.json()["status"], "cancelled", "{answer:?}");
}

fn assert_no_room(answer: &Answer, word: &str) {
    assert_eq!(answer.status, 503, "{answer:?}");
    answer.problem(word);
    assert!(answer.retry_after().is_some_and(|seconds| seconds >= 1), "{answer:?}");
}

#[actix_web::test]
async fn a_full_queue_takes_nothing_more_until_there_is_room() {
    let gateway = holding(&[("dispatch.max_queued_addresses", "10")]).await;
    let first = gateway.post_async("", &addresses("a", 8)).await;

    let too_much = gateway.post_with("", ASYNC, &addresses("b", 3)).await;
    // What is no address and what stands twice needs no place.
    let list = [addresses("c", 2), addresses("C", 2), vec!["nobody".to_owned()]].concat();
    let last_places = gateway.post_with("", ASYNC, &list).await;
    let one_more = gateway.post_with("", ASYNC, &addresses("d", 1)).await;
    cancel(&gateway, &first).await;
    let into_freed = gateway.post_with("", ASYNC, &addresses("b", 8)).await;

    assert_no_room(&too_much, "queue-full");
    let told = too_much.json()["detail"].as_str().unwrap().to_owned();
    assert!(
        told.contains("8 addresses wait, this list would add 3, and 10 may")
            && told.ends_with("; nothing was sent"),
        "{told}"
    );
    assert_eq!(last_places.status, 202, "{last_places:?}");
    assert_no_room(&one_more, "queue-full");
    assert_eq!(into_freed.status, 202, "{into_freed:?}");
    assert_eq!(gateway.get("/v1/resends").await.json()["resends"].as_array().unwrap().len(), 3);
    assert_eq!(gateway.metric("faxplus_gateway_addresses_received_total{client=\"anonymous\"}").await, 21.0);
    assert_eq!(gateway.sandbox.ledger().len(), 0);
    gateway.stop().await;
}

#[actix_web::test]
async fn a_list_longer_than_the_whole_queue_is_refused_and_nothing_of_it_is_sent() {
    let gateway = limited(&[("dispatch.max_queued_addresses", "10")]).await;

    assert_no_room(&gateway.post("", &addresses("a", 11)).await, "queue-full");

    gateway.assert_nothing_was_taken().await;
    assert_eq!(gateway.post("", &addresses("a", 10)).await.status, 200);
    gateway.stop().await;
}

#[actix_web::test]
async fn a_full_store_keeps_the_unfinished_and_lets_the_oldest_finished_go() {
    let gateway = holding(&[("store.max_bytes", "1048576")]).await;
    let mut kept = Vec::new();
    let refused = loop {
        let answer = gateway.post_with("", ASYNC, &addresses(&format!("list{}n", kept.len()), 4000)).await;
        if answer.status != 202 {
            break answer;
        }
        kept.push(answer.json()["id"].as_str().unwrap().to_owned());
    };

    assert_no_room(&refused, "store-full");
    assert!((3..10).contains(&kept.len()), "{}", kept.len());
    cancel(&gateway, &kept[1]).await;
    cancel(&gateway, &kept[0]).await;
    let into_freed = gateway.post_with("", ASYNC, &addresses("listxn", 4000)).await;

    assert_eq!(into_freed.status, 202, "{into_freed:?}");
    let mut statuses = Vec::new();
    for id in &kept {
        statuses.push(gateway.get(&format!("/v1/resends/{id}")).await.status.as_u16());
    }
    assert_eq!((statuses[0], statuses[1..].iter().all(|status| *status == 200)), (404, true), "{statuses:?}");
    assert_eq!(gateway.sandbox.ledger().len(), 0);
    gateway.stop().await;
}

#[actix_web::test]
async fn connections_beyond_the_most_there_may_be_wait_for_their_turn() {
    for (workers, most) in [("1", 2), ("2", 2), ("4", 1)] {
        let overrides = [("server.workers", workers), ("server.max_connections", &most.to_string())];
        let gateway = limited(&overrides).await;
        let list = "GET /v1/resends HTTP/1.1\r\nHost: g\r\n\r\n";
        let mut served = Vec::new();
        for _ in 0..most {
            let mut wire = Wire::connect(gateway.address()).await;
            wire.send(list).await.unwrap();
            assert_eq!(wire.answer().await.unwrap().status, 200);
            served.push(wire);
        }

        let mut next = Wire::connect(gateway.address()).await;
        next.send(list).await.unwrap();
        let early = timeout(Duration::from_millis(300), next.answer()).await;
        served.pop();
        let answer = next.answer().await.unwrap();

        assert!(early.is_err(), "{workers} workers, {most} connections: {early:?}");
        assert_eq!(answer.status, 200);
        drop((served, next));
        gateway.stop().await;
    }
}

/// A list of one address, padded with spaces.
fn json_of_length(bytes: usize) -> String {
    let list = r#"["a@example.com"]"#;
    format!("{list}{}", " ".repeat(bytes - list.len()))
}
