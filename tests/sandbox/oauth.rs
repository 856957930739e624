//! The token endpoint, and calls with what it hands out.

use std::time::Duration;

use faxplus_gateway::sandbox::{Fate, OAuthOptions, Rule, Sandbox, SandboxOptions, Target};
use tokio::time::advance;

use crate::client::{Answer, Client, End, call, patch_with, plain_sandbox, request, sandbox};

/// `client:secret`.
const BASIC: &str = "Authorization: Basic Y2xpZW50OnNlY3JldA==\r\n";
const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";

async fn refresh(sandbox: &Sandbox, token: &str) -> Answer {
    let body = format!("grant_type=refresh_token&refresh_token={token}");
    call(sandbox, &request("POST", "/token", &format!("{BASIC}{FORM}"), &body)).await
}

async fn access_token(sandbox: &Sandbox) -> String {
    refresh(sandbox, "r1").await.json()["access_token"].as_str().unwrap().to_owned()
}

async fn patch_as(sandbox: &Sandbox, token: &str, fields: &str) -> u16 {
    let fields = format!("Authorization: Bearer {token}\r\n{fields}");
    call(sandbox, &patch_with(&fields, r#"["a@one.example"]"#)).await.status
}

async fn oauth_sandbox(oauth: OAuthOptions) -> Sandbox {
    sandbox(SandboxOptions { oauth, ..SandboxOptions::default() }).await
}

#[tokio::test]
async fn a_refresh_token_is_taken_from_the_body_or_the_query() {
    let sandbox = plain_sandbox().await;
    let query = "/token?grant_type=refresh_token&refresh_token=r%2B1";

    let by_body = refresh(&sandbox, "r%2B1").await;
    let by_query = call(&sandbox, &request("POST", query, BASIC, "")).await;

    for answer in [by_body, by_query] {
        assert_eq!(answer.status, 200, "{}", answer.body);
        let granted = answer.json();
        assert!(granted["access_token"].as_str().unwrap().starts_with("sandbox-access-"));
        assert_eq!((&granted["refresh_token"], &granted["expires_in"]), (&"r+1".into(), &3_600.into()));
    }
    let stats = sandbox.stats();
    assert_eq!((stats.token_requests, stats.token_requests_in_query), (2, 1));
}

#[tokio::test]
async fn token_requests_that_are_wrong_get_the_words_of_oauth() {
    let oauth = OAuthOptions {
        client_id: Some("client".to_owned()),
        client_secret: Some("secret".to_owned()),
        refresh_token: Some("r1".to_owned()),
        ..OAuthOptions::default()
    };
    let sandbox = oauth_sandbox(oauth.clone()).await;
    let good = "grant_type=refresh_token&refresh_token=r1";
    for (fields, body, status, error) in [
        ("", good, 401, "invalid_client"),
        ("Authorization: Bearer x\r\n", good, 401, "invalid_client"),
        ("Authorization: Basic Y2xpZW50Ong=\r\n", good, 401, "invalid_client"),
        ("Authorization: Basic eDpzZWNyZXQ=\r\n", good, 401, "invalid_client"),
        (BASIC, "grant_type=password&refresh_token=r1", 400, "unsupported_grant_type"),
        (BASIC, "", 400, "unsupported_grant_type"),
        (BASIC, "grant_type=refresh_token", 400, "invalid_request"),
        (BASIC, "grant_type=refresh_token&refresh_token=r2", 400, "invalid_grant"),
    ] {
        let answer = call(&sandbox, &request("POST", "/token", fields, body)).await;

        let told = answer.json();
        assert_eq!((answer.status, &told["error"]), (status, &error.into()), "{fields} {body}");
        assert!(told["error_description"].is_string(), "{told}");
    }
    assert_eq!(refresh(&sandbox, "r1").await.status, 200);
    sandbox.set_oauth(OAuthOptions { revoked: true, ..oauth });
    assert_eq!(refresh(&sandbox, "r1").await.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn rotation_ends_the_refresh_token_that_was_used() {
    let sandbox = oauth_sandbox(OAuthOptions { rotates: true, ..OAuthOptions::default() }).await;

    let second = refresh(&sandbox, "r1").await.json()["refresh_token"].as_str().unwrap().to_owned();
    assert_ne!(second, "r1");
    assert_eq!(refresh(&sandbox, "r1").await.status, 400);
    let third = refresh(&sandbox, &second).await.json()["refresh_token"].as_str().unwrap().to_owned();

    assert_ne!(third, second);
    assert_eq!(refresh(&sandbox, &second).await.status, 400);
    assert_eq!(refresh(&sandbox, &third).await.status, 200);
}

#[tokio::test]
async fn the_lifetime_can_be_left_untold() {
    let sandbox = oauth_sandbox(OAuthOptions { expires_in_untold: true, ..OAuthOptions::default() }).await;

    assert!(refresh(&sandbox, "r1").await.json().get("expires_in").is_none());
}

#[tokio::test(start_paused = true)]
async fn an_access_token_needs_its_client_id_and_expires() {
    let oauth = OAuthOptions { expires_in: Duration::from_secs(60), ..OAuthOptions::default() };
    let sandbox = oauth_sandbox(oauth).await;
    let token = access_token(&sandbox).await;
    let client_id = "x-fax-clientid: client\r\n";

    assert_eq!(patch_as(&sandbox, &token, "").await, 401);
    assert_eq!(patch_as(&sandbox, &token, "x-fax-clientid: other\r\n").await, 401);
    assert_eq!(patch_as(&sandbox, &token, client_id).await, 200);
    advance(Duration::from_secs(59)).await;
    assert_eq!(patch_as(&sandbox, &token, client_id).await, 200);
    advance(Duration::from_secs(2)).await;
    assert_eq!(patch_as(&sandbox, &token, client_id).await, 401);
    assert_eq!(patch_as(&sandbox, "sandbox-access-made-up", client_id).await, 401);
    assert_eq!(sandbox.ledger()["a@one.example"], 2);
}

#[tokio::test]
async fn access_tokens_are_good_beside_listed_ones_and_can_be_ended() {
    let sandbox = sandbox(SandboxOptions { tokens: Some(Vec::new()), ..SandboxOptions::default() }).await;
    let token = access_token(&sandbox).await;
    let client_id = "x-fax-clientid: client\r\n";

    assert_eq!(patch_as(&sandbox, "personal", client_id).await, 401);
    assert_eq!(patch_as(&sandbox, &token, client_id).await, 200);
    sandbox.expire_access_tokens();
    assert_eq!(patch_as(&sandbox, &token, client_id).await, 401);
}

#[tokio::test]
async fn an_answer_lost_after_rotation_loses_the_refresh_token() {
    let sandbox = oauth_sandbox(OAuthOptions {
        refresh_token: Some("r1".to_owned()),
        rotates: true,
        ..OAuthOptions::default()
    })
    .await;
    sandbox.set_faults(vec![Rule::new(Fate::AcceptThenHangUp).target(Target::Token).times(1)]);
    let mut client = Client::connect(&sandbox).await;

    client.send(&request("POST", "/token", BASIC, "grant_type=refresh_token&refresh_token=r1")).await;

    assert_eq!(client.rest().await, (Vec::new(), End::Closed));
    assert_eq!(refresh(&sandbox, "r1").await.json()["error"], "invalid_grant");
}
