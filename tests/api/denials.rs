//! Answers that may speak of one address or of everything: 403, 404, and those that fax.plus did not write. No
//! address is rejected on the word of anything but fax.plus, and no address holds the others for good.

use awc::http::Method;
use faxplus_gateway::sandbox::SandboxOptions;
use serde_json::{Value, json};

use crate::{
    gateway::{Gateway, addresses, eventually},
    truth::{NO_BREAKER, count},
};

/// A page that something in front of fax.plus writes.
fn page(status: u16) -> Value {
    json!({"fate": "status", "status": status, "body": "<html>no</html>", "content_type": "text/html"})
}

fn told(status: u16) -> Value {
    json!({"fate": "status", "status": status, "error": "no"})
}

async fn cancel(gateway: &Gateway, id: &str) -> Value {
    gateway.request(Method::DELETE, &format!("/v1/resends/{id}"), &[], "").await.json()
}

#[actix_web::test]
async fn a_wrong_base_url_holds_the_list_in_words_that_name_it_and_rejects_no_address() {
    let mut gateway = Gateway::start().await;
    let right = gateway.sandbox.base_url();
    let root = right.strip_suffix("/v3").unwrap().to_owned();
    for wrong in [root.clone(), format!("{root}/v2"), format!("{right}/fax")] {
        gateway = gateway.restart(&[("upstream.base_url", &wrong)]).await;

        let id = gateway.post_async("", &addresses("a", 30)).await;

        let hold = gateway.held(&id, "misconfigured").await;
        assert!(hold["detail"].as_str().unwrap().contains("upstream.base_url"), "{hold}");
        // So many tries that the lone ones are among them.
        eventually(async || {
            (gateway.metric("faxplus_gateway_upstream_batch_addresses_count").await >= 3.0).then_some(())
        })
        .await;
        let resend = cancel(&gateway, &id).await;
        assert_eq!(count(&resend, "not_sent"), 30, "{wrong}: {resend}");
    }
    gateway.stop().await;
}

#[actix_web::test]
async fn what_a_proxy_answers_rejects_no_address_and_all_are_sent_when_fax_plus_answers() {
    let gateway = Gateway::start().await;
    gateway.works("before", 1).await;

    for code in [400, 403, 404, 405, 409, 410, 413, 422, 451] {
        gateway.faults(json!([page(code)]));
        let list = addresses(&format!("a{code}x"), 30);
        let id = gateway.post_async("", &list).await;
        let words = format!("status {code} with an HTML page; ");
        gateway
            .until(&id, |resend| {
                let hold = &resend["hold"];
                hold["reason"] == "misconfigured" && hold["detail"].as_str().unwrap().contains(&words)
            })
            .await;

        gateway.faults(json!([]));

        assert_eq!(count(&gateway.finished(&id).await, "sent"), 30, "{code}");
    }
    gateway.stop().await;
}

#[actix_web::test]
async fn an_address_that_a_proxy_keeps_answering_for_is_given_up_and_holds_no_others() {
    let gateway = Gateway::start().await;
    gateway.faults(json!([{
        "address": "odd@*", "fate": "status", "status": 403, "body": "<html>", "content_type": "text/html"
    }]));
    let mut list = addresses("a", 25);
    list.insert(7, "odd@example.com".to_owned());
    let id = gateway.post_async("", &list).await;

    let mut others = 0;
    while gateway.get(&format!("/v1/resends/{id}?wait=1")).await.json()["status"] != "finished" {
        gateway.works(&format!("other{others}"), 1).await;
        others += 1;
        assert!(others < 20, "it is never given up");
    }

    let results = gateway.results(&id).await;
    for (email, outcome) in &results {
        let expected = if email.starts_with("odd") { "not_sent/misconfigured" } else { "sent" };
        assert_eq!(outcome, expected, "{email}");
    }
    gateway.check(&results);
    let lone = |gateway: &Gateway| {
        let calls = gateway.sandbox.calls();
        calls.iter().filter(|call| call.emails == ["odd@example.com"]).count()
    };
    let before = lone(&gateway);
    assert!(before >= 3, "given up after {before} lone calls");

    let id = gateway.post_async("", &["odd@example.com", "new@example.com"]).await;
    gateway.until(&id, |resend| count(resend, "sent") == 1).await;
    assert_eq!(lone(&gateway), before + 1, "it goes alone from then on");
    cancel(&gateway, &id).await;
    gateway.stop().await;
}

