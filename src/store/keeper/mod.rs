//! Keeps the file in order, in a thread of its own: puts ended resends there that nobody was promised, erases
//! what is old, looks how much room is left.
//!
//! All of it can wait and may fail: what is owed was written before. So it is written as bulk, in short
//! transactions with long pauses.

mod archive;
mod sweep;

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use tokio::time::Instant;

use super::{
    file::{Batch, Fault, Limits, Store, Write},
    memory::{Record, Registry},
};
use crate::domain::Timestamp;

/// Resends that wait to be put into the file, and bytes that they may take.
const WAITING: usize = 1024;
const WAITING_BYTES: usize = 8 << 20;
/// Between two looks at the room that is left.
const LOOK: Duration = Duration::from_secs(1);
/// Between two searches for what is old.
const SWEEP: Duration = Duration::from_secs(60);
/// For each moment that was spent writing, so many pass before more is written.
const REST: u32 = 9;
const LEAST_REST: Duration = Duration::from_millis(20);
/// So long the last resends may take on their way into the file when the process ends.
const LAST_WRITES: Duration = Duration::from_secs(3);

/// What the file may hold, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Keeping {
    /// How long ended resends can be asked for.
    pub retention: Duration,
    /// How long a call is held against later lists.
    pub window: Duration,
    /// What the file may take.
    pub limits: Limits,
}

/// The way to the thread. It ends with this.
pub struct Keeper {
    orders: SyncSender<Order>,
    waiting_bytes: Arc<AtomicUsize>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

enum Order {
    Archive(Arc<Record>),
    Stop,
}

impl Keeper {
    /// Looks how much room there is, and starts the thread.
    ///
    /// # Errors
    /// When there is no thread.
    pub fn start(store: Store, registry: Arc<Registry>, keeping: Keeping) -> io::Result<Self> {
        let (orders, received) = sync_channel(WAITING);
        let (waiting_bytes, is_over) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        store.measure(&keeping.limits);
        let now = Instant::now();
        let work = Work {
            store,
            registry,
            keeping,
            waiting_bytes: Arc::clone(&waiting_bytes),
            is_over: Arc::clone(&is_over),
            next_look: now + LOOK,
            next_sweep: now + LOOK,
        };
        let thread = thread::Builder::new().name("keeper".to_owned()).spawn(move || work.run(&received))?;
        Ok(Self { orders, waiting_bytes, is_over, thread: Some(thread) })
    }

    /// Puts a resend that has ended, and whose end is owed to nobody, into the file when there is time. One
    /// that finds no place in the queue can be asked for only while it is in RAM.
    pub fn archive(&self, record: Arc<Record>) {
        let bytes = Record::bytes(&record.body);
        if self.waiting_bytes.fetch_add(bytes, Ordering::AcqRel) + bytes > WAITING_BYTES
            || self.orders.try_send(Order::Archive(record)).is_err()
        {
            self.waiting_bytes.fetch_sub(bytes, Ordering::AcqRel);
            tracing::debug!("An ended resend was not put into the store: there is too much else to write.");
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        // What waits before this word is still written. No word is needed by a thread that has gone.
        drop(self.orders.try_send(Order::Stop));
        self.is_over.store(true, Ordering::Release);
        let Some(thread) = self.thread.take() else { return };
        let deadline = Instant::now() + LAST_WRITES;
        while !thread.is_finished() && Instant::now() < deadline {
            thread::park_timeout(LEAST_REST / 4);
        }
        // A store that does not work may hold it for ever; nothing of what it does is owed.
        if !thread.is_finished() {
            tracing::warn!("Not all of the ended resends were put into the store.");
        } else if thread.join().is_err() {
            tracing::error!("The thread that keeps the store in order did not end well.");
        }
    }
}

/// What the thread works with.
struct Work {
    store: Store,
    registry: Arc<Registry>,
    keeping: Keeping,
    waiting_bytes: Arc<AtomicUsize>,
    /// Set when nothing more comes, in case that there was no room for that word.
    is_over: Arc<AtomicBool>,
    next_look: Instant,
    next_sweep: Instant,
}

impl Work {
    fn run(mut self, orders: &Receiver<Order>) {
        loop {
            let idle = self.next_look.saturating_duration_since(Instant::now());
            match orders.recv_timeout(idle) {
                Ok(Order::Archive(record)) => {
                    if self.archive(record, orders) == After::Stop {
                        return;
                    }
                }
                Ok(Order::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) if self.is_over.load(Ordering::Acquire) => return,
                Err(RecvTimeoutError::Timeout) => {}
            }
            self.do_chores();
        }
    }

    /// Archives `record` and what waits behind it, as far as that makes one transaction.
    fn archive(&self, record: Arc<Record>, orders: &Receiver<Order>) -> After {
        let started = Instant::now();
        let (mut batch, mut after) = (archive::Gathered::default(), After::GoOn);
        let mut next = Some(record);
        while let Some(record) = next.take() {
            self.waiting_bytes.fetch_sub(Record::bytes(&record.body), Ordering::AcqRel);
            let written = batch.add(&record, |writes| self.write(writes).map(drop));
            if let Err(fault) = written {
                tracing::debug!(%fault, "An ended resend was not put into the store.");
            }
            if batch.is_full() {
                break;
            }
            match orders.try_recv() {
                Ok(Order::Archive(record)) => next = Some(record),
                Ok(Order::Stop) => after = After::Stop,
                Err(_) => {}
            }
        }
        if let Err(fault) = self.write(batch.take()) {
            tracing::debug!(%fault, "Ended resends were not put into the store.");
        }
        if after == After::GoOn && !self.is_over.load(Ordering::Acquire) {
            thread::park_timeout((started.elapsed() * REST).clamp(LEAST_REST, LOOK));
        }
        after
    }

    fn do_chores(&mut self) {
        let now = Instant::now();
        if now < self.next_look {
            return;
        }
        self.next_look = now + LOOK;
        self.store.measure(&self.keeping.limits);
        if self.store.fault().is_none() && now >= self.next_sweep {
            self.next_sweep = now + SWEEP;
            if let Err(fault) = self.sweep(Timestamp::now()) {
                tracing::warn!(%fault, "What is old can't be erased now.");
            }
        }
    }

    /// Says whether the same is to be written again.
    fn write(&self, writes: Vec<Write>) -> Result<bool, Fault> {
        if writes.is_empty() {
            return Ok(false);
        }
        self.store.write_now(Batch { writes, ..Batch::default() })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    GoOn,
    Stop,
}

#[cfg(test)]
mod tests;
