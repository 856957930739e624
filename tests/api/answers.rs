//! The answer to a post: its fields, its status code, its headers.

use std::time::{Duration, SystemTime};

use faxplus_gateway::sandbox::SandboxOptions;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::gateway::{Answer, Gateway, addresses};

/// Moments as the answers write them: RFC 3339, milliseconds, UTC.
fn moment(value: &Value) -> SystemTime {
    let text = value.as_str().unwrap_or_else(|| panic!("no moment: {value}"));
    assert!(text.len() == 24 && text.ends_with('Z'), "{text}");
    humantime::parse_rfc3339(text).unwrap()
}

/// Upstream refuses some addresses, fails with others, and asks all calls with a third kind to wait.
async fn faulty() -> Gateway {
    let gateway = Gateway::start().await;
    gateway.faults(json!([
        {"address": "*@refused.example", "fate": "status", "status": 404, "error": "not_found",
         "description": "No \u{7}pending\r\ninvitation"},
        {"address": "*@doubt.example", "fate": "accept_then_500"},
        {"address": "*@later.example", "fate": "status", "status": 429, "retry_after": "60"}
    ]));
    gateway
}

/// Posts; what is not finished in a second is stopped.
async fn stopped_after_a_second(gateway: &Gateway, emails: &[&str]) -> Answer {
    gateway.post_with("?on_timeout=cancel", &[("prefer", "wait=1")], emails).await
}

#[actix_web::test]
async fn the_answer_is_that_of_the_contract() {
    let gateway = Gateway::start().await;
    gateway.faults(json!([
        {"address": "b@example.com", "fate": "status", "status": 400, "error": "invalid_email",
         "description": "b@example.com is not known"}
    ]));
    // From now on upstream's refusal is expected, and costs a call of its own.
    gateway.post("", &["b@example.com"]).await;

    let emails = ["a@example.com", "A@example.com", "nobody", "b@example.com", "c@example.com"];
    let answer = gateway.post("", &emails).await;

    assert_eq!(answer.status, 207);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let mut body = answer.json();
    let (created, finished) = (moment(&body["created_at"]), moment(&body["finished_at"]));
    let sent = moment(&body["results"][1]["sent_at"]);
    assert!(created <= sent && sent <= finished, "{body}");
    let id = body["id"].as_str().unwrap().to_owned();
    assert_eq!(uuid::Uuid::parse_str(&id).unwrap().get_version_num(), 7);
    for (place, dynamic) in [("", "id"), ("", "created_at"), ("", "finished_at"), ("/results/1", "sent_at")] {
        body.pointer_mut(place).unwrap()[dynamic] = json!("checked");
    }
    let expected = json!({
        "id": "checked", "status": "finished", "client": "anonymous",
        "created_at": "checked", "finished_at": "checked",
        "counts": {"received": 5, "sent": 2, "duplicate": 1, "invalid": 1, "rejected": 1, "not_sent": 0,
                   "unknown": 0, "pending": 0},
        "upstream_calls": 2,
        "results": [
            {"index": 0, "email": "a@example.com", "outcome": "sent"},
            {"index": 1, "email": "A@example.com", "outcome": "duplicate", "sent_at": "checked"},
            {"index": 2, "email": "nobody", "outcome": "invalid", "reason": "no_at_sign"},
            {"index": 3, "email": "b@example.com", "outcome": "rejected", "reason": "invalid_email",
             "detail": "b@example.com is not known"},
            {"index": 4, "email": "c@example.com", "outcome": "sent"}
        ]
    });
    assert_eq!(body, expected);
    gateway.stop().await;
}

#[actix_web::test]
async fn members_stand_in_the_order_of_the_contract() {
    let gateway = Gateway::start().await;

    let text = gateway.post("", &["a@example.com"]).await.text();

    let members = [
        "id",
        "status",
        "client",
        "created_at",
        "finished_at",
        "counts",
        "received",
        "sent",
        "duplicate",
        "invalid",
        "rejected",
        "not_sent",
        "unknown",
        "pending",
        "upstream_calls",
        "results",
        "index",
        "email",
        "outcome",
    ];
    let places: Vec<_> = members.iter().map(|name| text.find(&format!("\"{name}\":")).unwrap()).collect();
    assert!(places.is_sorted(), "{text}");
    gateway.stop().await;
}

