//! The one thread that writes: everything that waits is one transaction (group commit).
//!
//! What dispatch hands in is never given up: when it can't be written the fault is told and it is tried
//! again. Bulk work fails instead, and whoever waits for it hears why.

use std::{sync::Arc, thread, time::Duration};

use rusqlite::{Connection, ffi};
use tokio::{sync::watch, time::Instant};

use super::{
    error::Fault,
    queue::{Batch, Bulk, Queue, Work},
    write::Write,
};
use crate::{
    domain::{ResendId, Timestamp},
    telemetry::{
        AbortOnPanic,
        metrics::{Metrics, StoreOperation},
    },
};

/// Bulk batches in one transaction: those of dispatch must not wait for long.
const BULK_AT_ONCE: usize = 4;
/// How often the thread looks around when there is nothing to write.
const IDLE: Duration = Duration::from_millis(500);
/// Between attempts to write what can't be written.
const RETRY: Duration = Duration::from_millis(250);

/// The fact that is written to see whether the store works again.
const LOOKED: &str = "looked_at";

const GIVE_BACK: &str = "PRAGMA incremental_vacuum(256)";

/// What others see of the writing thread.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Progress {
    /// The last batch of dispatch that is committed.
    pub(super) committed: u64,
    /// Why writing fails, while it does.
    pub(super) fault: Option<Fault>,
}

pub(super) struct Writer {
    pub(super) connection: Connection,
    /// Whether commits outlast a power cut now; not known at first.
    pub(super) is_hard: Option<bool>,
    pub(super) queue: Arc<Queue>,
    pub(super) progress: watch::Sender<Progress>,
    pub(super) metrics: Arc<Metrics>,
}

impl Writer {
    /// Writes until the queue is closed and empty.
    pub(super) fn run(mut self) {
        let _guard = AbortOnPanic { thread: "store" };
        while let Some(Work { erasure, urgent, mut bulk }) = self.queue.take(IDLE, BULK_AT_ONCE) {
            match erasure {
                Some(resend) => self.erase(resend),
                None if urgent.is_none() && bulk.is_empty() => {
                    self.look_again();
                    self.give_back_pages();
                }
                None => {}
            }
            if let Some(batch) = urgent {
                self.write_urgent(&batch, &mut bulk);
            }
            for job in bulk {
                self.write_bulk(job);
            }
        }
    }

    /// `bulk` is what would be written next.
    fn write_urgent(&mut self, batch: &Batch, bulk: &mut Vec<Bulk>) {
        let queue = Arc::clone(&self.queue);
        while let Err(fault) = self.commit(batch, || !queue.is_abandoned()) {
            if queue.is_closed() || queue.is_abandoned() {
                // Nobody is left who could wait for it, and whoever did was told.
                tracing::error!(%fault, "The store closes without what could not be written.");
                return;
            }
            self.progress.send_modify(|progress| progress.fault = Some(fault));
            // What may fail does not wait for better times.
            for job in bulk.drain(..).chain(self.queue.take_bulk()) {
                answer(job, Err(fault));
            }
            thread::park_timeout(RETRY);
        }
        if self.progress.borrow().fault.is_some() {
            tracing::info!("The store can be written again.");
        }
        self.progress.send_modify(|progress| {
            progress.committed = batch.number;
            progress.fault = None;
        });
    }

    fn write_bulk(&mut self, job: Bulk) {
        let result = self.commit(&job.batch, || true);
        let fault = result.err();
        self.progress.send_if_modified(|progress| {
            let changed = progress.fault != fault;
            progress.fault = fault;
            changed
        });
        answer(job, result);
    }

    /// While the store fails and nobody has anything to write, nobody would hear that it works again.
    fn look_again(&mut self) {
        if self.progress.borrow().fault.is_none() {
            return;
        }
        let look = Write::Fact(LOOKED, Some(Timestamp::now().0.to_string()));
        if self.commit(&Batch { writes: vec![look], ..Batch::default() }, || true).is_ok() {
            tracing::info!("The store can be written again.");
            self.progress.send_modify(|progress| progress.fault = None);
        }
    }

    /// Erases a part of a resend, and comes back for the rest.
    fn erase(&mut self, resend: ResendId) {
        let batch = Batch { writes: vec![Write::Erase(resend)], ..Batch::default() };
        // What can't be erased now is erased at the next start.
        if self.commit(&batch, || true).is_ok_and(|again| again) {
            self.queue.put_erasure(resend);
        }
    }

    /// Shortens the file by some of the pages that erasing left, while there is nothing else to do.
    fn give_back_pages(&self) {
        let given = self.connection.execute_batch(GIVE_BACK);
        if let Err(error) = given {
            tracing::debug!(code = ?error.sqlite_error_code(), "The store's file can't be shortened now.");
        }
    }

    /// In WAL mode NORMAL survives the end of the process and FULL that of the machine. A full commit also
    /// carries all that was committed before it.
    fn set_hard(&mut self, hard: bool) -> rusqlite::Result<()> {
        if self.is_hard != Some(hard) {
            self.connection.pragma_update(None, "synchronous", if hard { "FULL" } else { "NORMAL" })?;
            self.is_hard = Some(hard);
        }
        Ok(())
    }

    /// `is_wanted` is asked when all of it is made, for the last time.
    fn commit(&mut self, batch: &Batch, is_wanted: impl Fn() -> bool) -> Result<bool, Fault> {
        let started = Instant::now();
        let result = self.set_hard(batch.hard).and_then(|()| transact(&self.connection, batch, is_wanted));
        self.metrics.store_operation(StoreOperation::Commit, started.elapsed());
        result.map_err(|error| {
            self.metrics.store_failed(StoreOperation::Commit);
            let fault = Fault::of(&error);
            if self.progress.borrow().fault != Some(fault) {
                // What SQLite says holds no value of any column.
                tracing::error!(%fault, code = ?error.sqlite_error_code(), "The store can't be written.");
            }
            fault
        })
    }
}

fn answer(job: Bulk, result: Result<bool, Fault>) {
    if job.done.send(result).is_err() {
        tracing::debug!("Nobody waited for what was written.");
    }
}

/// Says whether the same batch is to be written again: erasing goes in parts. Statements are prepared
/// once: small transactions come by the thousand.
fn transact(db: &Connection, batch: &Batch, is_wanted: impl Fn() -> bool) -> rusqlite::Result<bool> {
    db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    let made = make(db, batch, is_wanted);
    if made.is_err() && !db.is_autocommit() {
        db.prepare_cached("ROLLBACK")?.execute([])?;
    }
    made
}

fn make(db: &Connection, batch: &Batch, is_wanted: impl Fn() -> bool) -> rusqlite::Result<bool> {
    let mut again = false;
    for write in &batch.writes {
        again |= write.apply(db)?;
    }
    if !is_wanted() {
        return Err(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_ABORT), None));
    }
    db.prepare_cached("COMMIT")?.execute([])?;
    Ok(again)
}
