//! What a posted body may be: four media types, gzip around each, in pieces of any size, up to the limits.

use std::io::Write as _;

use awc::http::Method;
use flate2::{Compression, write::GzEncoder};
use serde_json::json;

use crate::{
    gateway::{Answer, Gateway, addresses},
    wire::{Wire, chunked},
};

pub const FORMATS: [&str; 4] = ["application/json", "application/x-ndjson", "text/plain", "text/csv"];

/// `emails` as a body of this media type.
pub fn written(content_type: &str, emails: &[String]) -> Vec<u8> {
    let lines: Vec<String> = match content_type {
        "application/json" => return serde_json::to_vec(emails).unwrap(),
        "application/x-ndjson" => {
            let object = |email: &String| json!({"email": email}).to_string();
            let of = |(at, email)| if at % 2 == 0 { json!(email).to_string() } else { object(email) };
            emails.iter().enumerate().map(of).collect()
        }
        "text/plain" => emails.iter().map(|email| format!("{email}\n")).collect(),
        "text/csv" => {
            let header = "name,eMail,\"a \"\"b\"\"\"".to_owned();
            let row = |email: &String| format!("\"Doe, Jane\",{email},1");
            [header].into_iter().chain(emails.iter().map(row)).collect()
        }
        other => panic!("{other}"),
    };
    lines.join("\n").into_bytes()
}

