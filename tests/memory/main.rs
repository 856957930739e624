//! Memory does not grow with the length of a list, nor with a slow reader of its results.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test says what it expects"
)]
#![allow(unreachable_pub, dead_code, reason = "shared with other test binaries")]

mod crowd;
#[path = "../support/process.rs"]
mod process;

use std::{env, fmt::Write as _, fs, net::SocketAddr, path::Path, time::Duration};

use faxplus_gateway::sandbox::{Sandbox, SandboxOptions};
use process::{Process, gateway_environment};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    time::{Instant, sleep},
};

const ADDRESSES: usize = 5_000_000;
/// Of the gateway's process, at its highest.
const MOST_MIB: u64 = 128;
/// How long results are read slowly.
const SLOW_READER: Duration = Duration::from_secs(15);
const PATIENCE: Duration = Duration::from_secs(1800);

/// A list whose last fifth repeats its first: four fifths of its length apart.
struct List {
    rows: usize,
    distinct: usize,
}

impl List {
    fn part(&self, from: usize) -> String {
        let mut text = String::new();
        for row in from..self.rows.min(from + 5000) {
            writeln!(text, "address-{:07}@example.com", row % self.distinct).unwrap();
        }
        text
    }

    async fn post(&self, address: SocketAddr) -> Value {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = format!(
            "POST /v1/resends HTTP/1.1\r\nHost: g\r\nConnection: close\r\nContent-Type: text/plain\r\n\
             Prefer: respond-async\r\nContent-Length: {}\r\n\r\n",
            self.rows * self.part(0).lines().next().map_or(0, |line| line.len() + 1)
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        for from in (0..self.rows).step_by(5000) {
            stream.write_all(self.part(from).as_bytes()).await.unwrap();
        }
        answer(stream).await
    }
}

async fn answer(mut stream: TcpStream) -> Value {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap_or_else(|_| panic!("{answer}"))
}

async fn get(address: SocketAddr, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "GET {path} HTTP/1.1\r\nHost: g\r\nConnection: close\r\nAccept: application/x-ndjson\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

/// Starts the gateway with its store at `path`, after `shell` in a shell.
fn start(sandbox: &Sandbox, path: &Path, shell: &str, more: &[(&str, &str)]) -> Process {
    let base_url = sandbox.base_url();
    let mut settings = vec![
        ("FAXPLUS_GATEWAY__CREDENTIALS__TOKEN", "token"),
        ("FAXPLUS_GATEWAY__STORE__PATH", path.to_str().unwrap()),
    ];
    settings.extend(more);
    Process::start_after(shell, &["serve"], &gateway_environment(&base_url, &settings))
}

/// `VmHWM`.
fn highest_mib(process: &Process) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

#[actix_web::test]
#[ignore = "takes minutes, and means something in a `dist` build only"]
async fn a_list_of_five_million_takes_flat_memory_from_the_post_to_the_last_result() {
    let rows = env::var("MEMORY_ADDRESSES").map_or(ADDRESSES, |text| text.parse().unwrap());
    let list = List { rows, distinct: rows / 5 * 4 };
    let options = SandboxOptions { calls_kept: 0, ..SandboxOptions::default() };
    let sandbox = Sandbox::start(([127, 0, 0, 1], 0).into(), options).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let few = [("FAXPLUS_GATEWAY__DEDUPE__MAX_ENTRIES", "10000")];
    let mut process = start(&sandbox, &directory.path().join("gateway.db"), ":;", &few);
    let (address, _) = process.addresses().await;

    let accepted = list.post(address).await;
    eprintln!("posted: {} MiB", highest_mib(&process));
    let id = accepted["id"].as_str().unwrap_or_else(|| panic!("{accepted}")).to_owned();
    let started = Instant::now();
    let resend = loop {
        let resend = answer(get(address, &format!("/v1/resends/{id}?wait=60")).await).await;
        if resend["status"] == "finished" {
            break resend;
        }
        assert!(started.elapsed() < PATIENCE, "{resend}");
    };
    eprintln!("sent in {:?}: {} MiB", started.elapsed(), highest_mib(&process));
    assert_eq!(resend["counts"]["sent"], list.distinct, "{resend}");
    assert_eq!(resend["counts"]["duplicate"], list.rows - list.distinct, "{resend}");

    let started = Instant::now();
    let mut lines = BufReader::new(get(address, &format!("/v1/resends/{id}/results")).await).lines();
    let (mut row, mut duplicates) = (0, 0);
    while let Some(line) = lines.next_line().await.unwrap() {
        // A line may be torn where one piece of the answer ends; nearly all are whole.
        let Ok(result) = serde_json::from_str::<Value>(&line) else { continue };
        let Some(index) = result["index"].as_u64() else { continue };
        assert!(index >= row, "results are not in order");
        row = index + 1;
        duplicates += usize::from(result["outcome"] == "duplicate");
        if row % 1000 == 0 && started.elapsed() < SLOW_READER {
            sleep(Duration::from_millis(80)).await;
        }
    }
    eprintln!("results: {} MiB", highest_mib(&process));
    assert!(row as usize + 1 >= list.rows, "the results end at {row}");
    assert!(duplicates * 100 >= (list.rows - list.distinct) * 99, "only {duplicates} are told as repeats");
    let most = highest_mib(&process);
    assert!(most < MOST_MIB, "{most} MiB");
    process.signal("TERM");
    assert_eq!(process.end().await.code, Some(0));
    sandbox.stop().await;
}
