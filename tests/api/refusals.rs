//! One bad address among good ones, and upstreams that refuse or fail everything.

use std::time::Duration;

use faxplus_gateway::sandbox::SandboxOptions;
use futures_util::future::join_all;
use serde_json::json;

use crate::gateway::{Gateway, addresses};

#[actix_web::test]
async fn one_refused_address_in_a_thousand_costs_the_others_nothing_and_the_next_list_one_call() {
    let gateway = Gateway::start().await;
    gateway.faults(json!([{"address": "a500@*", "fate": "status", "status": 400, "error": "bad"}]));
    let emails = addresses("a", 1000);

    let counts = gateway.post("", &emails).await.json()["counts"].clone();
    assert_eq!((counts["sent"].as_u64(), counts["rejected"].as_u64()), (Some(999), Some(1)));

    let before = gateway.sandbox.stats().calls;
    let again = gateway.post("?force=true", &emails).await.json()["counts"].clone();
    assert_eq!((again["sent"].as_u64(), again["rejected"].as_u64()), (Some(999), Some(1)));
    assert_eq!(gateway.sandbox.stats().calls - before, 101);
    gateway.stop().await;
}

#[actix_web::test]
async fn known_culprits_are_no_evidence_against_upstream() {
    let gateway = Gateway::start().await;
    gateway.faults(json!([{"address": "bad*", "fate": "status", "status": 400, "error": "bad"}]));
    let culprits = addresses("bad", 30);
    for (number, pair) in culprits.chunks(10).enumerate() {
        let mut emails = pair.to_vec();
        emails.push(format!("good{number}@example.com"));
        assert_eq!(gateway.post("", &emails).await.status, 207);
    }

    let mut emails = culprits.clone();
    emails.extend(addresses("fine", 5));
    let before = gateway.sandbox.stats().calls;
    let answer = gateway.post("", &emails).await;

    assert_eq!(answer.json()["counts"]["rejected"], 30);
    assert_eq!(answer.json()["counts"]["sent"], 5);
    assert_eq!(gateway.sandbox.stats().calls - before, 31, "one a culprit, and one for the others");
    // Evidence would leave one lone call a second, ten of them.
    let calls = gateway.sandbox.calls();
    let took = calls.last().unwrap().at - calls[before as usize].at;
    assert!(took < Duration::from_secs(9), "{took:?}");
    gateway.stop().await;
}

#[actix_web::test]
async fn one_callers_bad_address_never_costs_another_callers_good_one_its_outcome() {
    let options = SandboxOptions { latency: Duration::from_millis(5), ..SandboxOptions::default() };
    let gateway = Gateway::with(options, &[]).await;
    gateway.faults(json!([{"address": "bad*", "fate": "status", "status": 422, "error": "bad"}]));
    let lists: Vec<_> = (0..60)
        .map(|caller| {
            let mut emails = addresses(&format!("good{caller}x"), 4);
            if caller % 3 == 0 {
                emails.insert(2, format!("bad{caller}@example.com"));
            }
            emails
        })
        .collect();

    let answers = join_all(lists.iter().map(|emails| gateway.post("", emails))).await;

    for (email, outcome) in answers.iter().flat_map(|answer| answer.outcomes()) {
        let expected = if email.starts_with("bad") { "rejected/bad" } else { "sent" };
        assert_eq!(outcome, expected, "{email}");
        assert_eq!(gateway.accepted(&email), u64::from(expected == "sent"));
    }
    gateway.stop().await;
}

#[actix_web::test]
async fn without_isolation_a_refused_call_is_a_doubt_for_all_in_it() {
    let gateway = Gateway::with(SandboxOptions::default(), &[("upstream.isolate_rejected", "false")]).await;
    gateway.faults(json!([{"address": "bad@*", "fate": "status", "status": 400, "error": "bad"}]));

    let answer = gateway.post("", &["a@example.com", "bad@example.com"]).await;

    assert_eq!(answer.words(), ["unknown/refused_batch"; 2]);
    assert_eq!(gateway.sandbox.stats().calls, 1);
    gateway.stop().await;
}

