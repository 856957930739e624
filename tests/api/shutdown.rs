//! The real binary under SIGTERM and SIGINT: every caller is told the truth, nobody is cut off.

use std::{io::ErrorKind, net::SocketAddr, time::Duration};

use faxplus_gateway::sandbox::{Fate, Rule, Sandbox, SandboxOptions};
use futures_util::future::join_all;
use tokio::net::TcpStream;

use crate::{
    gateway::{Answer, addresses, eventually},
    process::{Process, gateway_environment},
    wire::Wire,
};

const TOKEN: (&str, &str) = ("FAXPLUS_GATEWAY__CREDENTIALS__TOKEN", "token");
const DELAY: &str = "FAXPLUS_GATEWAY__SERVER__DRAIN_DELAY_SECONDS";
const TIMEOUT: &str = "FAXPLUS_GATEWAY__SERVER__DRAIN_TIMEOUT_SECONDS";
const SLOTS: &str = "FAXPLUS_GATEWAY__UPSTREAM__MAX_IN_FLIGHT";
/// Whatever it holds up would outlast the test's patience.
const ENDLESS: (&str, &str) = (TIMEOUT, "3600");

/// A gateway process and its simulated upstream.
struct Running {
    sandbox: Sandbox,
    process: Process,
    address: SocketAddr,
    admin: SocketAddr,
}

impl Running {
    async fn start(options: SandboxOptions, more: &[(&str, &str)]) -> Self {
        let sandbox = Sandbox::start(([127, 0, 0, 1], 0).into(), options).await.unwrap();
        let more = [&[TOKEN], more].concat();
        let mut process = Process::start(&["serve"], &gateway_environment(&sandbox.base_url(), &more));
        let (address, admin) = process.addresses().await;
        Self { sandbox, process, address, admin }
    }

    /// With an upstream that never answers a call with `stuck@example.com`.
    async fn stuck(more: &[(&str, &str)]) -> Self {
        let faults = vec![Rule::new(Fate::NeverAnswer { accept: true }).address("stuck@example.com")];
        let more = [&[(SLOTS, "1")], more].concat();
        Self::start(SandboxOptions { faults, ..SandboxOptions::default() }, &more).await
    }

    /// Waits until upstream has the call that it never answers.
    async fn until_stuck(&self) {
        eventually(async || self.sandbox.ledger().contains_key("stuck@example.com").then_some(())).await;
    }

    async fn until_in_flight(&self, requests: usize) {
        let line = format!("\nfaxplus_gateway_http_requests_in_flight {}\n", requests + 1);
        eventually(async || get(self.admin, "/metrics").await.text().contains(&line).then_some(())).await;
    }

    /// Waits until nobody can connect any more.
    async fn until_closed(&self) {
        eventually(async || TcpStream::connect(self.address).await.is_err().then_some(())).await;
    }

    async fn ends_well(self) -> Sandbox {
        let ended = self.process.end().await;
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert!(ended.stderr.trim_end().ends_with('}') && ended.stderr.contains("The gateway has stopped."));
        self.sandbox
    }
}

async fn get(address: SocketAddr, path: &str) -> Answer {
    let mut wire = Wire::connect(address).await;
    wire.send(format!("GET {path} HTTP/1.1\r\nHost: g\r\nConnection: close\r\n\r\n")).await.unwrap();
    wire.answer().await.unwrap()
}

async fn begin_post(address: SocketAddr, emails: &[String]) -> Wire {
    let body = serde_json::to_string(emails).unwrap();
    let mut wire = Wire::connect(address).await;
    let fields = format!("Connection: close\r\nPrefer: wait=240\r\nContent-Length: {}\r\n", body.len());
    wire.begin_post(&fields).await;
    wire.send(body).await.unwrap();
    wire
}

/// Posts one list after the other until the gateway takes no more; gives what was answered before.
async fn keep_posting(address: SocketAddr, name: &str) -> Vec<Answer> {
    let mut answers = Vec::new();
    loop {
        let body = serde_json::to_string(&addresses(&format!("{name}r{}n", answers.len()), 7)).unwrap();
        let mut wire = match Wire::try_connect(address).await {
            Ok(wire) => wire,
            Err(ErrorKind::ConnectionRefused) => return answers,
            Err(error) => panic!("{name}: {error}"),
        };
        wire.begin_post(&format!("Connection: close\r\nContent-Length: {}\r\n", body.len())).await;
        wire.send(body).await.unwrap();
        let answer = wire.answer().await.unwrap_or_else(|error| panic!("{name} was cut off: {error}"));
        if answer.status == 503 {
            answer.problem("shutting-down");
            assert!(answer.retry_after().is_some(), "{answer:?}");
            return answers;
        }
        answers.push(answer);
    }
}

