//! Nothing is sent of a body that is malformed, cut off or too slow, whatever came before the fault.

use std::time::Duration;

use awc::http::Method;
use faxplus_gateway::sandbox::SandboxOptions;
use serde_json::{Value, json};

use crate::{
    bodies::{FORMATS, gzipped, written},
    gateway::{Answer, Gateway, addresses, eventually},
    wire::Wire,
};

const IN_FLIGHT: &str = "faxplus_gateway_http_requests_in_flight";
const HALF: &str = r#"["a@example.com","b@exam"#;
const WHOLE: &str = r#"["a@example.com","b@example.com"]"#;

/// Waits until the gateway is done with every request but the one for its metrics.
async fn idle(gateway: &Gateway) {
    eventually(async || (gateway.metric(IN_FLIGHT).await == 1.0).then_some(())).await;
}

async fn hasty() -> Gateway {
    let overrides = [("server.body_idle_timeout_seconds", "1")];
    Gateway::with(SandboxOptions::default(), &overrides).await
}

#[actix_web::test]
async fn a_malformed_json_body_is_told_with_its_offset_and_index() {
    let gateway = Gateway::start().await;
    let bodies: [(&[u8], u64, u64); 24] = [
        (b"", 0, 0),
        (b"  ", 2, 0),
        (b"\"a@example.com\"", 0, 0),
        (b"null", 0, 0),
        (b"[\"a@example.com\"", 16, 1),
        (b"[\"a@example.com", 15, 0),
        (b"[\"a@example.com\",]", 17, 1),
        (b"[,\"a@example.com\"]", 1, 0),
        (b"[\"a@example.com\" \"b@example.com\"]", 17, 1),
        (b"[\"a@example.com\"]]", 17, 1),
        (b"[\"a@example.com\"][]", 17, 1),
        (b"[\"a@example.com\", 7]", 18, 1),
        (b"[\"a@example.com\", null]", 18, 1),
        (b"[\"a@example.com\", [\"b@example.com\"]]", 18, 1),
        (b"[\"a@example.com\", {\"email\": \"b@example.com\"}]", 18, 1),
        (b"[\"a@exam\nple.com\"]", 8, 0),
        (b"[\"a\\qb@example.com\"]", 4, 0),
        (b"[\"a\\ud800@example.com\"]", 3, 0),
        (b"[\"a@example.com\", \"\xff@example.com\"]", 19, 1),
        (b"{}", 1, 0),
        (b"{\"email\": [\"a@example.com\"]}", 1, 0),
        (b"{\"emails\": \"a@example.com\"}", 11, 0),
        (b"{\"emails\": [\"a@example.com\"], \"force\": true}", 30, 1),
        (b"{\"emails\": [\"a@example.com\"], \"emails\": []}", 30, 1),
    ];

    for (body, offset, index) in bodies {
        let answer = gateway.post_body("application/json", body.to_vec()).await;

        let body = String::from_utf8_lossy(body);
        assert_eq!(answer.status, 400, "{body}: {answer:?}");
        let problem = answer.problem("malformed-body");
        assert_eq!(
            (&problem["offset"], &problem["index"]),
            (&json!(offset), &json!(index)),
            "{body}: {problem}"
        );
        assert_eq!(problem.get("line"), None, "{body}");
        assert!(!problem.to_string().contains("@example"), "{problem}");
    }
    gateway.assert_nothing_was_taken().await;
    gateway.stop().await;
}

#[actix_web::test]
async fn a_malformed_line_is_told_with_its_number() {
    let gateway = Gateway::start().await;
    let bodies: [(&str, &[u8], u64, u64); 14] = [
        ("application/x-ndjson", b"\"a@example.com\"\n\"b@example.com\n", 2, 1),
        ("application/x-ndjson", b"\"a@example.com\"\nb@example.com\n", 2, 1),
        ("application/x-ndjson", b"\"a@example.com\"\n\n{\"mail\": \"b@example.com\"}\n", 3, 1),
        ("application/x-ndjson", b"{\"email\": \"a@example.com\"} {}\n", 1, 0),
        ("application/x-ndjson", b"{\"email\": 1}\n", 1, 0),
        ("application/x-ndjson", b"[\"a@example.com\"]\n", 1, 0),
        ("application/x-ndjson", b"\"a@example.com\"\n{\"email\": \"b@example.com\"", 2, 1),
        ("text/plain", b"a@example.com\nb\xff@example.com\n", 2, 1),
        ("text/plain", b"a@example.com\nb@example.com\xe2\x82", 2, 1),
        ("text/csv", b"name,phone\nA,1\n", 1, 0),
        ("text/csv", b"email;name\na@example.com;A\n", 1, 0),
        ("text/csv", b"name,email\nA,a@example.com\nB\n", 3, 1),
        ("text/csv", b"name,email\n\"A,a@example.com\n", 2, 0),
        ("text/csv", b"email\na@example.com,more\n", 2, 1),
    ];

    for (format, body, line, index) in bodies {
        let answer = gateway.post_body(format, body.to_vec()).await;

        let body = String::from_utf8_lossy(body);
        assert_eq!(answer.status, 400, "{body}: {answer:?}");
        let problem = answer.problem("malformed-body");
        assert_eq!((&problem["line"], &problem["index"]), (&json!(line), &json!(index)), "{body}: {problem}");
        assert!(problem["offset"].is_u64(), "{body}: {problem}");
    }
    gateway.assert_nothing_was_taken().await;
    gateway.stop().await;
}

