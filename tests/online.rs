//! `check-config --online`: what fax.plus says of the credential, told with what to do, and nobody mailed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects")]
#![allow(unreachable_pub, dead_code, reason = "shared with other test binaries")]

#[path = "support/process.rs"]
mod process;

use std::{fs, net::SocketAddr, os::unix::fs::PermissionsExt, path::Path};

use faxplus_gateway::sandbox::{OAuthOptions, Sandbox, SandboxOptions, parse_faults};
use process::{Ended, Process};
use serde_json::{Value, json};

const REFUSED: &str = "http://127.0.0.1:1/v3";

async fn sandbox(oauth: OAuthOptions) -> Sandbox {
    let tokens = Some(vec!["good".to_owned()]);
    let options = SandboxOptions { tokens, oauth, ..SandboxOptions::default() };
    Sandbox::start(SocketAddr::from(([127, 0, 0, 1], 0)), options).await.unwrap()
}

async fn check(base_url: &str, more: &[(&str, &str)]) -> Ended {
    let mut environment = vec![("FAXPLUS_GATEWAY__UPSTREAM__BASE_URL", base_url)];
    environment.extend_from_slice(more);
    Process::run(&["check-config", "--online"], &environment).await
}

/// The environment of an OAuth2 client whose seed is in `file`.
fn client<'a>(token_url: &'a str, file: &'a Path) -> [(&'a str, &'a str); 5] {
    [
        ("FAXPLUS_GATEWAY__CREDENTIALS__KIND", "oauth2"),
        ("FAXPLUS_GATEWAY__CREDENTIALS__CLIENT_ID", "client"),
        ("FAXPLUS_GATEWAY__CREDENTIALS__CLIENT_SECRET", "hush"),
        ("FAXPLUS_GATEWAY__CREDENTIALS__REFRESH_TOKEN_FILE", file.to_str().unwrap()),
        ("FAXPLUS_GATEWAY__CREDENTIALS__TOKEN_URL", token_url),
    ]
}

#[actix_web::test]
async fn a_personal_access_token_is_proved_or_refused_in_words() {
    let sandbox = sandbox(OAuthOptions::default()).await;
    let url = sandbox.base_url();
    let token = "FAXPLUS_GATEWAY__CREDENTIALS__TOKEN";

    let good = check(&url, &[(token, "good")]).await;
    assert_eq!(good.code, Some(0), "{good:?}");
    assert!(good.stdout.starts_with("[server]"));
    assert_eq!(good.stderr.lines().last().unwrap(), format!("online: {url} accepts the credential"));

    let bad = check(&url, &[(token, "bad")]).await;
    assert_eq!(bad.code, Some(1));
    assert!(bad.stderr.contains("refuses the credential (401); make a new access token"), "{}", bad.stderr);
    assert_eq!(sandbox.stats().calls, 0);
    sandbox.stop().await;
}