#[actix_web::test]
async fn a_404_of_fax_plus_rejects_an_address_once_others_are_accepted() {
    let gateway = Gateway::start().await;
    gateway.faults(json!([{"address": "gone@*", "fate": "status", "status": 404, "error": "not_found"}]));
    let mut list = addresses("a", 4);
    list.insert(1, "gone@example.com".to_owned());

    let answer = gateway.post("", &list).await;

    assert_eq!(answer.words(), ["sent", "rejected/not_found", "sent", "sent", "sent"]);
    gateway.stop().await;
}

#[actix_web::test]
async fn a_lone_denial_is_believed_at_once_only_after_an_accepted_call() {
    for (code, reason) in [(403, "forbidden"), (404, "misconfigured")] {
        let gateway = Gateway::start().await;
        gateway.faults(json!([told(code)]));
        let id = gateway.post_async("", &["early@example.com"]).await;
        gateway.held(&id, reason).await;
        gateway.faults(json!([]));
        assert_eq!(count(&gateway.finished(&id).await, "sent"), 1);

        gateway.faults(json!([told(code)]));
        let answer = gateway.post("", &["late@example.com"]).await;

        assert_eq!((answer.status.as_u16(), answer.words()), (422, vec!["rejected/no".to_owned()]));
        gateway.stop().await;
    }
}

#[actix_web::test]
async fn an_upstream_that_begins_to_deny_everything_rejects_nothing_while_addresses_are_left_to_try() {
    for (code, reason) in [(403, "forbidden"), (404, "misconfigured")] {
        let gateway = Gateway::start().await;
        gateway.works("before", 1).await;
        gateway.faults(json!([told(code)]));
        let lists = [addresses("a", 1000), addresses("b", 1000)];
        let first = gateway.post_async("", &lists[0]).await;
        let second = gateway.post_async("", &lists[1]).await;

        gateway.held(&first, reason).await;
        let calls = gateway.sandbox.stats().calls;
        eventually(async || (gateway.sandbox.stats().calls >= calls + 2).then_some(())).await;

        gateway.faults(json!([]));
        for id in [first, second] {
            let resend = gateway.finished(&id).await;
            assert_eq!(count(&resend, "sent"), 1000, "{code}: {resend}");
        }
        gateway.stop().await;
    }
}

#[actix_web::test]
async fn work_goes_on_after_a_401_and_after_an_outage_where_the_account_may_not_be_read() {
    let settings = [NO_BREAKER, ("upstream.max_backoff_ms", "20")];
    // The token lacks the right, or a proxy lets nothing but the PATCH through.
    for mut probe in [told(401), told(403), told(404), page(403), page(405)] {
        probe["target"] = json!("probe");
        let refused = probe.clone();
        let gateway = Gateway::with(SandboxOptions::default(), &settings).await;
        gateway.faults(json!([probe, {"fate": "status", "status": 401, "times": 1}]));

        let (_, outcome) = gateway.post_one("a@example.com").await;

        assert_eq!((outcome.as_str(), gateway.accepted("a@example.com")), ("sent", 1), "{refused}");
        assert_eq!(gateway.metric("faxplus_gateway_credential_valid").await, 1.0);
        gateway.stop().await;

        let gateway = Gateway::start().await;
        gateway.faults(json!([probe, {"fate": "status", "status": 500, "times": 5}]));
        let id = gateway.post_async("", &addresses("a", 200)).await;
        let resend = gateway.finished(&id).await;
        assert_eq!(count(&resend, "sent") + count(&resend, "unknown"), 200, "{refused}: {resend}");
        assert!(count(&resend, "sent") >= 150, "{refused}: {resend}");
        gateway.stop().await;
    }
}

#[actix_web::test]
async fn a_refused_token_that_may_not_read_its_account_is_tried_with_lone_addresses_only() {
    let gateway = Gateway::start().await;
    gateway.faults(json!([
        {"target": "probe", "fate": "status", "status": 403, "error": "no_right"},
        {"fate": "status", "status": 401}
    ]));

    let id = gateway.post_async("", &addresses("a", 30)).await;
    gateway.held(&id, "credentials_rejected").await;
    eventually(async || (gateway.sandbox.stats().calls >= 3).then_some(())).await;

    let batches: Vec<_> = gateway.sandbox.calls().iter().map(|call| call.batch).collect();
    assert_eq!(batches[0], 10);
    assert!(batches[1..].iter().all(|batch| *batch == 1), "{batches:?}");
    assert_eq!(gateway.metric("faxplus_gateway_credential_valid").await, 0.0);
    gateway.faults(json!([{"target": "probe", "fate": "status", "status": 403, "error": "no_right"}]));
    assert_eq!(count(&gateway.finished(&id).await, "sent"), 30);
    assert_eq!(gateway.metric("faxplus_gateway_credential_valid").await, 1.0);
    gateway.stop().await;
}
