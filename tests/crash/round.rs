//! One round: lists are posted, the gateway is killed here and there, and goes on until all it promised is done.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use fastrand::Rng;
use faxplus_gateway::sandbox::Sandbox;
use serde_json::Value;
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

use crate::{
    client::exchange,
    file,
    lists::List,
    process::{Process, gateway_environment},
};

/// Longer than the end of any list takes.
const PATIENCE: Duration = Duration::from_secs(300);

/// A gateway that is killed and started again on its file, and what its callers were told.
pub struct Round {
    pub number: u64,
    pub sandbox: Sandbox,
    pub store: PathBuf,
    pub told: Vec<Told>,
    pub kills: u64,
    base_url: String,
    callers: Vec<JoinHandle<Told>>,
}

/// A list, and what its caller was told.
pub struct Told {
    pub list: Arc<List>,
    pub answer: Heard,
}

pub enum Heard {
    /// 202: this resend is owed.
    Promised(String),
    /// It has ended so.
    Ended(Value),
    /// The connection broke off.
    Nothing,
}

impl Round {
    pub fn new(number: u64, sandbox: Sandbox, store: PathBuf) -> Self {
        let base_url = sandbox.base_url();
        Self { number, sandbox, store, told: Vec::new(), kills: 0, base_url, callers: Vec::new() }
    }

    pub fn start(&self) -> Process {
        let environment = gateway_environment(
            &self.base_url,
            &[
                ("FAXPLUS_GATEWAY__CREDENTIALS__TOKEN", "token"),
                ("FAXPLUS_GATEWAY__UPSTREAM__BREAKER_FAILURES", "100"),
                ("FAXPLUS_GATEWAY__UPSTREAM__MAX_BACKOFF_MS", "200"),
                ("FAXPLUS_GATEWAY__STORE__PATH", self.store.to_str().unwrap()),
            ],
        );
        Process::start(&["serve"], &environment)
    }

    /// Posts some lists, each a little later than the one before.
    pub fn post(&mut self, random: &mut Rng, address: SocketAddr, lists: usize, people: usize) {
        let mut later = Duration::ZERO;
        for _ in 0..lists {
            let list = Arc::new(List::new(random, self.number, people));
            self.callers.push(tokio::spawn(call(address, list, later)));
            later += Duration::from_millis(random.u64(0..60));
        }
    }

    /// Kills the process and hears what its callers were told.
    pub async fn kill(&mut self, process: Process) {
        process.signal("KILL");
        drop(process.end().await);
        self.kills += 1;
        self.hear().await;
    }

    /// Waits for all callers.
    pub async fn hear(&mut self) {
        for caller in self.callers.drain(..) {
            self.told.push(timeout(PATIENCE, caller).await.expect("a caller is never told").unwrap());
        }
    }

    /// Posts lists under a key again whose callers were never told anything: the key leads to what there is.
    pub async fn ask_again(&mut self, gateway: SocketAddr) {
        for told in &mut self.told {
            if matches!(told.answer, Heard::Nothing) && told.list.key.is_some() {
                told.answer = post(gateway, &told.list).await;
            }
        }
    }

    /// The resends that are owed.
    pub fn promised(&self) -> impl Iterator<Item = (&List, &str)> {
        self.told.iter().filter_map(|told| match &told.answer {
            Heard::Promised(id) => Some((&*told.list, id.as_str())),
            Heard::Ended(_) | Heard::Nothing => None,
        })
    }

    /// Waits for the end of everything that is owed.
    pub async fn wait_for_ends(&self, process: &mut Process) {
        let deadline = Instant::now() + PATIENCE;
        let db = file::open(&self.store);
        for (list, id) in self.promised() {
            while !file::has_ended(&db, id) {
                let rows = list.emails.len();
                assert!(Instant::now() < deadline, "{id} of {rows} rows never ends: {}", process.written());
                sleep(Duration::from_millis(10)).await;
            }
        }
    }

    /// Waits for the end of everything in the file, also of lists whose callers never heard of them.
    pub async fn wait_until_all_has_ended(&self) {
        let deadline = Instant::now() + PATIENCE;
        let db = file::open(&self.store);
        while file::unfinished(&db) > 0 {
            assert!(Instant::now() < deadline, "a list that no caller was told of never ends");
            sleep(Duration::from_millis(10)).await;
        }
    }
}

async fn call(address: SocketAddr, list: Arc<List>, later: Duration) -> Told {
    sleep(later).await;
    let answer = post(address, &list).await;
    Told { list, answer }
}

async fn post(address: SocketAddr, list: &List) -> Heard {
    match exchange(address, &list.head("all"), &list.body()).await {
        None => Heard::Nothing,
        Some(answer) if answer.status == 202 => {
            Heard::Promised(answer.json()["id"].as_str().unwrap().to_owned())
        }
        Some(answer) => {
            assert!([200, 207, 422, 502].contains(&answer.status), "{} {:?}", answer.head, answer.json());
            Heard::Ended(answer.json())
        }
    }
}
