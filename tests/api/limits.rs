//! What is too much: of one body, of all of them, of what waits, of what is kept, of connections.

use std::iter::repeat_n;

use faxplus_gateway::sandbox::SandboxOptions;
use serde_json::json;

use crate::{
    bodies::{FORMATS, post_gzipped, written},
    gateway::{Gateway, addresses},
};

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

/// A list of one address, padded with spaces.
fn json_of_length(bytes: usize) -> String {
    let list = r#"["a@example.com"]"#;
    format!("{list}{}", " ".repeat(bytes - list.len()))
}
