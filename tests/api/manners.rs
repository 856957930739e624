//! What every request meets: its id, strict queries, unknown paths, wrong methods, pages of other sites.

use awc::http::{Method, StatusCode};
use serde_json::json;

use crate::{gateway::Gateway, wire::Wire};

const NO_ID: &str = "0198c9f2-0000-7000-8000-000000000000";

#[actix_web::test]
async fn a_well_formed_request_id_is_taken_over_on_every_answer() {
    let gateway = Gateway::start().await;
    let id = [("x-request-id", "Job-17_a.b"), ("content-type", "application/json")];

    for (method, path, status) in [
        (Method::POST, "/v1/resends", 422),
        (Method::GET, "/v1/resends", 200),
        (Method::GET, "/v1/resends/nothing", 404),
        (Method::PUT, "/v1/resends", 405),
        (Method::GET, "/elsewhere", 404),
    ] {
        let answer = gateway.request(method, path, &id, "[]").await;

        assert_eq!(answer.status, status, "{path}: {answer:?}");
        assert_eq!(answer.header("x-request-id"), Some("Job-17_a.b"), "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
    gateway.stop().await;
}

#[actix_web::test]
async fn a_request_id_that_is_not_well_formed_is_replaced_by_a_new_one() {
    let gateway = Gateway::start().await;

    let mut made = Vec::new();
    for id in [None, Some(""), Some("ann@example.com"), Some("a b"), Some(&*"x".repeat(129))] {
        let headers: Vec<_> = id.map(|id| ("x-request-id", id)).into_iter().collect();
        let answer = gateway.request(Method::GET, "/v1/resends", &headers, "").await;
        let told = answer.header("x-request-id").unwrap().to_owned();
        assert!(uuid::Uuid::parse_str(&told).is_ok(), "{told}");
        made.push(told);
    }

    made.sort_unstable();
    made.dedup();
    assert_eq!(made.len(), 5);
    gateway.stop().await;
}

#[actix_web::test]
async fn a_query_that_would_do_nothing_is_refused_and_nothing_is_sent() {
    let gateway = Gateway::start().await;

    for (query, parameter) in [
        ("?dryrun=true", "dryrun"),
        ("?Force=true", "Force"),
        ("?force=1", "force"),
        ("?force", "force"),
        ("?force=True", "force"),
        ("?force=true&force=false", "force"),
        ("?results=some", "results"),
        ("?on_timeout=stop", "on_timeout"),
        ("?wait=5", "wait"),
        ("?emails=a@example.com", "emails"),
        ("?=", ""),
        ("?force=%74rue&%66orce=true", "force"),
        ("?force=%zz", ""),
        ("?force=%ff", ""),
    ] {
        let answer = gateway.post(query, &["a@example.com"]).await;

        assert_eq!(answer.status, 400, "{query}: {answer:?}");
        assert_eq!(answer.problem("bad-query")["parameter"], parameter, "{query}");
    }
    gateway.assert_nothing_was_taken().await;
    assert_eq!(
        gateway.post("?force=%74rue&results=all&on_timeout=continue", &["a@example.com"]).await.status,
        200
    );
    gateway.stop().await;
}

#[actix_web::test]
async fn addresses_in_the_query_of_a_get_are_told_where_they_go() {
    let gateway = Gateway::start().await;

    for query in ["?emails=a@b.c", "?email=a%40b.c&email=d%40e.f", "?addresses=a@b.c,d@e.f"] {
        let answer = gateway.get(&format!("/v1/resends{query}")).await;

        assert_eq!(answer.status, 400, "{query}: {answer:?}");
        let problem = answer.problem("bad-query").to_string();
        assert!(problem.contains("to send, POST a list") && !problem.contains("b.c"), "{problem}");
    }
    gateway.assert_nothing_was_taken().await;
    gateway.stop().await;
}

#[actix_web::test]
async fn a_resend_that_does_not_exist_is_404_under_every_path() {
    let gateway = Gateway::start().await;

    for id in ["nothing", NO_ID, "ann@example.com", "%20", "0198c9f2", "-1"] {
        for (method, path) in [
            (Method::GET, format!("/v1/resends/{id}")),
            (Method::GET, format!("/v1/resends/{id}?wait=30")),
            (Method::GET, format!("/v1/resends/{id}/results")),
            (Method::GET, format!("/v1/resends/{id}/events")),
            (Method::DELETE, format!("/v1/resends/{id}")),
        ] {
            let answer = gateway.request(method, &path, &[], "").await;

            assert_eq!(answer.status, 404, "{path}: {answer:?}");
            let problem = answer.problem("no-such-resend");
            assert!(!problem.to_string().contains("ann@"), "{problem}");
        }
    }
    gateway.stop().await;
}

#[actix_web::test]
async fn a_path_that_does_not_exist_is_404() {
    let gateway = Gateway::start().await;

    for path in [
        "/",
        "/v1",
        "/v1/",
        "/v1/resends/",
        "/v2/resends",
        "/V1/resends",
        "/livez",
        "/metrics",
        "/v1//resends",
        "/ann@example.com",
    ] {
        for method in [Method::GET, Method::POST, Method::PATCH] {
            let answer = gateway.request(method, path, &[("content-type", "application/json")], "[]").await;

            assert_eq!(answer.status, 404, "{path}: {answer:?}");
        }
    }
    gateway.get("/v2/resends").await.problem("no-such-path");
    gateway.stop().await;
}

#[actix_web::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let gateway = Gateway::start().await;
    let of_one = format!("/v1/resends/{NO_ID}");
    let of_results = format!("{of_one}/results");
    let of_events = format!("{of_one}/events");

    for (path, allowed, wrong) in [
        ("/v1/resends", "GET, HEAD, POST", &["PUT", "PATCH", "DELETE", "OPTIONS", "BREW"][..]),
        (&of_one, "GET, HEAD, DELETE", &["POST", "PUT", "PATCH", "OPTIONS"]),
        (&of_results, "GET, HEAD", &["POST", "DELETE", "OPTIONS"]),
        (&of_events, "GET, HEAD", &["POST", "DELETE", "OPTIONS"]),
    ] {
        for method in wrong {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let answer = gateway
                .request(
                    method.clone(),
                    path,
                    &[("content-type", "application/json")],
                    r#"["a@example.com"]"#,
                )
                .await;

            assert_eq!(answer.status, 405, "{method} {path}: {answer:?}");
            assert_eq!(answer.header("allow"), Some(allowed), "{method} {path}");
            answer.problem("method");
        }
    }
    gateway.assert_nothing_was_taken().await;
    gateway.stop().await;
}

#[actix_web::test]
async fn a_page_of_another_site_is_refused_and_sends_nothing() {
    let gateway = Gateway::start().await;
    let own = format!("http://{}", gateway.address());
    let cross: [&[(&str, &str)]; 9] = [
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("origin", "")],
        &[("origin", "http://127.0.0.1:1")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "Cross-Site"), ("origin", &own)],
        &[("origin", "evil.example")],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "same-site"), ("origin", &own)],
    ];

    for headers in cross {
        for method in [Method::POST, Method::GET, Method::DELETE, Method::OPTIONS] {
            let headers = [headers, &[("content-type", "text/plain")]].concat();
            let answer = gateway.request(method, "/v1/resends", &headers, "a@example.com").await;

            assert_eq!(answer.status, 403, "{headers:?}: {answer:?}");
            answer.problem("cross-site");
            assert_eq!(answer.header("access-control-allow-origin"), None);
        }
    }
    gateway.assert_nothing_was_taken().await;
    gateway.stop().await;
}

