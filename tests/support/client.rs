//! As much of an HTTP client as a caller needs whose gateway may be killed at any moment.

use std::{net::SocketAddr, time::Duration};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

/// Longer than any answer takes; a test that runs into it has failed.
const PATIENCE: Duration = Duration::from_secs(300);

/// Sends a request and reads the answer; `None` when it did not come whole.
pub async fn exchange(address: SocketAddr, head: &str, body: &[u8]) -> Option<Answer> {
    timeout(PATIENCE, exchange_all(address, head, body)).await.expect("no answer for too long")
}

async fn exchange_all(address: SocketAddr, head: &str, body: &[u8]) -> Option<Answer> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    let head = format!("{head}\r\nHost: g\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).await.ok()?;
    // Who refuses a list may answer before it has read all of it.
    drop(stream.write_all(body).await);
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok()?;
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    let head = String::from_utf8(answer[..end].to_vec()).ok()?;
    let body = answer[end + 4..].to_vec();
    let status: u16 = head.get(9..12)?.parse().ok()?;
    let told = head.to_ascii_lowercase();
    let body = if told.contains("transfer-encoding: chunked") {
        joined(&body)?
    } else {
        let length: usize = told.split("content-length: ").nth(1)?.lines().next()?.parse().ok()?;
        (body.len() == length).then_some(body)?
    };
    Some(Answer { status, head, body })
}

/// The pieces of a chunked body; `None` when the last one is missing.
fn joined(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = rest.windows(2).position(|bytes| bytes == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..line]).ok()?, 16).ok()?;
        rest = &rest[line + 2..];
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size + 2..)?;
    }
}
