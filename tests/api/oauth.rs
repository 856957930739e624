//! OAuth2 under load: tokens expire, rotate and are revoked, the token endpoint fails, and nothing is lost.

use std::{fs, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use faxplus_gateway::sandbox::{OAuthOptions, SandboxOptions};
use serde_json::{Value, json};

use crate::gateway::{Gateway, addresses, eventually};

const CLIENT: [(&str, &str); 3] = [
    ("credentials.kind", "oauth2"),
    ("credentials.client_id", "client"),
    ("credentials.client_secret", "client-secret"),
];

/// A fax.plus that knows one client with the refresh token `seed` and no personal access token.
fn strict(oauth: OAuthOptions) -> SandboxOptions {
    SandboxOptions {
        tokens: Some(Vec::new()),
        oauth: OAuthOptions {
            client_id: Some("client".to_owned()),
            client_secret: Some("client-secret".to_owned()),
            refresh_token: Some("seed".to_owned()),
            ..oauth
        },
        ..SandboxOptions::default()
    }
}

async fn gateway(options: SandboxOptions, overrides: &[(&str, &str)]) -> Gateway {
    let mut all = CLIENT.to_vec();
    if !overrides.iter().any(|(key, _)| *key == "credentials.refresh_token_file") {
        all.push(("credentials.refresh_token", "seed"));
    }
    all.extend_from_slice(overrides);
    Gateway::with(options, &all).await
}

/// Every address was accepted exactly once, and told so.
fn assert_all_sent_once(gateway: &Gateway, resend: &Value, emails: &[String]) {
    assert_eq!(resend["counts"]["sent"], emails.len(), "{resend}");
    let ledger = gateway.sandbox.ledger();
    assert_eq!(ledger.len(), emails.len());
    assert!(ledger.values().all(|accepted| *accepted == 1));
}

async fn refreshes(gateway: &Gateway, result: &str) -> f64 {
    let series = format!("faxplus_gateway_credential_refreshes_total{{result=\"{result}\"}}");
    gateway.metric(&series).await
}

#[actix_web::test]
async fn an_access_token_is_had_before_the_first_call_wherever_the_refresh_token_is_asked_for() {
    for (place, in_query) in [("body", 0), ("query", 1)] {
        let gateway = gateway(strict(OAuthOptions::default()), &[("credentials.refresh_in", place)]).await;

        let answer = gateway.post("", &addresses("a", 25)).await;

        assert_eq!(answer.status, 200, "{answer:?}");
        let stats = gateway.sandbox.stats();
        assert_eq!((stats.token_requests, stats.token_requests_in_query), (1, in_query));
        assert_eq!(stats.calls_by_status.get("401"), None, "no call goes without a token");
        assert_eq!(refreshes(&gateway, "ok").await, 1.0);
        gateway.stop().await;
    }
}

#[actix_web::test]
async fn access_tokens_are_replaced_ahead_of_their_end_while_calls_go_on() {
    let oauth = OAuthOptions { expires_in: Duration::from_secs(5), rotates: true, ..OAuthOptions::default() };
    let options = SandboxOptions { latency: Duration::from_millis(10), ..strict(oauth) };
    let gateway = gateway(options, &[("upstream.max_calls_per_second", "40")]).await;
    let emails = addresses("a", 3000);

    let id = gateway.post_async("", &emails).await;
    let resend = gateway.finished(&id).await;

    assert_all_sent_once(&gateway, &resend, &emails);
    let stats = gateway.sandbox.stats();
    assert_eq!(stats.calls_by_status.get("401"), None, "no token is used beyond its end");
    assert!((2..=6).contains(&stats.token_requests), "{}", stats.token_requests);
    assert_eq!(refreshes(&gateway, "failed").await, 0.0);
    gateway.stop().await;
}

#[actix_web::test]
async fn a_token_that_ends_early_is_replaced_once_for_all_calls_that_meet_it() {
    let oauth = OAuthOptions { rotates: true, ..OAuthOptions::default() };
    // Four seconds of calls: each token ends long before the list.
    let options = SandboxOptions { latency: Duration::from_millis(40), ..strict(oauth) };
    let gateway = gateway(options, &[]).await;
    let emails = addresses("a", 8000);
    let id = gateway.post_async("", &emails).await;

    for least in [500, 1500, 2500] {
        gateway.until(&id, |resend| resend["counts"]["sent"].as_u64().unwrap() >= least).await;
        gateway.sandbox.expire_access_tokens();
    }
    let resend = gateway.finished(&id).await;

    assert_all_sent_once(&gateway, &resend, &emails);
    let stats = gateway.sandbox.stats();
    assert_eq!(stats.token_requests, 4, "one for each token that ended, and the first");
    assert!(stats.calls_by_status["401"] <= 3 * 8, "{:?}", stats.calls_by_status);
    gateway.stop().await;
}

#[actix_web::test]
async fn whatever_the_token_endpoint_does_holds_the_work_and_says_so() {
    let seconds = |s: u64| json!(s.to_string());
    for (fault, reason, words) in [
        (json!({"fate": "status", "status": 503}), "upstream_unavailable", "answers with errors"),
        (json!({"fate": "status", "status": 500}), "upstream_unavailable", "answers with errors"),
        (
            json!({"fate": "status", "status": 429, "retry_after": seconds(1)}),
            "upstream_unavailable",
            "errors",
        ),
        (json!({"fate": "html_200"}), "misconfigured", "gives no access token"),
        (json!({"fate": "wrong_json_200", "body": "{}"}), "misconfigured", "gives no access token"),
        (json!({"fate": "redirect", "location": "http://127.0.0.1:1/"}), "misconfigured", "token_url"),
        (json!({"fate": "hang_up_after_reading"}), "upstream_unavailable", "can't be reached"),
        (json!({"fate": "garbage"}), "upstream_unavailable", "can't be reached"),
        (json!({"fate": "half_a_head"}), "upstream_unavailable", "can't be reached"),
        (json!({"fate": "never_answer"}), "upstream_unavailable", "not given an access token yet"),
    ] {
        let never = fault["fate"] == "never_answer";
        let mut rule = fault.clone();
        rule["target"] = json!("token");
        let options = SandboxOptions { tokens: Some(Vec::new()), ..SandboxOptions::default() };
        // The gateway asks for a token as soon as it starts: the fault has to be there before.
        let rules = faxplus_gateway::sandbox::parse_faults(json!([rule]).to_string().as_bytes()).unwrap();
        let options = SandboxOptions { faults: rules, ..options };
        let gateway = gateway(options, &[("upstream.request_timeout_seconds", "3")]).await;
        let emails = addresses("a", 30);
        let id = gateway.post_async("", &emails).await;

        let says = |resend: &Value| {
            let hold = &resend["hold"];
            hold["reason"] == reason && hold["detail"].as_str().is_some_and(|detail| detail.contains(words))
        };
        let held = gateway.until(&id, says).await;
        assert!(held["hold"]["detail"].as_str().unwrap().starts_with("30 addresses are safe; "), "{held}");
        assert_eq!(gateway.sandbox.stats().calls, 0, "{fault}");
        if !never {
            assert!(refreshes(&gateway, "failed").await >= 1.0);
        }
        gateway.faults(json!([]));
        let resend = gateway.finished(&id).await;

        assert_all_sent_once(&gateway, &resend, &emails);
        gateway.stop().await;
    }
}

#[actix_web::test]
async fn a_revoked_grant_holds_the_work_until_another_refresh_token_stands_in_the_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), "seed\n").unwrap();
    // Some seconds of calls: the grant ends long before the list.
    let options = SandboxOptions { latency: Duration::from_millis(40), ..strict(OAuthOptions::default()) };
    let gateway =
        gateway(options.clone(), &[("credentials.refresh_token_file", file.path().to_str().unwrap())]).await;
    let emails = addresses("a", 6000);
    let id = gateway.post_async("", &emails).await;
    gateway.until(&id, |resend| resend["counts"]["sent"].as_u64().unwrap() >= 500).await;

    let second = OAuthOptions { refresh_token: Some("second seed".to_owned()), ..options.oauth };
    gateway.sandbox.set_oauth(second);
    gateway.sandbox.expire_access_tokens();
    // The access token is told as refused until the token endpoint has answered, too.
    let words = "are safe; the token endpoint of fax.plus refuses the refresh token";
    let says = |detail: &Value| detail.as_str().is_some_and(|detail| detail.contains(words));
    let held = gateway.until(&id, |resend| says(&resend["hold"]["detail"])).await;
    assert_eq!(held["hold"]["reason"], "credentials_rejected", "{held}");
    assert_eq!(gateway.metric("faxplus_gateway_credential_valid").await, 0.0);
    fs::write(file.path(), "second seed\n").unwrap();
    let resend = gateway.finished(&id).await;

    assert_all_sent_once(&gateway, &resend, &emails);
    assert_eq!(gateway.metric("faxplus_gateway_credential_valid").await, 1.0);
    gateway.stop().await;
}