#[actix_web::test]
async fn an_upstream_that_refuses_or_fails_everything_never_runs_through_a_long_list() {
    for (status, reason, most_calls, most_unknown) in [
        (400, "upstream_refusing", 45, 0),
        (404, "misconfigured", 5, 0),
        (410, "upstream_refusing", 45, 0),
        (403, "forbidden", 5, 0),
        (500, "upstream_unavailable", 10, 60),
    ] {
        let gateway = Gateway::start().await;
        gateway.faults(json!([{"fate": "status", "status": status}, {"target": "probe", "fate": "status", "status": 500}]));
        let id = gateway.post_async("", &addresses("a", 100_000)).await;

        let held = gateway.until(&id, |resend| resend["hold"]["reason"] == reason).await;

        let stats = gateway.sandbox.stats();
        assert!(stats.calls <= most_calls, "{status}: {} calls", stats.calls);
        let counts = &held["counts"];
        assert!(counts["unknown"].as_u64().unwrap() <= most_unknown, "{status}: {counts}");
        assert!(counts["pending"].as_u64().unwrap() > 99_900, "{status}: {counts}");
        assert_eq!(counts["sent"], 0);
        gateway.faults(json!([]));
        let sent = |resend: &serde_json::Value| resend["counts"]["sent"].as_u64() > Some(1000);
        gateway.until(&id, sent).await;
        let ended =
            gateway.request(awc::http::Method::DELETE, &format!("/v1/resends/{id}"), &[], "").await.json();
        assert_eq!(ended["counts"]["sent"], gateway.sandbox.stats().addresses_accepted, "{status}");
        gateway.stop().await;
    }
}

#[actix_web::test]
async fn a_forbidden_address_is_rejected_once_others_were_accepted() {
    let gateway = Gateway::start().await;
    gateway.faults(json!([{"address": "closed@*", "fate": "status", "status": 403}]));
    let mut emails = addresses("a", 4);
    emails.insert(1, "closed@example.com".to_owned());

    let answer = gateway.post("", &emails).await;

    assert_eq!(answer.words(), ["sent", "rejected/forbidden", "sent", "sent", "sent"]);
    gateway.stop().await;
}

#[actix_web::test]
async fn who_shared_a_refused_call_is_answered_also_when_only_lone_addresses_are_tried() {
    let gateway = Gateway::with(SandboxOptions::default(), &[("upstream.max_in_flight", "1")]).await;
    gateway.faults(json!([{"fate": "status", "status": 400, "error": "bad"}]));
    gateway.sandbox.hold_answers();
    let opening = gateway.post_async("", &["opening@example.com"]).await;
    crate::gateway::eventually(async || (gateway.sandbox.stats().calls == 1).then_some(())).await;

    let lists: Vec<_> = (0..40).map(|number| vec![format!("shared{number}@example.com")]).collect();
    let answers = join_all(lists.iter().map(|emails| gateway.post("?results=all", emails)));
    let relief = async {
        let active = async || gateway.metric("faxplus_gateway_resends_active").await == 41.0;
        crate::gateway::eventually(async || active().await.then_some(())).await;
        gateway.sandbox.release_answers();
        crate::gateway::eventually(async || {
            (gateway.metric("faxplus_gateway_hold{reason=\"upstream_refusing\"}").await == 1.0).then_some(())
        })
        .await;
        gateway.faults(json!([]));
    };
    let (answers, ()) = futures_util::future::join(answers, relief).await;

    for answer in answers {
        let word = answer.words().remove(0);
        assert!(["sent", "rejected/bad"].contains(&word.as_str()), "{word}");
    }
    gateway.finished(&opening).await;
    gateway.stop().await;
}

#[actix_web::test]
async fn known_culprits_that_are_refused_again_hold_nobody() {
    let gateway = Gateway::start().await;
    gateway.faults(json!([{"address": "gone*", "fate": "status", "status": 404, "error": "not_found"}]));
    let (gone, good) = (addresses("gone", 40), addresses("good", 40));
    let both: Vec<_> = gone.iter().zip(&good).flat_map(|(gone, good)| [gone.clone(), good.clone()]).collect();
    let id = gateway.post_async("", &both).await;
    gateway.finished(&id).await;
    let calls = gateway.sandbox.stats().calls;

    // All forty are called one after the other, with no success in between.
    let again = gateway.post("?results=none", &[gone, addresses("new", 10)].concat()).await.json();

    assert_eq!(again["counts"]["rejected"], 40, "{again}");
    assert_eq!((&again["counts"]["sent"], &again["hold"]), (&json!(10), &json!(null)));
    assert_eq!(gateway.sandbox.stats().calls - calls, 41);
    let at = |name: &str| humantime::parse_rfc3339(again[name].as_str().unwrap()).unwrap();
    let took = at("finished_at").duration_since(at("created_at")).unwrap();
    assert!(took < Duration::from_secs(19), "{took:?}");
    gateway.stop().await;
}
