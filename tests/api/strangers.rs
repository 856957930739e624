//! Answers that are not those of a well-made fax.plus: what stands in its place, and odd ways to write an answer.

use std::time::{Duration, SystemTime};

use faxplus_gateway::sandbox::SandboxOptions;
use serde_json::{Value, json};

use crate::{
    gateway::{Gateway, addresses, eventually},
    raw_upstream::{CERTIFICATE, RawUpstream},
    truth::NO_BREAKER,
};

const SENT: &str = r#"{"message":"Invitations resent successfully"}"#;

fn framed(head: &str, body: &str) -> String {
    format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

async fn gateway_before(upstream: &RawUpstream, more: &[(&str, &str)]) -> Gateway {
    let base_url = upstream.url("/v3");
    let mut overrides = vec![("upstream.base_url", base_url.as_str()), NO_BREAKER];
    if base_url.starts_with("https") {
        overrides.push(("upstream.ca_file", CERTIFICATE));
    }
    overrides.extend_from_slice(more);
    Gateway::with(SandboxOptions::default(), &overrides).await
}

fn wait_of(hold: &Value) -> Duration {
    let next = humantime::parse_rfc3339(hold["next_attempt_at"].as_str().unwrap()).unwrap();
    next.duration_since(SystemTime::now()).unwrap_or_default()
}

#[actix_web::test]
async fn an_answer_that_only_the_close_ends_is_read_to_the_close() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n";
    let upstreams =
        [RawUpstream::start(""), RawUpstream::start_tls(""), RawUpstream::start_tls("").abruptly()];
    for upstream in upstreams {
        let gateway = gateway_before(&upstream, &[]).await;
        for (number, (answer, told)) in [
            (format!("{head}{SENT}"), "sent"),
            (format!("HTTP/1.1 200 OK\r\n\r\n{SENT}"), "sent"),
            (format!("HTTP/1.0 200 OK\r\n\r\n{SENT}"), "sent"),
            (format!("HTTP/1.1 422 No\r\nConnection: close\r\n\r\n{}", r#"{"error":"bad"}"#), "rejected/bad"),
            (format!("{head}{}", &SENT[..20]), "unknown/unreadable_answer"),
            (head.to_owned(), "unknown/unreadable_answer"),
        ]
        .into_iter()
        .enumerate()
        {
            upstream.answer(answer.clone());
            let (_, outcome) = gateway.post_one(&format!("a{number}@example.com")).await;
            assert_eq!(outcome, told, "{answer}");
        }
        gateway.stop().await;
    }
}

#[actix_web::test]
async fn answers_with_a_length_share_a_connection() {
    for upstream in [RawUpstream::start(""), RawUpstream::start_tls("")] {
        upstream.answer(framed("200 OK", SENT));
        let gateway = gateway_before(&upstream, &[("upstream.max_in_flight", "1")]).await;

        let answer = gateway.post("", &addresses("a", 50)).await;

        assert_eq!(answer.words(), ["sent"; 50]);
        assert_eq!((upstream.requests().len(), upstream.connections()), (5, 1));
        gateway.stop().await;
    }
}

#[actix_web::test]
async fn an_upstream_whose_certificate_is_not_trusted_is_sent_nothing() {
    let upstream = RawUpstream::start_tls(framed("200 OK", SENT));
    let base_url = upstream.url("/v3");
    let gateway = Gateway::with(SandboxOptions::default(), &[("upstream.base_url", &base_url)]).await;

    let id = gateway.post_async("", &["a@example.com"]).await;
    let hold = gateway.held(&id, "upstream_unavailable").await;

    assert!(hold["detail"].as_str().unwrap().contains("no connection, or no TLS on it"), "{hold}");
    assert_eq!(upstream.requests().len(), 0);
    gateway.stop().await;
}

#[actix_web::test]
async fn the_token_endpoint_and_the_probe_are_read_to_the_close_and_asked_for_plain_bytes() {
    let closing = |body: &str| format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{body}");
    let upstream = RawUpstream::start(closing(r#"{"access_token":"a","expires_in":3600,"message":"ok"}"#));
    let token_url = upstream.url("/token");
    let oauth2 = [
        ("credentials.kind", "oauth2"),
        ("credentials.client_id", "client"),
        ("credentials.client_secret", "hush"),
        ("credentials.refresh_token", "seed"),
        ("credentials.token_url", token_url.as_str()),
    ];
    let gateway = gateway_before(&upstream, &oauth2).await;

    assert_eq!(gateway.post_one("a@example.com").await.1, "sent");

    let requests = upstream.requests();
    let begins = |line: &str| requests.iter().any(|head| head.starts_with(line));
    assert!(begins("post /token ") && begins("patch /v3/accounts/self/member-invitations "), "{requests:?}");
    assert!(begins("get /v3/accounts/self "), "{requests:?}");
    for head in &requests {
        assert!(head.contains("\r\naccept-encoding: identity"), "{head}");
    }
    gateway.stop().await;
}

#[actix_web::test]
async fn an_answer_that_is_compressed_all_the_same_is_a_doubt() {
    let gzipped = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xab\xae\x05\x00\x43\xbf\xa6\xa3\x02\x00\x00\x00";
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", gzipped.len());
    let upstream = RawUpstream::start([head.as_bytes(), gzipped].concat());
    let gateway = gateway_before(&upstream, &[]).await;

    assert_eq!(gateway.post_one("a@example.com").await.1, "unknown/unreadable_answer");
    gateway.stop().await;
}

#[actix_web::test]
async fn a_200_that_says_no_is_a_doubt_and_never_sent() {
    let gateway = Gateway::with(SandboxOptions::default(), &[NO_BREAKER]).await;

    for (number, body) in
        [r#"{"error":"internal_error"}"#, r#"{"message":"ok","error":"e"}"#, r#"{"error":"e","error":null}"#]
            .into_iter()
            .enumerate()
    {
        gateway.faults(json!([{"fate": "wrong_json_200", "body": body}]));
        let (_, told) = gateway.post_one(&format!("a{number}@example.com")).await;
        assert_eq!(told, "unknown/unreadable_answer", "{body}");
    }
    gateway.stop().await;
}

#[actix_web::test]
async fn a_proxy_that_refuses_for_a_while_rejects_no_address() {
    for (status, content_type, body) in [
        (404, "text/html", "<html><h1>404 Not Found</h1></html>"),
        (400, "text/plain", "Bad Request"),
        (403, "text/html", "<html>Sign in</html>"),
        (410, "application/json", r#"{"message":"no Route matched with those values"}"#),
        (422, "application/json", r#"{"error":"Unprocessable Entity","status":422}"#),
        (413, "text/html", ""),
    ] {
        let gateway =
            Gateway::with(SandboxOptions::default(), &[NO_BREAKER, ("upstream.max_backoff_ms", "20")]).await;
        gateway.faults(json!([
            {"fate": "status", "status": status, "body": body, "content_type": content_type, "times": 6}
        ]));

        let answer = gateway.post("", &addresses("a", 30)).await;

        assert_eq!(answer.words(), ["sent"; 30], "{status} {body}");
        gateway.stop().await;
    }
}

#[actix_web::test]
async fn a_wait_that_is_told_in_another_form_is_obeyed() {
    for told in ["20.0", "20s", "+20", "20, 20"] {
        let gateway = Gateway::start().await;
        gateway.faults(json!([{"fate": "status", "status": 429, "retry_after": told}]));
        let id = gateway.post_async("", &["a@example.com"]).await;

        let wait = wait_of(&gateway.held(&id, "throttled").await);

        assert!((Duration::from_secs(15)..=Duration::from_secs(20)).contains(&wait), "{told}: {wait:?}");
        assert_eq!(gateway.sandbox.stats().calls, 1);
        gateway.stop().await;
    }
}

#[actix_web::test]
async fn a_date_to_wait_for_is_measured_against_the_clock_that_told_it() {
    let behind = SystemTime::now() - Duration::from_secs(300);
    let date = httpdate::fmt_http_date(behind);
    let until = httpdate::fmt_http_date(behind + Duration::from_secs(20));
    let head = format!("503 Busy\r\nDate: {date}\r\nRetry-After: {until}");
    let upstream = RawUpstream::start(framed(&head, ""));
    let gateway = gateway_before(&upstream, &[]).await;
    let id = gateway.post_async("", &["a@example.com"]).await;

    let wait = wait_of(&gateway.held(&id, "upstream_unavailable").await);

    assert!((Duration::from_secs(15)..=Duration::from_secs(20)).contains(&wait), "{wait:?}");
    gateway.stop().await;
}

#[actix_web::test]
async fn an_edge_that_did_not_reach_fax_plus_holds_the_work_and_is_named() {
    for status in [521, 523, 525, 526, 530] {
        let head = format!("{status} Edge\r\ncf-ray: 8c4-FRA\r\nServer: cloudflare");
        let upstream = RawUpstream::start(framed(&head, "<html>error"));
        let gateway = gateway_before(&upstream, &[("upstream.max_backoff_ms", "50")]).await;
        let id = gateway.post_async("", &addresses("a", 12)).await;

        let hold = gateway.held(&id, "upstream_unavailable").await;
        assert!(hold["detail"].as_str().unwrap().contains("HTML page, by Cloudflare)"), "{hold}");
        upstream.answer(framed("200 OK", SENT));

        assert_eq!(gateway.finished(&id).await["counts"]["sent"], 12, "{status}");
        gateway.stop().await;
    }
}

#[actix_web::test]
async fn each_refusal_of_the_token_endpoint_names_what_is_to_be_mended() {
    for (status, body, reason, words) in [
        (400, r#"{"error":"invalid_grant"}"#, "credentials_rejected", "refuses the refresh token"),
        (400, r#"{"error":"invalid_request"}"#, "misconfigured", "credentials.refresh_in"),
        (400, r#"{"error":"unsupported_grant_type"}"#, "misconfigured", "credentials.refresh_in"),
        (400, r#"{"error":"invalid_client"}"#, "credentials_rejected", "credentials.client_secret"),
        (401, r#"{"error":"unauthorized_client"}"#, "credentials_rejected", "credentials.client_id"),
        (400, r#"{"error":"temporarily_unavailable"}"#, "upstream_unavailable", "answers with errors"),
        (400, r#"{"error":"slow_down"}"#, "upstream_unavailable", "answers with errors"),
        (401, "<html>Sign in", "misconfigured", "(status 401 with an HTML page)"),
        (404, "Not Found", "misconfigured", "(status 404 with plain text)"),
    ] {
        let rule = json!([{"target": "token", "fate": "status", "status": status, "body": body}]);
        let faults = faxplus_gateway::sandbox::parse_faults(rule.to_string().as_bytes()).unwrap();
        let options = SandboxOptions { tokens: Some(Vec::new()), faults, ..SandboxOptions::default() };
        let oauth2 = [
            ("credentials.kind", "oauth2"),
            ("credentials.client_id", "client"),
            ("credentials.client_secret", "hush"),
            ("credentials.refresh_token", "seed"),
        ];
        let gateway = Gateway::with(options, &oauth2).await;
        let id = gateway.post_async("", &addresses("a", 3)).await;

        let says = |resend: &Value| {
            resend["hold"]["reason"] == reason
                && resend["hold"]["detail"].as_str().is_some_and(|detail| detail.contains(words))
        };
        gateway.until(&id, says).await;
        gateway.faults(json!([]));

        assert_eq!(gateway.finished(&id).await["counts"]["sent"], 3, "{status} {body}");
        gateway.stop().await;
    }
}

#[actix_web::test]
async fn a_token_file_that_comes_to_hold_a_whole_header_leaves_the_old_token_in_force() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "old\n").unwrap();
    let options = SandboxOptions { tokens: Some(vec!["old".to_owned()]), ..SandboxOptions::default() };
    let gateway = Gateway::with(options, &[("credentials.token_file", file.path().to_str().unwrap())]).await;
    assert_eq!(gateway.post_one("a@example.com").await.1, "sent");

    std::fs::write(file.path(), "Bearer new\n").unwrap();
    gateway.sandbox.set_tokens(Some(vec!["new".to_owned()]));
    let id = gateway.post_async("", &["b@example.com"]).await;
    gateway.held(&id, "credentials_rejected").await;
    // A proof reads the file again before it asks.
    let probes = gateway.sandbox.stats().probes;
    eventually(async || (gateway.sandbox.stats().probes > probes + 1).then_some(())).await;
    std::fs::write(file.path(), "new\n").unwrap();

    assert_eq!(gateway.finished(&id).await["counts"]["sent"], 1);
    gateway.stop().await;
}
