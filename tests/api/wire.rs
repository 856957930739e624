//! A caller that sees bytes: bodies in odd pieces, half bodies, slow ones, connections that end.

use std::{io::ErrorKind, net::SocketAddr};

use awc::http::{
    StatusCode,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use crate::gateway::{Answer, PATIENCE};

/// One connection.
pub struct Wire {
    stream: TcpStream,
    ahead: Vec<u8>,
}

/// The head of an answer.
struct Head {
    length: usize,
    status: StatusCode,
    headers: HeaderMap,
}

impl Wire {
    pub async fn connect(address: SocketAddr) -> Self {
        Self::try_connect(address).await.unwrap()
    }

    pub async fn try_connect(address: SocketAddr) -> Result<Self, ErrorKind> {
        let stream = TcpStream::connect(address).await.map_err(|error| error.kind())?;
        stream.set_nodelay(true).unwrap();
        Ok(Self { stream, ahead: Vec::new() })
    }

    /// Writes the head of a post of JSON to `/v1/resends` with these fields (each ends in `\r\n`).
    pub async fn begin_post(&mut self, fields: &str) {
        let head = "POST /v1/resends HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\n";
        self.send(format!("{head}{fields}\r\n")).await.unwrap();
    }

    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) -> Result<(), ErrorKind> {
        self.stream.write_all(bytes.as_ref()).await.map_err(|error| error.kind())
    }

    /// Says that nothing more will be written; the other half stays open.
    pub async fn half_close(&mut self) {
        self.stream.shutdown().await.unwrap();
    }

    /// Ends the connection with a reset instead of a goodbye.
    pub fn reset(self) {
        self.stream.set_zero_linger().unwrap();
    }

    /// The head of the next answer, whose body is left; or how the connection ended before it was whole.
    pub async fn head(&mut self) -> Result<(StatusCode, HeaderMap), ErrorKind> {
        let head = self.next_head().await?;
        Ok((head.status, head.headers))
    }

    /// The next answer, interim ones too; or how the connection ended before it was whole.
    pub async fn answer(&mut self) -> Result<Answer, ErrorKind> {
        let head = self.next_head().await?;
        let body = self.body(&head).await?;
        Ok(Answer { status: head.status, headers: head.headers, body: body.into() })
    }

    async fn next_head(&mut self) -> Result<Head, ErrorKind> {
        let head = loop {
            match parse(&self.ahead) {
                Some(head) => break head,
                None => self.read_more().await?,
            }
        };
        self.ahead.drain(..head.length);
        Ok(head)
    }

    /// Everything up to the end of the connection.
    pub async fn rest(&mut self) -> Vec<u8> {
        while self.read_more().await.is_ok() {}
        std::mem::take(&mut self.ahead)
    }

    /// Whether something can be read by now.
    pub fn has_answer(&mut self) -> bool {
        match self.stream.try_read_buf(&mut self.ahead) {
            Ok(read) => read > 0,
            Err(_) => false,
        }
    }

    /// Whether the other side has closed in good order, with nothing left to read.
    #[allow(dead_code, reason = "for the tests of shutting down")]
    pub async fn is_closed(&mut self) -> bool {
        self.read_more().await == Err(ErrorKind::UnexpectedEof)
    }

    /// Whether the other side ends the connection, after whatever is still to be read.
    #[allow(dead_code, reason = "for the tests of connections")]
    pub async fn ends(&mut self) -> bool {
        loop {
            match self.read_more().await {
                Ok(()) => self.ahead.clear(),
                Err(error) => return error == ErrorKind::UnexpectedEof,
            }
        }
    }

    async fn body(&mut self, head: &Head) -> Result<Vec<u8>, ErrorKind> {
        if head.headers.get("transfer-encoding").is_some_and(|value| value == "chunked") {
            return self.chunks().await;
        }
        let length = head.headers.get("content-length").map_or("0", |value| value.to_str().unwrap());
        self.take(length.parse().unwrap()).await
    }

    async fn chunks(&mut self) -> Result<Vec<u8>, ErrorKind> {
        let mut body = Vec::new();
        loop {
            let line = loop {
                match self.ahead.windows(2).position(|pair| pair == b"\r\n") {
                    Some(at) => break self.take(at + 2).await?,
                    None => self.read_more().await?,
                }
            };
            let size = usize::from_str_radix(String::from_utf8(line).unwrap().trim(), 16).unwrap();
            let chunk = self.take(size + 2).await?;
            if size == 0 {
                return Ok(body);
            }
            body.extend_from_slice(&chunk[..size]);
        }
    }

    async fn take(&mut self, length: usize) -> Result<Vec<u8>, ErrorKind> {
        while self.ahead.len() < length {
            self.read_more().await?;
        }
        Ok(self.ahead.drain(..length).collect())
    }

    async fn read_more(&mut self) -> Result<(), ErrorKind> {
        let read = timeout(PATIENCE, self.stream.read_buf(&mut self.ahead)).await.expect("no byte came");
        match read {
            Ok(0) => Err(ErrorKind::UnexpectedEof),
            Ok(_) => Ok(()),
            Err(error) => Err(error.kind()),
        }
    }
}

/// `body` as HTTP chunks of these sizes, over and over, with the last one that ends it.
pub fn chunked(body: &[u8], sizes: &[usize]) -> Vec<Vec<u8>> {
    let mut rest = body;
    let mut chunks = Vec::new();
    for size in sizes.iter().cycle() {
        let (piece, after) = rest.split_at(rest.len().min(*size));
        chunks.push([format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat());
        rest = after;
        if piece.is_empty() {
            return chunks;
        }
    }
    unreachable!("sizes go round for ever")
}

fn parse(bytes: &[u8]) -> Option<Head> {
    let mut fields = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut fields);
    let httparse::Status::Complete(length) = response.parse(bytes).unwrap() else { return None };
    let headers = response.headers.iter().map(|field| {
        let name: HeaderName = field.name.parse().unwrap();
        (name, HeaderValue::from_bytes(field.value).unwrap())
    });
    let headers = headers.collect();
    Some(Head { length, status: StatusCode::from_u16(response.code.unwrap()).unwrap(), headers })
}
