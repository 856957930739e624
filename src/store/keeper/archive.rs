//! Ended resends in RAM, as transactions of the file.

use crate::store::{
    file::{Fault, Stage, Write},
    memory::Record,
};

/// Changes of one transaction.
const CHANGES: usize = 96;
/// Chunks of one transaction of a long list.
const CHUNKS: usize = 8;

/// Changes that make one transaction together.
#[derive(Default)]
pub(super) struct Gathered {
    writes: Vec<Write>,
}

impl Gathered {
    /// Adds a resend as a whole. Parts of a long one are written at once.
    pub(super) fn add(
        &mut self,
        record: &Record,
        mut write: impl FnMut(Vec<Write>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let chunks = record.body.list().map_or(0, |list| list.chunks().count());
        if chunks <= CHUNKS {
            self.writes.extend(record.write_rows());
            record.write_all_ends(|end| self.writes.push(end));
            self.writes.push(record.row(None));
            return Ok(());
        }
        // Until its last part is written a crash forgets it.
        let mut part = vec![record.row_at(Stage::Reading)];
        for rows in record.write_rows() {
            part.push(rows);
            if part.len() >= CHUNKS {
                write(std::mem::take(&mut part))?;
            }
        }
        record.write_all_ends(|end| part.push(end));
        part.push(record.row(None));
        while !part.is_empty() {
            write(part.drain(..CHUNKS.min(part.len())).collect())?;
        }
        Ok(())
    }

    pub(super) fn is_full(&self) -> bool {
        self.writes.len() >= CHANGES
    }

    pub(super) fn take(&mut self) -> Vec<Write> {
        std::mem::take(&mut self.writes)
    }
}