#[actix_web::test]
async fn nothing_is_sent_when_the_fault_comes_after_100_000_good_addresses() {
    let gateway = Gateway::start().await;
    let emails = addresses("good", 100_000);

    for format in FORMATS {
        let mut body = written(format, &emails);
        match format {
            "application/json" => body.truncate(body.len() - 1),
            "application/x-ndjson" => body.extend_from_slice(b"\n{\"email\": null}"),
            "text/plain" => body.extend_from_slice(b"\xc3\x28"),
            _ => body.extend_from_slice(b"\nshort row"),
        }
        let offset = body.len();
        let answer = gateway.post_body(format, body).await;

        assert_eq!(answer.status, 400, "{answer:?}");
        let problem = answer.problem("malformed-body");
        assert!(problem["index"].as_u64().unwrap() >= 99_999, "{problem}");
        assert!(offset as u64 - problem["offset"].as_u64().unwrap() < 32, "{problem}");
    }
    gateway.assert_nothing_was_taken().await;
    gateway.stop().await;
}

#[actix_web::test]
async fn a_gzip_stream_that_is_broken_is_told_so() {
    let gateway = Gateway::start().await;
    let good = gzipped(&written("application/json", &addresses("a", 100)));
    let mut wrong_sum = good.clone();
    let at = wrong_sum.len() - 6;
    wrong_sum[at] ^= 1;
    let broken = [
        b"[\"a@example.com\"]".to_vec(),
        good[..good.len() - 1].to_vec(),
        good[..good.len() / 2].to_vec(),
        wrong_sum,
        [good.as_slice(), b"more"].concat(),
        Vec::new(),
    ];

    for body in broken {
        let headers = [("content-type", "application/json"), ("content-encoding", "gzip")];
        let answer = gateway.request(Method::POST, "/v1/resends", &headers, body).await;

        assert_eq!(answer.status, 400, "{answer:?}");
        answer.problem("malformed-gzip");
    }
    gateway.assert_nothing_was_taken().await;
    gateway.stop().await;
}

#[actix_web::test]
async fn a_body_whose_sender_falls_silent_half_way_is_told_so_if_it_still_listens() {
    let gateway = Gateway::start().await;
    let bodies = [
        ("Content-Length: 1000\r\n", HALF.to_owned()),
        // The list is whole, the body is not.
        ("Content-Length: 1000\r\n", WHOLE.to_owned()),
        ("Transfer-Encoding: chunked\r\n", format!("{:x}\r\n{WHOLE}\r\n", WHOLE.len())),
        ("Transfer-Encoding: chunked\r\n", format!("1000\r\n{WHOLE}")),
    ];

    for (fields, body) in bodies {
        let mut wire = Wire::connect(gateway.address()).await;
        wire.begin_post(fields).await;
        wire.send(&body).await.unwrap();
        wire.half_close().await;

        // Closing without a word is fine, too; another answer is not.
        if let Ok(answer) = wire.answer().await {
            assert_eq!(answer.status, 400, "{body}: {answer:?}");
        }
    }
    idle(&gateway).await;
    gateway.assert_nothing_was_taken().await;
    gateway.stop().await;
}

#[actix_web::test]
async fn nothing_is_sent_for_a_caller_that_goes_away_inside_its_body() {
    let gateway = Gateway::start().await;

    for body in [HALF, WHOLE] {
        for resets in [true, false] {
            let mut wire = Wire::connect(gateway.address()).await;
            wire.begin_post("Content-Length: 1000\r\n").await;
            wire.send(body).await.unwrap();
            eventually(async || (gateway.metric(IN_FLIGHT).await == 2.0).then_some(())).await;
            if resets {
                wire.reset()
            } else {
                drop(wire)
            }
            idle(&gateway).await;
        }
    }

    gateway.assert_nothing_was_taken().await;
    gateway.stop().await;
}

#[actix_web::test]
async fn a_body_that_stops_coming_is_answered_408() {
    let gateway = hasty().await;

    for body in ["", HALF, WHOLE] {
        let mut wire = Wire::connect(gateway.address()).await;
        wire.begin_post("Content-Length: 1000\r\n").await;
        wire.send(body).await.unwrap();
        assert_slow(&wire.answer().await.unwrap(), "no byte came for 1 seconds");
    }
    gateway.assert_nothing_was_taken().await;
    gateway.stop().await;
}

#[actix_web::test]
async fn a_body_that_drips_below_the_least_rate_is_answered_408() {
    let gateway = hasty().await;
    let mut wire = Wire::connect(gateway.address()).await;
    wire.begin_post("Content-Length: 1000000\r\n").await;

    let answer = {
        let (mut ticks, mut pieces) =
            (tokio::time::interval(Duration::from_millis(100)), HALF.chars().cycle());
        loop {
            ticks.tick().await;
            let byte = pieces.next().map(String::from).unwrap_or_default();
            if wire.send(byte).await.is_err() || wire.has_answer() {
                break wire.answer().await.unwrap();
            }
        }
    };

    assert_slow(&answer, "fewer than 1024 bytes came a second");
    gateway.assert_nothing_was_taken().await;
    gateway.stop().await;
}

fn assert_slow(answer: &Answer, why: &str) {
    assert_eq!(answer.status, 408, "{answer:?}");
    let problem: Value = answer.problem("slow-body");
    assert!(problem["detail"].as_str().unwrap().starts_with(why), "{problem}");
}
