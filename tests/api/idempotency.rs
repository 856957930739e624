//! `Idempotency-Key`: one key is one resend, whatever is posted how often; and a repeat goes on where it ended.

use std::{collections::BTreeSet, fs, time::Duration};

use awc::http::Method;
use faxplus_gateway::sandbox::SandboxOptions;
use futures_util::future::{join, join_all};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    bodies::gzipped,
    gateway::{Answer, Gateway, addresses, eventually},
    truth::NO_BREAKER,
    wire::Wire,
};

const ASYNC: (&str, &str) = ("prefer", "respond-async");

/// A gateway that keeps its resends in RAM, or in a file when there is a directory.
async fn keeping(
    directory: Option<&TempDir>,
    options: SandboxOptions,
    overrides: &[(&str, &str)],
) -> Gateway {
    let path = directory.map(|directory| directory.path().join("gateway.db"));
    let path = path.as_ref().map_or(":memory:", |path| path.to_str().unwrap());
    Gateway::with(options, &[&[("store.path", path)], overrides].concat()).await
}

async fn slow(directory: Option<&TempDir>, latency_ms: u64, overrides: &[(&str, &str)]) -> Gateway {
    let options = SandboxOptions { latency: Duration::from_millis(latency_ms), ..SandboxOptions::default() };
    keeping(directory, options, overrides).await
}

impl Gateway {
    async fn post_keyed(&self, key: &str, query: &str, emails: &[impl AsRef<str>]) -> Answer {
        self.post_with(query, &[("idempotency-key", key)], emails).await
    }

    async fn resends(&self) -> usize {
        self.get("/v1/resends").await.json()["resends"].as_array().unwrap().len()
    }

    async fn cancel(&self, id: &str) -> Value {
        self.request(Method::DELETE, &format!("/v1/resends/{id}"), &[], "").await.json()
    }

    async fn told(&self, outcome: &str) -> f64 {
        let labels = format!("{{client=\"anonymous\",outcome=\"{outcome}\"}}");
        self.metric(&format!("faxplus_gateway_addresses_total{labels}")).await
    }
}

fn id(answer: &Answer) -> String {
    answer.json()["id"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned()
}

fn is_reused(answer: &Answer) {
    assert_eq!(answer.status, 422, "{answer:?}");
    answer.problem("idempotency-key-reused");
}

#[actix_web::test]
async fn twenty_posts_at_once_with_one_key_are_one_resend() {
    let directory = tempfile::tempdir().unwrap();
    for directory in [None, Some(&directory)] {
        let gateway = slow(directory, 30, &[]).await;
        let emails = addresses("a", 45);

        let posts = (0..20).map(|_| gateway.post_keyed("key", "", &emails));
        let answers = join_all(posts).await;

        assert!(answers.iter().all(|answer| answer.words() == vec!["sent"; 45]), "{answers:?}");
        assert_eq!(answers.iter().map(id).collect::<BTreeSet<_>>().len(), 1);
        assert_eq!(gateway.resends().await, 1);
        assert!(emails.iter().all(|email| gateway.accepted(email) == 1));
        assert_eq!(
            gateway.metric("faxplus_gateway_addresses_received_total{client=\"anonymous\"}").await,
            45.0
        );
        gateway.stop().await;
    }
}

#[actix_web::test]
async fn the_same_list_joins_what_runs_however_it_is_packed_and_waits_as_it_asks() {
    let gateway = slow(None, 0, &[("upstream.max_in_flight", "1")]).await;
    gateway.sandbox.hold_answers();
    let emails = addresses("a", 30);
    let body = serde_json::to_vec(&emails).unwrap();
    let first = gateway.post_with("", &[("idempotency-key", "key"), ASYNC], &emails).await;
    assert_eq!(first.status, 202);

    let headers = [("content-type", "application/json"), ("idempotency-key", "\"key\"")];
    let packed = [&headers[..], &[("content-encoding", "gzip")]].concat();
    let at_once = [&packed[..], &[ASYNC]].concat();
    let joined = gateway.request(Method::POST, "/v1/resends", &at_once, gzipped(&body)).await;
    let released = async { gateway.sandbox.release_answers() };
    let waits = gateway.request(Method::POST, "/v1/resends", &packed, gzipped(&body));
    let (waited, ()) = join(waits, released).await;

    assert_eq!((joined.status.as_u16(), id(&joined)), (202, id(&first)));
    assert_eq!(joined.header("location"), Some(format!("/v1/resends/{}", id(&first)).as_str()));
    assert_eq!((waited.words(), id(&waited)), (vec!["sent".to_owned(); 30], id(&first)));
    assert_eq!(gateway.sandbox.stats().calls, 3);
    gateway.stop().await;
}

#[actix_web::test]
async fn a_key_that_was_used_for_something_else_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    for directory in [None, Some(&directory)] {
        let gateway = keeping(directory, SandboxOptions::default(), &[]).await;
        let emails = addresses("a", 3);
        let first = gateway.post_keyed("key", "", &emails).await;
        assert_eq!(first.status, 200);

        is_reused(&gateway.post_keyed("key", "", &addresses("b", 3)).await);
        is_reused(&gateway.post_keyed("key", "", &emails[..2]).await);
        is_reused(&gateway.post_keyed("key", "?force=true", &emails).await);
        let ndjson = [("content-type", "application/x-ndjson"), ("idempotency-key", "lines")];
        let text = [("content-type", "text/plain"), ("idempotency-key", "lines")];
        let line = "\"c@example.com\"\n";
        assert_eq!(gateway.request(Method::POST, "/v1/resends", &ndjson, line).await.words(), ["sent"]);
        is_reused(&gateway.request(Method::POST, "/v1/resends", &text, line).await);

        let again = gateway.post_keyed("key", "", &emails).await;
        assert_eq!(
            (again.json()["counts"].clone(), id(&again)),
            (first.json()["counts"].clone(), id(&first))
        );
        assert_eq!(gateway.post_keyed("other", "", &emails).await.words(), ["duplicate"; 3]);
        assert_eq!(gateway.sandbox.ledger().len(), 4);
        gateway.stop().await;
    }
}