#[actix_web::test]
async fn the_status_code_sums_the_outcomes_up() {
    let gateway = faulty().await;
    let lists: [(u16, &[&str], &[&str]); 9] = [
        (200, &["a@example.com", "b@example.com"], &["sent", "sent"]),
        (200, &["a@example.com", "B@example.com"], &["duplicate", "duplicate"]),
        (207, &["c@example.com", "nobody"], &["sent", "invalid/no_at_sign"]),
        (207, &["a@example.com", "x@refused.example"], &["duplicate", "rejected/not_found"]),
        (207, &["x@doubt.example"], &["unknown/server_error"]),
        (207, &["x@doubt.example", "nobody"], &["unknown/earlier_doubt", "invalid/no_at_sign"]),
        (422, &["nobody", "somebody"], &["invalid/no_at_sign", "invalid/no_at_sign"]),
        (422, &["x@refused.example"], &["rejected/not_found"]),
        (422, &["x@refused.example", "nobody"], &["rejected/not_found", "invalid/no_at_sign"]),
    ];

    for (status, emails, words) in lists {
        let answer = gateway.post("", emails).await;

        assert_eq!(
            (answer.status.as_u16(), answer.words()),
            (status, words.iter().map(|word| (*word).to_owned()).collect()),
            "{emails:?}"
        );
        assert_eq!(answer.json()["status"], "finished");
        assert_eq!(answer.header("location"), None);
    }
    gateway.stop().await;
}

#[actix_web::test]
async fn what_was_certainly_not_sent_alone_is_502_and_beside_something_better_207() {
    let gateway = faulty().await;
    gateway.post("", &["a@example.com"]).await;
    gateway.post("", &["x@doubt.example"]).await;
    let lists: [(u16, &[&str]); 4] = [
        (502, &["x@later.example", "y@later.example"]),
        (502, &["x@later.example", "nobody"]),
        (207, &["a@example.com", "x@later.example"]),
        (207, &["x@doubt.example", "x@later.example"]),
    ];

    let answers = join_all(lists.map(|(_, emails)| stopped_after_a_second(&gateway, emails))).await;

    for ((status, emails), answer) in lists.into_iter().zip(answers) {
        assert_eq!(answer.status, status, "{emails:?}: {answer:?}");
        assert!(answer.words().contains(&"not_sent/throttled".to_owned()), "{answer:?}");
        let body = answer.json();
        assert_eq!((&body["status"], &body["counts"]["pending"]), (&json!("cancelled"), &json!(0)));
        assert!(body["finished_at"].is_string());
    }
    assert_eq!(gateway.accepted("x@later.example"), 0);
    gateway.stop().await;
}

#[actix_web::test]
async fn when_the_wait_is_over_calls_in_flight_end_and_the_rest_is_cancelled() {
    // Fifteen seconds of calls, three of which pass.
    let options = SandboxOptions { latency: Duration::from_millis(500), ..SandboxOptions::default() };
    let gateway = Gateway::with(options, &[("upstream.max_in_flight", "1")]).await;
    let emails = addresses("a", 300);

    let answer = gateway.post_with("?on_timeout=cancel", &[("prefer", "wait=3")], &emails).await;

    assert_eq!(answer.status, 207, "{answer:?}");
    let told = answer.outcomes();
    let sent = told.iter().filter(|(_, outcome)| outcome == "sent").count();
    assert!(sent > 0 && sent < 300, "{sent}");
    for (email, outcome) in told {
        let expected = if gateway.accepted(&email) == 1 { "sent" } else { "not_sent/cancelled" };
        assert_eq!(outcome, expected, "{email}");
    }
    gateway.stop().await;
}

#[actix_web::test]
async fn when_the_wait_is_over_the_work_goes_on_as_202() {
    let gateway = Gateway::start().await;
    gateway.sandbox.hold_answers();

    let answer = gateway.post_with("", &[("prefer", "wait=1")], &["a@example.com"]).await;

    assert_eq!(answer.status, 202, "{answer:?}");
    let body = answer.json();
    let id = body["id"].as_str().unwrap();
    assert_eq!(answer.header("location"), Some(format!("/v1/resends/{id}").as_str()));
    assert!(answer.retry_after().is_some_and(|seconds| seconds >= 1), "{answer:?}");
    assert_eq!(answer.header("preference-applied"), Some("wait=1"));
    assert_eq!(
        (body.get("results"), body.get("finished_at"), &body["status"]),
        (None, None, &json!("running"))
    );
    assert!(moment(&body["estimated_finish_at"]) >= moment(&body["created_at"]));
    gateway.sandbox.release_answers();
    let resend = gateway.finished(id).await;
    assert_eq!((&resend["counts"]["sent"], resend.get("estimated_finish_at")), (&json!(1), None));
    gateway.stop().await;
}

