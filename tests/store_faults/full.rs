//! A disk that gets full while the gateway runs, and has room again later.
//!
//! A limit on the length of files stands for it: every write fails, and nobody needs the right to mount anything.

use std::{net::SocketAddr, time::Duration};

use faxplus_gateway::sandbox::{Sandbox, SandboxOptions};
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::{
    client::{Answer, exchange},
    process::{Process, gateway_environment},
};

const PATIENCE: Duration = Duration::from_secs(300);
/// Addresses of a list that is far from its end when the disk gets full.
const LONG: usize = 5000;

/// A gateway whose disk can be filled.
struct Stage {
    sandbox: Sandbox,
    process: Process,
    address: SocketAddr,
    admin: SocketAddr,
    _directory: TempDir,
}

impl Stage {
    async fn new() -> Self {
        let options = SandboxOptions { latency: Duration::from_millis(20), ..SandboxOptions::default() };
        let sandbox = Sandbox::start(([127, 0, 0, 1], 0).into(), options).await.unwrap();
        let (directory, base_url) = (tempfile::tempdir().unwrap(), sandbox.base_url());
        let path = directory.path().join("gateway.db");
        let environment = gateway_environment(
            &base_url,
            &[
                ("FAXPLUS_GATEWAY__CREDENTIALS__TOKEN", "token"),
                ("FAXPLUS_GATEWAY__STORE__PATH", path.to_str().unwrap()),
            ],
        );
        let mut process = Process::start_after("", &["serve"], &environment);
        let (address, admin) = process.addresses().await;
        Self { sandbox, process, address, admin, _directory: directory }
    }

    fn fill_disk(&self) {
        self.process.limit_files("0");
    }

    fn make_room(&self) {
        self.process.limit_files("unlimited");
    }

    async fn post(&self, prefer: &str, emails: &[String]) -> Answer {
        let head = format!("POST /v1/resends HTTP/1.1\r\nContent-Type: application/json\r\nPrefer: {prefer}");
        exchange(self.address, &head, &serde_json::to_vec(emails).unwrap()).await.expect("an answer")
    }

    async fn get(&self, address: SocketAddr, path: &str) -> Answer {
        exchange(address, &format!("GET {path} HTTP/1.1"), b"").await.expect("an answer")
    }

    /// A promised list of [`LONG`], a part of which is sent when the disk gets full. Gives its id.
    async fn promise_and_fill_disk(&self) -> String {
        let accepted = self.post("respond-async", &people("a", LONG)).await;
        assert_eq!(accepted.status, 202);
        eventually("calls", async || self.sandbox.stats().addresses_accepted >= 200).await;
        // However long the limit takes to be set, no call ends meanwhile.
        self.sandbox.hold_answers();
        self.fill_disk();
        self.sandbox.release_answers();
        eventually("an error is counted", async || self.errors().await > 0.0).await;
        accepted.json()["id"].as_str().unwrap().to_owned()
    }

    /// `store_errors_total` of all operations.
    async fn errors(&self) -> f64 {
        let metrics = self.get(self.admin, "/metrics").await;
        let metrics = String::from_utf8(metrics.body).unwrap();
        let errors = metrics.lines().filter(|line| line.starts_with("faxplus_gateway_store_errors_total{"));
        errors.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
    }

    async fn end_of(&self, id: &str) -> Value {
        self.get(self.address, &format!("/v1/resends/{id}?wait=240")).await.json()
    }
}

fn people(name: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{name}{number}@example.com")).collect()
}

async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so().await {
        assert!(Instant::now() < deadline, "never: {what}");
        sleep(Duration::from_millis(10)).await;
    }
}

