//! `kill -9` at any moment: what was promised is kept, nobody is mailed twice, and doubts are told.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects")]
#![allow(unreachable_pub, dead_code, reason = "shared with other test binaries")]

mod keyed;
#[path = "../support/process.rs"]
mod process;

use std::{net::SocketAddr, time::Duration};

use faxplus_gateway::sandbox::{Sandbox, SandboxOptions};
use process::{Process, gateway_environment};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

async fn exchange(address: SocketAddr, head: &str, body: &str) -> (String, Value) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request =
        format!("{head}\r\nHost: g\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), serde_json::from_str(body).unwrap_or(Value::Null))
}

#[actix_web::test]
async fn a_promised_list_goes_on_after_the_kill() {
    let options = SandboxOptions { latency: Duration::from_millis(20), ..SandboxOptions::default() };
    let sandbox = Sandbox::start(([127, 0, 0, 1], 0).into(), options).await.unwrap();
    let base_url = sandbox.base_url();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gateway.db");
    let environment = gateway_environment(
        &base_url,
        &[
            ("FAXPLUS_GATEWAY__CREDENTIALS__TOKEN", "token"),
            ("FAXPLUS_GATEWAY__STORE__PATH", path.to_str().unwrap()),
        ],
    );
    let emails: Vec<_> = (0..2000).map(|number| format!("a{number}@example.com")).collect();
    let body = serde_json::to_string(&emails).unwrap();
    let mut process = Process::start(&["serve"], &environment);
    let (address, _) = process.addresses().await;
    let post = "POST /v1/resends HTTP/1.1\r\nContent-Type: application/json\r\nPrefer: respond-async";
    let (head, accepted) = exchange(address, post, &body).await;
    assert!(head.starts_with("HTTP/1.1 202"), "{head}");
    let id = accepted["id"].as_str().unwrap().to_owned();
    while sandbox.stats().addresses_accepted < 500 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    process.signal("KILL");
    drop(process.end().await);

    let mut process = Process::start(&["serve"], &environment);
    let (address, _) = process.addresses().await;
    let (_, resend) = exchange(address, &format!("GET /v1/resends/{id}?wait=50 HTTP/1.1"), "").await;

    assert_eq!(resend["status"], "finished", "{resend}");
    let ledger = sandbox.ledger();
    assert!(ledger.values().all(|accepted| *accepted == 1), "somebody was mailed twice");
    let unknown = resend["counts"]["unknown"].as_u64().unwrap();
    assert_eq!(resend["counts"]["sent"].as_u64().unwrap() + unknown, 2000, "{resend}");
    assert!(unknown <= 80, "{resend}");
    let (_, again) =
        exchange(address, "POST /v1/resends?results=none HTTP/1.1\r\nContent-Type: application/json", &body)
            .await;
    assert_eq!(
        again["counts"]["duplicate"].as_u64().unwrap() + again["counts"]["unknown"].as_u64().unwrap(),
        2000
    );
    process.signal("TERM");
    drop(process.end().await);
    sandbox.stop().await;
}
