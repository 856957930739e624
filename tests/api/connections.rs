//! What becomes of connections: upgrades that are wished for, HTTP/1.0, callers who speak no HTTP, idle ones, bodies
//! that go no further.

use std::net::SocketAddr;

use faxplus_gateway::sandbox::SandboxOptions;

use crate::{
    gateway::{Gateway, addresses, eventually},
    process::{Process, gateway_environment},
    wire::{Wire, chunked},
};

/// What Java's HttpClient sends by default, and what proxies do.
const WISHES: [&str; 5] = [
    "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n",
    "Connection: upgrade\r\n",
    "Connection: keep-alive, Upgrade\r\nUpgrade: h2c\r\n",
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
    "Upgrade: websocket\r\n",
];
/// As a request begins that is meant for a TLS listener.
const CLIENT_HELLO: &[u8] = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";

/// Fails unless the answer says that the connection ends, and it does.
async fn assert_ended(wire: &mut Wire, connection: Option<&str>, case: &str) {
    assert_eq!(connection, Some("close"), "{case}");
    assert!(wire.is_closed().await, "{case}: not closed in good order");
}

#[actix_web::test]
async fn a_wish_to_upgrade_is_passed_over_and_the_end_of_the_connection_is_said() {
    let gateway = Gateway::start().await;
    let body = r#"["a@example.com"]"#;

    for wish in WISHES {
        let mut post = Wire::connect(gateway.address()).await;
        post.begin_post(&format!("{wish}Content-Length: {}\r\n", body.len())).await;
        post.send(body).await.unwrap();
        let answer = post.answer().await.unwrap();

        assert_eq!(answer.status, 200, "{wish}: {answer:?}");
        assert_ended(&mut post, answer.header("connection"), wish).await;
        for (address, path) in [(gateway.address(), "/v1/resends"), (gateway.admin_address(), "/readyz")] {
            let mut get = Wire::connect(address).await;
            get.send(format!("GET {path} HTTP/1.1\r\nHost: g\r\n{wish}\r\n")).await.unwrap();
            let answer = get.answer().await.unwrap();

            assert_eq!(answer.status, 200, "{wish}: {answer:?}");
            assert_ended(&mut get, answer.header("connection"), wish).await;
        }
    }
    gateway.stop().await;
}

#[actix_web::test]
async fn a_long_body_beside_a_wish_to_upgrade_is_read_to_its_end_and_no_further() {
    let gateway = Gateway::start().await;
    let list = addresses("long", 5_000);
    let body = serde_json::to_vec(&list).unwrap();

    for wish in WISHES {
        let mut wire = Wire::connect(gateway.address()).await;
        let fields = format!("{wish}Prefer: respond-async\r\nContent-Length: {}\r\n", body.len());
        wire.begin_post(&fields).await;
        wire.send(&body).await.unwrap();
        let answer = wire.answer().await.unwrap();

        assert_eq!(answer.status, 202, "{wish}: {answer:?}");
        assert_eq!(answer.json()["counts"]["received"], 5_000, "{wish}");
    }
    gateway.stop().await;
}

#[actix_web::test]
async fn a_body_that_ends_early_beside_a_wish_for_a_websocket_is_not_taken() {
    let gateway = Gateway::start().await;
    let mut wire = Wire::connect(gateway.address()).await;

    wire.begin_post("Upgrade: websocket\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n").await;
    wire.send("a@example.com\n").await.unwrap();
    wire.half_close().await;

    assert_eq!(wire.answer().await.unwrap().status, 400);
    gateway.assert_nothing_was_taken().await;
    gateway.stop().await;
}

/// A request of HTTP/1.0 on a connection of its own: what is told of the connection and the length, and all that
/// follows the head.
async fn http_1_0(address: SocketAddr, request: &str) -> (u16, [Option<String>; 3], String) {
    let mut wire = Wire::connect(address).await;
    wire.send(request).await.unwrap();
    let (status, headers) = wire.head().await.unwrap();
    let told = ["transfer-encoding", "connection", "content-length"]
        .map(|name| headers.get(name).map(|value| value.to_str().unwrap().to_owned()));
    (status.as_u16(), told, String::from_utf8(wire.rest().await).unwrap())
}

