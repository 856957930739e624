//! The real binary as a child process: what it writes, the signals it gets, how it ends.

#![allow(dead_code, reason = "each test binary uses its part of it")]

use std::{
    io::{Read, Write as _},
    net::SocketAddr,
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use serde_json::Value;
use tokio::time::{sleep, timeout};

/// Far longer than anything takes; a test that runs into it has failed.
const PATIENCE: Duration = Duration::from_secs(300);

/// A running command. Dropping it kills it.
pub struct Process {
    child: Child,
    stdout: Output,
    stderr: Output,
}

/// How a command ended, and all it wrote.
#[derive(Debug)]
pub struct Ended {
    /// `None` when a signal killed it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// A command with SIGHUP as it is at first: under `nohup`, the tests would hand down that it is ignored.
fn with_usual_signals(words: &[&str]) -> Command {
    let mut command = Command::new("/usr/bin/env");
    command.arg("--default-signal=HUP").args(words);
    command
}

#[derive(Clone, Default)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl Process {
    /// Starts the binary with these arguments and nothing but these variables around it.
    pub fn start(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        Self::spawn(arguments, environment, Stdio::null())
    }

    /// Starts it with this on its standard input, and waits for the end.
    pub async fn run_with_input(
        arguments: &[&str],
        environment: &[(&str, &str)],
        input: impl Into<Vec<u8>>,
    ) -> Ended {
        let (process, mut pipe) = Self::start_with_open_input(arguments, environment);
        let input = input.into();
        // One that ends before it has read everything closes the pipe.
        thread::spawn(move || pipe.write_all(&input).ok());
        process.end().await
    }

    /// Starts it with a standard input that stays open as long as the pipe is kept.
    pub fn start_with_open_input(arguments: &[&str], environment: &[(&str, &str)]) -> (Self, ChildStdin) {
        let mut process = Self::spawn(arguments, environment, Stdio::piped());
        let pipe = process.child.stdin.take().unwrap();
        (process, pipe)
    }

    /// Starts it in a shell that first does something else. The signal that a file grew too long is ignored,
    /// so that a limit set by `ulimit -f` or [`Process::limit_files`] is an error of writing, like a full disk.
    pub fn start_after(shell: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let script = format!("trap '' XFSZ; {shell} exec \"$0\" \"$@\"");
        let binary = env!("CARGO_BIN_EXE_faxplus-gateway");
        let command = with_usual_signals(&["/bin/sh", "-c", &script, binary]);
        Self::spawn_command(command, arguments, environment, Stdio::null())
    }

    /// Lets no file be written beyond so many bytes, or any (`unlimited`).
    pub fn limit_files(&self, bytes: &str) {
        let process = self.child.id().to_string();
        let limit = format!("--fsize={bytes}:");
        assert!(Command::new("prlimit").args(["--pid", &process, &limit]).status().unwrap().success());
    }

    fn spawn(arguments: &[&str], environment: &[(&str, &str)], input: Stdio) -> Self {
        let command = with_usual_signals(&[env!("CARGO_BIN_EXE_faxplus-gateway")]);
        Self::spawn_command(command, arguments, environment, input)
    }

    fn spawn_command(
        mut command: Command,
        arguments: &[&str],
        environment: &[(&str, &str)],
        input: Stdio,
    ) -> Self {
        let mut child = command
            .args(arguments)
            .env_clear()
            .envs(environment.iter().copied())
            .stdin(input)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = Output::collect(child.stdout.take().unwrap());
        let stderr = Output::collect(child.stderr.take().unwrap());
        Self { child, stdout, stderr }
    }

    /// Starts and waits for the end.
    pub async fn run(arguments: &[&str], environment: &[(&str, &str)]) -> Ended {
        Self::start(arguments, environment).end().await
    }

    /// The number of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal, `TERM` or `INT`.
    pub fn signal(&self, name: &str) {
        let process = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &process]).status().unwrap().success());
    }

    /// The first line of stderr or stdout that holds `text`, once it was written.
    pub async fn line(&mut self, text: &str) -> String {
        let wait = async {
            loop {
                for output in [&self.stderr, &self.stdout] {
                    let written = output.text();
                    let mut lines = written.split_inclusive('\n').filter(|line| line.ends_with('\n'));
                    if let Some(line) = lines.find(|line| line.contains(text)) {
                        return line.to_owned();
                    }
                }
                let ended = self.child.try_wait().unwrap();
                assert!(ended.is_none(), "ended ({ended:?}) without {text:?}: {}", self.stderr.text());
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, wait)
            .await
            .unwrap_or_else(|_| panic!("{text:?} never came: {}", self.stderr.text()))
    }

    /// What it has written to stderr so far.
    pub fn written(&self) -> String {
        self.stderr.text()
    }

    /// The main and the admin address of a gateway that logs JSON, once it is ready.
    pub async fn addresses(&mut self) -> (SocketAddr, SocketAddr) {
        let line: Value = serde_json::from_str(&self.line("The gateway is ready.").await).unwrap();
        let address = |name: &str| line[name].as_str().unwrap().parse().unwrap();
        (address("address"), address("admin"))
    }

    /// Where the simulated fax.plus of a gateway is that logs JSON.
    pub async fn upstream(&mut self) -> SocketAddr {
        let line: Value = serde_json::from_str(&self.line("against a simulated fax.plus").await).unwrap();
        line["address"].as_str().unwrap().parse().unwrap()
    }

    /// Waits for the end.
    pub async fn end(mut self) -> Ended {
        let wait = async {
            loop {
                if let Some(status) = self.child.try_wait().unwrap() {
                    return status;
                }
                sleep(Duration::from_millis(5)).await;
            }
        };
        let status = timeout(PATIENCE, wait).await;
        let status = status.unwrap_or_else(|_| panic!("it does not end: {}", self.stderr.text()));
        Ended { code: status.code(), stdout: self.stdout.whole().await, stderr: self.stderr.whole().await }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Has no effect on one that has ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Output {
    fn collect(mut pipe: impl Read + Send + 'static) -> Self {
        let output = Self::default();
        let sink = output.clone();
        thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(read @ 1..) = pipe.read(&mut piece) {
                sink.0.lock().unwrap().extend_from_slice(&piece[..read]);
            }
        });
        output
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }

    /// Everything, once the reading thread has let go of its clone.
    async fn whole(&self) -> String {
        while Arc::strong_count(&self.0) > 1 {
            sleep(Duration::from_millis(1)).await;
        }
        self.text()
    }
}

/// The variables of a gateway on free ports in front of `base_url`, without drain delay. Later ones win.
pub fn gateway_environment<'a>(base_url: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut all = vec![
        ("FAXPLUS_GATEWAY__SERVER__LISTEN", "127.0.0.1:0"),
        ("FAXPLUS_GATEWAY__SERVER__ADMIN_LISTEN", "127.0.0.1:0"),
        ("FAXPLUS_GATEWAY__SERVER__DRAIN_DELAY_SECONDS", "0"),
        ("FAXPLUS_GATEWAY__UPSTREAM__BASE_URL", base_url),
        ("FAXPLUS_GATEWAY__UPSTREAM__MAX_CALLS_PER_SECOND", "0"),
        ("FAXPLUS_GATEWAY__UPSTREAM__MIN_BACKOFF_MS", "10"),
        ("FAXPLUS_GATEWAY__UPSTREAM__BREAKER_COOLDOWN_SECONDS", "1"),
        ("FAXPLUS_GATEWAY__LOG__FORMAT", "json"),
        ("FAXPLUS_GATEWAY__STORE__PATH", ":memory:"),
    ];
    all.extend_from_slice(more);
    all
}