#[actix_web::test]
async fn refused_requests_and_dry_runs_use_up_no_key() {
    let directory = tempfile::tempdir().unwrap();
    for directory in [None, Some(&directory)] {
        let limits = [("dispatch.max_queued_addresses", "20"), ("intake.max_addresses", "25")];
        let gateway = keeping(directory, SandboxOptions::default(), &limits).await;
        let post = async |content_type: &str, body: String| {
            let headers = [("content-type", content_type), ("idempotency-key", "key")];
            gateway.request(Method::POST, "/v1/resends", &headers, body).await.status.as_u16()
        };

        assert_eq!(post("application/json", "[\"a@example.com\"".to_owned()).await, 400);
        assert_eq!(post("application/json", "[]".to_owned()).await, 422);
        assert_eq!(post("application/xml", "<a/>".to_owned()).await, 415);
        assert_eq!(gateway.post_keyed("key", "?force=maybe", &["x@example.com"]).await.status, 400);
        assert_eq!(gateway.post_keyed("key", "", &addresses("x", 26)).await.status, 413);
        assert_eq!(gateway.post_keyed("key", "", &addresses("x", 21)).await.status, 503);
        assert_eq!(gateway.post_keyed("key", "?dry_run=true", &addresses("x", 2)).await.status, 200);
        gateway.assert_nothing_was_taken().await;

        assert_eq!(gateway.post_keyed("key", "", &addresses("a", 20)).await.words(), ["sent"; 20]);
        gateway.stop().await;
    }
}

#[actix_web::test]
async fn a_key_that_is_none_is_refused_and_nothing_is_sent() {
    let gateway = Gateway::start().await;
    let long = "k".repeat(256);

    for key in ["", "two words", "\"open", long.as_str()] {
        let answer = gateway.post_keyed(key, "", &["a@example.com"]).await;

        assert_eq!(answer.status, 400, "{answer:?}");
        assert_eq!(answer.problem("bad-header")["header"], "Idempotency-Key");
    }
    gateway.assert_nothing_was_taken().await;
    assert_eq!(gateway.post_keyed(&long[1..], "", &["a@example.com"]).await.status, 200);
    gateway.stop().await;
}

