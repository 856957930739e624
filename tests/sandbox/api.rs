//! The documented answers, and what the ledger makes of them.

use std::collections::BTreeMap;

use faxplus_gateway::sandbox::{Sandbox, SandboxError, SandboxOptions};
use serde_json::json;

use crate::client::{Client, call, patch, patch_with, plain_sandbox, request, sandbox};

const ACCOUNT: &str = "/v3/accounts/self";

#[tokio::test]
async fn a_good_call_is_answered_as_documented_and_recorded() {
    let sandbox = plain_sandbox().await;

    let answer = call(&sandbox, &patch(&["A@one.example", "b@one.example"])).await;

    assert_eq!(answer.status, 200);
    assert_eq!(answer.body, r#"{"message":"Invitations resent successfully"}"#);
    assert_eq!(answer.field("content-type"), Some("application/json"));
    assert_eq!(
        sandbox.ledger(),
        BTreeMap::from([("a@one.example".to_owned(), 1), ("b@one.example".to_owned(), 1)])
    );
    let [only] = &sandbox.calls()[..] else { panic!("one call") };
    assert_eq!(only.emails, ["A@one.example", "b@one.example"]);
    assert_eq!((only.number, only.batch, only.status), (1, 2, Some(200)));
    assert_eq!((only.accepted, only.authorized, only.fate), (true, true, None));
}

#[tokio::test]
async fn the_path_may_have_a_doubled_slash() {
    let sandbox = plain_sandbox().await;

    let doubled = patch(&["a@one.example"]).replace("/v3/", "/v3//");

    assert_eq!(call(&sandbox, &doubled).await.status, 200);
    assert_eq!(sandbox.base_url(), format!("http://{}/v3", sandbox.address()));
}

#[tokio::test]
async fn calls_count_per_address_and_repeats_inside_a_call_do_not() {
    let sandbox = plain_sandbox().await;

    for emails in [["a@one.example", "A@ONE.example"], ["a@one.example", "b@one.example"]] {
        assert_eq!(call(&sandbox, &patch(&emails)).await.status, 200);
    }

    assert_eq!(
        sandbox.ledger(),
        BTreeMap::from([("a@one.example".to_owned(), 2), ("b@one.example".to_owned(), 1)])
    );
    let stats = sandbox.stats();
    assert_eq!((stats.calls, stats.addresses_accepted, stats.distinct_addresses_accepted), (2, 3, 2));
    assert_eq!((stats.largest_batch, stats.calls_with_repeats), (2, 1));
}

#[tokio::test]
async fn a_call_without_a_good_token_is_a_401_and_not_accepted() {
    let sandbox = plain_sandbox().await;
    let body = r#"["a@one.example"]"#;

    for fields in
        ["", "Authorization: Bearer \r\n", "Authorization: Bearer\r\n", "Authorization: Basic eDp5\r\n"]
    {
        let answer = call(&sandbox, &patch_with(fields, body)).await;

        assert_eq!(answer.status, 401, "{fields}");
        let description =
            "The access token provided is expired, revoked, malformed, or invalid for other reasons.";
        assert_eq!(answer.json(), json!({ "error": "unauthorized", "description": description }));
    }
    assert!(sandbox.ledger().is_empty());
    assert!(sandbox.calls().iter().all(|call| !call.authorized && !call.accepted));
}

#[tokio::test]
async fn with_a_list_of_tokens_only_those_are_good_and_the_list_can_change() {
    let tokens = Some(vec!["first".to_owned()]);
    let sandbox = sandbox(SandboxOptions { tokens, ..SandboxOptions::default() }).await;
    let with = |token: &str| request("GET", ACCOUNT, &format!("Authorization: Bearer {token}\r\n"), "");
    let mut client = Client::connect(&sandbox).await;

    assert_eq!(client.call(&with("first")).await.status, 200);
    assert_eq!(client.call(&with("second")).await.status, 401);
    sandbox.set_tokens(Some(vec!["second".to_owned()]));
    assert_eq!(client.call(&with("first")).await.status, 401);
    assert_eq!(client.call(&with("second")).await.status, 200);
    sandbox.set_tokens(None);
    assert_eq!(client.call(&with("whatever")).await.status, 200);
    assert_eq!(sandbox.stats().probes, 5);
    assert_eq!(sandbox.stats().calls, 0);
}

#[tokio::test]
async fn the_account_has_the_documented_shape() {
    let sandbox = plain_sandbox().await;

    let answer = call(&sandbox, &request("GET", ACCOUNT, "authorization: bearer x\r\n", "")).await;

    assert_eq!(answer.status, 200);
    let account = answer.json();
    for field in ["uid", "account_type", "status", "email", "creation_date"] {
        assert!(account[field].is_string(), "{field}");
    }
    assert_eq!(call(&sandbox, &request("GET", ACCOUNT, "", "")).await.status, 401);
}

#[tokio::test]
async fn a_body_against_the_schema_is_a_400_and_not_accepted() {
    let sandbox = plain_sandbox().await;
    let eleven: Vec<String> = (0..11).map(|n| format!("a{n}@one.example")).collect();
    let eleven = serde_json::to_string(&eleven).unwrap();
    let mut client = Client::connect(&sandbox).await;

    for body in ["[]", "{}", "nonsense", r#"["a@one.example", 3]"#, r#"["nobody"]"#, &eleven] {
        let answer = client.call(&patch_with("Authorization: Bearer x\r\n", body)).await;

        assert_eq!(answer.status, 400, "{body}");
        let answer = answer.json();
        assert!(answer["error"].is_string() && answer["description"].is_string(), "{body}");
    }
    assert!(sandbox.ledger().is_empty());
    assert_eq!(sandbox.stats().largest_batch, 11);
    assert_eq!(sandbox.stats().calls_by_status, BTreeMap::from([("400".to_owned(), 6)]));
}

#[tokio::test]
async fn other_methods_and_paths_are_405_and_404() {
    let sandbox = plain_sandbox().await;
    let mut client = Client::connect(&sandbox).await;

    for (method, path, allow) in [
        ("POST", "/v3/accounts/self/member-invitations", "PATCH"),
        ("PATCH", ACCOUNT, "GET"),
        ("GET", "/token", "POST"),
        ("GET", "/sandbox/reset", "POST"),
        ("DELETE", "/sandbox/faults", "GET, POST"),
    ] {
        let answer = client.call(&request(method, path, "", "")).await;

        assert_eq!((answer.status, answer.field("allow")), (405, Some(allow)), "{method} {path}");
    }
    for path in ["/v3/accounts", "/v2/accounts/self", "/v3///accounts/self", "/sandbox", "/accounts/self"] {
        assert_eq!(client.call(&request("GET", path, "", "")).await.status, 404, "{path}");
    }
    client.send("HEAD / HTTP/1.1\r\n\r\n").await;
    let (bytes, _) = client.rest().await;
    assert!(bytes.starts_with(b"HTTP/1.1 405 ") && bytes.ends_with(b"\r\n\r\n"));
}

#[tokio::test]
async fn only_loopback_addresses_are_listened_on() {
    for address in ["0.0.0.0:0", "192.0.2.1:0", "[::]:0"] {
        let refused = Sandbox::start(address.parse().unwrap(), SandboxOptions::default()).await.unwrap_err();

        assert!(matches!(refused, SandboxError::NotLoopback(_)), "{address}");
        assert!(refused.to_string().contains("loopback addresses only"), "{refused}");
    }
    let first = plain_sandbox().await;
    let taken = Sandbox::start(first.address(), SandboxOptions::default()).await.unwrap_err();
    assert!(matches!(taken, SandboxError::Listen { .. }));
    for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let options = SandboxOptions { calls_per_second: Some(rate), ..SandboxOptions::default() };
        let refused = Sandbox::start(([127, 0, 0, 1], 0).into(), options).await;
        assert!(matches!(refused, Err(SandboxError::Rate(_))), "{rate}");
    }
}

#[actix_web::test]
async fn the_gateways_own_http_client_gets_on_with_it() {
    let sandbox = plain_sandbox().await;
    let url = format!("{}/accounts/self/member-invitations", sandbox.base_url());

    for _ in 0..3 {
        let call = awc::Client::new().patch(&url).bearer_auth("token");
        let mut answer = call.send_json(&["a@one.example"]).await.unwrap();

        assert_eq!(answer.status(), 200);
        assert_eq!(answer.body().await.unwrap(), r#"{"message":"Invitations resent successfully"}"#);
    }
    assert_eq!(sandbox.ledger(), BTreeMap::from([("a@one.example".to_owned(), 3)]));
    sandbox.stop().await;
}

#[tokio::test]
async fn stopping_ends_open_connections_and_frees_the_address() {
    let sandbox = plain_sandbox().await;
    let address = sandbox.address();
    let mut client = Client::connect(&sandbox).await;
    assert_eq!(client.call(&patch(&["a@one.example"])).await.status, 200);

    sandbox.stop().await;

    assert!(client.rest().await.0.is_empty());
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}