/// What was told `sent` was accepted once, what was told `not_sent` never; gives the words.
fn held_against(sandbox: &Sandbox, answers: &[Answer]) -> Vec<String> {
    let ledger = sandbox.ledger();
    for (email, outcome) in answers.iter().flat_map(Answer::outcomes) {
        let accepted = ledger.get(&email).copied().unwrap_or(0);
        match outcome.split('/').next() {
            Some("sent") => assert_eq!(accepted, 1, "{email}"),
            Some("not_sent") => assert_eq!(accepted, 0, "{email}"),
            _ => assert!(accepted <= 1, "{email}: {outcome}"),
        }
    }
    answers.iter().flat_map(Answer::words).collect()
}

#[actix_web::test]
async fn under_load_readiness_goes_first_and_everybody_is_answered() {
    let options = SandboxOptions { latency: Duration::from_millis(30), ..SandboxOptions::default() };
    let running = Running::start(options, &[(DELAY, "5"), ENDLESS]).await;
    let (address, admin) = (running.address, running.admin);
    let names: Vec<_> = (0..20).map(|caller| format!("c{caller}")).collect();
    let stops = async {
        eventually(async || (running.sandbox.ledger().len() > 500).then_some(())).await;
        running.process.signal("TERM");
        let draining =
            eventually(async || Some(get(admin, "/readyz").await).filter(|ready| ready.status == 503)).await;
        let live = get(admin, "/livez").await;
        let served = begin_post(address, &addresses("late", 3)).await.answer().await.unwrap();
        (draining, live, served)
    };

    let (answers, (draining, live, served)) =
        tokio::join!(join_all(names.iter().map(|name| keep_posting(address, name))), stops);

    assert_eq!((draining.text().as_str(), live.status.as_u16()), ("draining\n", 200));
    assert_eq!((served.status.as_u16(), served.words()), (200, vec!["sent".to_owned(); 3]));
    let answers: Vec<_> = answers.into_iter().flatten().collect();
    let sandbox = running.ends_well().await;
    let words = held_against(&sandbox, &answers);
    assert!(words.len() > 500 && words.iter().all(|word| word == "sent"), "{words:?}");
    sandbox.stop().await;
}

#[actix_web::test]
async fn at_the_deadline_only_what_is_in_flight_is_in_doubt() {
    let running = Running::stuck(&[(TIMEOUT, "2")]).await;
    let proof = begin_post(running.address, &addresses("sent", 12)).await.answer().await;
    assert_eq!(proof.unwrap().status, 200);
    let mut stuck = begin_post(running.address, &["stuck@example.com".to_owned(), "nobody".to_owned()]).await;
    running.until_stuck().await;
    let lists: Vec<_> = (0..5).map(|list| addresses(&format!("waits{list}n"), 25)).collect();
    let mut waiting = Vec::new();
    for list in &lists {
        waiting.push(begin_post(running.address, list).await);
    }
    running.until_in_flight(6).await;

    running.process.signal("TERM");
    let mut answers = Vec::new();
    for wire in &mut waiting {
        answers.push(wire.answer().await.unwrap());
    }
    let in_doubt = stuck.answer().await.unwrap();

    assert!(answers.iter().all(|answer| answer.status == 502), "{answers:?}");
    assert_eq!(
        (in_doubt.status.as_u16(), in_doubt.words()),
        (207, vec!["unknown/interrupted".to_owned(), "invalid/no_at_sign".to_owned()])
    );
    assert_eq!(in_doubt.json()["upstream_calls"], 1, "the call that was cut off was a call");
    let sandbox = running.ends_well().await;
    assert_eq!(held_against(&sandbox, &answers), vec!["not_sent/shutdown"; 125]);
    sandbox.stop().await;
}

