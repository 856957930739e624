//! A long row of changes, written part by part: dispatch, whose batches go in between, must not wait for long.
//!
//! Each part is a transaction. What belongs together is given with the end.

use super::{error::Fault, open::Store, queue::Batch, write::Write};

/// Changes in one part.
const AT_ONCE: usize = 8;

/// Changes on their way into the file. What was not written when this is dropped is not written.
pub struct Parts<'a> {
    store: &'a Store,
    writes: Vec<Write>,
    hard: bool,
}

impl Store {
    /// Begins a row of changes.
    pub fn parts(&self) -> Parts<'_> {
        Parts { store: self, writes: Vec::new(), hard: false }
    }

    /// The same for changes each of which must outlast a power cut.
    pub fn hard_parts(&self) -> Parts<'_> {
        Parts { hard: true, ..self.parts() }
    }
}

impl Parts<'_> {
    /// Adds a change, and writes a part when there are enough for one.
    ///
    /// # Errors
    /// When that part was not written.
    pub async fn add(&mut self, write: Write) -> Result<(), Fault> {
        self.writes.push(write);
        if self.writes.len() < AT_ONCE {
            return Ok(());
        }
        let writes = std::mem::take(&mut self.writes);
        self.store.write(Batch { writes, hard: self.hard, ..Batch::default() }).await.map(drop)
    }

    /// Writes what is left.
    ///
    /// # Errors
    /// When it was not written.
    pub async fn end(self) -> Result<(), Fault> {
        if self.writes.is_empty() {
            return Ok(());
        }
        self.store.write(Batch { writes: self.writes, hard: self.hard, ..Batch::default() }).await.map(drop)
    }

    /// Writes what is left and `last`, in one transaction that outlasts a power cut, as all before it then does.
    ///
    /// # Errors
    /// When it was not written.
    pub async fn end_hard_with(mut self, last: impl IntoIterator<Item = Write>) -> Result<(), Fault> {
        self.writes.extend(last);
        self.hard = true;
        self.end().await
    }
}
