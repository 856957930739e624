//! The command `demo` as people run it: the real binary, from nothing to its exit code.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects")]

use std::{
    collections::BTreeMap,
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

fn number(text: &str) -> Option<u64> {
    text.replace(',', "").parse().ok()
}

/// The numbers of a section: the word of each line, with the number before it and the one behind it, if any.
fn section<'a>(stdout: &'a str, heading: &str) -> BTreeMap<&'a str, (u64, Option<u64>)> {
    let (_, text) = stdout.split_once(heading).unwrap_or_else(|| panic!("no {heading}\n{stdout}"));
    let lines = text.trim_start().lines().take_while(|line| !line.is_empty());
    let line = |line: &'a str| {
        let mut words = line.split_whitespace();
        let (count, word) = (number(words.next()?)?, words.next()?);
        Some((word, (count, words.next().and_then(number))))
    };
    lines.filter_map(line).collect()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn the_demo_balances_whatever_the_environment_says() {
    let Output { status, stdout, stderr } = demo(&[]).output().unwrap();

    let (stdout, stderr) = (text(&stdout), text(&stderr));
    assert_eq!(status.code(), Some(0), "{stdout}\n{stderr}");
    assert!(stdout.contains("\nbalanced: 1,090 sent + 10 unknown = 1,100 accepted\n"), "{stdout}");
    for outcome in ["duplicate", "invalid", "rejected", "unknown", "not_sent"] {
        assert!(stdout.contains(&format!("  {outcome} ")), "{outcome}\n{stdout}");
    }
    assert!(stdout.contains("nobody is mailed twice"), "{stdout}");
    assert!(stderr.contains("posted: 1,236 of 1,236"), "{stderr}");
    assert!(!stdout.contains('\x1b') && !stderr.contains('\x1b'), "colours without a terminal");
    assert!(stdout.lines().all(|line| line.chars().count() <= 80), "{stdout}");
}

#[test]
fn the_figures_of_the_demo_add_up_at_first_sight_and_the_commands_behind_them_work() {
    let output = demo(&[]).output().unwrap();

    let stdout = text(&output.stdout);
    let (told, seen) = (section(stdout, "What the caller was told"), section(stdout, "What fax.plus saw"));
    let compared = section(stdout, "Told against seen, address by address");
    let words = ["sent", "invalid", "rejected", "not_sent", "unknown"];
    for word in words {
        assert_eq!(compared[word].0, told[word].0, "{word}\n{stdout}");
    }
    assert_eq!(compared["repeats"].0, told["duplicate"].0, "{stdout}");
    let all = words.iter().chain(&["repeats"]);
    let sums = all.fold((0, 0), |sum, word| (sum.0 + compared[word].0, sum.1 + compared[word].1.unwrap()));
    assert_eq!((sums.0, Some(sums.1)), compared["rows"], "{stdout}");
    assert_eq!((told["rows"].0, seen["accepted"].0), sums, "{stdout}");
    let statuses = stdout.lines().find(|line| line.contains(" x 200")).unwrap().split(": ").nth(1).unwrap();
    let calls = statuses.split(", ").filter_map(|part| number(part.split(" x ").next().unwrap()));
    assert_eq!(calls.sum::<u64>(), seen["calls"].0, "{stdout}");

    let command = stdout.lines().find_map(|line| line.strip_suffix(" demo --keep")).unwrap();
    let again = Command::new("/bin/sh")
        .args(["-c", &format!("{command} demo --help")])
        .current_dir(std::env::temp_dir())
        .output()
        .unwrap();
    assert!(text(&again.stdout).contains("--keep"), "{command}: {again:?}");
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
    stream.set_read_timeout(Some(Duration::from_secs(300))).unwrap();
    write!(stream, "GET /{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
