//! The events of one resend, read from their stream.

use super::{CallError, Lines, Resend, parse};

/// Something new about a resend.
#[derive(Debug)]
pub(crate) enum Event {
    /// It goes on.
    Progress(Resend),
    /// Nothing more will become of it.
    Finished(Resend),
}

/// A stream of events.
pub(crate) struct Events {
    lines: Lines,
}

impl Events {
    pub(super) fn new(lines: Lines) -> Self {
        Self { lines }
    }

    /// The next event. A stream that ends before the resend did is broken.
    pub(crate) async fn next(&mut self) -> Result<Event, CallError> {
        let (mut name, mut data) = (String::new(), Vec::new());
        loop {
            let line = self.lines.next().await?.ok_or(CallError::Broken)?;
            if let Some(value) = line.strip_prefix(b"event: ") {
                name = String::from_utf8_lossy(value).into_owned();
            } else if let Some(value) = line.strip_prefix(b"data: ") {
                data = value.to_vec();
            } else if line.is_empty() && !data.is_empty() {
                match name.as_str() {
                    "progress" => return Ok(Event::Progress(parse(&data)?)),
                    "finished" => return Ok(Event::Finished(parse(&data)?)),
                    // What a later gateway may tell besides.
                    _ => data.clear(),
                }
            }
        }
    }
}
