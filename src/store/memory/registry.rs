//! All resends by id, within a byte budget.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, hash_map::Entry as Slot},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use thiserror::Error;
use tokio::time::Instant;

use super::record::Record;
use crate::domain::{ClientName, ResendId, Status, Timestamp};

/// About what finding a resend by its key takes.
const KEY_BYTES: usize = 128;

/// The budget has no room, and nothing that has ended is left that could make some.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{needed} bytes are needed and {free} of {budget} are free")]
pub struct Full {
    /// Bytes the resend takes.
    pub needed: usize,
    /// Bytes that are free.
    pub free: usize,
    /// All bytes there are.
    pub budget: usize,
}

/// A page of the list of resends, newest first.
#[derive(Debug)]
pub struct Page {
    /// The resends.
    pub records: Vec<Arc<Record>>,
    /// Where the next page goes on; `None` at the end.
    pub next: Option<ResendId>,
}

/// Beside a store, what is in RAM may take so much before long lists go to the store and ended resends leave.
const BESIDE_STORE: usize = 32 << 20;
/// Beside a store, short lists under way may take so much all the same.
const MOST_BESIDE_STORE: usize = 256 << 20;

/// All resends of this process.
#[derive(Debug)]
pub struct Registry {
    kept: Mutex<Kept>,
    /// Beyond it ended resends leave.
    room: usize,
    /// Beyond it nothing is taken.
    budget: usize,
    retention: Duration,
}

#[derive(Debug, Default)]
struct Kept {
    by_id: BTreeMap<ResendId, (Arc<Record>, usize)>,
    by_key: HashMap<(ClientName, [u8; 16]), ResendId>,
    bytes: usize,
    /// Those that have ended, oldest first, and what they take.
    ended: BTreeSet<ResendId>,
    ended_bytes: usize,
}

/// Room that is kept for a resend until it comes. Given back when dropped.
#[derive(Debug)]
pub struct Held {
    registry: Arc<Registry>,
    bytes: usize,
}

impl Registry {
    /// An empty registry of at most `budget` bytes that forgets ended resends after `retention`.
    pub fn new(budget: usize, retention: Duration) -> Self {
        Self { kept: Mutex::default(), room: budget, budget, retention }
    }

    /// An empty registry of what need not be read from a store.
    pub fn beside_store(retention: Duration) -> Self {
        Self { room: BESIDE_STORE, ..Self::new(MOST_BESIDE_STORE, retention) }
    }

    /// Takes a resend in; one that is owed, always.
    ///
    /// # Errors
    /// When there is no room, also without the ended ones. The registry is unchanged then.
    pub fn insert(&self, record: Record) -> Result<Arc<Record>, Full> {
        let needed = bytes(&record);
        let mut kept = self.kept();
        // One that begins again takes the place of itself.
        if !record.is_promised() && !kept.by_id.contains_key(&record.id) {
            kept.check(needed, self.budget)?;
        }
        let record = kept.put(record, needed);
        kept.shrink_to(self.room);
        Ok(record)
    }

    /// Keeps room for a resend that has to be written before it may be seen.
    ///
    /// # Errors
    /// As [`Registry::insert`].
    pub fn hold(self: &Arc<Self>, record: &Record) -> Result<Held, Full> {
        let bytes = bytes(record);
        let mut kept = self.kept();
        kept.check(bytes, self.budget)?;
        kept.bytes += bytes;
        kept.shrink_to(self.room);
        Ok(Held { registry: Arc::clone(self), bytes })
    }

    /// Whether what is under way and `more` bytes take more than they should beside a store.
    pub fn is_crowded(&self, more: usize) -> bool {
        self.kept().unfinished() + more > self.room
    }

    /// Notes that a resend has ended: it may leave now. One that has begun again already stays.
    pub fn ended(&self, record: &Record) {
        let mut kept = self.kept();
        let itself = kept.by_id.get(&record.id).filter(|(here, _)| std::ptr::eq(&raw const **here, record));
        let bytes = itself.map(|(_, bytes)| *bytes);
        if let Some(bytes) = bytes
            && kept.ended.insert(record.id)
        {
            kept.ended_bytes += bytes;
        }
    }

    /// The resend that `client` posted under this key.
    pub fn keyed(&self, client: &ClientName, key: [u8; 16]) -> Option<Arc<Record>> {
        let kept = self.kept();
        let id = kept.by_key.get(&(client.clone(), key))?;
        kept.by_id.get(id).map(|(record, _)| Arc::clone(record))
    }

