//! A list under a key and `kill -9`: the key leads to the same resend afterwards, which goes on by itself.

use std::{net::SocketAddr, time::Duration};

use faxplus_gateway::sandbox::{Sandbox, SandboxOptions};
use serde_json::Value;

use crate::{
    client,
    process::{Process, gateway_environment},
};

const KEYED: &str =
    "POST /v1/resends?results=none HTTP/1.1\r\nContent-Type: application/json\r\nIdempotency-Key: key";

/// Sends a request; gives the body of the answer.
async fn exchange(address: SocketAddr, head: &str, body: &str) -> (String, Value) {
    let answer = client::exchange(address, head, body.as_bytes()).await.unwrap();
    (answer.head.clone(), answer.json())
}

async fn post(address: SocketAddr, preference: &str, body: &str) -> Value {
    exchange(address, &format!("{KEYED}\r\nPrefer: {preference}"), body).await.1
}

async fn accepted(sandbox: &Sandbox, at_least: u64) {
    while sandbox.stats().addresses_accepted < at_least {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[actix_web::test]
async fn a_key_leads_to_the_same_resend_after_the_kill_also_while_it_runs_again() {
    let options = SandboxOptions { latency: Duration::from_millis(100), ..SandboxOptions::default() };
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
    // Seven seconds of calls: each step below is taken long before the end.
    let emails: Vec<_> = (0..6000).map(|number| format!("a{number}@example.com")).collect();
    let body = serde_json::to_string(&emails).unwrap();
    let mut process = Process::start(&["serve"], &environment);
    let (address, _) = process.addresses().await;

    // The first caller still waits when the gateway is killed: nobody was told of a resend.
    let waiting = tokio::task::spawn_local({
        let body = body.clone();
        async move { client::exchange(address, &format!("{KEYED}\r\nPrefer: wait=300"), body.as_bytes()).await }
    });
    accepted(&sandbox, 300).await;
    process.signal("KILL");
    drop(process.end().await);
    waiting.abort();

    let mut process = Process::start(&["serve"], &environment);
    let (address, _) = process.addresses().await;
    let joined = post(address, "respond-async", &body).await;
    let id = joined["id"].as_str().unwrap_or_else(|| panic!("{joined}")).to_owned();
    accepted(&sandbox, 600).await;
    let (_, cancelled) = exchange(address, &format!("DELETE /v1/resends/{id} HTTP/1.1"), "").await;
    assert_eq!(cancelled["status"], "cancelled", "{cancelled}");
    let again = post(address, "respond-async", &body).await;
    assert_eq!((&again["id"], again["status"].as_str()), (&joined["id"], Some("running")), "{again}");
    accepted(&sandbox, 1200).await;
    process.signal("KILL");
    drop(process.end().await);

    let mut process = Process::start(&["serve"], &environment);
    let (address, _) = process.addresses().await;
    // It goes on by itself, and the key leads to it.
    let (_, alone) = exchange(address, &format!("GET /v1/resends/{id}?wait=240 HTTP/1.1"), "").await;
    assert_eq!(alone["status"], "finished", "{alone}");
    let resend = post(address, "wait=240", &body).await;
    assert_eq!(resend, alone);

    assert_eq!((&resend["id"], resend["status"].as_str()), (&joined["id"], Some("finished")), "{resend}");
    assert_eq!(resend["created_at"], joined["created_at"]);
    let counts = &resend["counts"];
    let (sent, unknown) = (counts["sent"].as_u64().unwrap(), counts["unknown"].as_u64().unwrap());
    assert_eq!(sent + unknown, 6000, "{resend}");
    assert!(unknown <= 160, "at most the calls in flight at two kills: {resend}");
    assert!(sandbox.ledger().values().all(|accepted| *accepted == 1), "somebody was mailed twice");
    process.signal("TERM");
    drop(process.end().await);
    sandbox.stop().await;
}
