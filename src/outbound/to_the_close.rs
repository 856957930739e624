//! A connection on which an answer without a length is read to its end, which is that of the connection.
//!
//! RFC 9112, 6.3: an answer with neither `Content-Length` nor chunks ends where the server closes. awc reads
//! such an answer to the close only if it is of HTTP/1.0, and takes one of HTTP/1.1 for an answer without a body
//! (read in actix-http 3.20.0, `h1/decoder.rs`). So the version in the first line of such a head, and of no other,
//! is changed to 1.0 on its way to awc; every other byte passes as it came. Some servers end such an answer without
//! the end that TLS has for a connection: that is taken for an end. Whether the body is whole is told by its content,
//! as it must be without TLS.

use std::{
    io,
    mem::take,
    pin::Pin,
    task::{Context, Poll, ready},
};

use actix_rt::net::{ActixStream, Ready};
use bytes::{Buf as _, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Longest head that is looked at, and most fields in it: those of awc, which refuses what is more.
const MAX_HEAD_BYTES: usize = 128 * 1024;
const MAX_FIELDS: usize = 96;
const READ_BYTES: usize = 4096;
/// Where the digit stands that makes HTTP/1.1 of HTTP/1.0.
const MINOR_VERSION: usize = "HTTP/1.".len();

/// A connection of a client.
#[derive(Debug)]
pub(super) struct ToTheClose<Io> {
    io: Io,
    state: State,
    /// Whether the body of the last answer ends with the connection.
    is_to_the_close: bool,
}

#[derive(Debug)]
enum State {
    /// A request was written; what came of the head of its answer.
    Head(BytesMut),
    /// What was read ahead, then whatever comes.
    Rest(Bytes),
}

impl<Io> ToTheClose<Io> {
    pub(super) fn new(io: Io) -> Self {
        Self { io, state: State::Rest(Bytes::new()), is_to_the_close: false }
    }
}

impl<Io: AsyncRead + Unpin> ToTheClose<Io> {
    /// Reads until the head is whole, or never will be.
    fn poll_head(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let State::Head(head) = &mut self.state {
            let mut piece = [0; READ_BYTES];
            let mut piece = ReadBuf::new(&mut piece);
            ready!(Pin::new(&mut self.io).poll_read(context, &mut piece))?;
            // What ends a head may have begun in the piece before.
            let seen = head.len().saturating_sub(2);
            head.extend_from_slice(piece.filled());
            let is_over = piece.filled().is_empty() || head.len() > MAX_HEAD_BYTES || !may_begin_a_head(head);
            if is_over || has_blank_line(&head[seen..]) {
                let mut head = take(head);
                self.is_to_the_close = ends_with_the_connection(&head);
                if self.is_to_the_close {
                    head[MINOR_VERSION] = b'0';
                }
                self.state = State::Rest(head.freeze());
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// Whether bytes may be the start of a head. An answer that begins before the request is out goes on meanwhile: the
/// rest of its body is no head and must not be waited for as one.
fn may_begin_a_head(bytes: &[u8]) -> bool {
    let start = b"HTTP/1.";
    start.starts_with(bytes) || bytes.starts_with(start)
}

/// Whether a head may be whole. httparse takes lines that end in a lone LF, too.
fn has_blank_line(bytes: &[u8]) -> bool {
    bytes.windows(2).any(|pair| pair == b"\n\n") || bytes.windows(3).any(|triple| triple == b"\n\r\n")
}

/// Whether bytes begin with a head whose body only the close of the connection ends.
fn ends_with_the_connection(bytes: &[u8]) -> bool {
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut response = httparse::Response::new(&mut fields);
    let mut config = httparse::ParserConfig::default();
    config.allow_spaces_after_header_name_in_responses(true);
    let parsed = config.parse_response(&mut response, bytes);
    if !parsed.is_ok_and(|status| status.is_complete()) {
        return false;
    }
    let has_body = !matches!(response.code, None | Some(100..=199 | 204 | 304));
    has_body && !response.headers.iter().any(frames_the_body)
}

fn frames_the_body(field: &httparse::Header<'_>) -> bool {
    field.name.eq_ignore_ascii_case("content-length")
        || (field.name.eq_ignore_ascii_case("transfer-encoding")
            && !field.value.trim_ascii().eq_ignore_ascii_case(b"identity"))
}

impl<Io: AsyncRead + Unpin> AsyncRead for ToTheClose<Io> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.poll_head(context))?;
        if let State::Rest(ahead) = &mut self.state
            && !ahead.is_empty()
        {
            let length = ahead.len().min(buffer.remaining());
            buffer.put_slice(&ahead[..length]);
            ahead.advance(length);
            return Poll::Ready(Ok(()));
        }
        match ready!(Pin::new(&mut self.io).poll_read(context, buffer)) {
            Err(error) if self.is_to_the_close && error.kind() == io::ErrorKind::UnexpectedEof => {
                Poll::Ready(Ok(()))
            }
            read => Poll::Ready(read),
        }
    }
}

impl<Io: AsyncWrite + Unpin> AsyncWrite for ToTheClose<Io> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.io).poll_write(context, bytes))?;
        // The next thing to be read is the head of the answer to what was written.
        if written > 0 && matches!(&self.state, State::Rest(ahead) if ahead.is_empty()) {
            self.state = State::Head(BytesMut::new());
        }
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}