pub fn gzipped(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

pub async fn post_gzipped(gateway: &Gateway, content_type: &str, body: &[u8]) -> Answer {
    let headers = [("content-type", content_type), ("content-encoding", "gzip")];
    gateway.request(Method::POST, "/v1/resends", &headers, gzipped(body)).await
}

#[actix_web::test]
async fn each_media_type_is_read_with_and_without_gzip() {
    let gateway = Gateway::start().await;

    for format in FORMATS {
        let name = format.replace(['/', '-'], "");
        let (plain, packed) = (addresses(&name, 11), addresses(&format!("gz{name}"), 11));
        let answers = [
            (&plain, gateway.post_body(format, written(format, &plain)).await),
            (&packed, post_gzipped(&gateway, format, &written(format, &packed)).await),
        ];

        for (emails, answer) in answers {
            assert_eq!(answer.status, 200, "{format}: {answer:?}");
            let expected: Vec<_> = emails.iter().map(|email| (email.clone(), "sent".to_owned())).collect();
            assert_eq!(answer.outcomes(), expected, "{format}");
            assert!(emails.iter().all(|email| gateway.accepted(email) == 1), "{format}");
        }
    }
    assert_eq!(gateway.sandbox.ledger().len(), 88);
    gateway.stop().await;
}

#[actix_web::test]
async fn json_may_wrap_the_list_in_an_object_and_escape_what_it_likes() {
    let gateway = Gateway::start().await;
    let bodies = [
        (r#"{"emails": ["a@example.com", "b@example.com"]}"#, ["sent", "sent"]),
        (
            " {\"\\u0065mails\"\r\n:\t[ \"\\u0063\\u0040example.com\" ,\"d@ex\\u0061mple.com\"\n] } \n",
            ["sent", "sent"],
        ),
        (r#"["a@EXAMPLE.com", " c@example.com "]"#, ["duplicate", "duplicate"]),
    ];

    for (body, expected) in bodies {
        let answer = gateway.post_body("Application/JSON; charset=\"UTF-8\"", body).await;

        assert_eq!(answer.words(), expected, "{body}");
    }
    assert_eq!(
        gateway.sandbox.ledger().keys().collect::<Vec<_>>(),
        ["a@example.com", "b@example.com", "c@example.com", "d@example.com"]
    );
    gateway.stop().await;
}

#[actix_web::test]
async fn csv_may_be_a_single_column_and_text_may_begin_with_a_byte_order_mark() {
    let gateway = Gateway::start().await;

    let column = gateway.post_body("text/csv", "\u{feff}a@example.com\r\nb@example.com").await;
    let text = gateway.post_body("text/plain", "\u{feff}c@example.com\r\n\r\n  \nd@example.com").await;

    assert_eq!((column.status.as_u16(), column.words().len()), (200, 2), "{column:?}");
    assert_eq!((text.status.as_u16(), text.words().len()), (200, 2), "{text:?}");
    assert_eq!(gateway.sandbox.ledger().len(), 4);
    gateway.stop().await;
}

#[actix_web::test]
async fn a_body_may_come_in_pieces_of_any_size() {
    let gateway = Gateway::start().await;

    for (round, sizes) in [&[1][..], &[2, 1, 7], &[1000], &[3, 64]].into_iter().enumerate() {
        for encoding in ["", "Content-Encoding: gzip\r\n"] {
            let mut emails = addresses(&format!("r{round}e{}n", encoding.len()), 20);
            emails.push("\u{e4}\u{20ac}\u{1d11e} is nobody".to_owned());
            let plain = serde_json::to_vec(&emails).unwrap();
            let body = if encoding.is_empty() { plain } else { gzipped(&plain) };
            let mut wire = Wire::connect(gateway.address()).await;
            wire.begin_post(&format!("{encoding}Transfer-Encoding: chunked\r\n")).await;
            for chunk in chunked(&body, sizes) {
                wire.send(chunk).await.unwrap();
                tokio::task::yield_now().await;
            }

            let answer = wire.answer().await.unwrap();

            assert_eq!(answer.status, 207, "{answer:?}");
            let outcomes = answer.outcomes();
            assert!(outcomes[..20].iter().all(|(_, outcome)| outcome == "sent"));
            assert_eq!(outcomes[20].0, emails[20]);
        }
    }
    assert_eq!(gateway.sandbox.ledger().len(), 4 * 2 * 20);
    gateway.stop().await;
}

#[actix_web::test]
async fn a_caller_that_asks_first_is_told_to_go_on() {
    let gateway = Gateway::start().await;
    let body = r#"["a@example.com"]"#;
    let mut wire = Wire::connect(gateway.address()).await;

    wire.begin_post(&format!("Content-Length: {}\r\nExpect: 100-continue\r\n", body.len())).await;
    let interim = wire.answer().await.unwrap();
    wire.send(body).await.unwrap();
    let answer = wire.answer().await.unwrap();

    assert_eq!(interim.status, 100);
    assert_eq!((answer.status.as_u16(), answer.words()), (200, vec!["sent".to_owned()]));
    gateway.stop().await;
}

#[actix_web::test]
async fn an_empty_list_is_refused_in_every_form() {
    let gateway = Gateway::start().await;
    let bodies = [
        ("application/json", "[]"),
        ("application/json", " { \"emails\" : [ ] } "),
        ("application/x-ndjson", ""),
        ("application/x-ndjson", "\n\n"),
        ("text/plain", ""),
        ("text/plain", "\r\n \n"),
        ("text/csv", ""),
        ("text/csv", "email\r\n"),
    ];

    for (format, body) in bodies {
        let answer = gateway.post_body(format, body).await;

        assert_eq!(answer.status, 422, "{format} {body:?}: {answer:?}");
        answer.problem("empty-list");
    }
    gateway.assert_nothing_was_taken().await;
    gateway.stop().await;
}

#[actix_web::test]
async fn a_media_type_or_encoding_that_is_not_served_is_told_so() {
    let gateway = Gateway::start().await;
    let body = r#"["a@example.com"]"#;
    let refused: [&[(&str, &str)]; 9] = [
        &[],
        &[("content-type", "")],
        &[("content-type", "application/xml")],
        &[("content-type", "application/x-www-form-urlencoded")],
        &[("content-type", "application/json; charset=utf-16")],
        &[("content-type", "application/json"), ("content-encoding", "br")],
        &[("content-type", "application/json"), ("content-encoding", "deflate")],
        &[("content-type", "application/json"), ("content-encoding", "gzip, gzip")],
        &[("content-type", "application/json"), ("content-encoding", "aws-chunked")],
    ];

    for headers in refused {
        let answer = gateway.request(Method::POST, "/v1/resends", headers, body).await;

        assert_eq!(answer.status, 415, "{headers:?}: {answer:?}");
        answer.problem("media-type");
    }
    gateway.assert_nothing_was_taken().await;
    gateway.stop().await;
}

#[actix_web::test]
async fn an_encoding_that_is_no_text_or_given_twice_is_not_taken_for_none() {
    let gateway = Gateway::start().await;
    let body = r#"["a@example.com"]"#;

    for fields in [&b"\xff"[..], b"identity\r\nContent-Encoding: br", b"identity, br"] {
        let mut wire = Wire::connect(gateway.address()).await;
        wire.send(
            b"POST /v1/resends HTTP/1.1\r\nHost: g\r\nContent-Type: application/json\r\nContent-Encoding: ",
        )
        .await
        .unwrap();
        wire.send([fields, format!("\r\nContent-Length: {}\r\n\r\n{body}", body.len()).as_bytes()].concat())
            .await
            .unwrap();

        assert_eq!(wire.answer().await.unwrap().status, 415, "{}", String::from_utf8_lossy(fields));
    }
    gateway.assert_nothing_was_taken().await;
    gateway.stop().await;
}