#[actix_web::test]
async fn a_repeat_after_an_outage_sends_what_was_not_sent_in_the_same_resend() {
    let directory = tempfile::tempdir().unwrap();
    for directory in [None, Some(&directory)] {
        let settings = [
            ("dispatch.max_hold_seconds", "1"),
            ("upstream.max_in_flight", "1"),
            ("upstream.max_backoff_ms", "300"),
            NO_BREAKER,
        ];
        let gateway = keeping(directory, SandboxOptions::default(), &settings).await;
        gateway.faults(json!([
            {"address": "bad*", "fate": "status", "status": 400, "error": "bad"},
            {"address": "late*", "fate": "status", "status": 503, "error": "outage"},
        ]));
        let mut emails = addresses("early", 10);
        emails.extend(addresses("late", 12));
        emails.extend(["EARLY0@example.com", "Late0@example.com", "nobody"].map(str::to_owned));

        let first = gateway.post_keyed("key", "", &emails).await;

        assert_eq!(first.status, 207);
        assert_eq!(first.words()[10..22], vec!["not_sent/upstream_unavailable"; 12]);
        assert_eq!(first.words()[22..], ["duplicate", "not_sent/upstream_unavailable", "invalid/no_at_sign"]);
        gateway.faults(json!([]));
        // Somebody else gets one of them sent meanwhile.
        assert_eq!(gateway.post("", &["late3@example.com"]).await.words(), ["sent"]);
        let calls = gateway.sandbox.stats().calls;
        let second = gateway.post_keyed("key", "", &emails).await;

        let mut expected = vec!["sent"; 22];
        expected[13] = "duplicate";
        expected.extend(["duplicate", "duplicate", "invalid/no_at_sign"]);
        assert_eq!(second.words(), expected);
        let (first, second) = (first.json(), second.json());
        assert_eq!((&second["id"], &second["created_at"]), (&first["id"], &first["created_at"]));
        assert!(second["finished_at"].as_str() > first["finished_at"].as_str());
        assert_eq!(second["upstream_calls"], first["upstream_calls"].as_u64().unwrap() + 2);
        assert_eq!(gateway.sandbox.stats().calls - calls, 2);
        assert!(gateway.sandbox.ledger().values().all(|accepted| *accepted == 1));
        let third = gateway.post_keyed("key", "", &emails).await;
        assert_eq!(third.json(), second, "there is nothing left to run again");
        assert_eq!((gateway.told("not_sent").await, gateway.told("invalid").await), (13.0, 1.0));
        assert_eq!((gateway.told("sent").await, gateway.told("duplicate").await), (22.0, 3.0));
        assert_eq!(gateway.metric("faxplus_gateway_dedupe_hits_total{kind=\"same_request\"}").await, 2.0);
        gateway.stop().await;
    }
}

#[actix_web::test]
async fn a_cancelled_resend_goes_on_when_it_is_posted_again_under_its_key() {
    let directory = tempfile::tempdir().unwrap();
    for directory in [None, Some(&directory)] {
        let gateway = slow(directory, 100, &[("upstream.max_in_flight", "1")]).await;
        // Two seconds of calls.
        let emails = addresses("a", 200);
        let id = id(&gateway.post_with("", &[("idempotency-key", "key"), ASYNC], &emails).await);
        eventually(async || (gateway.sandbox.stats().calls >= 1).then_some(())).await;
        let cancelled = gateway.cancel(&id).await;
        assert_eq!(cancelled["status"], "cancelled");
        let left = cancelled["counts"]["not_sent"].as_u64().unwrap();
        assert!((1..200).contains(&left), "{cancelled}");

        // The wait of the repeat is its own, and so is what happens when that is over.
        let again = gateway.post_with("", &[("idempotency-key", "key"), ASYNC], &emails).await;
        assert_eq!(again.status, 202);
        let pending = again.json()["counts"]["pending"].as_u64().unwrap();
        assert!((1..=left).contains(&pending), "{again:?}");
        assert_eq!(
            (&again.json()["status"], &again.json()["finished_at"]),
            (&json!("running"), &Value::Null)
        );
        let stopped = gateway.cancel(&id).await;
        assert_eq!(stopped["status"], "cancelled", "{stopped}");
        let last = gateway.post_keyed("key", "", &emails).await;

        assert_eq!((last.status.as_u16(), last.words()), (200, vec!["sent".to_owned(); 200]));
        assert_eq!(last.json()["status"], "finished");
        assert_eq!(gateway.finished(&id).await["counts"], last.json()["counts"]);
        let not_sent = gateway.get(&format!("/v1/resends/{id}/results?outcome=not_sent")).await;
        assert_eq!(not_sent.json(), json!([]));
        assert!(emails.iter().all(|email| gateway.accepted(email) == 1));
        eventually(async || {
            let queued = gateway.metric("faxplus_gateway_queue_addresses{client=\"anonymous\"}").await;
            (queued == 0.0 && gateway.metric("faxplus_gateway_resends_active").await == 0.0).then_some(())
        })
        .await;
        assert_eq!(gateway.metric("faxplus_gateway_resends_total{status=\"cancelled\"}").await, 2.0);
        gateway.stop().await;
    }
}