    /// The resend with this id.
    pub fn get(&self, id: ResendId) -> Option<Arc<Record>> {
        self.kept().by_id.get(&id).map(|(record, _)| Arc::clone(record))
    }

    /// The resends of `client` (all, when `None`) in `status` (any, when `None`) before `cursor`, newest
    /// first.
    pub fn page(
        &self,
        client: Option<&ClientName>,
        status: Option<Status>,
        cursor: Option<ResendId>,
        limit: usize,
    ) -> Page {
        let kept = self.kept();
        let end = cursor.unwrap_or(ResendId(u128::MAX));
        let mut matching = kept
            .by_id
            .range(..end)
            .rev()
            .map(|(_, (record, _))| record)
            .filter(|record| client.is_none_or(|client| record.client == *client))
            .filter(|record| status.is_none_or(|status| record.snapshot().status == status));
        let records: Vec<_> = matching.by_ref().take(limit).map(Arc::clone).collect();
        let next = matching.next().and_then(|_| records.last().map(|record| record.id));
        Page { records, next }
    }

    /// Forgets resends that ended longer than the retention ago.
    pub fn forget_old(&self) {
        let oldest = Timestamp::now().0.saturating_sub(self.retention.as_millis() as u64);
        let mut kept = self.kept();
        let ended = kept.ended.iter().filter_map(|id| kept.by_id.get(id));
        let is_old = |record: &Record| record.snapshot().finished_at.is_some_and(|at| at.0 < oldest);
        let old: Vec<_> = ended.filter(|(record, _)| is_old(record)).map(|(record, _)| record.id).collect();
        for id in old {
            kept.remove(id);
        }
    }

    /// Bytes in use.
    pub fn bytes(&self) -> usize {
        self.kept().bytes
    }

    /// The moment the oldest unfinished resend was created.
    pub fn oldest_unfinished(&self) -> Option<Instant> {
        let kept = self.kept();
        kept.by_id
            .values()
            .find(|(record, _)| !record.snapshot().status.is_final())
            .map(|(record, _)| record.created)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// What can't leave.
    fn unfinished(&self) -> usize {
        self.bytes - self.ended_bytes
    }

    fn check(&self, needed: usize, budget: usize) -> Result<(), Full> {
        let free = budget.saturating_sub(self.unfinished());
        if needed > free { Err(Full { needed, free, budget }) } else { Ok(()) }
    }

    /// Lets ended resends leave until all take no more than this, as far as that goes.
    fn shrink_to(&mut self, room: usize) {
        while self.bytes > room && self.remove_oldest_ended() {}
    }

    /// Says whether there was one.
    fn remove_oldest_ended(&mut self) -> bool {
        let Some(id) = self.ended.first().copied() else { return false };
        self.remove(id);
        true
    }

    fn remove(&mut self, id: ResendId) {
        let Some((record, bytes)) = self.by_id.remove(&id) else { return };
        self.bytes -= bytes;
        if let Some(keyed) = record.keyed
            && let Slot::Occupied(slot) = self.by_key.entry((record.client.clone(), keyed.key))
            // After the retention its key may mean a later one.
            && *slot.get() == id
        {
            slot.remove();
        }
        if self.ended.remove(&id) {
            self.ended_bytes -= bytes;
        }
    }

    fn put(&mut self, record: Record, needed: usize) -> Arc<Record> {
        self.remove(record.id);
        let record = Arc::new(record);
        self.bytes += needed;
        if let Some(keyed) = record.keyed {
            self.by_key.insert((record.client.clone(), keyed.key), record.id);
        }
        self.by_id.insert(record.id, (Arc::clone(&record), needed));
        record
    }
}

impl Held {
    /// The resend comes.
    pub fn fill(mut self, record: Record) -> Arc<Record> {
        let needed = std::mem::take(&mut self.bytes);
        let registry = Arc::clone(&self.registry);
        let mut kept = registry.kept();
        kept.bytes -= needed;
        let record = kept.put(record, needed);
        // Dropping what is left of `self` takes the lock again.
        drop(kept);
        record
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut kept = self.registry.kept();
        kept.bytes -= self.bytes;
    }
}

fn bytes(record: &Record) -> usize {
    let key = if record.keyed.is_some() { KEY_BYTES } else { 0 };
    Record::bytes(&record.body) + key
}

#[cfg(test)]
mod tests;
