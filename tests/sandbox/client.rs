//! A client that sees bytes: what no well-meaning HTTP client would show.

use std::io::ErrorKind;

use faxplus_gateway::sandbox::{Rule, Sandbox, SandboxOptions};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub(crate) async fn sandbox(options: SandboxOptions) -> Sandbox {
    Sandbox::start(([127, 0, 0, 1], 0).into(), options).await.unwrap()
}

pub(crate) async fn plain_sandbox() -> Sandbox {
    sandbox(SandboxOptions::default()).await
}

pub(crate) async fn faulty_sandbox(rules: impl IntoIterator<Item = Rule>) -> Sandbox {
    sandbox(SandboxOptions { faults: rules.into_iter().collect(), ..SandboxOptions::default() }).await
}

/// The PATCH that the Python SDK writes.
pub(crate) fn patch(emails: &[&str]) -> String {
    patch_with("Authorization: Bearer token\r\n", &serde_json::to_string(emails).unwrap())
}

pub(crate) fn patch_with(fields: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "PATCH /v3/accounts/self/member-invitations HTTP/1.1\r\nHost: sandbox\r\n{fields}\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

pub(crate) fn request(method: &str, path: &str, fields: &str, body: &str) -> String {
    let length = body.len();
    format!("{method} {path} HTTP/1.1\r\nHost: sandbox\r\n{fields}Content-Length: {length}\r\n\r\n{body}")
}

/// How a connection ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    Closed,
    Reset,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (given, value) = line.split_once(": ")?;
            (given == name).then_some(value)
        })
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

pub(crate) struct Client {
    stream: TcpStream,
    ahead: Vec<u8>,
}

impl Client {
    pub(crate) async fn connect(sandbox: &Sandbox) -> Self {
        let stream = TcpStream::connect(sandbox.address()).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, ahead: Vec::new() }
    }

    pub(crate) async fn send(&mut self, request: &str) {
        self.stream.write_all(request.as_bytes()).await.unwrap();
    }

    pub(crate) async fn call(&mut self, request: &str) -> Answer {
        self.send(request).await;
        self.answer().await
    }

    /// One answer, framed by its length or in chunks.
    pub(crate) async fn answer(&mut self) -> Answer {
        let head = loop {
            if let Some(at) = self.ahead.windows(4).position(|window| window == b"\r\n\r\n") {
                break String::from_utf8(self.ahead.drain(..at + 4).collect()).unwrap();
            }
            assert!(self.more().await > 0, "closed inside the head: {:?}", self.ahead);
        };
        let status = head[9..12].parse().unwrap();
        let mut answer = Answer { status, head, body: String::new() };
        if answer.field("transfer-encoding") == Some("chunked") {
            answer.body = self.chunks().await;
        } else if let Some(length) = answer.field("content-length") {
            answer.body = self.take(length.parse().unwrap()).await;
        }
        answer
    }

    async fn chunks(&mut self) -> String {
        let mut body = String::new();
        loop {
            let line = loop {
                if let Some(at) = self.ahead.windows(2).position(|window| window == b"\r\n") {
                    break self.take(at + 2).await;
                }
                assert!(self.more().await > 0, "closed inside a chunk's size");
            };
            let size = usize::from_str_radix(line.trim_end(), 16).unwrap();
            let chunk = self.take(size + 2).await;
            if size == 0 {
                return body;
            }
            body.push_str(&chunk[..size]);
        }
    }

    async fn take(&mut self, length: usize) -> String {
        while self.ahead.len() < length {
            assert!(self.more().await > 0, "closed inside the body");
        }
        String::from_utf8(self.ahead.drain(..length).collect()).unwrap()
    }

    async fn more(&mut self) -> usize {
        self.ahead.reserve(8 * 1024);
        self.stream.read_buf(&mut self.ahead).await.unwrap()
    }

    /// Everything up to the end of the connection.
    pub(crate) async fn rest(&mut self) -> (Vec<u8>, End) {
        loop {
            match self.stream.read_buf(&mut self.ahead).await {
                Ok(0) => return (std::mem::take(&mut self.ahead), End::Closed),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::ConnectionReset => {
                    return (std::mem::take(&mut self.ahead), End::Reset);
                }
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// The bytes that come next, at least one.
    pub(crate) async fn bytes(&mut self) -> Vec<u8> {
        assert!(self.more().await > 0, "closed");
        std::mem::take(&mut self.ahead)
    }
}

/// One request on a connection of its own.
pub(crate) async fn call(sandbox: &Sandbox, request: &str) -> Answer {
    Client::connect(sandbox).await.call(request).await
}

/// Puts rules in force as a person would.
pub(crate) async fn set_faults(sandbox: &Sandbox, rules: &Value) -> Answer {
    let json = "Content-Type: application/json\r\n";
    call(sandbox, &request("POST", "/sandbox/faults", json, &rules.to_string())).await
}

/// Everything a PATCH of these addresses brings until the connection ends, the date's value taken out.
pub(crate) async fn patch_to_the_end(sandbox: &Sandbox, emails: &[&str]) -> (String, End) {
    let mut client = Client::connect(sandbox).await;
    client.send(&patch(emails)).await;
    let (bytes, end) = client.rest().await;
    (without_date(&bytes), end)
}

pub(crate) fn without_date(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.split_inclusive("\r\n").filter(|line| !line.starts_with("date: ")).collect()
}
