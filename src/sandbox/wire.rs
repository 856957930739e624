//! One connection as bytes: reads heads and bodies, plays scripts.
//!
//! Owns the socket and what was read ahead. Refuses bodies over 1 MiB and chunks that are not well-formed.

use std::io;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use thiserror::Error;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::answer::{Answer, Connection};
use super::head::{Head, Length, MAX_FIELDS, MAX_HEAD_BYTES};
use super::script::{End, Script, Step};

/// Longest request body, in bytes.
pub(super) const MAX_BODY_BYTES: usize = 1024 * 1024;

const READ_AHEAD_BYTES: usize = 8 * 1024;
const MAX_CHUNK_LINE_BYTES: usize = 256;
const LINGER: Duration = Duration::from_secs(1);

/// Why a request could not be read.
#[derive(Debug, Error)]
pub(super) enum WireError {
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
    #[error("{0}")]
    Malformed(&'static str),
    #[error("the head is too long")]
    HeadTooLong,
    #[error("the body is too long")]
    BodyTooLong,
}

/// Whether another request may follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    Request,
    Nothing,
}

/// A connection.
pub(super) struct Wire {
    stream: TcpStream,
    ahead: BytesMut,
}

impl WireError {
    /// What to tell the client; `None` when it is gone.
    pub(super) fn answer(&self) -> Option<Answer> {
        match self {
            Self::Io(_) => None,
            Self::Malformed(why) => Some(Answer::error(400, "malformed_request", why)),
            Self::HeadTooLong => Some(Answer::refusal(431)),
            Self::BodyTooLong => Some(Answer::refusal(413)),
        }
    }
}

impl Wire {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream, ahead: BytesMut::new() }
    }

    /// The next request's head; `None` when the client closed between two requests.
    pub(super) async fn read_head(&mut self) -> Result<Option<Head>, WireError> {
        loop {
            if let Some((head, used)) = Head::read(&self.ahead)? {
                self.ahead.advance(used);
                return Ok(Some(head));
            }
            let before = self.ahead.len();
            if self.read_more().await? == 0 {
                return if before == 0 { Ok(None) } else { Err(cut_short()) };
            }
        }
    }

    /// The body that belongs to `head`.
    pub(super) async fn read_body(&mut self, head: &Head) -> Result<Vec<u8>, WireError> {
        match head.length {
            Length::Fixed(length) => {
                let length = bounded(length, 0)?;
                self.have(length).await?;
                Ok(self.ahead.split_to(length).to_vec())
            }
            Length::Chunked => self.read_chunks().await,
        }
    }

    async fn read_chunks(&mut self) -> Result<Vec<u8>, WireError> {
        let mut body = Vec::new();
        loop {
            let size = self.read_chunk_size().await?;
            if size == 0 {
                self.skip_trailer().await?;
                return Ok(body);
            }
            let size = bounded(size, body.len())?;
            self.have(size + 2).await?;
            body.extend_from_slice(&self.ahead[..size]);
            self.ahead.advance(size);
            if !self.ahead.starts_with(b"\r\n") {
                return Err(WireError::Malformed("a chunk is longer than its size"));
            }
            self.ahead.advance(2);
        }
    }

    async fn read_chunk_size(&mut self) -> Result<u64, WireError> {
        loop {
            match httparse::parse_chunk_size(&self.ahead) {
                Ok(httparse::Status::Complete((used, size))) => {
                    self.ahead.advance(used);
                    return Ok(size);
                }
                Ok(httparse::Status::Partial) if self.ahead.len() < MAX_CHUNK_LINE_BYTES => {
                    self.have(self.ahead.len() + 1).await?;
                }
                Ok(httparse::Status::Partial) | Err(_) => {
                    return Err(WireError::Malformed("this is not the size of a chunk"));
                }
            }
        }
    }

    async fn skip_trailer(&mut self) -> Result<(), WireError> {
        loop {
            let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
            let used = match httparse::parse_headers(&self.ahead, &mut fields) {
                Ok(httparse::Status::Complete((used, _))) => used,
                Ok(httparse::Status::Partial) if self.ahead.len() < MAX_HEAD_BYTES => {
                    self.have(self.ahead.len() + 1).await?;
                    continue;
                }
                Ok(httparse::Status::Partial) | Err(_) => {
                    return Err(WireError::Malformed("the trailer is not well-formed"));
                }
            };
            self.ahead.advance(used);
            return Ok(());
        }
    }

    /// Reads until so many bytes are there.
    async fn have(&mut self, length: usize) -> Result<(), WireError> {
        while self.ahead.len() < length {
            if self.read_more().await? == 0 {
                return Err(cut_short());
            }
        }
        Ok(())
    }

    async fn read_more(&mut self) -> Result<usize, WireError> {
        self.ahead.reserve(READ_AHEAD_BYTES);
        Ok(self.stream.read_buf(&mut self.ahead).await?)
    }

    /// Writes bytes as they stand.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<(), WireError> {
        Ok(self.stream.write_all(bytes).await?)
    }

    /// Does what a script says.
    pub(super) async fn play(&mut self, script: Script) -> Result<Next, WireError> {
        for step in script.steps {
            match step {
                Step::Write(bytes) => self.write(&bytes).await?,
                Step::Wait(duration) => sleep(duration).await,
            }
        }
        match script.end {
            End::KeepOpen => return Ok(Next::Request),
            End::Close => self.stream.shutdown().await?,
            End::Reset => self.stream.set_zero_linger()?,
            End::Silence => self.discard().await?,
        }
        Ok(Next::Nothing)
    }

    /// Tells the client what was wrong and reads on for a moment: closing with bytes unread would reset the
    /// connection and could take the answer with it.
    pub(super) async fn refuse(&mut self, answer: &Answer) -> Result<(), WireError> {
        self.write(&answer.render(Connection::Close)).await?;
        self.stream.shutdown().await?;
        timeout(LINGER, self.discard()).await.unwrap_or(Ok(()))
    }

    /// Reads and forgets until the client closes.
    async fn discard(&mut self) -> Result<(), WireError> {
        loop {
            self.ahead.clear();
            if self.read_more().await? == 0 {
                return Ok(());
            }
        }
    }
}

fn bounded(length: u64, so_far: usize) -> Result<usize, WireError> {
    match usize::try_from(length) {
        Ok(length) if length <= MAX_BODY_BYTES.saturating_sub(so_far) => Ok(length),
        _ => Err(WireError::BodyTooLong),
    }
}

fn cut_short() -> WireError {
    WireError::Io(io::ErrorKind::UnexpectedEof.into())
}