#[actix_web::test]
async fn a_page_of_the_own_site_and_a_typed_address_are_served() {
    let gateway = Gateway::start().await;
    let own = format!("http://{}", gateway.address());
    // The proxy in front was asked for this host, and asks the gateway for another one.
    let proxied = ("origin", "https://resends.example");

    for headers in [
        &[("origin", own.as_str())][..],
        &[("sec-fetch-site", "same-origin")],
        &[("sec-fetch-site", "none")],
        &[("sec-fetch-site", "same-origin"), proxied],
        &[("sec-fetch-site", "none"), proxied],
    ] {
        let headers = [headers, &[("content-type", "text/plain")]].concat();
        let answer = gateway.request(Method::POST, "/v1/resends", &headers, "a@example.com").await;

        assert_eq!(answer.status, StatusCode::OK, "{headers:?}: {answer:?}");
    }
    gateway.stop().await;
}

#[actix_web::test]
async fn requests_on_one_connection_are_answered_one_after_the_other() {
    let gateway = Gateway::start().await;
    let body = r#"["a@example.com"]"#;
    let mut wire = Wire::connect(gateway.address()).await;

    for _ in 0..3 {
        wire.begin_post(&format!("Content-Length: {}\r\n", body.len())).await;
        wire.send(body).await.unwrap();
    }
    let mut words = Vec::new();
    for _ in 0..3 {
        words.extend(wire.answer().await.unwrap().words());
    }

    assert_eq!(json!(words), json!(["sent", "duplicate", "duplicate"]));
    gateway.stop().await;
}