#[actix_web::test]
async fn what_was_promised_goes_on_once_there_is_room_and_nobody_is_lost_or_mailed_twice() {
    let mut stage = Stage::new().await;
    let id = stage.promise_and_fill_disk().await;
    stage.process.line("The store can't be written.").await;
    // Nobody is mailed whose mark is not written: what is in flight ends, and no more begins.
    let mut before = 0;
    eventually("no more calls", async || {
        let errors = stage.errors().await;
        eventually("it is tried again", async || stage.errors().await > errors).await;
        std::mem::replace(&mut before, stage.sandbox.stats().calls) == stage.sandbox.stats().calls
    })
    .await;
    assert!(before < LONG as u64 / 10, "it was over before the disk was full");
    assert_eq!(stage.get(stage.address, &format!("/v1/resends/{id}")).await.json()["status"], "running");

    stage.make_room();

    let resend = stage.end_of(&id).await;
    assert_eq!(resend["counts"]["sent"], LONG, "{resend}");
    let ledger = stage.sandbox.ledger();
    assert!(ledger.len() == LONG && ledger.values().all(|accepted| *accepted == 1));
    assert_eq!(stage.post("wait=240", &people("b", 30)).await.status, 200);
}

#[actix_web::test]
async fn new_lists_are_refused_while_the_disk_is_full_and_taken_when_it_is_not() {
    let stage = Stage::new().await;
    let id = stage.promise_and_fill_disk().await;

    let long: Vec<_> = people(&"long".repeat(15), 20_000);
    for (prefer, emails) in [
        ("respond-async", people("b", 5)),
        ("wait=5", people("c", 5)),
        ("respond-async", long.clone()),
        ("wait=5", long),
    ] {
        let refused = stage.post(prefer, &emails).await;

        assert_eq!(refused.status, 503, "{prefer}, {}: {:?}", emails.len(), refused.json());
        assert!(refused.head.to_ascii_lowercase().contains("\r\nretry-after: "), "{}", refused.head);
        assert!(refused.head.contains("application/problem+json"), "{}", refused.head);
        let problem = refused.json();
        assert_eq!(problem["type"], "urn:faxplus-gateway:problem:store-failing", "{problem}");
        // The limit on files is no full disk, to be exact.
        assert!(problem["detail"].as_str().unwrap().contains("writing the store's file failed"), "{problem}");
    }
    let named = stage.process.written().matches("\"problem\":\"store-failing\"").count();
    assert_eq!(named, 4, "the log names the problem");
    stage.make_room();

    eventually("lists are taken again", async || stage.post("wait=240", &people("d", 5)).await.status == 200)
        .await;
    assert_eq!(stage.end_of(&id).await["counts"]["sent"], LONG);
    assert_eq!(stage.sandbox.ledger().len(), LONG + 5, "somebody of a refused list was mailed");
}

#[actix_web::test]
async fn the_gateway_is_not_ready_while_the_disk_is_full() {
    let stage = Stage::new().await;
    assert_eq!(stage.get(stage.admin, "/readyz").await.status, 200);
    stage.promise_and_fill_disk().await;

    eventually("not ready", async || stage.get(stage.admin, "/readyz").await.status == 503).await;
    let checks = String::from_utf8(stage.get(stage.admin, "/readyz?verbose").await.body).unwrap();
    assert!(checks.lines().any(|line| line.starts_with("[-]") && line.contains("store")), "{checks}");
    assert_eq!(stage.get(stage.admin, "/livez").await.status, 200);
    stage.make_room();

    eventually("ready", async || stage.get(stage.admin, "/readyz").await.status == 200).await;
}

#[actix_web::test]
async fn a_store_that_fails_while_there_is_nothing_to_do_is_tried_until_it_works() {
    let mut stage = Stage::new().await;
    stage.fill_disk();
    let refused = stage.post("respond-async", &people("a", 2000)).await;
    // Nobody knew before; both say that it is safe to repeat.
    assert!([502, 503].contains(&refused.status), "{} {:?}", refused.head, refused.json());
    assert!(stage.sandbox.ledger().is_empty());
    stage.make_room();

    stage.process.line("The store can be written again.").await;
    eventually("ready", async || stage.get(stage.admin, "/readyz").await.status == 200).await;
    let accepted = stage.post("respond-async", &people("a", 2000)).await;
    assert_eq!(accepted.status, 202);
    let resend = stage.end_of(accepted.json()["id"].as_str().unwrap()).await;
    assert_eq!(resend["counts"]["sent"], 2000, "{resend}");
}
