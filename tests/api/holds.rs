//! Work that waits: said in plain words, lifted by what ends it, and never lost.

use std::{fs, os::unix::fs::symlink, time::Duration};

use awc::http::Method;
use faxplus_gateway::sandbox::SandboxOptions;
use serde_json::json;

use crate::gateway::{Gateway, addresses, eventually};

#[actix_web::test]
async fn retry_after_is_obeyed_once_for_everybody() {
    // One call at a time: none is under way while another one is refused.
    let gateway = Gateway::with(SandboxOptions::default(), &[("upstream.max_in_flight", "1")]).await;
    gateway.faults(json!([{"fate": "status", "status": 429, "retry_after": "2", "times": 1}]));

    let lists: Vec<_> = (0..20).map(|number| addresses(&format!("a{number}x"), 5)).collect();
    let answers = futures_util::future::join_all(lists.iter().map(|emails| gateway.post("", emails))).await;

    assert!(answers.iter().all(|answer| answer.words() == ["sent"; 5]));
    let calls = gateway.sandbox.calls();
    assert_eq!((calls.len() > 10, calls[0].status), (true, Some(429)));
    let silence = calls[1].at - calls[0].at;
    assert!(silence >= Duration::from_secs(2), "{silence:?}");
    gateway.stop().await;
}

#[actix_web::test]
async fn a_refused_token_holds_the_work_until_its_file_changes() {
    let directory = tempfile::tempdir().unwrap();
    // As Kubernetes mounts secrets: the file is a link into a directory that a link names.
    for (version, token) in [("v1", "old-token\n"), ("v2", "new-token\n")] {
        fs::create_dir(directory.path().join(version)).unwrap();
        fs::write(directory.path().join(version).join("token"), token).unwrap();
    }
    symlink("v1", directory.path().join("..data")).unwrap();
    symlink("..data/token", directory.path().join("token")).unwrap();
    let path = directory.path().join("token");
    let options = SandboxOptions { tokens: Some(vec!["new-token".to_owned()]), ..SandboxOptions::default() };
    let gateway = Gateway::with(options, &[("credentials.token_file", path.to_str().unwrap())]).await;
    let id = gateway.post_async("", &addresses("a", 30)).await;
    let held = gateway.until(&id, |resend| resend["hold"]["reason"] == "credentials_rejected").await;
    let detail = held["hold"]["detail"].as_str().unwrap();
    assert!(detail.starts_with("30 addresses are safe; fax.plus refuses the access token"), "{detail}");
    assert_eq!(gateway.metric("faxplus_gateway_credential_valid").await, 0.0);

    symlink("v2", directory.path().join("..next")).unwrap();
    fs::rename(directory.path().join("..next"), directory.path().join("..data")).unwrap();
    let resend = gateway.finished(&id).await;

    assert_eq!(resend["counts"]["sent"], 30);
    assert_eq!(gateway.metric("faxplus_gateway_credential_valid").await, 1.0);
    let stats = gateway.sandbox.stats();
    let calls = gateway.sandbox.calls();
    let refused: Vec<_> =
        calls.iter().filter(|call| call.status == Some(401)).map(|call| call.batch).collect();
    assert!(refused[1..].iter().all(|batch| *batch == 1), "one full call is enough: {refused:?}");
    assert!(stats.probes >= 2);
    gateway.stop().await;
}

#[actix_web::test]
async fn an_open_breaker_probes_without_mailing_and_then_tries_one_address() {
    let gateway = Gateway::start().await;
    gateway.faults(json!([
        {"fate": "status", "status": 500},
        {"target": "probe", "fate": "status", "status": 500}
    ]));
    let id = gateway.post_async("", &addresses("a", 200)).await;
    gateway.until(&id, |resend| resend["hold"]["reason"] == "upstream_unavailable").await;
    eventually(async || {
        (gateway.metric("faxplus_gateway_upstream_breaker_state").await == 2.0).then_some(())
    })
    .await;
    eventually(async || (gateway.metric("faxplus_gateway_upstream_in_flight").await == 0.0).then_some(()))
        .await;
    let failed = gateway.sandbox.stats().calls;
    eventually(async || (gateway.sandbox.stats().probes >= 1).then_some(())).await;
    assert_eq!(gateway.sandbox.stats().calls, failed);

    gateway.faults(json!([]));
    let resend = gateway.finished(&id).await;

    let calls = gateway.sandbox.calls();
    assert_eq!(calls[failed as usize].batch, 1);
    let counts = &resend["counts"];
    assert_eq!(counts["sent"].as_u64().unwrap() + counts["unknown"].as_u64().unwrap(), 200);
    assert!(counts["unknown"].as_u64().unwrap() <= 50, "{counts}");
    assert_eq!(gateway.metric("faxplus_gateway_upstream_breaker_state").await, 0.0);
    gateway.stop().await;
}

#[actix_web::test]
async fn the_hold_says_what_was_seen_of_an_outage_and_never_where() {
    let gateway = Gateway::with(
        SandboxOptions::default(),
        &[("upstream.request_timeout_seconds", "1"), ("upstream.on_unknown", "resend")],
    )
    .await;
    let list = addresses("a", 30);
    let id = gateway.post_async("?force=true", &list).await;
    gateway.finished(&id).await;
    for (fate, words) in [
        (json!({"fate": "status", "status": 500}), "fax.plus answers with errors; "),
        (json!({"fate": "never_answer"}), "fax.plus does not answer in time; "),
        (json!({"fate": "hang_up_before_reading"}), "fax.plus loses connections; "),
    ] {
        let mut probe = fate.clone();
        probe["target"] = json!("probe");
        gateway.faults(json!([fate, probe]));
        let id = gateway.post_async("?force=true", &list).await;

        gateway
            .until(&id, |resend| {
                resend["hold"]["detail"].as_str().is_some_and(|detail| detail.contains(words))
            })
            .await;

        gateway.request(Method::DELETE, &format!("/v1/resends/{id}"), &[], "").await;
    }
    gateway.stop().await;
}

