//! The promise behind a 202: the list and what became of it are in the store before anybody hears of it.

use super::service::Resends;
use crate::{
    dispatch::Promised,
    store::{
        Record,
        file::{Batch, Fault, Stage},
    },
};

/// Chunks written at once: dispatch must not wait for long.
const CHUNKS: usize = 8;

impl Resends {
    /// Makes a resend outlast the process. Without a store file there is nothing to do, and nothing is
    /// promised.
    ///
    /// # Errors
    /// When it can't be written; nothing is promised then.
    pub async fn promise(&self, record: &Record) -> Result<Promised, Fault> {
        let Some(store) = &self.store else { return Ok(Promised::Kept) };
        if record.is_promised() {
            // It may not be written yet.
            return self.dispatch.promise(record.id).await.ok_or(Fault::Closed);
        }
        // Rows come first, of a resend that a crash forgets; from the promise on, their ends follow.
        let mut writes = Vec::new();
        if record.body.list().is_some() {
            writes.push(record.row_at(Stage::UnderWay));
        }
        for rows in record.write_rows() {
            writes.push(rows);
            if writes.len() >= CHUNKS {
                store.write(Batch { writes: std::mem::take(&mut writes), ..Batch::default() }).await?;
            }
        }
        store.write(Batch { writes, ..Batch::default() }).await?;
        self.dispatch.promise(record.id).await.ok_or(Fault::Closed)
    }
}