#[actix_web::test]
async fn whatever_else_answers_is_told_with_what_to_check() {
    let token = ("FAXPLUS_GATEWAY__CREDENTIALS__TOKEN", "good");
    for (status, code, words) in [
        (403, 0, "may not read its account"),
        (404, 1, "check upstream.base_url"),
        (429, 1, "try again later"),
        (503, 1, "fails (503); try again later"),
    ] {
        let sandbox = sandbox(OAuthOptions::default()).await;
        set_faults(&sandbox, &json!([{"target": "probe", "fate": "status", "status": status}]));
        let ended = check(&sandbox.base_url(), &[token]).await;
        assert_eq!(ended.code, Some(code), "{ended:?}");
        assert!(ended.stderr.contains(words), "{}", ended.stderr);
        sandbox.stop().await;
    }
    for (fault, words) in [
        (
            json!({"fate": "html_200"}),
            "something else (status 200 with an HTML page); check upstream.base_url",
        ),
        (json!({"fate": "wrong_json_200", "body": r#"{"error":"e"}"#}), "(status 200 with a JSON body)"),
        (json!({"fate": "redirect", "location": "/login"}), "(status 307 without a body)"),
        (json!({"fate": "status", "status": 403, "body": "<html>"}), "(status 403 with an HTML page)"),
        (json!({"fate": "status", "status": 429, "retry_after": "20.0"}), "(429); try again in 20 s"),
    ] {
        let sandbox = sandbox(OAuthOptions::default()).await;
        let mut rule = fault;
        rule["target"] = json!("probe");
        set_faults(&sandbox, &json!([rule]));
        let ended = check(&sandbox.base_url(), &[token]).await;
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.stderr.contains(words), "{}", ended.stderr);
        sandbox.stop().await;
    }
    let nobody = check(REFUSED, &[token]).await;
    assert_eq!(nobody.code, Some(1));
    assert!(nobody.stderr.contains("refuses the connection; check upstream.base_url"), "{}", nobody.stderr);
}

#[actix_web::test]
async fn a_refresh_token_that_is_replaced_is_kept_in_its_file() {
    let seed = Some("seed".to_owned());
    let sandbox =
        sandbox(OAuthOptions { rotates: true, refresh_token: seed, ..OAuthOptions::default() }).await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("refresh-token");
    fs::write(&file, "seed\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    let (url, token_url) = (sandbox.base_url(), sandbox.token_url());

    for _ in 0..2 {
        let ended = check(&url, &client(&token_url, &file)).await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(ended.stderr.contains("replaced the refresh token"), "{}", ended.stderr);
        let kept = fs::read_to_string(&file).unwrap();
        assert!(kept.starts_with("sandbox-refresh-"), "{kept}");
        assert!(!format!("{ended:?}").contains(kept.trim()), "the token is kept, not shown");
        // Whoever runs the gateway can still read it.
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    }
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    sandbox.stop().await;
}

#[actix_web::test]
async fn a_replaced_refresh_token_that_has_no_file_is_printed_rather_than_lost() {
    let sandbox = sandbox(OAuthOptions { rotates: true, ..OAuthOptions::default() }).await;
    let (url, token_url) = (sandbox.base_url(), sandbox.token_url());
    let mut environment = client(&token_url, Path::new("seed"));
    environment[3].0 = "FAXPLUS_GATEWAY__CREDENTIALS__REFRESH_TOKEN";

    let ended = check(&url, &environment).await;

    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.lines().last().unwrap().starts_with("sandbox-refresh-"), "{}", ended.stdout);
    assert!(ended.stderr.contains("put it into its place"), "{}", ended.stderr);
    sandbox.stop().await;
}

#[actix_web::test]
async fn an_access_token_that_was_just_given_and_is_refused_is_not_told_to_be_replaced() {
    let sandbox = sandbox(OAuthOptions::default()).await;
    set_faults(&sandbox, &json!([{"target": "probe", "fate": "token_expired"}]));
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), "seed").unwrap();
    let (url, token_url) = (sandbox.base_url(), sandbox.token_url());

    let ended = check(&url, &client(&token_url, file.path())).await;

    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("(401); the token endpoint has just given it"), "{}", ended.stderr);
    sandbox.stop().await;
}

#[actix_web::test]
async fn a_grant_or_a_client_that_is_refused_is_told_with_what_to_do() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), "seed").unwrap();
    let revoked = sandbox(OAuthOptions { revoked: true, ..OAuthOptions::default() }).await;
    let stranger =
        sandbox(OAuthOptions { client_id: Some("other".to_owned()), ..OAuthOptions::default() }).await;

    for (sandbox, words) in [(revoked, "grant access again"), (stranger, "credentials.client_secret")] {
        let (url, token_url) = (sandbox.base_url(), sandbox.token_url());
        let ended = check(&url, &client(&token_url, file.path())).await;
        assert_eq!(ended.code, Some(1));
        assert!(ended.stderr.contains(words) && !ended.stderr.contains("hush"), "{}", ended.stderr);
        assert_eq!(sandbox.stats().probes, 0);
        sandbox.stop().await;
    }
}

fn set_faults(sandbox: &Sandbox, rules: &Value) {
    sandbox.set_faults(parse_faults(rules.to_string().as_bytes()).unwrap());
}
