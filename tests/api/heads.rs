//! HEAD beside GET, on both listeners: the same status and headers, and no body.

use std::{collections::BTreeMap, net::SocketAddr};

use crate::{gateway::Gateway, wire::Wire};

/// The answer to this request on a connection of its own: its status, its headers, and what follows them.
async fn ask(address: SocketAddr, method: &str, path: &str) -> (u16, BTreeMap<String, String>, Vec<u8>) {
    let mut wire = Wire::connect(address).await;
    wire.send(format!("{method} {path} HTTP/1.1\r\nHost: g\r\n\r\n")).await.unwrap();
    let (status, headers) = wire.head().await.unwrap();
    let told = headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    let mut headers: BTreeMap<_, _> = told.collect();
    for name in ["date", "x-request-id"] {
        assert!(headers.remove(name).is_some(), "{method} {path}: no {name}");
    }
    wire.half_close().await;
    let rest = if method == "HEAD" { wire.rest().await } else { Vec::new() };
    (status.as_u16(), headers, rest)
}

#[actix_web::test]
async fn head_is_answered_as_get_is_but_without_a_body() {
    let gateway = Gateway::start().await;
    let id = gateway.post_async("", &["a@example.com"]).await;
    gateway.finished(&id).await;
    let one = format!("/v1/resends/{id}");
    let (results, events) = (format!("{one}/results"), format!("{one}/events"));

    let api = ["/v1/resends", &one, &results, &events, "/v1/operator", "/openapi.json", "/docs/"];
    let api = api.into_iter().chain(["/docs/swagger-ui.css", "/v1/resends?limit=x", "/nothing", "/docs"]);
    let admin = ["/livez", "/readyz", "/metrics", "/", "/status", "/status/events", "/nothing"];
    let both = api.map(|path| (gateway.address(), path));
    for (address, path) in both.chain(admin.map(|path| (gateway.admin_address(), path))) {
        let (status, mut headers, _) = ask(address, "GET", path).await;
        let (head_status, mut head_headers, body) = ask(address, "HEAD", path).await;

        if path == "/metrics" {
            // Their length is never the same twice.
            assert!(
                headers.remove("content-length").is_some() && head_headers.remove("content-length").is_some()
            );
        }
        // Ids and times in a problem are always as long as each other.
        assert_eq!((head_status, head_headers), (status, headers), "{path}");
        assert_eq!(String::from_utf8_lossy(&body), "", "{path}");
    }
    gateway.stop().await;
}

#[actix_web::test]
async fn a_connection_goes_on_after_head_and_the_request_counts_as_get() {
    let gateway = Gateway::start().await;
    let mut wire = Wire::connect(gateway.admin_address()).await;

    for _ in 0..3 {
        wire.send("HEAD /readyz HTTP/1.1\r\nHost: g\r\n\r\n").await.unwrap();
        assert_eq!(wire.head().await.unwrap().0, 200);
    }
    wire.send("GET /readyz HTTP/1.1\r\nHost: g\r\n\r\n").await.unwrap();

    assert_eq!(wire.answer().await.unwrap().body, "ready\n");
    let series = r#"faxplus_gateway_http_requests_total{method="GET",route="/readyz",status="200"}"#;
    assert_eq!(gateway.metric(series).await, 4.0);
    gateway.stop().await;
}

#[actix_web::test]
async fn head_is_no_way_to_what_get_does_not_serve() {
    let gateway = Gateway::start().await;

    for (path, allow) in [("/v1/operator/pause", "POST"), ("/v3/accounts/self/member-invitations", "PATCH")] {
        let (status, headers, body) = ask(gateway.address(), "HEAD", path).await;

        assert_eq!((status, &*headers["allow"]), (405, allow), "{path}");
        assert!(body.is_empty(), "{path}");
    }
    gateway.stop().await;
}
