//! `PATCH /v3/accounts/self/member-invitations`: what became of a list, as clients of fax.plus are told it.

use std::time::Duration;

use awc::http::Method;
use bytes::Bytes;
use faxplus_gateway::sandbox::SandboxOptions;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::gateway::{Answer, Gateway, addresses, eventually};

pub const PATH: &str = "/v3/accounts/self/member-invitations";
pub const DOUBLED: &str = "/v3//accounts/self/member-invitations";

impl Gateway {
    /// Patches a body as a client of fax.plus does.
    pub async fn patch_body(&self, path: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
        self.request(Method::PATCH, path, headers, body).await
    }

    /// Patches a list as the Python SDK does.
    pub async fn patch(&self, emails: &[impl AsRef<str>]) -> Answer {
        let emails: Vec<_> = emails.iter().map(AsRef::as_ref).collect();
        let headers = [
            ("accept", "application/json"),
            ("authorization", "Bearer alohi_pat_x"),
            ("content-type", "application/json"),
            ("user-agent", "faxplus-sdk/python/3.0.5"),
        ];
        self.patch_body(PATH, &headers, serde_json::to_vec(&emails).unwrap()).await
    }
}

impl Answer {
    /// The body as an error of fax.plus with this word.
    pub fn fault(&self, status: u16, word: &str) -> Value {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
        assert!(self.header("x-request-id").is_some() && self.header("location").is_none(), "{self:?}");
        let body = self.json();
        assert_eq!(body["error"], word, "{body}");
        assert!(body["description"].as_str().is_some_and(|text| !text.is_empty()), "{body}");
        body
    }

    /// Fails unless this says that all is well, word for word.
    pub fn assert_resent(&self) {
        assert_eq!(self.status, 200, "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/json"));
        assert_eq!(self.text(), r#"{"message":"Invitations resent successfully"}"#);
    }
}

#[actix_web::test]
async fn a_list_is_resent_under_both_paths_whatever_its_length() {
    let gateway = Gateway::start().await;

    for (name, path) in [("a", PATH), ("b", DOUBLED)] {
        for count in [1, 10, 25] {
            let emails = addresses(&format!("{name}{count}x"), count);
            let body = serde_json::to_vec(&emails).unwrap();
            let answer = gateway.patch_body(path, &[("content-type", "application/json")], body).await;

            answer.assert_resent();
            assert!(emails.iter().all(|email| gateway.accepted(email) == 1), "{path} {count}");
        }
    }
    assert!(gateway.sandbox.calls().iter().all(|call| call.batch <= 10));
    gateway.stop().await;
}

#[actix_web::test]
async fn ten_thousand_addresses_are_resent_by_one_patch() {
    let gateway = Gateway::start().await;
    let emails = addresses("many", 10_000);

    gateway.patch(&emails).await.assert_resent();

    let ledger = gateway.sandbox.ledger();
    assert_eq!(ledger.len(), 10_000);
    assert!(ledger.values().all(|accepted| *accepted == 1));
    gateway.stop().await;
}

#[actix_web::test]
async fn what_was_sent_already_is_success_and_is_not_sent_again() {
    let gateway = Gateway::start().await;
    gateway.post("", &["a@example.com"]).await;

    gateway.patch(&["a@example.com", "b@example.com", "B@example.com"]).await.assert_resent();
    gateway.patch(&["A@EXAMPLE.com", "b@example.com"]).await.assert_resent();

    let native = gateway.post("", &["a@example.com", "b@example.com"]).await;
    assert_eq!(native.words(), ["duplicate", "duplicate"]);
    assert_eq!((gateway.accepted("a@example.com"), gateway.accepted("b@example.com")), (1, 1));
    gateway.stop().await;
}

/// Who posts no more than `retry` loses the others.
#[actix_web::test]
async fn more_than_retry_can_hold_is_told_to_be_posted_as_a_whole() {
    let overrides = [("dispatch.max_hold_seconds", "1")];
    let gateway = Gateway::with(SandboxOptions::default(), &overrides).await;
    gateway.faults(json!([{"fate": "status", "status": 429, "retry_after": "60"}]));

    for (count, words) in [(1000, "post them again"), (1001, "post the whole list again")] {
        let answer = gateway.patch(&addresses("a", count)).await;

        let body = answer.fault(503, "not_sent");
        assert_eq!(body["retry"].as_array().unwrap().len(), 1000);
        assert!(body["description"].as_str().unwrap().ends_with(words), "{body}");
    }
    gateway.stop().await;
}

