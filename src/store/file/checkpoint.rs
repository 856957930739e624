//! Carries what was committed from the log into the database, beside the thread that writes.
//!
//! While there is much to carry a passive checkpoint runs, which waits for nobody and stops nobody. Once
//! nothing was written for a while the log is emptied, so that what was erased is nowhere any more.

use std::{
    io,
    path::Path,
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use rusqlite::Connection;
use tokio::{sync::watch, time::Instant};

use super::{place::log_of, space, writer::Progress};
use crate::telemetry::metrics::{Metrics, StoreOperation};

const LOOK: Duration = Duration::from_millis(100);
/// A log of this size is worth a checkpoint.
const LARGE: u64 = 4 << 20;
/// So many quiet looks, and the log is emptied.
const QUIET_LOOKS: u32 = 20;

/// Starts the thread; it ends with the one that writes.
pub(super) fn start(
    connection: Connection,
    database: &Path,
    progress: &watch::Receiver<Progress>,
    metrics: &Arc<Metrics>,
) -> io::Result<JoinHandle<()>> {
    let log = log_of(database);
    let (progress, metrics, database) = (progress.clone(), Arc::clone(metrics), database.to_owned());
    thread::Builder::new().name("checkpoint".to_owned()).spawn(move || {
        let (mut size_before, mut quiet, mut is_failing) = (0, 0, false);
        // The sender goes with the writing thread.
        while progress.has_changed().is_ok() {
            thread::park_timeout(LOOK);
            let size = space::size(&log);
            metrics.set_store_bytes(size + space::size(&database));
            quiet = if size == size_before { quiet + 1 } else { 0 };
            size_before = size;
            let mode = match (size, quiet) {
                (0, _) => continue,
                (_, QUIET_LOOKS..) => "TRUNCATE",
                (LARGE.., _) => "PASSIVE",
                _ => continue,
            };
            let started = Instant::now();
            let carried = connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |_| Ok(()));
            metrics.store_operation(StoreOperation::Checkpoint, started.elapsed());
            if let Err(error) = &carried {
                metrics.store_failed(StoreOperation::Checkpoint);
                if !is_failing {
                    tracing::warn!(code = ?error.sqlite_error_code(), "The store's log can't be carried over now.");
                }
            }
            is_failing = carried.is_err();
        }
    })
}