#[actix_web::test]
async fn whoever_waits_for_a_resend_hears_of_its_end() {
    let running = Running::stuck(&[(TIMEOUT, "1")]).await;
    let mut post = Wire::connect(running.address).await;
    post.begin_post("Prefer: respond-async\r\nContent-Length: 21\r\n").await;
    post.send(r#"["stuck@example.com"]"#).await.unwrap();
    let accepted = post.answer().await.unwrap();
    running.until_stuck().await;
    let mut wait = Wire::connect(running.address).await;
    let path = format!("{}?wait=240", accepted.header("location").unwrap());
    wait.send(format!("GET {path} HTTP/1.1\r\nHost: g\r\n\r\n")).await.unwrap();
    running.until_in_flight(1).await;

    running.process.signal("TERM");
    let resend = wait.answer().await.unwrap().json();

    assert_eq!(accepted.status, 202);
    assert_eq!(
        (resend["status"].as_str(), resend["counts"]["unknown"].as_u64()),
        (Some("finished"), Some(1))
    );
    running.ends_well().await.stop().await;
}

#[actix_web::test]
async fn whoever_follows_a_resend_hears_its_end_and_holds_nothing_up() {
    let running = Running::stuck(&[(TIMEOUT, "1")]).await;
    let mut post = Wire::connect(running.address).await;
    post.begin_post("Prefer: respond-async\r\nContent-Length: 21\r\n").await;
    post.send(r#"["stuck@example.com"]"#).await.unwrap();
    let accepted = post.answer().await.unwrap();
    running.until_stuck().await;
    let mut follower = Wire::connect(running.address).await;
    let path = format!("{}/events", accepted.header("location").unwrap());
    follower.send(format!("GET {path} HTTP/1.1\r\nHost: g\r\n\r\n")).await.unwrap();
    eventually(async || follower.has_answer().then_some(())).await;

    running.process.signal("TERM");
    let events = follower.answer().await.unwrap().text();

    let last = events.trim_end().rsplit("\n\n").next().unwrap();
    assert!(events.starts_with("event: progress\n"), "{events}");
    assert!(last.starts_with("event: finished\n") && last.contains("\"unknown\":1"), "{events}");
    assert!(follower.is_closed().await);
    running.ends_well().await.stop().await;
}

#[actix_web::test]
async fn an_idle_gateway_ends_at_once_on_any_signal_whoever_is_connected() {
    for signal in ["TERM", "INT", "HUP", "QUIT"] {
        let running = Running::start(SandboxOptions::default(), &[ENDLESS]).await;
        let (mut used, mut unused) =
            (Wire::connect(running.address).await, Wire::connect(running.address).await);
        used.begin_post("Content-Length: 17\r\n").await;
        used.send(r#"["a@example.com"]"#).await.unwrap();
        assert_eq!(used.answer().await.unwrap().status, 200);

        running.process.signal(signal);

        assert!(used.is_closed().await && unused.is_closed().await);
        running.ends_well().await.stop().await;
    }
}

#[actix_web::test]
async fn a_closed_terminal_cuts_no_call_off() {
    for signal in ["HUP", "QUIT"] {
        let options = SandboxOptions { latency: Duration::from_millis(500), ..SandboxOptions::default() };
        let mut running = Running::start(options, &[ENDLESS]).await;
        let mut wire = begin_post(running.address, &["a@example.com".to_owned()]).await;
        running.until_in_flight(1).await;

        running.process.signal(signal);
        running.process.line("Shutting down.").await;
        // A terminal that closes may say so several times.
        running.process.signal("HUP");
        let answer = wire.answer().await.unwrap();

        assert_eq!((answer.status.as_u16(), answer.words()), (200, vec!["sent".to_owned()]), "{signal}");
        running.ends_well().await.stop().await;
    }
}

#[actix_web::test]
async fn a_second_signal_ends_at_once() {
    for (first, second) in [("TERM", "TERM"), ("INT", "INT"), ("TERM", "INT"), ("HUP", "TERM")] {
        let mut running = Running::stuck(&[ENDLESS]).await;
        let _caller = begin_post(running.address, &["stuck@example.com".to_owned()]).await;
        running.until_stuck().await;

        running.process.signal(first);
        running.process.line("Shutting down.").await;
        running.process.signal(second);

        assert_eq!(running.process.end().await.code, Some(1));
        running.sandbox.stop().await;
    }
}

#[actix_web::test]
async fn a_caller_in_the_middle_of_its_body_is_told_to_go_elsewhere() {
    let running = Running::start(SandboxOptions::default(), &[ENDLESS]).await;
    let mut wire = Wire::connect(running.address).await;
    wire.begin_post("Content-Length: 34\r\n").await;
    wire.send(r#"["a@example.com","#).await.unwrap();
    running.until_in_flight(1).await;

    running.process.signal("TERM");
    running.until_closed().await;
    wire.send(r#" "b@example.com"]"#).await.unwrap();
    let answer = wire.answer().await.unwrap();

    assert_eq!(answer.status, 503, "{answer:?}");
    answer.problem("shutting-down");
    assert!(answer.retry_after().is_some(), "{answer:?}");
    let sandbox = running.ends_well().await;
    assert_eq!(sandbox.stats().calls, 0);
    sandbox.stop().await;
}

#[actix_web::test]
async fn connections_are_sent_elsewhere_with_their_next_answer() {
    let running = Running::start(SandboxOptions::default(), &[(DELAY, "5"), ENDLESS]).await;
    let mut wire = Wire::connect(running.address).await;
    let list = "GET /v1/resends HTTP/1.1\r\nHost: g\r\n\r\n";
    wire.send(list).await.unwrap();
    let before = wire.answer().await.unwrap();

    running.process.signal("TERM");
    eventually(async || (get(running.admin, "/readyz").await.status == 503).then_some(())).await;
    wire.send(list).await.unwrap();
    let after = wire.answer().await.unwrap();

    assert_eq!((before.status.as_u16(), before.header("connection")), (200, None));
    assert_eq!((after.status.as_u16(), after.header("connection")), (200, Some("close")));
    assert!(wire.is_closed().await);
    running.ends_well().await.stop().await;
}

#[actix_web::test]
async fn a_body_that_never_ends_does_not_keep_the_gateway() {
    let running = Running::start(SandboxOptions::default(), &[(TIMEOUT, "1")]).await;
    let mut wire = Wire::connect(running.address).await;
    wire.begin_post("Content-Length: 34\r\n").await;
    running.until_in_flight(1).await;

    running.process.signal("TERM");

    running.ends_well().await.stop().await;
    assert!(wire.answer().await.is_err());
}
