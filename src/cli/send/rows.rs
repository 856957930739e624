//! The results of a finished resend, one at a time, each once and none left out.
//!
//! A connection that breaks in between is made anew, and rows that were read are skipped. How many there
//! must be is known from the counts, which is how an end is told from a break.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::sleep;

use crate::cli::client::{CallError, Client, Lines, Resend, Row, parse};

/// Attempts that bring nothing new before giving up.
const ATTEMPTS: u32 = 8;
const MIN_WAIT: Duration = Duration::from_millis(250);

/// Results that are being read.
pub(super) struct Rows<'client> {
    client: &'client Client,
    id: String,
    outcomes: &'client [&'client str],
    lines: Option<Lines>,
    /// The least index that was not read.
    next: u64,
    /// Rows that have to come still.
    left: u64,
    fruitless: u32,
}

impl<'client> Rows<'client> {
    /// The results that came to one of these ends.
    pub(super) fn new(client: &'client Client, resend: &Resend, outcomes: &'client [&'client str]) -> Self {
        Self {
            client,
            id: resend.id.clone(),
            outcomes,
            lines: None,
            next: 0,
            left: resend.sum(outcomes),
            fruitless: 0,
        }
    }

    /// The next row, and the line that it stood on.
    pub(super) async fn next(&mut self) -> Result<Option<(Row, Bytes)>, CallError> {
        while self.left > 0 {
            match self.read().await {
                Ok((row, _)) if row.index < self.next => {}
                Ok((row, line)) => {
                    self.next = row.index + 1;
                    self.left -= 1;
                    self.fruitless = 0;
                    return Ok(Some((row, line)));
                }
                Err(error) if error.is_passing() && self.fruitless < ATTEMPTS => {
                    self.lines = None;
                    sleep(MIN_WAIT * 2_u32.pow(self.fruitless.min(6))).await;
                    self.fruitless += 1;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    async fn read(&mut self) -> Result<(Row, Bytes), CallError> {
        let lines = match &mut self.lines {
            Some(lines) => lines,
            None => self.lines.insert(self.client.results(&self.id, self.outcomes).await?),
        };
        let line = lines.next().await?.ok_or(CallError::Broken)?;
        Ok((parse(&line)?, line))
    }
}
