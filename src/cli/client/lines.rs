//! The body of an answer as lines, one at a time, however large the whole is.

use std::time::Duration;

use awc::ClientResponse;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use tokio::time::timeout;

use super::CallError;

/// Three heartbeats of an event stream.
const SILENCE: Duration = Duration::from_secs(45);
/// Far longer than any line of the gateway.
const MAX_LINE_BYTES: usize = 1 << 20;

/// An answer that is being read.
pub(crate) struct Lines {
    response: ClientResponse,
    ahead: BytesMut,
    /// How much of `ahead` holds no line end.
    searched: usize,
}

impl Lines {
    pub(super) fn new(response: ClientResponse) -> Self {
        Self { response, ahead: BytesMut::new(), searched: 0 }
    }

    /// The next line, without its end. `None` at the end of the body, or of the connection: awc does not
    /// tell the two apart, so whoever must know has to know from what was read.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, CallError> {
        loop {
            if let Some(at) = self.ahead[self.searched..].iter().position(|byte| *byte == b'\n') {
                let mut line = self.ahead.split_to(self.searched + at + 1);
                self.searched = 0;
                line.truncate(line.len() - 1);
                return Ok(Some(line.freeze()));
            }
            self.searched = self.ahead.len();
            if self.searched > MAX_LINE_BYTES {
                return Err(CallError::Unreadable);
            }
            let Ok(piece) = timeout(SILENCE, self.response.next()).await else {
                return Err(CallError::Silent { seconds: SILENCE.as_secs() });
            };
            match piece {
                Some(Ok(piece)) => self.ahead.extend_from_slice(&piece),
                Some(Err(_)) => return Err(CallError::Broken),
                None if self.ahead.is_empty() => return Ok(None),
                None => return Err(CallError::Broken),
            }
        }
    }
}