#[actix_web::test]
async fn a_refused_connection_and_a_name_that_does_not_resolve_are_told_apart() {
    for (base_url, words) in [
        ("http://127.0.0.1:1/v3", "fax.plus can't be reached: the connection is refused; "),
        ("http://no-such-host.invalid/v3", "fax.plus can't be reached: its name does not resolve; "),
    ] {
        let gateway = Gateway::with(SandboxOptions::default(), &[("upstream.base_url", base_url)]).await;
        let id = gateway.post_async("", &["ann@example.com"]).await;

        let held = gateway.until(&id, |resend| resend["hold"].is_object()).await;

        let detail = held["hold"]["detail"].as_str().unwrap();
        assert!(detail.starts_with(&format!("1 address is safe; {words}")), "{detail}");
        gateway.stop().await;
    }
}

#[actix_web::test]
async fn what_is_held_for_too_long_is_not_sent_for_the_reason_that_held_it() {
    let gateway = Gateway::with(SandboxOptions::default(), &[("dispatch.max_hold_seconds", "1")]).await;
    gateway.faults(json!([{"fate": "status", "status": 429, "retry_after": "600"}]));

    let answer = gateway.post("", &["a@example.com", "nobody"]).await;

    assert_eq!(answer.status, 502);
    assert_eq!(answer.words(), ["not_sent/throttled", "invalid/no_at_sign"]);
    gateway.faults(json!([]));
    assert_eq!(gateway.accepted("a@example.com"), 0);
    gateway.stop().await;
}

#[actix_web::test]
async fn when_the_wait_is_over_cancel_tells_what_held_the_work() {
    let gateway = Gateway::start().await;
    gateway.faults(json!([{"fate": "status", "status": 503, "retry_after": "600"}]));
    let first = gateway.post_async("", &["first@example.com"]).await;
    gateway.until(&first, |resend| resend["hold"]["reason"] == "upstream_unavailable").await;

    let answer = gateway.post_with("?on_timeout=cancel", &[("prefer", "wait=1")], &addresses("a", 3)).await;

    assert_eq!(
        (answer.status.as_u16(), answer.words()),
        (502, vec!["not_sent/upstream_unavailable".to_owned(); 3])
    );
    assert_eq!(answer.json()["status"], "cancelled");
    gateway.stop().await;
}

#[actix_web::test]
async fn a_cancelled_resend_keeps_the_true_outcome_of_its_calls_in_flight() {
    let options = SandboxOptions { latency: Duration::from_millis(300), ..SandboxOptions::default() };
    let gateway = Gateway::with(options, &[("upstream.max_in_flight", "1")]).await;
    // Nine seconds of calls.
    let id = gateway.post_async("", &addresses("a", 300)).await;
    eventually(async || (gateway.sandbox.stats().calls >= 1).then_some(())).await;

    let path = format!("/v1/resends/{id}");
    let answer = gateway.request(Method::DELETE, &path, &[], "").await.json();

    assert_eq!(answer["status"], "cancelled");
    assert_eq!(answer["counts"]["pending"], 0);
    for (email, outcome) in gateway.results(&id).await {
        let sent = gateway.accepted(&email) == 1;
        assert_eq!(outcome, if sent { "sent" } else { "not_sent/cancelled" }, "{email}");
    }
    let again = gateway.request(Method::DELETE, &path, &[], "").await.json();
    assert_eq!(again["counts"], answer["counts"]);
    let resent = gateway.post("", &["a299@example.com"]).await;
    assert_eq!(resent.words(), ["sent"], "a definite failure frees the address at once");
    gateway.stop().await;
}

#[actix_web::test]
async fn the_window_ends_and_force_looks_only_at_this_request() {
    let gateway = Gateway::with(SandboxOptions::default(), &[("dedupe.window_seconds", "5")]).await;
    gateway.post("", &["a@example.com"]).await;
    let forced = gateway.post("?force=true", &["a@example.com", "A@example.com"]).await;
    assert_eq!(forced.words(), ["sent", "duplicate"]);
    assert_eq!(gateway.post("", &["a@example.com"]).await.words(), ["duplicate"]);

    eventually(async || (gateway.post("", &["a@example.com"]).await.words() == ["sent"]).then_some(())).await;

    assert_eq!(gateway.accepted("a@example.com"), 3);
    gateway.stop().await;
}

#[actix_web::test]
async fn the_proof_of_a_credential_obeys_the_wait_that_it_is_told() {
    let options = SandboxOptions { tokens: Some(Vec::new()), ..SandboxOptions::default() };
    let gateway = Gateway::with(options, &[]).await;
    gateway.faults(json!([{"target": "probe", "fate": "status", "status": 429, "retry_after": "3"}]));

    let began = tokio::time::Instant::now();
    let id = gateway.post_async("", &["a@example.com"]).await;
    eventually(async || (gateway.sandbox.stats().probes == 1).then_some(())).await;
    let held = gateway.until(&id, |resend| !resend["hold"]["next_attempt_at"].is_null()).await;
    gateway.faults(json!([]));
    gateway.sandbox.set_tokens(None);
    let resend = gateway.finished(&id).await;

    assert_eq!(resend["counts"]["sent"], 1, "{resend}");
    assert!(began.elapsed() >= Duration::from_secs(3), "the second proof came too soon: {held}");
    assert_eq!(gateway.sandbox.stats().probes, 2);
    gateway.stop().await;
}
