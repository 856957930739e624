//! The command `demo` as people run it: the real binary, from nothing to its exit code.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

/// The binary with settings in its environment that would ruin any gateway that looked at them.
fn demo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_faxplus-gateway"));
    command
        .arg("demo")
        .args(arguments)
        .env("FAXPLUS_GATEWAY__UPSTREAM__BASE_URL", "http://127.0.0.1:1/nowhere")
        .env("FAXPLUS_GATEWAY__CREDENTIALS__TOKEN", "a-real-token")
        .env("FAXPLUS_GATEWAY__SERVER__LISTEN", "not an address")
        .env("FAXPLUS_GATEWAY__NO_SUCH__KEY", "1")
        .current_dir(std::env::temp_dir())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// What was told and what was seen, from the line with the balance.
fn balance(stdout: &str) -> (u64, u64) {
    let line = stdout.lines().find_map(|line| line.strip_prefix("balanced: "));
    let (told, seen) = line.unwrap_or_else(|| panic!("no balance in\n{stdout}")).split_once(", ").unwrap();
    let number = |text: &str, word: &str| text.strip_suffix(word).unwrap().replace(',', "").parse().unwrap();
    (number(told, " told"), number(seen, " seen"))
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn the_demo_balances_whatever_the_environment_says() {
    let Output { status, stdout, stderr } = demo(&[]).output().unwrap();

    let (stdout, stderr) = (text(&stdout), text(&stderr));
    assert_eq!(status.code(), Some(0), "{stdout}\n{stderr}");
    let (told, seen) = balance(stdout);
    assert_eq!(told, seen);
    assert!(told > 1_000, "{stdout}");
    for outcome in ["duplicate", "invalid", "rejected", "unknown", "not_sent"] {
        assert!(stdout.contains(&format!("  {outcome} ")), "{outcome}\n{stdout}");
    }
    assert!(stdout.contains("nobody is mailed twice"), "{stdout}");
    assert!(stderr.contains("posted: 1,236 of 1,236"), "{stderr}");
    assert!(!stdout.contains('\x1b') && !stderr.contains('\x1b'), "colours without a terminal");
    assert!(stdout.lines().all(|line| line.chars().count() <= 80), "{stdout}");
}

#[test]
fn a_kept_demo_serves_until_it_is_told_to_stop() {
    let mut child = Kept(demo(&["--keep"]).stderr(Stdio::null()).spawn().unwrap());
    let mut lines = BufReader::new(child.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut url = |end: &str| {
        let line = lines.find(|line| line.trim_end().ends_with(end));
        let line = line.unwrap_or_else(|| panic!("the demo ended without {end}"));
        line.split_whitespace().last().unwrap().to_owned()
    };

    let urls = ["/v1/resends", "/metrics", "/readyz", "/sandbox/stats", "/sandbox/ledger"].map(&mut url);

    for url in &urls {
        assert!(get(url).starts_with("HTTP/1.1 200 "), "{url}");
    }
    assert!(get(&urls[1]).contains("faxplus_gateway_sandbox 1\n"));
    let told = Command::new("kill").args(["-TERM", &child.0.id().to_string()]).status().unwrap();
    assert!(told.success());
    assert_eq!(child.0.wait().unwrap().code(), Some(0));
}

/// A demo that does not outlive a test that failed.
struct Kept(Child);

impl Drop for Kept {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// A whole answer, head and body.
fn get(url: &str) -> String {
    let (address, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    write!(stream, "GET /{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
