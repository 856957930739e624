//! What a wrong base URL finds, and trouble that is about one kind of request, or one stretch of time, alone.

use std::time::Duration;

use faxplus_gateway::sandbox::{Fate, Page, Rule, Target};
use serde_json::json;
use tokio::time::advance;

use crate::client::{Client, call, faulty_sandbox, patch, plain_sandbox, request, set_faults};

const BODY: &str = r#"["a@one.example"]"#;
const WRONG: [&str; 4] = [
    "/accounts/self/member-invitations",
    "/v2/accounts/self/member-invitations",
    "/v3/accounts/self/member-invitations/accounts/self/member-invitations",
    "/v3/v3/accounts/self/member-invitations",
];

#[tokio::test]
async fn a_wrong_base_url_finds_a_404_in_the_words_of_fax_plus_and_nothing_is_accepted() {
    let sandbox = plain_sandbox().await;
    let mut client = Client::connect(&sandbox).await;

    for path in WRONG {
        let answer = client.call(&request("PATCH", path, "Authorization: Bearer x\r\n", BODY)).await;

        assert_eq!((answer.status, &answer.json()["error"]), (404, &json!("not_found")), "{path}");
    }

    assert!(sandbox.ledger().is_empty());
    assert_eq!((sandbox.stats().elsewhere, sandbox.stats().calls), (4, 0));
}

#[tokio::test]
async fn a_wrong_base_url_can_find_a_default_backend_while_the_right_one_works() {
    let sandbox =
        faulty_sandbox([Rule::new(Fate::foreign(Page::DefaultBackend)).target(Target::Elsewhere)]).await;
    let mut client = Client::connect(&sandbox).await;

    for path in
        WRONG.into_iter().chain(["/accounts/self", "/v3/accounts/self/member-invitations/accounts/self"])
    {
        for method in ["PATCH", "GET", "POST"] {
            let answer = client.call(&request(method, path, "", "")).await;

            assert_eq!(
                (answer.status, answer.body.as_str()),
                (404, "default backend - 404"),
                "{method} {path}"
            );
        }
    }
    assert_eq!(client.call(&patch(&["a@one.example"])).await.status, 200);
    for own in ["/sandbox", "/sandbox/fautls"] {
        assert_eq!(client.call(&request("GET", own, "", "")).await.json()["error"], "not_found", "{own}");
    }
    client.send("HEAD /accounts/self HTTP/1.1\r\n\r\n").await;
    let (bytes, _) = client.rest().await;
    assert!(bytes.starts_with(b"HTTP/1.1 404 ") && bytes.ends_with(b"\r\n\r\n"));
}

#[tokio::test]
async fn no_fate_makes_a_request_elsewhere_an_acceptance() {
    let sandbox = faulty_sandbox([]).await;

    for rule in [
        json!({"fate": "accept_then_500"}),
        json!({"fate": "as_usual", "framing": "chunked"}),
        json!({"fate": "foreign", "page": "html", "accept": true}),
        json!({"fate": "status", "status": 200, "accept": true}),
    ] {
        let mut rule = rule;
        rule["target"] = json!("elsewhere");
        set_faults(&sandbox, &json!([rule])).await;

        call(&sandbox, &request("PATCH", WRONG[0], "Authorization: Bearer x\r\n", BODY)).await;

        assert!(sandbox.ledger().is_empty(), "{rule}");
    }
    assert_eq!((sandbox.stats().elsewhere, sandbox.stats().addresses_accepted), (4, 0));
}

#[tokio::test]
async fn a_token_without_a_read_scope_is_refused_the_account_and_not_the_patch() {
    for status in [401, 403] {
        let sandbox = faulty_sandbox([Rule::new(Fate::status(status)).target(Target::Probe)]).await;
        let probe = request("GET", "/v3/accounts/self", "Authorization: Bearer x\r\n", "");

        let refused = call(&sandbox, &probe).await;
        let sent = call(&sandbox, &patch(&["a@one.example"])).await;

        assert_eq!((refused.status, sent.status), (status, 200));
        assert_eq!(sandbox.ledger()["a@one.example"], 1);
    }
}

#[tokio::test]
async fn the_token_endpoint_can_answer_every_error_of_oauth_in_its_form() {
    let sandbox = faulty_sandbox([]).await;
    let basic = "Authorization: Basic Y2xpZW50OnNlY3JldA==\r\n";
    let refresh = request("POST", "/token", basic, "grant_type=refresh_token&refresh_token=r1");

    for (status, error) in [
        (400, "invalid_grant"),
        (400, "invalid_request"),
        (400, "unsupported_grant_type"),
        (401, "invalid_client"),
        (503, "temporarily_unavailable"),
        (400, "slow_down"),
    ] {
        let rule = json!({"target": "token", "fate": "status", "status": status, "error": error, "description": "why"});
        set_faults(&sandbox, &json!([rule])).await;

        let answer = call(&sandbox, &refresh).await;

        assert_eq!(answer.status, status);
        assert_eq!(answer.json(), json!({"error": error, "error_description": "why", "description": "why"}));
    }
    set_faults(&sandbox, &json!([{"target": "token", "fate": "as_usual", "framing": "close"}])).await;
    let mut client = Client::connect(&sandbox).await;
    client.send(&refresh).await;
    let (bytes, _) = client.rest().await;
    let granted = String::from_utf8(bytes).unwrap();
    assert!(
        granted.contains("connection: close\r\n\r\n{") && granted.contains("sandbox-access-"),
        "{granted}"
    );
    assert!(!granted.contains("content-length"), "{granted}");
}

#[tokio::test(start_paused = true)]
async fn a_rule_for_some_seconds_is_over_with_them_and_begins_again_with_a_reset() {
    let sandbox = faulty_sandbox([]).await;
    let mut client = Client::connect(&sandbox).await;
    advance(Duration::from_secs(60)).await;
    let proxy = json!([{"seconds": {"to": 2}, "fate": "foreign", "page": "default_backend"}]);
    set_faults(&sandbox, &proxy).await;

    for _ in 0..2 {
        assert_eq!(client.call(&patch(&["a@one.example"])).await.status, 404);
        advance(Duration::from_millis(1_500)).await;
        assert_eq!(client.call(&patch(&["a@one.example"])).await.status, 404);
        advance(Duration::from_millis(600)).await;
        assert_eq!(client.call(&patch(&["a@one.example"])).await.status, 200);
        sandbox.reset();
    }
}
