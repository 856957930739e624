//! `PATCH /v3/accounts/self/member-invitations`: what is refused, in the shape of fax.plus, with nothing sent.

use awc::http::Method;
use faxplus_gateway::sandbox::SandboxOptions;
use serde_json::json;

use crate::{
    bodies::gzipped,
    compat::{DOUBLED, PATH},
    gateway::{Gateway, addresses, eventually},
    scrape::Scrape,
    wire::Wire,
};

const GOOD: &str = r#"["a@example.com"]"#;

#[actix_web::test]
async fn one_invalid_address_refuses_the_list_and_nothing_is_sent() {
    let gateway = Gateway::start().await;

    let answer = gateway
        .patch(&["a@example.com", "nobody", "b@example.com", "", "a@b@c.example", "x@y.example, z@y.example"])
        .await;

    let body = answer.fault(400, "invalid_addresses");
    let invalid = json!([
        {"index": 1, "reason": "no_at_sign"},
        {"index": 3, "reason": "empty"},
        {"index": 4, "reason": "bad_character"},
        {
            "index": 5, "reason": "bad_character",
            "detail": "several addresses stand here; list each of them by itself"
        }
    ]);
    assert_eq!(body["invalid"], invalid);
    let description = body["description"].as_str().unwrap();
    assert!(
        description.starts_with(
            "4 of 6 elements are not e-mail addresses: element 1 (no_at_sign), element 3 (empty), "
        ) && description.ends_with("; nothing was sent"),
        "{description}"
    );
    gateway.assert_nothing_was_taken().await;
    gateway.stop().await;
}

#[actix_web::test]
async fn of_many_invalid_addresses_a_thousand_are_named_and_five_in_words() {
    let gateway = Gateway::start().await;
    let mut emails = addresses("good", 3000);
    for email in emails.iter_mut().skip(1) {
        *email = email.replace('@', "");
    }

    let body = gateway.patch(&emails).await.fault(400, "invalid_addresses");

    let invalid = body["invalid"].as_array().unwrap();
    assert_eq!((invalid.len(), &invalid[999]["index"]), (1000, &json!(1000)));
    let description = body["description"].as_str().unwrap();
    assert!(
        description.starts_with("2999 of 3000 ") && description.contains("element 5 (no_at_sign), …;"),
        "{description}"
    );
    assert!(!description.contains("element 6 ") && description.len() < 300, "{description}");
    gateway.assert_nothing_was_taken().await;
    gateway.stop().await;
}

