//! Decides what an answer does with its connection: whether it is kept open, and how a body of unknown length ends.
//!
//! Corrects four habits of actix. It ends a connection whose request says `Connection: upgrade` without announcing it;
//! this server speaks HTTP/1 only, so the upgrade is ignored (RFC 9110, 7.8) and the end is announced. It sends chunks
//! to HTTP/1.0 callers (RFC 9112, 6.1 forbids it). And it reads the body of a request with `Upgrade: websocket` up to
//! the end of the connection, whatever `Content-Length` says. And after an early answer to a request with a chunked
//! body it waits for the rest of that body without any limit; this server announces the end of the connection, as
//! actix does for a body with `Content-Length`.
//!
//! Owns the number of open connections of a listener: when it is nearly full, connections are not kept open after an
//! answer, so that idle ones never lock new callers out.

use std::{
    any::Any,
    cell::RefCell,
    pin::Pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use actix_web::{
    HttpMessage as _,
    body::{BodySize, BoxBody, MessageBody},
    dev::{Extensions, Payload, RequestHead, ServiceRequest, ServiceResponse},
    error::PayloadError,
    http::{
        ConnectionType, Method, Version,
        header::{CONTENT_LENGTH, TRANSFER_ENCODING, UPGRADE},
    },
    web::Bytes,
};
use futures_util::Stream;

/// One of this many connections is reserved for callers whose connection ends with the answer.
const RESERVED_SHARE: usize = 64;

/// The open connections of a listener. Clones share the count.
#[derive(Debug, Clone)]
pub struct Connections {
    open: Arc<AtomicUsize>,
    most: usize,
}

impl Connections {
    /// No connection yet, of at most `most`.
    pub fn at_most(most: usize) -> Self {
        Self { open: Arc::default(), most }
    }

    /// Counts a connection for as long as it is open: for `HttpServer::on_connect`.
    pub fn count(&self, _stream: &dyn Any, data: &mut Extensions) {
        self.open.fetch_add(1, Ordering::Relaxed);
        data.insert(OpenConnection { all: self.clone(), had_request: AtomicBool::new(false) });
    }

    fn is_nearly_full(&self) -> bool {
        self.open.load(Ordering::Relaxed) + self.most / RESERVED_SHARE > self.most
    }
}

/// One open connection.
struct OpenConnection {
    all: Connections,
    /// Whether a valid request arrived.
    had_request: AtomicBool,
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.all.open.fetch_sub(1, Ordering::Relaxed);
        if !self.had_request.load(Ordering::Relaxed) {
            tracing::debug!(
                "A connection ended without a valid HTTP/1 request: TLS on a plain port, a port check, or a malformed \
                 head."
            );
        }
    }
}

/// What to do with the connection of one request.
pub(super) struct Framing {
    /// The connection ends with the answer, and the answer says so.
    closes: bool,
    /// A body of unknown length lasts to the end of the connection.
    lasts_to_close: bool,
    /// The chunked body of the request.
    chunked: Option<SharedPayload>,
}

impl Framing {
    /// Decides by the request, and by how full the listener is. Ends the body of a request that asks for a WebSocket
    /// at its `Content-Length`, and keeps hold of a chunked one.
    pub(super) fn of(request: &mut ServiceRequest) -> Self {
        let connection = request.conn_data::<OpenConnection>();
        if let Some(connection) = connection {
            connection.had_request.store(true, Ordering::Relaxed);
        }
        let is_nearly_full = connection.is_some_and(|connection| connection.all.is_nearly_full());
        let mut framing = Self::by_head(request.head(), is_nearly_full);
        if is_read_to_the_end(request.head()) {
            let left = declared_length(request.head());
            let inner = request.take_payload();
            request.set_payload(Payload::Stream { payload: Box::pin(Limited { inner, left }) });
        } else if request.headers().contains_key(TRANSFER_ENCODING) {
            let payload = SharedPayload(Rc::new(RefCell::new(request.take_payload())));
            request.set_payload(Payload::Stream { payload: Box::pin(payload.clone()) });
            framing.chunked = Some(payload);
        }
        framing
    }

    fn by_head(head: &RequestHead, is_nearly_full: bool) -> Self {
        let switches = head.connection_type() == ConnectionType::Upgrade || is_read_to_the_end(head);
        Self {
            closes: switches || is_nearly_full,
            lasts_to_close: head.version < Version::HTTP_11 || is_read_to_the_end(head),
            chunked: None,
        }
    }