/// What a list is made of, in the order in which it is sent.
const KINDS: [(&str, &[&str]); 5] = [
    ("sent", &["a@example.com", "b@example.com"]),
    ("duplicate", &["A@example.com"]),
    ("rejected", &["r@refused.example", "s@refused.example"]),
    ("unknown", &["u@doubt.example"]),
    ("not_sent", &["l@later.example", "m@later.example", "n@later.example"]),
];

/// Posts the kinds that `mix` has bits for to a gateway of its own; gives what it answers.
async fn meet(mix: u8) -> (Vec<&'static str>, Answer) {
    let overrides = [
        ("server.workers", "1"),
        ("upstream.batch_size", "1"),
        ("upstream.max_in_flight", "1"),
        ("dispatch.max_hold_seconds", "1"),
    ];
    let gateway = Gateway::with(SandboxOptions::default(), &overrides).await;
    gateway.faults(json!([
        {"address": "r@refused.example", "fate": "status", "status": 410, "error": "not_found"},
        {"address": "s@refused.example", "fate": "status", "status": 400, "error": "not_pending"},
        {"address": "*@doubt.example", "fate": "accept_then_500"},
        {"address": "*@later.example", "fate": "status", "status": 429, "retry_after": "60"}
    ]));
    let kinds: Vec<_> = KINDS.iter().enumerate().filter(|(bit, _)| mix & 1 << bit > 0).collect();
    let emails: Vec<_> = kinds.iter().flat_map(|(_, (_, emails))| *emails).collect();
    let answer = gateway.patch(&emails).await;
    if !answer.status.is_success() {
        let path = format!("/v1/resends/{}", answer.json()["resend_id"].as_str().unwrap());
        assert_eq!(gateway.get(&path).await.json()["counts"], answer.json()["counts"], "{answer:?}");
    }
    for (_, (kind, emails)) in &kinds {
        for email in emails.iter().filter(|email| !email.starts_with('A')) {
            let accepted = u64::from(["sent", "unknown"].contains(kind));
            assert_eq!(gateway.accepted(email), accepted, "{email}");
        }
    }
    gateway.stop().await;
    (kinds.into_iter().map(|(_, (kind, _))| *kind).collect(), answer)
}

#[actix_web::test]
async fn every_mix_of_outcomes_has_its_code_its_word_and_its_lists() {
    // A repeat is a duplicate only behind its first; the mixes that hold it alone make no sense.
    let mixes: Vec<u8> = (1..1 << KINDS.len()).filter(|mix| mix & 0b11 != 0b10).collect();
    let mut answers = Vec::new();
    for some in mixes.chunks(8) {
        answers.extend(join_all(some.iter().map(|mix| meet(*mix))).await);
    }

    for (kinds, answer) in answers {
        let has = |kind| kinds.contains(&kind);
        if !has("rejected") && !has("unknown") && !has("not_sent") {
            answer.assert_resent();
            continue;
        }
        let (status, word) = match (has("unknown"), has("not_sent")) {
            (true, _) => (500, "outcome_unknown"),
            (false, true) => (503, "not_sent"),
            (false, false) => (400, "rejected_addresses"),
        };
        let body = answer.fault(status, word);
        let of = |kind| {
            KINDS.iter().find(|(other, _)| has(kind) && *other == kind).map_or(&[][..], |(_, list)| list)
        };
        let counts =
            ["sent", "duplicate", "rejected", "not_sent", "unknown"].map(|kind| (kind, of(kind).len()));
        for (kind, count) in counts {
            assert_eq!(body["counts"][kind], count, "{kinds:?}: {body}");
        }
        let received: usize = counts.iter().map(|(_, count)| count).sum();
        assert_eq!(body["counts"]["received"], received, "{body}");
        for (member, kind) in [("retry", "not_sent"), ("unknown", "unknown"), ("rejected", "rejected")] {
            assert_eq!(body[member], json!(of(kind)), "{kinds:?}");
        }
        let description = body["description"].as_str().unwrap();
        for (kind, told) in [
            ("sent", "2 sent"),
            ("duplicate", "1 duplicate"),
            ("rejected", "2 rejected (not_found, not_pending)"),
            ("not_sent", "3 not_sent (throttled)"),
            ("unknown", "1 unknown (server_error)"),
        ] {
            assert_eq!(description.contains(told), has(kind), "{told}: {description}");
        }
        assert!(!description.contains('@'), "{description}");
        assert_eq!(answer.retry_after().is_some(), word == "not_sent", "{answer:?}");
    }
}