#[actix_web::test]
async fn held_work_says_why_since_when_and_until_when_in_plain_words() {
    let gateway = faulty().await;

    let id = gateway.post_async("", &["x@later.example", "y@later.example"]).await;
    let resend = gateway.until(&id, |resend| resend.get("hold").is_some()).await;

    let hold = &resend["hold"];
    assert_eq!(hold["reason"], "throttled");
    assert!(hold["detail"].as_str().unwrap().starts_with("2 addresses are safe; fax.plus "), "{hold}");
    let wait = moment(&hold["next_attempt_at"]).duration_since(moment(&hold["since"])).unwrap();
    assert!((50..70).contains(&wait.as_secs()), "{hold}");
    assert!(moment(&resend["estimated_finish_at"]) >= moment(&hold["next_attempt_at"]), "{resend}");
    gateway.stop().await;
}

#[actix_web::test]
async fn preferences_are_applied_capped_and_told() {
    let gateway = Gateway::start().await;
    let cases: [(&[&str], Option<&str>, &[u16]); 9] = [
        (&[], None, &[200]),
        (&["wait=7"], Some("wait=7"), &[200]),
        (&["wait=\"7\""], Some("wait=7"), &[200]),
        (&["wait=99999"], Some("wait=300"), &[200]),
        (&["handling=strict; foo", "Wait=7, wait=8"], Some("wait=7"), &[200]),
        (&["respond-async, wait=7"], Some("respond-async, wait=7"), &[200]),
        (&["return=minimal"], None, &[200]),
        (&["respond-async"], Some("respond-async"), &[200, 202]),
        (&["wait=0"], Some("wait=0"), &[200, 202]),
    ];

    for (prefer, applied, statuses) in cases {
        let mut wire = crate::wire::Wire::connect(gateway.address()).await;
        let fields: String = prefer.iter().map(|value| format!("Prefer: {value}\r\n")).collect();
        wire.begin_post(&format!("{fields}Content-Length: 17\r\n")).await;
        wire.send(r#"["a@example.com"]"#).await.unwrap();
        let answer = wire.answer().await.unwrap();

        assert!(statuses.contains(&answer.status.as_u16()), "{prefer:?}: {answer:?}");
        assert_eq!(answer.header("preference-applied"), applied, "{prefer:?}");
    }
    gateway.stop().await;
}

#[actix_web::test]
async fn a_wait_is_cut_to_the_longest_there_is() {
    let overrides = [("server.max_wait_seconds", "1"), ("server.default_wait_seconds", "1")];
    let gateway = Gateway::with(SandboxOptions::default(), &overrides).await;
    gateway.faults(json!([{"fate": "status", "status": 429, "retry_after": "60"}]));

    let posted = gateway.post_with("", &[("prefer", "wait=3600")], &["a@example.com"]).await;
    let id = posted.json()["id"].as_str().unwrap().to_owned();
    let asked = gateway.get(&format!("/v1/resends/{id}?wait=3600")).await;

    assert_eq!((posted.status.as_u16(), posted.header("preference-applied")), (202, Some("wait=1")));
    assert_eq!((asked.status.as_u16(), &asked.json()["counts"]["pending"]), (200, &json!(1)));
    gateway.stop().await;
}

#[actix_web::test]
async fn waits_that_make_no_sense_are_refused_and_nothing_is_sent() {
    let gateway = Gateway::start().await;

    for wait in ["wait", "wait=", "wait=-1", "wait=1.5", "wait=soon", "respond-async, wait=x"] {
        let answer = gateway.post_with("", &[("prefer", wait)], &["a@example.com"]).await;

        assert_eq!(answer.status, 400, "{wait}: {answer:?}");
        assert_eq!(answer.problem("bad-header")["header"], "Prefer");
    }
    for prefer in ["wait=0", "respond-async"] {
        let answer = gateway.post_with("?on_timeout=cancel", &[("prefer", prefer)], &["a@example.com"]).await;

        assert_eq!(answer.status, 400, "{prefer}: {answer:?}");
        assert_eq!(answer.problem("bad-query")["parameter"], "on_timeout");
    }
    gateway.assert_nothing_was_taken().await;
    gateway.stop().await;
}