#[actix_web::test]
async fn http_1_0_gets_no_chunks_but_the_whole_up_to_the_end_of_the_connection() {
    let gateway = Gateway::start().await;
    let list = addresses("old", 1_500);
    let id = gateway.post_async("", &list).await;
    gateway.finished(&id).await;
    let (results, events) = (format!("/v1/resends/{id}/results"), format!("/v1/resends/{id}/events"));

    for fields in ["", "Host: g\r\n", "Connection: keep-alive\r\n", "Connection: upgrade\r\n"] {
        for accept in ["application/json", "application/x-ndjson", "text/csv", "text/plain"] {
            let request = format!("GET {results} HTTP/1.0\r\nAccept: {accept}\r\n{fields}\r\n");
            let (status, [coding, connection, _], body) = http_1_0(gateway.address(), &request).await;

            assert_eq!((status, coding, connection), (200, None, None), "{accept} {fields}");
            assert_eq!(body.matches("@example.com").count(), 1_500, "{accept} {fields}");
            let first = body.chars().next().unwrap();
            assert!(['[', '{', 'i', 'o'].contains(&first), "{accept}: begins with {first:?}");
        }
        let request = format!("GET {events} HTTP/1.0\r\n{fields}\r\n");
        let (status, [coding, ..], body) = http_1_0(gateway.address(), &request).await;
        assert_eq!((status, coding), (200, None), "{fields}");
        assert!(body.starts_with("event: finished\n") && body.ends_with("\n\n"), "{body}");
    }
    let body = serde_json::to_string(&addresses("new", 1_500)).unwrap();
    let head = "POST /v1/resends HTTP/1.0\r\nContent-Type: application/json\r\nConnection: keep-alive\r\n";
    let post = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
    let (status, [coding, ..], answer) = http_1_0(gateway.address(), &post).await;
    assert_eq!((status, coding), (200, None));
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["results"].as_array().unwrap().len(), 1_500);
    let head = format!("HEAD {results} HTTP/1.0\r\n\r\n");
    assert_eq!(http_1_0(gateway.address(), &head).await, (200, [None, None, None], String::new()));
    gateway.stop().await;
}

#[actix_web::test]
async fn http_1_0_keeps_its_connection_when_it_asks_to_and_the_length_is_known() {
    let gateway = Gateway::start().await;

    for (address, path) in [
        (gateway.address(), "/v1/resends"),
        (gateway.admin_address(), "/metrics"),
        (gateway.admin_address(), "/livez"),
    ] {
        let mut wire = Wire::connect(address).await;
        for _ in 0..2 {
            wire.send(format!("GET {path} HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")).await.unwrap();
            let answer = wire.answer().await.unwrap();
            assert_eq!((answer.status.as_u16(), answer.header("connection")), (200, Some("keep-alive")));
        }
        wire.send(format!("GET {path} HTTP/1.0\r\n\r\n")).await.unwrap();

        assert_eq!(wire.answer().await.unwrap().status, 200, "{path}");
        assert!(wire.is_closed().await, "{path}: kept without being asked to");
    }
    gateway.stop().await;
}

#[actix_web::test]
async fn an_idle_connection_is_closed_in_good_order_when_its_time_is_over() {
    let gateway = Gateway::with(SandboxOptions::default(), &[("server.keep_alive_seconds", "1")]).await;
    let mut wire = Wire::connect(gateway.address()).await;

    wire.send("GET /v1/resends HTTP/1.1\r\nHost: g\r\n\r\n").await.unwrap();
    let answer = wire.answer().await.unwrap();

    assert_eq!((answer.status.as_u16(), answer.header("connection")), (200, None));
    assert!(wire.is_closed().await);
    gateway.stop().await;
}

