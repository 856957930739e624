//! Opens a store: takes its place, brings it to the latest format, starts the thread that writes.

mod connect;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
};

use rusqlite::Connection;
use tokio::sync::{Semaphore, oneshot, watch};

use self::connect::{connect, reader};
use super::{
    checkpoint,
    error::{Fault, OpenError},
    place::Place,
    queue::{Batch, Bulk, Queue},
    space::Lack,
    writer::{Progress, Writer},
};
use crate::{
    domain::ResendId,
    telemetry::metrics::{Metrics, StoreOperation},
};

/// Bulk batches that wait or are being written.
const BULK_PLACES: usize = 16;
/// Reads at once.
const READERS: usize = 4;

/// A store in a file. Cheap to clone; the last one that goes closes it.
#[derive(Clone)]
pub struct Store {
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub(super) place: Place,
    pub(super) queue: Arc<Queue>,
    progress: watch::Receiver<Progress>,
    bulk_places: Semaphore,
    readers: Mutex<Vec<Connection>>,
    reader_places: Arc<Semaphore>,
    pub(super) metrics: Arc<Metrics>,
    /// Why no new lists are taken.
    pub(super) lack: watch::Sender<Option<Lack>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Store {
    /// Opens the store at `path`, or makes one with `new_key`. Blocks.
    ///
    /// # Errors
    /// When it can't be used; see [`OpenError`].
    pub fn open(path: &Path, new_key: [u8; 16], metrics: Arc<Metrics>) -> Result<Self, OpenError> {
        let place = Place::take(path, new_key)?;
        let connection = connect(&place)?;
        let queue = Arc::new(Queue::default());
        let (progress, watcher) = watch::channel(Progress::default());
        let writer = Writer {
            connection,
            is_hard: None,
            queue: Arc::clone(&queue),
            progress,
            metrics: Arc::clone(&metrics),
        };
        let io = |source| OpenError::Io { path: place.database.clone(), source };
        let writing =
            thread::Builder::new().name("store".to_owned()).spawn(move || writer.run()).map_err(io)?;
        let checkpointing =
            checkpoint::start(reader(&place.database, false)?, &place.database, &watcher, &metrics)
                .map_err(io)?;
        Ok(Self {
            shared: Arc::new(Shared {
                place,
                queue,
                progress: watcher,
                bulk_places: Semaphore::new(BULK_PLACES),
                readers: Mutex::default(),
                reader_places: Arc::new(Semaphore::new(READERS)),
                metrics,
                lack: watch::Sender::new(None),
                threads: Mutex::new(vec![writing, checkpointing]),
            }),
        })
    }

    /// The key of the hashes by which addresses are known here.
    pub fn key(&self) -> [u8; 16] {
        self.shared.place.key
    }

    /// The directory of the file, for what is put down beside it for a while.
    pub fn directory(&self) -> PathBuf {
        let parent = self.shared.place.database.parent().filter(|parent| !parent.as_os_str().is_empty());
        parent.unwrap_or(Path::new(".")).to_owned()
    }

    /// Hands a batch of dispatch in. It is written whatever happens; [`Store::watch`] says when.
    pub fn send(&self, batch: Batch) {
        self.shared.queue.put_urgent(batch);
    }

    /// The number of the last batch of dispatch that is committed; wakes when it changes, and when the
    /// store begins or ends to fail.
    pub fn watch(&self) -> Watch {
        Watch(self.shared.progress.clone())
    }

    /// Why writing fails, while it does.
    pub fn fault(&self) -> Option<Fault> {
        self.shared.progress.borrow().fault
    }

    /// Writes a batch when there is time for it. Says whether the same is to be written again.
    ///
    /// # Errors
    /// When it was not written.
    pub async fn write(&self, batch: Batch) -> Result<bool, Fault> {
        let place = self.shared.bulk_places.acquire().await.map_err(|_| Fault::Closed)?;
        let (done, written) = oneshot::channel();
        self.shared.queue.put_bulk(Bulk { batch, done }).map_err(|_| Fault::Closed)?;
        let result = written.await.map_err(|_| Fault::Closed)?;
        drop(place);
        result
    }

    /// The same for a thread that may block.
    ///
    /// # Errors
    /// When it was not written.
    pub fn write_now(&self, batch: Batch) -> Result<bool, Fault> {
        let (done, written) = oneshot::channel();
        self.shared.queue.put_bulk(Bulk { batch, done }).map_err(|_| Fault::Closed)?;
        written.blocking_recv().map_err(|_| Fault::Closed)?
    }

    /// Forgets a resend when there is time for it; one that was promised nothing.
    pub fn erase_later(&self, resend: ResendId) {
        self.shared.queue.put_erasure(resend);
    }

    /// Writes what waits and closes the file, whoever still holds a clone: all of it is in the database then,
    /// and nothing in its log. Blocks.
    pub fn close(&self) {
        self.shared.close();
    }

    /// Reads with a connection of its own, on a thread that may block.
    ///
    /// # Errors
    /// When it can't be read.
    pub async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Fault> {
        let place =
            Arc::clone(&self.shared.reader_places).acquire_owned().await.map_err(|_| Fault::Closed)?;
        let shared = Arc::clone(&self.shared);
        let reading = tokio::task::spawn_blocking(move || {
            let result = shared.read(read);
            drop(place);
            result
        });
        reading.await.map_err(|_| Fault::Closed)?
    }

    /// Reads on this thread, at the start.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn read_now<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Fault> {
        self.shared.read(read)
    }
}

/// Says how far the writing thread is.
#[derive(Clone)]
pub struct Watch(watch::Receiver<Progress>);

impl Watch {
    /// The number of the last batch of dispatch that is committed.
    pub fn committed(&self) -> u64 {
        self.0.borrow().committed
    }

    /// Why writing fails, while it does.
    pub fn fault(&self) -> Option<Fault> {
        self.0.borrow().fault
    }

    /// Returns when something has changed since the last time this returned, also when that happened before it
    /// was asked; never once the thread that writes has ended.
    pub async fn changed(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending().await
        }
    }
}

impl Shared {
    fn read<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Fault> {
        let kept = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match kept {
            Some(connection) => connection,
            None => reader(&self.place.database, true).map_err(|_| self.read_failed(Fault::Io))?,
        };
        let result = read(&connection).map_err(|error| {
            tracing::error!(code = ?error.sqlite_error_code(), "The store can't be read.");
            self.read_failed(Fault::of(&error))
        });
        self.readers.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        result
    }

    fn read_failed(&self, fault: Fault) -> Fault {
        self.metrics.store_failed(StoreOperation::Read);
        fault
    }
}

impl Shared {
    fn close(&self) {
        self.queue.close();
        // One that only reads must not be the last: it could not carry the log over.
        self.readers.lock().unwrap_or_else(PoisonError::into_inner).clear();
        for thread in self.threads.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            if thread.join().is_err() {
                tracing::error!("A thread of the store did not end well.");
            }
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests;
