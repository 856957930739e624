//! A resend after its post: asking for it, waiting for it, cancelling it, finding it in the list.

use std::time::Duration;

use awc::http::Method;
use faxplus_gateway::sandbox::SandboxOptions;
use serde_json::{Value, json};

use crate::{
    gateway::{Gateway, addresses, eventually},
    wire::Wire,
};

/// One whose upstream holds everything.
async fn holding() -> Gateway {
    let gateway = Gateway::start().await;
    gateway.faults(json!([{"fate": "status", "status": 429, "retry_after": "60"}]));
    gateway
}

async fn slow() -> Gateway {
    let options = SandboxOptions { latency: Duration::from_millis(700), ..SandboxOptions::default() };
    Gateway::with(options, &[]).await
}

async fn delete(gateway: &Gateway, id: &str) -> Value {
    let answer = gateway.request(Method::DELETE, &format!("/v1/resends/{id}"), &[], "").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

async fn ids(gateway: &Gateway, query: &str) -> (Vec<String>, Option<String>) {
    let answer = gateway.get(&format!("/v1/resends{query}")).await;
    assert_eq!(answer.status, 200, "{query}: {answer:?}");
    let page = answer.json();
    let ids = page["resends"].as_array().unwrap().iter();
    let ids = ids.map(|resend| resend["id"].as_str().unwrap().to_owned()).collect();
    (ids, page["next_cursor"].as_str().map(str::to_owned))
}

#[actix_web::test]
async fn a_resend_can_be_asked_for_without_its_results() {
    let gateway = Gateway::start().await;

    let mut posted = gateway.post("", &["a@example.com", "nobody"]).await.json();
    let asked = gateway.get(&format!("/v1/resends/{}", posted["id"].as_str().unwrap())).await.json();

    posted.as_object_mut().unwrap().remove("results");
    assert_eq!(asked, posted);
    gateway.stop().await;
}

#[actix_web::test]
async fn asking_with_a_wait_holds_the_answer_until_the_end() {
    let gateway = Gateway::start().await;
    gateway.sandbox.hold_answers();
    let id = gateway.post_async("", &["a@example.com"]).await;

    let at_once = gateway.get(&format!("/v1/resends/{id}")).await.json();
    let released = async { gateway.sandbox.release_answers() };
    let path = format!("/v1/resends/{id}?wait=240");
    let at_the_end = tokio::join!(gateway.get(&path), released).0.json();

    assert_eq!(at_once["counts"]["pending"], 1);
    assert_eq!((&at_the_end["status"], &at_the_end["counts"]["sent"]), (&json!("finished"), &json!(1)));
    for query in ["wait=-1", "wait=x", "wait=", "await=1", "wait=1&wait=2"] {
        assert_eq!(gateway.get(&format!("/v1/resends/{id}?{query}")).await.status, 400, "{query}");
    }
    gateway.stop().await;
}

#[actix_web::test]
async fn cancelling_ends_what_waits_and_leaves_calls_in_flight_their_true_outcome() {
    let gateway = slow().await;
    // Some seconds of calls.
    let id = gateway.post_async("", &addresses("a", 600)).await;
    eventually(async || (gateway.sandbox.ledger().len() >= 10).then_some(())).await;

    let resend = delete(&gateway, &id).await;

    assert_eq!(resend["status"], "cancelled");
    let sent = gateway.sandbox.ledger().len();
    assert!(sent < 600);
    assert_eq!(
        (&resend["counts"]["sent"], &resend["counts"]["not_sent"]),
        (&json!(sent), &json!(600 - sent))
    );
    for (email, outcome) in gateway.results(&id).await {
        assert_eq!(
            outcome,
            if gateway.accepted(&email) == 1 { "sent" } else { "not_sent/cancelled" },
            "{email}"
        );
    }
    assert_eq!(delete(&gateway, &id).await, resend, "a second time changes nothing");
    gateway.stop().await;
}

#[actix_web::test]
async fn cancelling_frees_the_addresses_at_once() {
    let gateway = Gateway::start().await;
    gateway.faults(json!([{"fate": "status", "status": 429, "retry_after": "1"}]));
    let id = gateway.post_async("", &["a@example.com"]).await;
    gateway.until(&id, |resend| resend.get("hold").is_some()).await;

    assert_eq!(delete(&gateway, &id).await["counts"]["not_sent"], 1);
    gateway.faults(json!([]));

    assert_eq!(gateway.post("", &["a@example.com"]).await.words(), ["sent"]);
    gateway.stop().await;
}

#[actix_web::test]
async fn cancelling_what_is_finished_changes_nothing() {
    let gateway = Gateway::start().await;
    let id = gateway.post("", &["a@example.com"]).await.json()["id"].as_str().unwrap().to_owned();
    let finished = gateway.get(&format!("/v1/resends/{id}")).await.json();

    assert_eq!(delete(&gateway, &id).await, finished);
    gateway.stop().await;
}

#[actix_web::test]
async fn a_waiting_caller_is_told_when_somebody_cancels() {
    let gateway = holding().await;
    let cancels = async {
        let find = async || ids(&gateway, "").await.0.pop();
        delete(&gateway, &eventually(find).await).await
    };

    let (posted, _) = tokio::join!(gateway.post("", &["a@example.com"]), cancels);

    assert_eq!((posted.status.as_u16(), posted.words()), (502, vec!["not_sent/cancelled".to_owned()]));
    gateway.stop().await;
}

#[actix_web::test]
async fn resends_are_listed_newest_first_page_by_page() {
    let gateway = Gateway::start().await;
    let mut posted = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        let answer = gateway.post("", &addresses(name, 1)).await;
        posted.insert(0, answer.json()["id"].as_str().unwrap().to_owned());
    }

    let (mut listed, mut cursor, mut pages) = (Vec::new(), String::new(), Vec::new());
    loop {
        let (page, next) = ids(&gateway, &format!("?limit=2{cursor}")).await;
        pages.push(page.len());
        listed.extend(page);
        let Some(next) = next else { break };
        // What comes in meanwhile is newer, and on no later page.
        gateway.post("", &["late@example.com"]).await;
        cursor = format!("&cursor={next}");
    }

    assert_eq!((listed, pages), (posted.clone(), vec![2, 2, 1]));
    let (all, next) = ids(&gateway, "?limit=500").await;
    assert_eq!((all.len(), next), (7, None));
    assert_eq!(all[2..], posted);
    gateway.stop().await;
}