#[actix_web::test]
async fn callers_are_served_while_idle_connections_fill_the_listener() {
    let overrides = [("server.max_connections", "128"), ("server.keep_alive_seconds", "3600")];
    let gateway = Gateway::with(SandboxOptions::default(), &overrides).await;
    let list = "GET /v1/resends HTTP/1.1\r\nHost: g\r\n\r\n";
    let mut kept = Vec::new();

    for number in 0..300 {
        let mut wire = Wire::connect(gateway.address()).await;
        wire.send(list).await.unwrap();
        assert_eq!(wire.answer().await.unwrap().status, 200, "{number}");
        kept.push(wire);
    }

    drop(kept);
    gateway.stop().await;
}

/// The beginning of a chunked body that goes no further.
const STALLED: &str = "5\r\n[\"a";

#[actix_web::test]
async fn an_early_answer_to_a_chunked_body_ends_the_connection() {
    let overrides = [("server.max_connections", "64"), ("server.body_idle_timeout_seconds", "1")];
    let gateway = Gateway::with(SandboxOptions::default(), &overrides).await;
    let (main, admin) = (gateway.address(), gateway.admin_address());
    let json = "Content-Type: application/json\r\n";

    for (address, line, fields, status) in [
        (main, "POST /v1/resends", json, 408),
        (main, "POST /v1/resends", "Content-Type: image/png\r\n", 415),
        (main, "POST /v1/resends", "Content-Type: application/json\r\nContent-Encoding: br\r\n", 415),
        (main, "POST /v1/resends?dryrun=1", json, 400),
        (main, "POST /elsewhere", json, 404),
        (main, "POST /v1/resends", "Content-Type: application/json\r\nSec-Fetch-Site: cross-site\r\n", 403),
        (main, "PATCH /v1/resends", json, 405),
        (main, "GET /v1/resends", "", 200),
        (main, "HEAD /v1/resends", "", 200),
        (main, "DELETE /v1/resends/0198c9f2-0000-7000-8000-000000000000", "", 404),
        (admin, "GET /livez", "", 200),
        (admin, "GET /metrics", "", 200),
        (admin, "POST /livez", "", 405),
    ] {
        let mut wire = Wire::connect(address).await;
        let head = format!("{line} HTTP/1.1\r\nHost: g\r\n{fields}Transfer-Encoding: chunked\r\n\r\n");
        wire.send(format!("{head}{STALLED}")).await.unwrap();
        let (told, headers) = wire.head().await.unwrap();
        let connection = headers.get("connection").map(|value| value.to_str().unwrap());

        assert_eq!((told.as_u16(), connection), (status, Some("close")), "{line} {fields}");
        assert!(wire.ends().await, "{line} {fields}");
    }
    gateway.stop().await;
}

#[actix_web::test]
async fn chunked_bodies_that_stall_lock_no_caller_out() {
    let overrides = [("server.max_connections", "64"), ("server.body_idle_timeout_seconds", "1")];
    let gateway = Gateway::with(SandboxOptions::default(), &overrides).await;
    let mut stalled = Vec::new();
    for _ in 0..64 {
        let mut wire = Wire::connect(gateway.address()).await;
        wire.begin_post("Transfer-Encoding: chunked\r\n").await;
        wire.send(STALLED).await.unwrap();
        stalled.push(wire);
    }

    let mut wire = Wire::connect(gateway.address()).await;
    wire.send("GET /v1/resends HTTP/1.1\r\nHost: g\r\n\r\n").await.unwrap();

    assert_eq!(wire.answer().await.unwrap().status, 200);
    drop(stalled);
    gateway.stop().await;
}

