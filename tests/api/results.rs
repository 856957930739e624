//! Results: which of them an answer carries, in which order and form, and that they add up at any moment.

use std::time::Duration;

use awc::http::Method;
use faxplus_gateway::sandbox::SandboxOptions;
use serde_json::{Value, json};

use crate::gateway::{Answer, Gateway, addresses, eventually};

const MIXED: [&str; 6] =
    ["a@example.com", "nobody", "x@refused.example", "A@example.com", "x@doubt.example", "b@example.com"];

/// A gateway, and the id of a finished resend with almost every outcome.
async fn mixed() -> (Gateway, String) {
    let gateway = Gateway::start().await;
    gateway.faults(json!([
        {"address": "*@refused.example", "fate": "status", "status": 404, "error": "not_found"},
        {"address": "*@doubt.example", "lone": true, "fate": "accept_then_500"},
        {"address": "*@doubt.example", "fate": "status", "status": 409}
    ]));
    let id = gateway.post("?results=none", &MIXED).await.json()["id"].as_str().unwrap().to_owned();
    (gateway, id)
}

async fn results(gateway: &Gateway, id: &str, query: &str, accept: Option<&str>) -> Answer {
    let headers: Vec<_> = accept.map(|accept| ("accept", accept)).into_iter().collect();
    gateway.request(Method::GET, &format!("/v1/resends/{id}/results{query}"), &headers, "").await
}

fn indexes(rows: &Value) -> Vec<u64> {
    rows.as_array().unwrap().iter().map(|row| row["index"].as_u64().unwrap()).collect()
}

fn sum(resend: &Value) -> u64 {
    let counts = resend["counts"].as_object().unwrap();
    counts.iter().filter(|(word, _)| *word != "received").map(|(_, count)| count.as_u64().unwrap()).sum()
}

#[actix_web::test]
async fn an_answer_carries_the_results_that_were_asked_for() {
    let (gateway, _) = mixed().await;

    for (query, expected) in [
        ("", Some(vec![0, 1, 2, 3, 4, 5])),
        ("?results=all", Some(vec![0, 1, 2, 3, 4, 5])),
        ("?results=problems", Some(vec![1, 2, 4])),
        ("?results=none", None),
    ] {
        let body = gateway.post(query, &MIXED).await.json();

        assert_eq!(body.get("results").map(indexes), expected, "{query}");
        assert_eq!((body["counts"]["received"].as_u64(), sum(&body)), (Some(6), 6));
    }
    assert_eq!(gateway.post("?results=problems", &["a@example.com"]).await.json()["results"], json!([]));
    gateway.stop().await;
}

#[actix_web::test]
async fn results_are_filtered_by_outcome() {
    let (gateway, id) = mixed().await;

    for (query, expected) in [
        ("", vec![0, 1, 2, 3, 4, 5]),
        ("?outcome=sent", vec![0, 5]),
        ("?outcome=duplicate", vec![3]),
        ("?outcome=invalid,rejected", vec![1, 2]),
        ("?outcome=unknown%2Cnot_sent", vec![4]),
        ("?outcome=not_sent", vec![]),
        ("?outcome=pending", vec![]),
        ("?outcome=pending,sent", vec![0, 5]),
    ] {
        let rows = results(&gateway, &id, query, None).await.json();
        let lines = results(&gateway, &id, query, Some("application/x-ndjson")).await.text();

        assert_eq!(indexes(&rows), expected, "{query}");
        let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(Value::Array(lines), rows, "{query}");
    }
    gateway.stop().await;
}

#[actix_web::test]
async fn an_outcome_that_does_not_exist_is_refused() {
    let (gateway, id) = mixed().await;

    for query in ["?outcome=", "?outcome=Sent", "?outcome=sent,", "?outcome=failed", "?outcome=sent;pending"]
    {
        let answer = results(&gateway, &id, query, None).await;

        assert_eq!(answer.status, 400, "{query}: {answer:?}");
        assert_eq!(answer.problem("bad-query")["parameter"], "outcome");
    }
    gateway.stop().await;
}