#[actix_web::test]
async fn a_doubt_is_told_again_and_the_address_is_not_sent_a_second_time() {
    let gateway = Gateway::start().await;
    gateway.faults(json!([{"fate": "accept_then_hang_up", "times": 1}]));
    gateway.patch(&["a@example.com"]).await.fault(500, "outcome_unknown");

    let body = gateway.patch(&["a@example.com", "b@example.com"]).await.fault(500, "outcome_unknown");

    assert_eq!((&body["unknown"], &body["counts"]["sent"]), (&json!(["a@example.com"]), &json!(1)));
    assert!(body["description"].as_str().unwrap().contains("1 unknown (earlier_doubt)"), "{body}");
    assert_eq!((gateway.accepted("a@example.com"), gateway.accepted("b@example.com")), (1, 1));
    gateway.stop().await;
}

#[actix_web::test]
async fn lists_are_cut_at_a_thousand_addresses_and_what_is_left_can_be_posted_again() {
    let gateway = Gateway::with(SandboxOptions::default(), &[("dispatch.max_hold_seconds", "1")]).await;
    gateway.faults(json!([{"fate": "status", "status": 429, "retry_after": "1"}]));
    let emails = addresses("late", 1100);

    let answer = gateway.patch(&emails).await;

    let body = answer.fault(503, "not_sent");
    assert_eq!((&body["counts"]["not_sent"], &body["retry"]), (&json!(1100), &json!(emails[..1000])));
    assert_eq!((&body["unknown"], &body["rejected"]), (&json!([]), &json!([])));
    assert!(answer.retry_after().is_some_and(|seconds| seconds >= 1));
    gateway.faults(json!([]));
    gateway.patch(&emails).await.assert_resent();
    assert!(emails.iter().all(|email| gateway.accepted(email) == 1));
    gateway.stop().await;
}

#[actix_web::test]
async fn who_waits_too_long_is_told_so_and_the_work_goes_on() {
    let overrides = [("compat.wait_seconds", "1")];
    let gateway = Gateway::with(SandboxOptions::default(), &overrides).await;
    let emails = addresses("slow", 30);
    gateway.sandbox.hold_answers();

    let answer = gateway.patch(&emails).await;

    let body = answer.fault(504, "still_sending");
    let id = body["resend_id"].as_str().unwrap();
    assert!(body["counts"]["pending"].as_u64().is_some_and(|pending| pending > 0), "{body}");
    assert_eq!((&body["retry"], &body["unknown"]), (&json!([]), &json!([])));
    let description = body["description"].as_str().unwrap();
    assert!(description.contains(" pending; ") && description.contains(&format!("GET /v1/resends/{id}")));
    assert!(answer.retry_after().is_some_and(|seconds| seconds >= 1), "{answer:?}");
    gateway.sandbox.release_answers();
    assert_eq!(gateway.finished(id).await["counts"]["sent"], 30);
    gateway.patch(&emails).await.assert_resent();
    assert!(emails.iter().all(|email| gateway.accepted(email) == 1));
    gateway.stop().await;
}

#[actix_web::test]
async fn who_waits_while_work_is_held_is_told_what_holds_it() {
    let gateway = Gateway::with(SandboxOptions::default(), &[("compat.wait_seconds", "1")]).await;
    gateway.faults(json!([{"fate": "status", "status": 401}]));

    let body = gateway.patch(&["a@example.com"]).await.fault(504, "still_sending");

    let description = body["description"].as_str().unwrap();
    assert!(description.contains("fax.plus refuses the access token"), "{description}");
    assert_eq!((&body["counts"]["pending"], gateway.accepted("a@example.com")), (&json!(1), 0));
    gateway.stop().await;
}

#[actix_web::test]
async fn a_caller_that_goes_away_changes_nothing() {
    let options = SandboxOptions { latency: Duration::from_millis(300), ..SandboxOptions::default() };
    let gateway = Gateway::with(options, &[("upstream.max_in_flight", "1")]).await;
    let emails = addresses("gone", 20);
    let body = serde_json::to_string(&emails).unwrap();
    let mut wire = crate::wire::Wire::connect(gateway.address()).await;
    let head = format!("PATCH {PATH} HTTP/1.1\r\nHost: g\r\nContent-Length: {}\r\n\r\n", body.len());
    wire.send(head + &body).await.unwrap();
    eventually(async || (gateway.sandbox.stats().calls >= 1).then_some(())).await;

    drop(wire);

    eventually(async || emails.iter().all(|email| gateway.accepted(email) == 1).then_some(())).await;
    gateway.stop().await;
}