    /// Puts the decision into the answer.
    pub(super) fn apply(self, mut response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
        let is_stream = response.response().body().size() == BodySize::Stream;
        let head = response.response_mut().head_mut();
        if is_stream && self.lasts_to_close {
            head.no_chunking(true);
        }
        if self.closes || (is_stream && self.lasts_to_close) {
            head.set_connection_type(ConnectionType::Close);
        }
        match self.chunked {
            Some(request_body) => {
                response.map_body(|_, inner| Holding { inner, _request_body: request_body }.boxed())
            }
            None => response,
        }
    }
}

/// A body of a request that its reader and the answer have in common.
#[derive(Clone)]
struct SharedPayload(Rc<RefCell<Payload>>);

impl Stream for SharedPayload {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_next(context)
    }
}

/// The body of an answer that keeps hold of the body of its request. actix waits for the rest of a chunked body that
/// was dropped, for as long as it takes; of one that is still held and was not read to its end it ends the connection
/// with the answer, and announces that.
struct Holding {
    inner: BoxBody,
    _request_body: SharedPayload,
}

impl MessageBody for Holding {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.inner.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.inner).poll_next(context)
    }
}

/// Whether actix takes everything up to the end of the connection for the body of this request.
fn is_read_to_the_end(head: &RequestHead) -> bool {
    let is_websocket = head
        .headers
        .get_all(UPGRADE)
        .any(|value| value.to_str().is_ok_and(|text| text.trim().eq_ignore_ascii_case("websocket")));
    (is_websocket || head.method == Method::CONNECT) && !head.headers.contains_key(TRANSFER_ENCODING)
}

/// The length of the body by its header, which actix has found to be a number.
fn declared_length(head: &RequestHead) -> u64 {
    let length = head.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    length.and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

/// A body that ends after so many bytes.
struct Limited {
    inner: Payload,
    left: u64,
}

impl Stream for Limited {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        match Pin::new(&mut self.inner).poll_next(context) {
            Poll::Ready(Some(Ok(mut piece))) => {
                piece.truncate(usize::try_from(self.left).unwrap_or(usize::MAX));
                self.left -= piece.len() as u64;
                Poll::Ready(Some(Ok(piece)))
            }
            // The connection ended before the declared length: the body is incomplete.
            Poll::Ready(None) => Poll::Ready(Some(Err(PayloadError::Incomplete(None)))),
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn framing(
        version: Version,
        headers: &[(&'static str, &'static str)],
        is_nearly_full: bool,
    ) -> (bool, bool) {
        let request = headers
            .iter()
            .fold(TestRequest::get().version(version), |request, header| request.insert_header(*header));
        let request = request.to_http_request();
        let Framing { closes, lasts_to_close, .. } = Framing::by_head(request.head(), is_nearly_full);
        (closes, lasts_to_close)
    }

    #[test]
    fn plain_requests_keep_their_connection_and_get_chunks_in_http_1_1_only() {
        assert_eq!(framing(Version::HTTP_11, &[], false), (false, false));
        assert_eq!(framing(Version::HTTP_11, &[], true), (true, false));
        assert_eq!(framing(Version::HTTP_10, &[], false), (false, true));
    }

    #[test]
    fn a_wish_for_a_websocket_ends_the_connection_and_gets_no_chunks() {
        for (headers, is_read_to_the_end) in [
            (&[("upgrade", "WebSocket")][..], true),
            (&[("upgrade", "websocket"), ("transfer-encoding", "chunked")], false),
            (&[("upgrade", "h2c")], false),
        ] {
            let expected = (is_read_to_the_end, is_read_to_the_end);
            assert_eq!(framing(Version::HTTP_11, headers, false), expected, "{headers:?}");
        }
    }

    #[test]
    fn a_listener_is_nearly_full_when_only_the_reserve_is_free() {
        let mut data: Vec<Extensions> = Vec::new();
        let connections = Connections::at_most(128);
        for open in 1..=128 {
            data.push(Extensions::new());
            connections.count(&(), data.last_mut().unwrap());
            assert_eq!(connections.is_nearly_full(), open > 126, "{open}");
        }

        data.truncate(126);

        assert!(!connections.is_nearly_full());
    }
}
