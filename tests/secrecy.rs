//! No address and no token in what the real binary writes, at any level, whatever goes wrong.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects")]
#![allow(unreachable_pub, dead_code, reason = "shared with other test binaries")]

#[path = "support/process.rs"]
mod process;

use std::{net::SocketAddr, time::Duration};

use faxplus_gateway::{
    clients::TokenHash,
    sandbox::{OAuthOptions, Sandbox, SandboxOptions, parse_faults},
};
use process::{Process, gateway_environment};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

const SECRET: &str = "hush-this-is-the-token";
/// The token of a caller.
const CLIENT_SECRET: &str = "hush-this-is-a-client";
/// Stands in the local part of every address that is posted.
const MARK: &str = "zebra";

/// With the token of a client, unless the head says who calls.
async fn exchange(address: SocketAddr, head: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let caller = if head.contains("Authorization") {
        String::new()
    } else {
        format!("\r\nAuthorization: Bearer {CLIENT_SECRET}")
    };
    let length = body.len();
    let request =
        format!("{head}{caller}\r\nHost: g\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[actix_web::test]
async fn no_address_and_no_token_is_in_the_logs_at_trace() {
    tell_all(&[]).await;
}

#[actix_web::test]
async fn no_address_and_no_token_is_in_the_logs_at_trace_with_a_store_and_clients() {
    let directory = tempfile::tempdir().unwrap();
    let (store, clients) = (directory.path().join("gateway.db"), directory.path().join("clients.toml"));
    let line = format!("billing = {{ tokens = [\"{}\"] }}\n", TokenHash::of(CLIENT_SECRET));
    std::fs::write(&clients, line).unwrap();

    tell_all(&[
        ("FAXPLUS_GATEWAY__STORE__PATH", store.to_str().unwrap()),
        ("FAXPLUS_GATEWAY__AUTH__MODE", "tokens"),
        ("FAXPLUS_GATEWAY__AUTH__CLIENTS_FILE", clients.to_str().unwrap()),
    ])
    .await;
}

/// Lets a gateway with these settings meet everything that can go wrong.
async fn tell_all(settings: &[(&str, &str)]) {
    let directory = tempfile::tempdir().unwrap();
    let token = directory.path().join("token");
    std::fs::write(&token, SECRET).unwrap();
    let faults = json!([
        {"address": format!("{MARK}0*"), "fate": "status", "status": 400, "error": "bad",
         "description": format!("{MARK}0@example.com is not pending")},
        {"address": format!("{MARK}1*"), "fate": "accept_then_500"},
        {"address": format!("{MARK}2*"), "fate": "garbage"},
        {"address": format!("{MARK}3*"), "fate": "hang_up_after_reading"},
        {"address": format!("{MARK}4*"), "fate": "token_expired", "times": 1},
        {"address": format!("{MARK}5*"), "fate": "redirect", "status": 307, "location": "/x", "times": 1},
        {"address": format!("{MARK}6*"), "fate": "status", "status": 429, "times": 1}
    ]);
    let options = SandboxOptions {
        faults: parse_faults(faults.to_string().as_bytes()).unwrap(),
        tokens: Some(vec![SECRET.to_owned()]),
        latency: Duration::from_millis(2),
        ..SandboxOptions::default()
    };
    let sandbox = Sandbox::start(([127, 0, 0, 1], 0).into(), options).await.unwrap();
    let base_url = sandbox.base_url();
    let mut all = vec![
        ("FAXPLUS_GATEWAY__CREDENTIALS__TOKEN_FILE", token.to_str().unwrap()),
        ("FAXPLUS_GATEWAY__LOG__LEVEL", "trace"),
        ("FAXPLUS_GATEWAY__UPSTREAM__BREAKER_FAILURES", "1000"),
        ("RUST_LOG", "trace"),
    ];
    all.extend(settings);
    let mut process = Process::start(&["serve"], &gateway_environment(&base_url, &all));
    let (address, admin) = process.addresses().await;

    post_good_and_bad(address).await;
    let metrics = exchange(admin, "GET /metrics HTTP/1.1", "").await;
    process.signal("TERM");
    let ended = process.end().await;

    assert_eq!(ended.code, Some(0));
    assert!(ended.stderr.contains("\"level\":\"DEBUG\""), "the level had no effect: {}", ended.stderr);
    for text in [&ended.stderr, &ended.stdout, &metrics] {
        let told = text
            .lines()
            .find(|line| line.contains(MARK) || line.contains("hush") || line.contains("example.com"));
        assert_eq!(told, None);
    }
    sandbox.stop().await;
}

/// Lists with every fate, and requests that are refused.
async fn post_good_and_bad(address: SocketAddr) {
    for number in 0..8 {
        let head = format!(
            "POST /v1/resends HTTP/1.1\r\nContent-Type: application/json\r\nX-Request-Id: {MARK}@example.com"
        );
        let answer = exchange(address, &head, &format!("[\"{MARK}{number}@example.com\"]")).await;
        assert!(answer.starts_with("HTTP/1.1 2") || answer.starts_with("HTTP/1.1 422"), "{answer}");
    }
    for (path, body) in [
        ("/v1/resends?dry_run=true", format!("[\"{MARK}9@example.com\"]")),
        ("/v1/recent-sends/lookup", format!("{{\"email\": \"{MARK}0@example.com\"}}")),
    ] {
        let head = format!("POST {path} HTTP/1.1\r\nContent-Type: application/json");
        let answer = exchange(address, &head, &body).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    for (head, body) in [
        (
            "POST /v1/resends HTTP/1.1\r\nContent-Type: application/json",
            format!("[\"{MARK}@example.com\", oops"),
        ),
        ("POST /v1/resends HTTP/1.1\r\nContent-Type: text/csv", format!("a,b\n{MARK}@example.com,1\n")),
        (
            "PATCH /v3/accounts/self/member-invitations?zebra HTTP/1.1\r\nAuthorization: Bearer zebra",
            format!("[\"{MARK}0@example.com\"]"),
        ),
        (
            "PATCH /v3//accounts/self/member-invitations HTTP/1.1\r\nx-fax-clientid: zebra",
            format!("[\"{MARK}\", \"{MARK}@example.com\"]"),
        ),
        ("GET /v1/resends?email=zebra@example.com HTTP/1.1", String::new()),
        ("GET /zebra@example.com HTTP/1.1", String::new()),
        ("GET /v1/resends?wait=1 HTTP/1.1\r\nTraceparent: zebra@example.com", String::new()),
        (
            "POST /v1/recent-sends/lookup HTTP/1.1\r\nContent-Type: application/json",
            format!("{{\"email\": \"{MARK}\"}}"),
        ),
    ] {
        let answer = exchange(address, head, &body).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
}

/// The refresh token stands in the URL, and the token endpoint quotes it in everything it says.
#[actix_web::test]
async fn no_secret_of_oauth2_is_in_the_logs_at_trace() {
    let (seed, client_secret) = ("hush-refresh-token", "hush-client-secret");
    let faults = json!([
        {"target": "token", "times": 1, "fate": "status", "status": 500, "error": "hush-refresh-token"},
        {"target": "token", "times": 1, "fate": "garbage"},
        {"target": "token", "times": 1, "fate": "redirect", "location": "http://hush-refresh-token.example/"},
        {"fate": "token_expired", "times": 1}
    ]);
    let oauth = OAuthOptions {
        rotates: true,
        refresh_token: Some(seed.to_owned()),
        expires_in: Duration::from_secs(2),
        ..OAuthOptions::default()
    };
    let faults = parse_faults(faults.to_string().as_bytes()).unwrap();
    let options = SandboxOptions { faults, oauth, ..SandboxOptions::default() };
    let sandbox = Sandbox::start(([127, 0, 0, 1], 0).into(), options).await.unwrap();
    let (base_url, token_url) = (sandbox.base_url(), sandbox.token_url());
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gateway.db");
    let environment = gateway_environment(
        &base_url,
        &[
            ("FAXPLUS_GATEWAY__CREDENTIALS__KIND", "oauth2"),
            ("FAXPLUS_GATEWAY__CREDENTIALS__CLIENT_ID", "client"),
            ("FAXPLUS_GATEWAY__CREDENTIALS__CLIENT_SECRET", client_secret),
            ("FAXPLUS_GATEWAY__CREDENTIALS__REFRESH_TOKEN", seed),
            ("FAXPLUS_GATEWAY__CREDENTIALS__REFRESH_IN", "query"),
            ("FAXPLUS_GATEWAY__CREDENTIALS__TOKEN_URL", &token_url),
            ("FAXPLUS_GATEWAY__STORE__PATH", path.to_str().unwrap()),
            ("FAXPLUS_GATEWAY__LOG__LEVEL", "trace"),
        ],
    );
    let mut process = Process::start(&["serve"], &environment);
    let (address, admin) = process.addresses().await;

    let head = "POST /v1/resends HTTP/1.1\r\nContent-Type: application/json";
    let answer = exchange(address, head, &format!("[\"{MARK}@example.com\"]")).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let metrics = exchange(admin, "GET /metrics HTTP/1.1", "").await;
    process.signal("TERM");
    let ended = process.end().await;

    let holds_token = |path: &std::path::Path| {
        let bytes = std::fs::read(path).unwrap_or_default();
        bytes.windows(16).any(|part| part == b"sandbox-refresh-")
    };
    let files: Vec<_> = std::fs::read_dir(&directory).unwrap().map(|file| file.unwrap().path()).collect();
    assert!(files.iter().any(|path| holds_token(path)), "the replaced token is not kept");
    for file in files {
        let mode = std::os::unix::fs::PermissionsExt::mode(&file.metadata().unwrap().permissions());
        assert_eq!(mode & 0o077, 0, "{} is for its owner only", file.display());
    }
    let stats = sandbox.stats();
    assert!(stats.token_requests >= 5 && stats.token_requests_in_query >= 2, "{stats:?}");
    // "hush", the prefixes of the sandbox's tokens, and the client's secret as HTTP Basic has it.
    for secret in ["hush", "sandbox-access-", "sandbox-refresh-", "Y2xpZW50Om", MARK] {
        for text in [&ended.stderr, &ended.stdout, &metrics] {
            assert_eq!(text.lines().find(|line| line.contains(secret)), None);
        }
    }
    sandbox.stop().await;
}