#[actix_web::test]
async fn twenty_repeats_at_once_run_what_was_not_sent_once() {
    let directory = tempfile::tempdir().unwrap();
    for directory in [None, Some(&directory)] {
        let gateway = slow(directory, 20, &[]).await;
        gateway.faults(json!([{"fate": "status", "status": 503, "error": "outage"}]));
        let emails = addresses("a", 25);
        let first = gateway
            .post_with("?on_timeout=cancel", &[("idempotency-key", "key"), ("prefer", "wait=1")], &emails)
            .await;
        assert_eq!(first.status, 502, "{first:?}");
        gateway.faults(json!([]));

        let answers = join_all((0..20).map(|_| gateway.post_keyed("key", "", &emails))).await;

        assert!(answers.iter().all(|answer| answer.words() == vec!["sent"; 25]), "{answers:?}");
        assert!(answers.iter().all(|answer| id(answer) == id(&first)));
        assert!(emails.iter().all(|email| gateway.accepted(email) == 1));
        gateway.stop().await;
    }
}

#[actix_web::test]
async fn a_repeat_is_held_as_long_as_a_first_post_would_be() {
    let gateway = keeping(None, SandboxOptions::default(), &[("dispatch.max_hold_seconds", "2")]).await;
    gateway.faults(json!([{"fate": "status", "status": 503, "error": "outage"}]));
    let emails = addresses("a", 3);
    assert_eq!(gateway.post_keyed("key", "", &emails).await.status, 502);

    let began = tokio::time::Instant::now();
    let again = gateway.post_keyed("key", "", &emails).await;

    assert_eq!(again.words(), ["not_sent/upstream_unavailable"; 3]);
    assert!(began.elapsed() > Duration::from_millis(1900), "{:?}", began.elapsed());
    gateway.stop().await;
}

#[actix_web::test]
async fn a_key_answers_after_a_restart_and_goes_on_where_something_was_not_sent() {
    let directory = tempfile::tempdir().unwrap();
    let gateway = keeping(Some(&directory), SandboxOptions::default(), &[]).await;
    gateway.faults(json!([{"address": "bad*", "fate": "status", "status": 400, "error": "bad"}]));
    let whole =
        [addresses("a", 12), ["bad", "nobody"].map(|name| format!("{name}@example.com")).into()].concat();
    let finished = gateway.post_keyed("whole", "", &whole).await;
    assert_eq!(finished.words()[12..], ["rejected/bad", "sent"]);
    gateway.faults(json!([
        {"calls": {"from": gateway.sandbox.stats().calls + 2}, "fate": "status", "status": 503, "error": "outage"}
    ]));
    let emails = [addresses("b", 30), vec!["B29@example.com".to_owned()]].concat();
    let headers = [("idempotency-key", "part-key"), ("prefer", "wait=1")];
    let cut = gateway.post_with("?on_timeout=cancel", &headers, &emails).await;
    let (sent, left) = (cut.json()["counts"]["sent"].clone(), cut.json()["counts"]["not_sent"].clone());
    assert!(sent.as_u64().unwrap() < 30 && left.as_u64().unwrap() > 1, "{cut:?}");
    let ledger = gateway.sandbox.ledger();
    stop_and_let_go(gateway, &directory).await;
    for file in ["gateway.db", "gateway.db-wal"] {
        let bytes = fs::read(directory.path().join(file)).unwrap_or_default();
        assert!(!bytes.windows(8).any(|window| window == b"part-key"), "a key is kept as a hash only");
    }

    let gateway = keeping(Some(&directory), SandboxOptions::default(), &[]).await;
    let again = gateway.post_keyed("whole", "", &whole).await;
    is_reused(&gateway.post_keyed("whole", "", &emails).await);
    is_reused(&gateway.post_keyed("part-key", "?force=true", &emails).await);
    assert_eq!(gateway.sandbox.stats().calls, 0);
    let rest = gateway.post_keyed("part-key", "", &emails).await;

    assert_eq!(again.json(), finished.json());
    assert_eq!(id(&rest), id(&cut));
    assert_eq!(rest.json()["created_at"], cut.json()["created_at"]);
    assert_eq!(rest.words(), [vec!["sent"; 30], vec!["duplicate"]].concat());
    let left: Vec<_> = emails[..30].iter().filter(|email| !ledger.contains_key(*email)).cloned().collect();
    assert_eq!(gateway.sandbox.ledger().into_keys().collect::<BTreeSet<_>>(), left.into_iter().collect());
    gateway.stop().await;
}

