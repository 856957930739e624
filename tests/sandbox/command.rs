//! `faxplus-gateway sandbox`, and the shipped faults file.

use std::io::{self, Write};

use clap::Parser;
use faxplus_gateway::cli::sandbox::{SandboxArgs, SandboxCommandError, run_until};
use faxplus_gateway::sandbox::{Fate, Sandbox, SandboxError, Target, parse_faults};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use crate::client::{patch_with, plain_sandbox};

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/config/faults.example.json");

#[derive(Debug, Parser)]
struct Command {
    #[command(flatten)]
    args: SandboxArgs,
}

fn args(words: &[&str]) -> SandboxArgs {
    Command::try_parse_from([&["sandbox"], words].concat()).unwrap().args
}

/// Hands the first line written to it to whoever waits.
struct FirstLine {
    written: Vec<u8>,
    line: Option<oneshot::Sender<String>>,
}

impl Write for FirstLine {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.written.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if let Some(line) = self.line.take() {
            line.send(String::from_utf8(self.written.clone()).unwrap()).unwrap();
        }
        Ok(())
    }
}

#[test]
fn the_shipped_faults_file_is_good() {
    let rules = parse_faults(&std::fs::read(EXAMPLE).unwrap()).unwrap();

    assert_eq!(rules.len(), 26);
    assert_eq!((rules[0].target, &rules[0].fate), (Target::Probe, &Fate::Delay { ms: 250 }));
}

#[test]
fn the_defaults_are_those_of_the_contract() {
    let args = args(&[]);

    assert_eq!(args.listen, ([127, 0, 0, 1], 8090).into());
    assert_eq!((args.latency_ms, args.calls_per_second, args.burst, args.seed), (0, None, 1, 0));
    assert!(args.faults.is_none() && args.tokens.is_empty());
    assert!(Command::try_parse_from(["sandbox", "--burst", "0"]).is_err());
}

#[tokio::test]
async fn the_command_prints_its_base_url_serves_and_stops() {
    let args = args(&["--listen", "127.0.0.1:0", "--token", "good", "--token", "too", "--faults", EXAMPLE]);
    let (line, printed) = oneshot::channel();
    let (stop, stopped) = oneshot::channel::<()>();
    let mut out = FirstLine { written: Vec::new(), line: Some(line) };
    let client = async {
        let line = printed.await.unwrap();
        let address = line.strip_prefix("http://").unwrap().strip_suffix("/v3\n").unwrap();
        let mut heads = Vec::new();
        for _ in 0..4 {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let fields = "Authorization: Bearer too\r\nConnection: close\r\n";
            stream.write_all(patch_with(fields, r#"["a@one.example"]"#).as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            heads.push(answer[9..12].to_owned());
        }
        stop.send(()).unwrap();
        heads
    };
    let until = async { stopped.await.unwrap() };

    let (ran, heads) = tokio::join!(run_until(args, &mut out, until), client);

    ran.unwrap();
    assert_eq!(heads, ["429", "429", "429", "200"]);
}

#[tokio::test]
async fn what_the_command_cannot_do_is_said_clearly() {
    let sandbox: Sandbox = plain_sandbox().await;
    let wrong = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(wrong.path(), r#"[{"fate": "status"}]"#).unwrap();
    let wrong = wrong.path().to_str().unwrap();
    let taken = sandbox.address().to_string();
    let never = || std::future::pending::<()>();

    let refused = run_until(args(&["--listen", "0.0.0.0:0"]), &mut io::sink(), never()).await.unwrap_err();
    assert!(matches!(refused, SandboxCommandError::Start(SandboxError::NotLoopback(_))));
    let refused = run_until(args(&["--listen", &taken]), &mut io::sink(), never()).await.unwrap_err();
    assert!(matches!(refused, SandboxCommandError::Start(SandboxError::Listen { .. })));
    let refused = run_until(args(&["--faults", "/no/file"]), &mut io::sink(), never()).await.unwrap_err();
    assert!(refused.to_string().starts_with("cannot read the faults file /no/file: "), "{refused}");
    let refused = run_until(args(&["--faults", wrong]), &mut io::sink(), never()).await.unwrap_err();
    assert!(refused.to_string().ends_with(": rule 1: field `status`: is missing"), "{refused}");
}