#[actix_web::test]
async fn resends_are_listed_by_status() {
    let gateway = holding().await;
    let invalid = gateway.post("", &["nobody"]).await.json()["id"].as_str().unwrap().to_owned();
    let (running, cancelled) =
        (gateway.post_async("", &["a@example.com"]).await, gateway.post_async("", &["b@example.com"]).await);
    delete(&gateway, &cancelled).await;
    gateway.until(&running, |resend| resend["status"] == "running").await;

    for (status, expected) in [
        ("finished", vec![invalid]),
        ("running", vec![running]),
        ("cancelled", vec![cancelled]),
        ("queued", vec![]),
    ] {
        assert_eq!(ids(&gateway, &format!("?status={status}")).await, (expected, None), "{status}");
    }
    gateway.stop().await;
}

#[actix_web::test]
async fn a_page_that_makes_no_sense_is_refused() {
    let gateway = Gateway::start().await;

    for (query, parameter) in [
        ("limit=501", "limit"),
        ("limit=-1", "limit"),
        ("limit=", "limit"),
        ("cursor=next", "cursor"),
        ("cursor=", "cursor"),
        ("status=done", "status"),
        ("status=finished,running", "status"),
        ("client=other", "client"),
    ] {
        let answer = gateway.get(&format!("/v1/resends?{query}")).await;

        assert_eq!(answer.status, 400, "{query}: {answer:?}");
        assert_eq!(answer.problem("bad-query")["parameter"], parameter, "{query}");
    }
    gateway.stop().await;
}

#[actix_web::test]
async fn work_goes_on_for_a_caller_that_goes_away_after_its_post() {
    let gateway = slow().await;
    let emails = addresses("a", 25);
    let body = serde_json::to_vec(&emails).unwrap();

    for (round, resets) in [true, false].into_iter().enumerate() {
        let mut wire = Wire::connect(gateway.address()).await;
        wire.begin_post(&format!("Content-Length: {}\r\n", body.len())).await;
        wire.send(&body).await.unwrap();
        eventually(async || (ids(&gateway, "").await.0.len() == round + 1).then_some(())).await;
        if resets { wire.reset() } else { drop(wire) }
    }

    let (both, _) = ids(&gateway, "").await;
    let mut sent = 0;
    for id in both {
        let resend = gateway.finished(&id).await;
        let counts = &resend["counts"];
        assert_eq!(resend["status"], "finished");
        sent += counts["sent"].as_u64().unwrap();
        assert_eq!(counts["sent"].as_u64().unwrap() + counts["duplicate"].as_u64().unwrap(), 25, "{resend}");
    }
    assert_eq!(sent, 25);
    assert!(emails.iter().all(|email| gateway.accepted(email) == 1));
    gateway.stop().await;
}
