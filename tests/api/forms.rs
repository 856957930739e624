//! Results as CSV and as plain text: told as they are, and lists that can be posted again.

use awc::http::Method;
use faxplus_gateway::sandbox::SandboxOptions;
use serde_json::{Value, json};

use crate::{
    gateway::{Answer, Gateway, addresses},
    wire::Wire,
};

/// What a caller may have written: with quotes, commas, ends of lines, formulas, letters of others.
const ODD: [&str; 12] = [
    "=1+1@example.com",
    "@SUM(A1)",
    "=HYPERLINK(\"http://x.example\",\"click\")",
    "a,b@example.com",
    "say \"no\"",
    "two\nlines@example.com",
    "end\r",
    "",
    "   ",
    " Ann@bücher.example ",
    "漢字",
    "+49.1@example.com",
];

async fn results(gateway: &Gateway, id: &str, query: &str, accept: &str) -> Answer {
    let path = format!("/v1/resends/{id}/results{query}");
    gateway.request(Method::GET, &path, &[("accept", accept)], "").await
}

async fn posted(gateway: &Gateway, emails: &[impl AsRef<str>]) -> String {
    gateway.post("?results=none", emails).await.json()["id"].as_str().unwrap().to_owned()
}

/// Reads RFC 4180, by its letter.
fn parse_csv(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut field, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.next_if_eq(&'"').is_some() => field.push('"'),
            '"' => quoted = !quoted,
            letter if quoted => field.push(letter),
            ',' => row.push(std::mem::take(&mut field)),
            '\r' => {
                assert_eq!(letters.next(), Some('\n'));
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            letter => field.push(letter),
        }
    }
    assert!(!quoted && field.is_empty() && row.is_empty(), "no end of line at the end");
    rows
}

#[actix_web::test]
async fn the_csv_holds_what_the_json_holds_field_by_field() {
    let gateway = Gateway::start().await;
    gateway.faults(json!([{"address": "refused@*", "fate": "status", "status": 400, "error": "not_pending",
        "description": "=\"quoted\", and ünusual"}]));
    let mut emails = ODD.to_vec();
    emails.extend(["refused@example.com", "=1+1@example.com"]);
    let id = posted(&gateway, &emails).await;

    let answer = results(&gateway, &id, "", "text/csv").await;
    let rows = results(&gateway, &id, "", "application/json").await.json();

    assert_eq!(answer.header("content-type"), Some("text/csv; charset=utf-8; header=present"));
    let mut lines = parse_csv(&answer.text()).into_iter();
    assert_eq!(lines.next().unwrap(), ["index", "email", "outcome", "reason", "detail", "sent_at"]);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let expected: Vec<Vec<String>> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let mut line = vec![row["index"].to_string()];
            line.extend(["email", "outcome", "reason", "detail", "sent_at"].map(|name| text(&row[name])));
            line
        })
        .collect();
    assert_eq!(lines.collect::<Vec<_>>(), expected);
    assert_eq!(expected[12][3..5], ["not_pending".to_owned(), "=\"quoted\", and ünusual".to_owned()]);
    assert!(!expected[13][5].is_empty(), "the duplicate has its time");
    gateway.stop().await;
}

#[actix_web::test]
async fn the_text_is_the_addresses_alone_without_what_is_no_line() {
    let gateway = Gateway::start().await;
    let id = posted(&gateway, &ODD).await;

    let answer = results(&gateway, &id, "", "text/plain").await;

    assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
    let lines: Vec<_> = ODD
        .into_iter()
        .filter(|email| !email.trim().is_empty() && !email.contains(['\r', '\n']))
        .map(|email| format!("{email}\n"))
        .collect();
    assert_eq!(answer.text(), lines.concat());
    assert_eq!(lines.len(), 8);
    gateway.stop().await;
}

#[actix_web::test]
async fn what_was_not_sent_can_be_posted_again_as_it_was_told() {
    let gateway = Gateway::with(SandboxOptions::default(), &[("upstream.max_in_flight", "1")]).await;
    for (form, round) in [("text/plain", 0), ("text/csv", 1)] {
        let second = gateway.sandbox.stats().calls + 2;
        let refused = json!({"calls": {"from": second}, "fate": "status", "status": 429, "retry_after": "1"});
        gateway.faults(json!([refused]));
        let emails = addresses(&format!("+list{round}."), 210);
        let id = gateway.post_async("", &emails).await;
        gateway.until(&id, |resend| resend["hold"]["reason"] == "throttled").await;
        gateway.request(Method::DELETE, &format!("/v1/resends/{id}"), &[], "").await;
        gateway.faults(json!([]));
        let left = results(&gateway, &id, "?outcome=not_sent", form).await;

        let again = gateway.post_body(form, left.body.clone()).await.json();

        let (sent, of) =
            (again["counts"]["sent"].as_u64().unwrap(), again["counts"]["received"].as_u64().unwrap());
        assert_eq!((sent, of), (200, 200), "{form}");
        assert!(emails.iter().all(|email| gateway.accepted(email) == 1), "{form}");
    }
    gateway.stop().await;
}

#[actix_web::test]
async fn a_resend_of_which_nothing_is_wanted_has_a_header_or_nothing() {
    let gateway = Gateway::start().await;
    let id = posted(&gateway, &["a@example.com"]).await;

    let csv = results(&gateway, &id, "?outcome=unknown", "text/csv").await;
    let text = results(&gateway, &id, "?outcome=unknown", "text/plain").await;

    assert_eq!(csv.text(), "index,email,outcome,reason,detail,sent_at\r\n");
    assert_eq!((text.status.as_u16(), text.text()), (200, String::new()));
    gateway.stop().await;
}

#[actix_web::test]
async fn a_form_that_is_not_served_is_told_which_are() {
    let gateway = Gateway::start().await;
    let id = posted(&gateway, &["a@example.com"]).await;

    let answer = results(&gateway, &id, "", "text/html, image/*").await;

    assert_eq!(answer.status, 406);
    let detail = answer.problem("not-acceptable")["detail"].as_str().unwrap().to_owned();
    for form in ["application/json", "application/x-ndjson", "text/csv", "text/plain"] {
        assert!(detail.contains(form), "{detail}");
    }
    gateway.stop().await;
}

#[actix_web::test]
async fn a_reader_that_waits_gets_all_of_a_long_list_in_every_form() {
    let gateway = Gateway::start().await;
    let emails = addresses(&"long".repeat(12), 20_000);
    let id = posted(&gateway, &emails).await;

    for (form, header) in [("text/csv", 1), ("text/plain", 0), ("application/x-ndjson", 0)] {
        let mut wire = Wire::connect(gateway.address()).await;
        let head = format!("GET /v1/resends/{id}/results HTTP/1.1\r\nHost: g\r\nAccept: {form}\r\n\r\n");
        wire.send(head).await.unwrap();
        // Nobody reads it yet, and others are served.
        assert_eq!(gateway.post("", &[format!("{header}{}@example.com", form.len())]).await.status, 200);

        let answer = wire.answer().await.unwrap();

        assert_eq!(answer.header("transfer-encoding"), Some("chunked"), "{form}");
        let text = answer.text();
        assert_eq!(text.lines().count(), 20_000 + header, "{form}");
        assert!(text.lines().last().unwrap().contains(&emails[19_999]), "{form}");
    }
    gateway.stop().await;
}