#[actix_web::test]
async fn the_form_of_results_is_negotiated() {
    let (gateway, id) = mixed().await;
    let (json, ndjson) = ("application/json", "application/x-ndjson");

    for (accept, expected) in [
        (None, Some(json)),
        (Some("*/*"), Some(json)),
        (Some("application/x-ndjson"), Some(ndjson)),
        (Some("application/json;q=0.1, application/x-ndjson;q=0.9"), Some(ndjson)),
        (Some("text/html, application/*;q=0.8"), Some(json)),
        (Some("application/json;q=0, */*;q=0.1"), Some(ndjson)),
        (Some("text/csv"), Some("text/csv; charset=utf-8; header=present")),
        (Some("text/plain;q=0.3, text/*;q=0.2"), Some("text/plain; charset=utf-8")),
        (Some("image/png"), None),
        (Some("application/x-ndjson;q=0"), None),
    ] {
        let answer = results(&gateway, &id, "", accept).await;

        match expected {
            Some(form) => {
                assert_eq!(
                    (answer.status.as_u16(), answer.header("content-type")),
                    (200, Some(form)),
                    "{accept:?}"
                );
            }
            None => {
                assert_eq!(answer.status, 406, "{accept:?}: {answer:?}");
                answer.problem("not-acceptable");
            }
        }
    }
    gateway.stop().await;
}

#[actix_web::test]
async fn pending_rows_are_told_only_when_asked_for() {
    let gateway = Gateway::start().await;
    gateway.faults(json!([{"fate": "status", "status": 429, "retry_after": "60"}]));

    let id = gateway.post_async("", &["a@example.com", "nobody", "A@example.com"]).await;
    let told = results(&gateway, &id, "", None).await.json();
    let pending = results(&gateway, &id, "?outcome=pending", None).await.json();

    assert_eq!(told, json!([{"index": 1, "email": "nobody", "outcome": "invalid", "reason": "no_at_sign"}]));
    assert_eq!(
        pending,
        json!([{"index": 0, "email": "a@example.com", "outcome": "pending"},
                               {"index": 2, "email": "A@example.com", "outcome": "pending"}])
    );
    gateway.stop().await;
}

#[actix_web::test]
async fn five_thousand_results_are_streamed_in_the_order_of_the_caller() {
    let gateway = Gateway::start().await;
    let mut emails = addresses("a", 5000);
    for at in (0..5000).step_by(7) {
        emails[at] = "nobody".to_owned();
    }

    let answer = gateway.post("", &emails).await;
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    let all = results(&gateway, &id, "", None).await;
    let one_kind = results(&gateway, &id, "?outcome=invalid", Some("application/x-ndjson")).await.text();

    let order: Vec<_> = answer.outcomes().into_iter().map(|(email, _)| email).collect();
    assert_eq!(order, emails);
    assert_eq!(indexes(&answer.json()["results"]), (0..5000).collect::<Vec<_>>());
    assert_eq!(all.json(), answer.json()["results"]);
    assert_eq!(all.header("content-length"), None, "all of it was held in memory");
    assert_eq!(one_kind.lines().count(), 5000_usize.div_ceil(7));
    gateway.stop().await;
}

#[actix_web::test]
async fn counts_add_up_at_every_moment() {
    let options = SandboxOptions { latency: Duration::from_millis(3), ..SandboxOptions::default() };
    let gateway = Gateway::with(options, &[]).await;
    gateway.faults(json!([
        {"address": "*3@example.com", "fate": "status", "status": 404},
        {"every": 40, "fate": "accept_then_500"},
        {"every": 15, "fate": "status", "status": 503, "retry_after": "0"}
    ]));
    let mut emails = addresses("a", 600);
    emails.extend(addresses("A", 100));
    emails.extend(addresses("no at sign", 1).iter().map(|text| text.replace('@', "")));
    let id = gateway.post_async("", &emails).await;

    let mut looks = Vec::new();
    let last = eventually(async || {
        let resend = gateway.get(&format!("/v1/resends/{id}")).await.json();
        assert_eq!((sum(&resend), &resend["counts"]["received"]), (701, &json!(701)), "{resend}");
        looks.push(resend["counts"]["pending"].as_u64().unwrap());
        (resend["status"] == "finished").then_some(resend)
    })
    .await;

    assert!(looks.is_sorted_by(|before, after| before >= after), "{looks:?}");
    assert!(looks.iter().any(|pending| (1..700).contains(pending)), "never seen under way: {looks:?}");
    assert_eq!(last["counts"]["pending"], 0);
    let told = gateway.results(&id).await;
    for word in ["sent", "duplicate", "invalid", "rejected", "not_sent", "unknown"] {
        let rows = told.iter().filter(|(_, outcome)| outcome.split('/').next() == Some(word)).count();
        assert_eq!(last["counts"][word], rows, "{word}");
    }
    for (email, outcome) in &told {
        let accepted = gateway.accepted(&email.to_lowercase());
        match outcome.split('/').next().unwrap() {
            "sent" => assert_eq!(accepted, 1, "{email}"),
            "rejected" | "not_sent" => assert_eq!(accepted, 0, "{email}"),
            _ => assert!(accepted <= 1, "{email}"),
        }
    }
    gateway.stop().await;
}
