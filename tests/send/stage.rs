//! A gateway process in front of a simulated fax.plus, a folder for lists, and the command.

use std::{fs, net::SocketAddr, path::PathBuf, process::ChildStdin, time::Duration};

use faxplus_gateway::sandbox::{Sandbox, SandboxOptions, parse_faults};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::{sleep, timeout};

use crate::process::{Ended, Process, gateway_environment};

const TOKEN: (&str, &str) = ("FAXPLUS_GATEWAY__CREDENTIALS__TOKEN", "token");
const PATIENCE: Duration = Duration::from_secs(300);

pub struct Stage {
    pub sandbox: Sandbox,
    pub address: SocketAddr,
    admin: SocketAddr,
    gateway: Process,
    folder: TempDir,
}

impl Stage {
    pub async fn start() -> Self {
        Self::with(SandboxOptions::default(), &[]).await
    }

    /// One whose upstream takes its time: ten addresses in half a second.
    pub async fn slow() -> Self {
        let options = SandboxOptions { latency: Duration::from_millis(500), ..SandboxOptions::default() };
        Self::with(options, &[("FAXPLUS_GATEWAY__UPSTREAM__MAX_IN_FLIGHT", "1")]).await
    }

    /// One whose upstream throttles all calls for a minute.
    pub async fn holding() -> Self {
        let stage = Self::start().await;
        stage.throttle("60");
        stage
    }

    pub async fn with(options: SandboxOptions, environment: &[(&str, &str)]) -> Self {
        let sandbox = Sandbox::start(([127, 0, 0, 1], 0).into(), options).await.unwrap();
        let environment = [&[TOKEN], environment].concat();
        let mut gateway = Process::start(&["serve"], &gateway_environment(&sandbox.base_url(), &environment));
        let (address, admin) = gateway.addresses().await;
        Self { sandbox, address, admin, gateway, folder: TempDir::new().unwrap() }
    }

    pub fn throttle(&self, retry_after: &str) {
        self.faults(json!([{"fate": "status", "status": 429, "retry_after": retry_after}]));
    }

    /// Which calls meet which fate from now on: a JSON list of rules.
    pub fn faults(&self, rules: Value) {
        self.sandbox.set_faults(parse_faults(rules.to_string().as_bytes()).unwrap());
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A path in the folder of this test.
    pub fn path(&self, name: &str) -> String {
        self.path_buf(name).to_str().unwrap().to_owned()
    }

    /// Makes a file: its path.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        fs::write(self.path_buf(name), content).unwrap();
        self.path(name)
    }

    /// Makes a text file with as many addresses.
    pub fn list(&self, name: &str, count: usize) -> String {
        let lines: String = (0..count).map(|number| format!("{name}{number}@example.com\n")).collect();
        self.file(&format!("{name}.txt"), lines)
    }

    /// Runs a command against the gateway.
    pub async fn run(&self, arguments: &[&str]) -> Ended {
        Process::run(arguments, &[("FAXPLUS_GATEWAY_URL", &self.url())]).await
    }

    pub async fn run_with_input(&self, arguments: &[&str], input: impl Into<Vec<u8>>) -> Ended {
        Process::run_with_input(arguments, &[("FAXPLUS_GATEWAY_URL", &self.url())], input).await
    }

    /// Starts a command against the gateway.
    pub fn start_command(&self, arguments: &[&str]) -> Process {
        Process::start(arguments, &[("FAXPLUS_GATEWAY_URL", &self.url())])
    }

    /// Starts a command whose standard input stays open.
    pub fn start_with_open_input(&self, arguments: &[&str]) -> (Process, ChildStdin) {
        Process::start_with_open_input(arguments, &[("FAXPLUS_GATEWAY_URL", &self.url())])
    }

    /// Whether the gateway is in the middle of a request.
    pub async fn bodies_in_flight(&self) -> bool {
        let metrics = Process::run(&["probe", &format!("http://{}/metrics", self.admin)], &[]).await;
        // The one that asks is in flight, too.
        metrics.stdout.contains("\nfaxplus_gateway_http_requests_in_flight 2\n")
    }

    pub fn accepted(&self, email: &str) -> u64 {
        self.sandbox.ledger().get(email).copied().unwrap_or(0)
    }

    /// Waits until upstream accepted so many addresses.
    pub async fn until_accepted(&self, count: usize) {
        eventually(async || (self.sandbox.ledger().len() >= count).then_some(())).await;
    }

    /// All went well, and the gateway did not mind.
    pub async fn end(self) {
        self.end_with_log().await;
    }

    /// The same, and what the gateway has logged.
    pub async fn end_with_log(self) -> String {
        self.gateway.signal("TERM");
        let ended = self.gateway.end().await;
        assert_eq!(ended.code, Some(0));
        self.sandbox.stop().await;
        ended.stderr
    }

    /// Ends at once, as in a crash.
    pub async fn crash(self) {
        drop(self.gateway);
        self.sandbox.stop().await;
    }

    fn path_buf(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// Tries until there is something.
pub async fn eventually<T>(mut attempt: impl AsyncFnMut() -> Option<T>) -> T {
    let patient = async {
        loop {
            if let Some(found) = attempt().await {
                return found;
            }
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, patient).await.expect("it never came about")
}

/// Fails unless the command ended so and said each of `texts` on stderr.
pub fn assert_told(ended: &Ended, code: i32, texts: &[&str]) {
    assert_eq!(ended.code, Some(code), "{ended:?}");
    for text in texts {
        assert!(ended.stderr.contains(text), "no {text:?} in {}", ended.stderr);
    }
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
}

/// Fails unless the command ended so and printed each of `texts`.
pub fn assert_printed(ended: &Ended, code: i32, texts: &[&str]) {
    assert_eq!(ended.code, Some(code), "{ended:?}");
    for text in texts {
        assert!(ended.stdout.contains(text), "no {text:?} in {}\n{}", ended.stdout, ended.stderr);
    }
    assert!(!ended.stdout.contains('\x1b') && !ended.stderr.contains('\x1b'), "colours without a terminal");
}

/// The id in what `send` says when the gateway has the list.
pub fn id_in(line: &str) -> String {
    line.trim().rsplit(' ').next().unwrap().to_owned()
}