#[actix_web::test]
async fn only_a_whole_array_of_strings_that_is_not_empty_is_a_list() {
    let gateway = Gateway::start().await;

    for (body, word) in [
        ("[]", "empty_list"),
        (" [ ] ", "empty_list"),
        ("", "malformed_body"),
        (r#"{"emails": ["a@example.com"]}"#, "malformed_body"),
        (r#""a@example.com""#, "malformed_body"),
        ("null", "malformed_body"),
        (r#"["a@example.com", 7]"#, "malformed_body"),
        (r#"["a@example.com", ["b@example.com"]]"#, "malformed_body"),
        (r#"["a@example.com""#, "malformed_body"),
        (r#"["a@example.com"],"#, "malformed_body"),
        ("a@example.com", "malformed_body"),
    ] {
        for path in [PATH, DOUBLED] {
            let answer = gateway.patch_body(path, &[("content-type", "application/json")], body).await;
            answer.fault(400, word);
        }
    }
    let place = gateway.patch_body(PATH, &[], r#"["a@example.com", 7]"#).await.json();
    assert_eq!((&place["index"], &place["offset"]), (&json!(1), &json!(18)));
    gateway.assert_nothing_was_taken().await;
    gateway.stop().await;
}

#[actix_web::test]
async fn json_in_every_dress_is_taken_and_nothing_else() {
    let gateway = Gateway::start().await;
    let packed = gzipped(GOOD.as_bytes());

    for headers in [
        &[][..],
        &[("content-type", "application/json")],
        &[("content-type", "application/json; charset=utf-8")],
        &[("content-type", "APPLICATION/JSON;charset=\"UTF-8\"")],
        &[("content-type", "'application/json'"), ("authorization", "'Bearer x'")],
        &[("accept", "application/json, text/plain, */*"), ("x-fax-clientid", "")],
        &[("x-fax-clientid", "anything"), ("authorization", "Bearer x"), ("prefer", "respond-async")],
    ] {
        gateway.patch_body(PATH, headers, GOOD).await.assert_resent();
    }
    gateway.patch_body(PATH, &[("content-encoding", "gzip")], packed).await.assert_resent();
    gateway.patch_body(&format!("{PATH}?x=1&x=2&force=true&%zz"), &[], GOOD).await.assert_resent();
    assert_eq!((gateway.accepted("a@example.com"), gateway.sandbox.stats().calls), (1, 1));

    for headers in [
        [("content-type", "text/plain")],
        [("content-type", "application/x-www-form-urlencoded")],
        [("content-type", "application/x-ndjson")],
        [("content-type", "application/json; charset=latin1")],
        [("content-encoding", "br")],
    ] {
        gateway.patch_body(PATH, &headers, r#"["new@example.com"]"#).await.fault(415, "media_type");
    }
    let curl = [("content-type", "application/x-www-form-urlencoded")];
    let told = gateway.patch_body(PATH, &curl, GOOD).await.fault(415, "media_type");
    assert!(told["description"].as_str().unwrap().contains("which is curl's default; "), "{told}");
    let broken = gateway.patch_body(PATH, &[("content-encoding", "gzip")], GOOD).await;
    broken.fault(400, "malformed_gzip");
    assert_eq!(gateway.sandbox.stats().calls, 1);
    gateway.stop().await;
}

#[actix_web::test]
async fn a_bearer_with_nothing_behind_it_is_unauthorized() {
    let gateway = Gateway::start().await;

    for value in ["Bearer ", "Bearer", "bearer   ", ""] {
        for path in [PATH, DOUBLED] {
            let mut wire = Wire::connect(gateway.address()).await;
            let length = GOOD.len();
            wire.send(format!(
                "PATCH {path} HTTP/1.1\r\nHost: g\r\nAuthorization: {value}\r\nContent-Length: {length}\r\n\r\n{GOOD}"
            ))
            .await
            .unwrap();
            let answer = wire.answer().await.unwrap();

            answer.fault(401, "unauthorized");
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{value:?}");
        }
    }
    gateway.assert_nothing_was_taken().await;
    gateway.stop().await;
}

#[actix_web::test]
async fn other_methods_paths_and_sites_are_refused_in_the_same_shape_and_nothing_redirects() {
    let gateway = Gateway::start().await;

    for path in [PATH, DOUBLED] {
        for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
            let answer = gateway.request(method, path, &[], GOOD).await;
            answer.fault(405, "method");
            assert_eq!(answer.header("allow"), Some("PATCH"));
        }
        let answer = gateway.patch_body(path, &[("origin", "https://evil.example")], GOOD).await;
        answer.fault(403, "cross_site");
    }
    for path in [
        "/v3",
        "/v3/",
        "/v3/accounts/self",
        "/v3/accounts/self/member-invitations/",
        "/v3///accounts/self/member-invitations",
        "/v3/accounts//self/member-invitations",
    ] {
        gateway.patch_body(path, &[], GOOD).await.fault(404, "no_such_path");
    }
    for path in ["/v33", "/V3/accounts/self/member-invitations"] {
        gateway.patch_body(path, &[], GOOD).await.problem("no-such-path");
    }
    gateway.assert_nothing_was_taken().await;
    gateway.stop().await;
}

#[actix_web::test]
async fn what_is_too_much_is_refused_in_the_same_shape() {
    for (overrides, count, status, word) in [
        (("intake.max_addresses", "3"), 4, 413, "too_large"),
        (("intake.max_body_bytes", "50"), 4, 413, "too_large"),
        (("intake.memory_bytes", "65536"), 5000, 503, "no_memory"),
        (("dispatch.max_queued_addresses", "3"), 4, 503, "queue_full"),
        (("store.max_bytes", "1048576"), 40_000, 503, "store_full"),
    ] {
        let gateway = Gateway::with(SandboxOptions::default(), &[overrides]).await;

        let answer = gateway.patch(&addresses("much", count)).await;

        answer.fault(status, word);
        assert_eq!(answer.retry_after().is_some(), status == 503, "{answer:?}");
        gateway.assert_nothing_was_taken().await;
        gateway.stop().await;
    }
}

#[actix_web::test]
async fn slow_bodies_are_refused_in_the_same_shape() {
    let gateway =
        Gateway::with(SandboxOptions::default(), &[("server.body_idle_timeout_seconds", "1")]).await;
    let mut wire = Wire::connect(gateway.address()).await;

    wire.send(format!("PATCH {PATH} HTTP/1.1\r\nHost: g\r\nContent-Length: 17\r\n\r\n[")).await.unwrap();

    wire.answer().await.unwrap().fault(408, "slow_body");
    gateway.assert_nothing_was_taken().await;
    gateway.stop().await;
}

#[actix_web::test]
async fn a_gateway_about_to_end_sends_callers_elsewhere() {
    let mut gateway = Gateway::start().await;
    gateway.sandbox.hold_answers();
    let mut under_way = Wire::connect(gateway.address()).await;
    let request = |email: &str| {
        let body = json!([email]).to_string();
        format!("PATCH {PATH} HTTP/1.1\r\nHost: g\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    };
    under_way.send(request("a@example.com")).await.unwrap();
    let mut late = Wire::connect(gateway.address()).await;
    let whole = request("b@example.com");
    let (first, rest) = whole.split_at(whole.len() - 5);
    late.send(first).await.unwrap();
    eventually(async || (gateway.sandbox.stats().calls >= 1).then_some(())).await;

    gateway.begin_stop();
    // An empty list is refused for another reason as long as lists are taken.
    eventually(async || (gateway.post("", &[""; 0]).await.status == 503).then_some(())).await;
    late.send(rest).await.unwrap();
    let answer = late.answer().await.unwrap();

    answer.fault(503, "shutting_down");
    assert!(answer.retry_after().is_some_and(|seconds| seconds >= 1), "{answer:?}");
    gateway.sandbox.release_answers();
    under_way.answer().await.unwrap().assert_resent();
    assert_eq!((gateway.accepted("a@example.com"), gateway.accepted("b@example.com")), (1, 0));
    gateway.stop().await;
}

#[actix_web::test]
async fn both_paths_count_as_one_route() {
    let gateway = Gateway::start().await;
    for path in [PATH, DOUBLED, DOUBLED] {
        gateway.patch_body(path, &[], GOOD).await.assert_resent();
        gateway.patch_body(path, &[], "[]").await.fault(400, "empty_list");
    }

    let scrape = Scrape::of(&gateway).await;

    for status in ["200", "400"] {
        let series = format!("http_requests_total{{method=\"PATCH\",route=\"{PATH}\",status=\"{status}\"}}");
        assert_eq!(scrape.value(&series), 3.0);
    }
    assert!(!scrape.text.contains("/v3//"));
    assert_eq!(scrape.value("addresses_total{client=\"anonymous\",outcome=\"duplicate\"}"), 2.0);
    gateway.stop().await;
}