#[actix_web::test]
async fn a_list_too_long_for_ram_has_a_key_and_goes_on_too() {
    let directory = tempfile::tempdir().unwrap();
    let gateway =
        keeping(Some(&directory), SandboxOptions::default(), &[("upstream.max_in_flight", "32")]).await;
    let mut body = String::new();
    for number in 0..60_000 {
        body.push_str(&format!("a{number}@example.com\n"));
    }
    body.push_str("A0@example.com\nA59999@example.com\nnobody\n");
    let headers = [("content-type", "text/plain"), ("idempotency-key", "key")];
    let at_once = [&headers[..], &[ASYNC]].concat();

    let first = gateway.request(Method::POST, "/v1/resends", &at_once, body.clone()).await;
    let packed = [&at_once[..], &[("content-encoding", "gzip")]].concat();
    let joined = gateway.request(Method::POST, "/v1/resends", &packed, gzipped(body.as_bytes())).await;
    eventually(async || (gateway.sandbox.stats().calls > 100).then_some(())).await;
    let cancelled = gateway.cancel(&id(&first)).await;
    let other = [body.as_str(), "b@example.com\n"].concat();
    is_reused(&gateway.request(Method::POST, "/v1/resends", &headers, other).await);
    let again = gateway.request(Method::POST, "/v1/resends", &at_once, body.clone()).await;
    let resend = gateway.finished(&id(&first)).await;

    assert_eq!((first.status.as_u16(), joined.status.as_u16(), again.status.as_u16()), (202, 202, 202));
    assert_eq!((id(&joined), id(&again)), (id(&first), id(&first)));
    assert_eq!(cancelled["status"], "cancelled");
    assert_eq!(resend["status"], "finished", "{resend}");
    let counts = &resend["counts"];
    assert_eq!(
        (&counts["sent"], &counts["duplicate"], &counts["invalid"]),
        (&json!(60_000), &json!(2), &json!(1))
    );
    let ledger = gateway.sandbox.ledger();
    assert!(ledger.len() == 60_000 && ledger.values().all(|accepted| *accepted == 1));
    gateway.stop().await;
}

