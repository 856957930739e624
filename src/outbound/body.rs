//! A request body that knows whether it was touched.
//!
//! On HTTP/1.1 awc buffers the request head until it first polls the body (read in awc 3.11.0,
//! `client/h1proto.rs`). So a body never polled proves that nothing was written, whatever the error
//! says; error names prove nothing (`Connect(Disconnected)` also follows a written request).

use std::{
    cell::Cell,
    convert::Infallible,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use awc::body::{BodySize, MessageBody};
use bytes::Bytes;
use tokio::time::Instant;

/// Raised when the first byte of a request may have left. Its maker keeps a clone and may look at any
/// moment, also after it gave the exchange up.
#[derive(Debug, Clone, Default)]
pub struct Written(Rc<Cell<Option<Instant>>>);

impl Written {
    /// Whether any byte may have left; `false` is proof that none did.
    pub fn is_set(&self) -> bool {
        self.at().is_some()
    }

    /// When the first byte may have left.
    pub fn at(&self) -> Option<Instant> {
        self.0.get()
    }
}

/// Sends `content` in one piece and raises `written` when asked for it.
#[derive(Debug)]
pub(super) struct FlaggedBody {
    content: Option<Bytes>,
    size: u64,
    written: Written,
}

impl FlaggedBody {
    pub(super) fn new(content: Bytes, written: Written) -> Self {
        Self { size: content.len() as u64, content: Some(content), written }
    }
}

impl MessageBody for FlaggedBody {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.size)
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        self.written.0.set(self.written.at().or_else(|| Some(Instant::now())));
        Poll::Ready(self.content.take().map(Ok))
    }
}