#[actix_web::test]
async fn an_answer_lost_while_the_token_rotated_is_told_as_a_refused_refresh_token() {
    let oauth = OAuthOptions { rotates: true, ..OAuthOptions::default() };
    let options = strict(oauth);
    let rules = json!([{"target": "token", "fate": "accept_then_hang_up", "times": 1}]);
    let rules = faxplus_gateway::sandbox::parse_faults(rules.to_string().as_bytes()).unwrap();
    let gateway = gateway(SandboxOptions { faults: rules, ..options }, &[]).await;
    let id = gateway.post_async("", &addresses("a", 3)).await;

    let held = gateway.until(&id, |resend| resend["hold"]["reason"] == "credentials_rejected").await;

    assert!(held["hold"]["detail"].as_str().unwrap().contains("revoked, used or wrong"), "{held}");
    assert_eq!(gateway.sandbox.stats().calls, 0);
    gateway.stop().await;
}

#[actix_web::test]
async fn a_wrong_client_secret_is_told_as_one() {
    let gateway = gateway(strict(OAuthOptions::default()), &[("credentials.client_secret", "wrong")]).await;
    let id = gateway.post_async("", &addresses("a", 3)).await;

    let held = gateway.until(&id, |resend| resend["hold"]["reason"] == "credentials_rejected").await;

    assert!(held["hold"]["detail"].as_str().unwrap().contains("refuses the OAuth2 client"), "{held}");
    gateway.stop().await;
}