#[actix_web::test]
async fn a_long_list_that_is_only_in_the_file_goes_on_under_its_key() {
    let directory = tempfile::tempdir().unwrap();
    let gateway = slow(Some(&directory), 5, &[]).await;
    let mut emails = addresses("a", 12_000);
    emails.extend(["A11999@example.com".to_owned(), "nobody".to_owned()]);
    let first = gateway.post_with("", &[("idempotency-key", "key"), ASYNC], &emails).await;
    eventually(async || (gateway.sandbox.stats().calls > 20).then_some(())).await;
    let cancelled = gateway.cancel(&id(&first)).await;
    let sent = cancelled["counts"]["sent"].as_u64().unwrap();
    let ledger = gateway.sandbox.ledger();
    assert!(sent as usize == ledger.len() && sent < 12_000, "{cancelled}");
    stop_and_let_go(gateway, &directory).await;

    let gateway = keeping(Some(&directory), SandboxOptions::default(), &[]).await;
    let headers = [("idempotency-key", "key"), ("prefer", "wait=240")];
    let again = gateway.post_with("?results=none", &headers, &emails).await;
    let third = gateway.post_with("?results=none", &headers, &emails).await;

    assert_eq!((id(&again), again.status.as_u16()), (id(&first), 207), "{again:?}");
    let counts = &again.json()["counts"];
    assert_eq!(
        (&counts["sent"], &counts["duplicate"], &counts["invalid"]),
        (&json!(12_000), &json!(1), &json!(1))
    );
    assert_eq!(third.json(), again.json());
    let rest = gateway.sandbox.ledger();
    assert_eq!(rest.len() + ledger.len(), 12_000);
    assert!(rest.iter().all(|(email, accepted)| *accepted == 1 && !ledger.contains_key(email)));
    stop_and_let_go(gateway, &directory).await;

    let gateway = keeping(Some(&directory), SandboxOptions::default(), &[]).await;
    let whole = gateway.post_keyed("key", "", &emails).await;
    assert_eq!(whole.json()["counts"], again.json()["counts"]);
    let expected = [vec!["sent"; 12_000], vec!["duplicate", "invalid/no_at_sign"]].concat();
    assert!(whole.words() == expected, "{:?}", &whole.words()[11_998..]);
    assert_eq!(gateway.sandbox.stats().calls, 0);
    gateway.stop().await;
}

#[actix_web::test]
async fn a_caller_that_goes_away_while_its_list_is_taken_leaves_one_resend_or_none() {
    let directory = tempfile::tempdir().unwrap();
    for directory in [None, Some(&directory)] {
        let gateway = keeping(directory, SandboxOptions::default(), &[]).await;

        for round in 0..20 {
            let (key, emails) = (format!("key{round}"), addresses(&format!("r{round}x"), 15));
            let body = serde_json::to_vec(&emails).unwrap();
            let mut wire = Wire::connect(gateway.address()).await;
            let length = body.len();
            wire.begin_post(&format!("Content-Length: {length}\r\nIdempotency-Key: {key}\r\n")).await;
            wire.send(&body).await.unwrap();
            if round % 2 == 0 {
                wire.reset()
            } else {
                drop(wire)
            }
            assert_eq!(gateway.post_keyed(&key, "", &emails).await.words(), ["sent"; 15]);
        }

        assert_eq!(gateway.resends().await, 20);
        assert!(gateway.sandbox.ledger().values().all(|accepted| *accepted == 1));
        gateway.stop().await;
    }
}

/// Stops a gateway and returns when another one may open its file.
async fn stop_and_let_go(gateway: Gateway, directory: &TempDir) {
    gateway.stop().await;
    // The threads that served drop what they shared a moment later.
    let lock = fs::File::open(directory.path().join("gateway.db.lock")).unwrap();
    eventually(async || lock.try_lock().ok()).await;
}

#[actix_web::test]
async fn a_key_means_nothing_once_its_resend_may_be_erased() {
    let directory = tempfile::tempdir().unwrap();
    let settings = [("store.retention_seconds", "60")];
    let gateway = keeping(Some(&directory), SandboxOptions::default(), &settings).await;
    let first = id(&gateway.post_keyed("key", "", &["a@example.com"]).await);
    assert_eq!(id(&gateway.post_keyed("key", "", &["a@example.com"]).await), first);
    // It ended a moment more than the retention ago, and waits for the sweep.
    let file = rusqlite::Connection::open(directory.path().join("gateway.db")).unwrap();
    file.execute("UPDATE resends SET finished_at = finished_at - 61000", []).unwrap();
    drop(file);
    let gateway = gateway.restart(&[]).await;

    let second = gateway.post_keyed("key", "", &["a@example.com"]).await;

    assert_eq!(second.words(), ["duplicate"]);
    assert_ne!(id(&second), first);
    assert_eq!(id(&gateway.post_keyed("key", "", &["a@example.com"]).await), id(&second));
    gateway.stop().await;
}