/// Asked for by the signatures of awc, which only reads and writes.
impl<Io: AsyncRead + AsyncWrite + Unpin> ActixStream for ToTheClose<Io> {
    fn poll_read_ready(&self, _: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        Poll::Ready(Ok(Ready::READABLE))
    }

    fn poll_write_ready(&self, _: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        Poll::Ready(Ok(Ready::WRITABLE))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    /// What a client reads when a server answers in these pieces and closes.
    async fn read(pieces: &[&[u8]]) -> Vec<u8> {
        let (client, mut server) = duplex(1 << 20);
        let mut client = ToTheClose::new(client);
        client.write_all(b"request").await.unwrap();
        let mut request = [0; 7];
        server.read_exact(&mut request).await.unwrap();
        let mut all = Vec::new();
        for piece in pieces {
            server.write_all(piece).await.unwrap();
            let mut some = [0; 3];
            if let Ok(read) =
                tokio::time::timeout(std::time::Duration::from_millis(1), client.read(&mut some)).await
            {
                all.extend_from_slice(&some[..read.unwrap()]);
            }
        }
        drop(server);
        client.read_to_end(&mut all).await.unwrap();
        all
    }

    #[tokio::test(start_paused = true)]
    async fn only_the_version_of_a_head_without_framing_is_changed() {
        for head in [
            "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
            "HTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: identity\r\n\r\n",
            "HTTP/1.1 200 OK\nServer: x\n\n",
        ] {
            let answer = format!("{head}{{\"message\":\"HTTP/1.1\"}}");
            let expected = answer.replacen("1.1", "1.0", 1);
            assert_eq!(read(&[answer.as_bytes()]).await, expected.as_bytes(), "{head}");
            let bytes: Vec<_> = answer.as_bytes().chunks(1).collect();
            assert_eq!(read(&bytes).await, expected.as_bytes(), "{head} in single bytes");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn every_other_byte_passes_as_it_came() {
        for answer in [
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
            "HTTP/1.1 200 OK\r\ncontent-length : 0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "HTTP/1.1 204 No Content\r\n\r\n",
            "HTTP/1.1 304 Not Modified\r\n\r\n",
            "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n\r\n{}",
            "HTTP/1.0 200 OK\r\n\r\n{}",
            "HTTP/1.1 200 OK\r\ncontent-ty",
            "this is not HTTP\n\n",
            "",
        ] {
            assert_eq!(read(&[answer.as_bytes()]).await, answer.as_bytes(), "{answer:?}");
        }
        let endless = [b"HTTP/1.1 200 OK\r\nx: ".as_slice(), &vec![b'y'; MAX_HEAD_BYTES + 1]].concat();
        assert_eq!(read(&[&endless]).await, endless);
    }

    #[tokio::test]
    async fn an_answer_that_begins_before_the_request_is_out_passes_as_it_comes() {
        let (client, mut server) = duplex(1 << 20);
        let mut client = ToTheClose::new(client);
        let head = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 13\r\n\r\n";
        client.write_all(b"half a request").await.unwrap();
        server.write_all(head).await.unwrap();
        let mut answer = vec![0; head.len()];
        client.read_exact(&mut answer).await.unwrap();

        client.write_all(b"the other half").await.unwrap();
        server.write_all(b"{\"error\":\"x\"}").await.unwrap();
        let mut body = [0; 13];
        client.read_exact(&mut body).await.unwrap();

        assert_eq!(&body, b"{\"error\":\"x\"}");
    }

    #[tokio::test]
    async fn each_answer_on_a_connection_is_looked_at() {
        let (client, mut server) = duplex(1 << 20);
        let mut client = ToTheClose::new(client);
        let framed = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
        let mut answer = vec![0; framed.len()];

        for _ in 0..2 {
            client.write_all(b"request").await.unwrap();
            server.write_all(framed).await.unwrap();
            client.read_exact(&mut answer).await.unwrap();
            assert_eq!(answer, framed);
        }
        client.write_all(b"request").await.unwrap();
        server.write_all(b"HTTP/1.1 200 OK\r\n\r\n{}").await.unwrap();
        drop(server);
        let mut last = Vec::new();
        client.read_to_end(&mut last).await.unwrap();

        assert_eq!(last, b"HTTP/1.0 200 OK\r\n\r\n{}");
    }
}