#[actix_web::test]
async fn a_refresh_that_fails_ahead_of_the_end_holds_nothing() {
    let oauth = OAuthOptions { expires_in: Duration::from_secs(5), ..OAuthOptions::default() };
    let gateway = gateway(strict(oauth), &[]).await;
    assert_eq!(gateway.post("", &["first@example.com"]).await.status, 200);

    gateway.faults(json!([{"target": "token", "fate": "status", "status": 500, "times": 1}]));
    eventually(async || (refreshes(&gateway, "failed").await == 1.0).then_some(())).await;
    let answer = gateway.post("", &["second@example.com"]).await;

    assert_eq!(answer.status, 200);
    eventually(async || (refreshes(&gateway, "ok").await == 2.0).then_some(())).await;
    assert_eq!(gateway.sandbox.stats().calls_by_status.get("401"), None);
    gateway.stop().await;
}

#[actix_web::test]
async fn when_the_credential_ends_is_published_where_it_is_known() {
    let expiry = "faxplus_gateway_credential_expiry_timestamp_seconds";
    let now = || std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs_f64();

    let oauth2 = gateway(strict(OAuthOptions::default()), &[]).await;
    oauth2.post("", &["a@example.com"]).await;
    let ends_in = oauth2.metric(expiry).await - now();
    assert!((3500.0..=3600.0).contains(&ends_in), "{ends_in}");
    oauth2.stop().await;

    let token = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(r#"{"exp":4000000000}"#));
    let jwt = Gateway::with(SandboxOptions::default(), &[("credentials.token", &token)]).await;
    assert_eq!(jwt.metric(expiry).await, 4_000_000_000.0);
    jwt.stop().await;

    let opaque = Gateway::start().await;
    assert!(!opaque.admin("/metrics").await.text().contains(expiry));
    opaque.stop().await;
}

#[actix_web::test]
async fn a_token_that_calls_refuse_and_the_account_accepts_ends_not_sent_after_few_tries() {
    let gateway = Gateway::with(SandboxOptions::default(), &[("dispatch.max_hold_seconds", "2")]).await;
    gateway.faults(json!([{"fate": "token_expired"}]));

    let answer = gateway.post("", &addresses("a", 30)).await;

    assert_eq!(answer.status, 502);
    assert_eq!(answer.words(), vec!["not_sent/credentials_rejected"; 30]);
    let stats = gateway.sandbox.stats();
    assert!(stats.calls <= 4 && stats.probes <= 4, "{} calls, {} probes", stats.calls, stats.probes);
    assert_eq!(stats.addresses_accepted, 0);
    gateway.stop().await;
}