#[actix_web::test]
async fn a_chunked_body_that_was_read_to_its_end_keeps_its_connection() {
    let gateway = Gateway::start().await;
    let mut wire = Wire::connect(gateway.address()).await;

    for (body, status) in [(r#"["a@example.com"]"#, 200), ("[]", 422), (r#"["b@example.com"]"#, 200)] {
        wire.begin_post("Transfer-Encoding: chunked\r\n").await;
        for chunk in chunked(body.as_bytes(), &[5]) {
            wire.send(chunk).await.unwrap();
        }
        let answer = wire.answer().await.unwrap();

        assert_eq!((answer.status.as_u16(), answer.header("connection")), (status, None), "{answer:?}");
    }
    gateway.stop().await;
}

#[actix_web::test]
async fn a_thousand_connections_at_once_are_all_served() {
    let gateway = Gateway::with(SandboxOptions::default(), &[("upstream.max_in_flight", "64")]).await;
    let address = gateway.address();
    let posts = (0..1_000).map(|number| async move {
        let body = format!(r#"["burst{number}@example.com"]"#);
        let mut wire = Wire::connect(address).await;
        wire.begin_post(&format!("Content-Length: {}\r\n", body.len())).await;
        wire.send(body).await.unwrap();
        wire.answer().await.unwrap().status.as_u16()
    });

    let statuses = futures_util::future::join_all(posts).await;

    assert_eq!(statuses, vec![200; 1_000]);
    gateway.stop().await;
}

#[actix_web::test]
async fn a_caller_that_speaks_tls_is_refused_and_no_error_of_the_gateway() {
    for (level, lines) in [("info", 0), ("debug", 2)] {
        let level = [("FAXPLUS_GATEWAY__LOG__LEVEL", level)];
        let mut process =
            Process::start(&["serve", "--sandbox"], &gateway_environment("http://127.0.0.1:9/v3", &level));
        let (address, admin) = process.addresses().await;

        for listener in [address, admin] {
            let mut wire = Wire::connect(listener).await;
            wire.send(CLIENT_HELLO).await.unwrap();
            assert_eq!(wire.answer().await.unwrap().status, 400);
            assert!(wire.is_closed().await);
        }
        let said = || process.written().matches("without a valid HTTP/1 request").count();
        eventually(async || (said() == lines).then_some(())).await;
        process.signal("TERM");

        let ended = process.end().await;
        assert!(ended.code == Some(0) && !ended.stderr.contains("ERROR"), "{}", ended.stderr);
        assert_eq!(ended.stderr.matches("without a valid HTTP/1 request").count(), lines, "{}", ended.stderr);
    }
}

#[actix_web::test]
async fn a_log_that_can_not_be_written_costs_no_caller_an_answer() {
    let free = || std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (address, admin) = (free(), free());
    let (listen, admin_listen) = (address.to_string(), admin.to_string());
    let environment = gateway_environment(
        "http://127.0.0.1:9/v3",
        &[
            ("FAXPLUS_GATEWAY__SERVER__LISTEN", &listen),
            ("FAXPLUS_GATEWAY__SERVER__ADMIN_LISTEN", &admin_listen),
        ],
    );
    // As a terminal that was closed: whatever is written fails.
    let process = Process::start_after("exec 2>/dev/full;", &["serve", "--sandbox"], &environment);
    let body = r#"["a@example.com"]"#;

    let mut wire = eventually(async || Wire::try_connect(address).await.ok()).await;
    for status in [200, 200] {
        wire.begin_post(&format!("Content-Length: {}\r\n", body.len())).await;
        wire.send(body).await.unwrap();
        assert_eq!(wire.answer().await.unwrap().status, status);
    }
    process.signal("HUP");

    assert_eq!(process.end().await.code, Some(0));
}

#[actix_web::test]
async fn under_nohup_a_closed_terminal_is_not_the_end() {
    let environment = gateway_environment("http://127.0.0.1:9/v3", &[]);
    let mut process = Process::start_after("trap '' HUP;", &["serve", "--sandbox"], &environment);
    let (address, _) = process.addresses().await;

    process.signal("HUP");
    let mut wire = Wire::connect(address).await;
    wire.send("GET /v1/resends HTTP/1.1\r\nHost: g\r\nConnection: close\r\n\r\n").await.unwrap();

    assert_eq!(wire.answer().await.unwrap().status, 200);
    process.signal("TERM");
    let ended = process.end().await;
    assert!(ended.code == Some(0) && !ended.stderr.contains("SIGHUP"), "{}", ended.stderr);
}
