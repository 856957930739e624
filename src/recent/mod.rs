//! Recent sends and doubts: whom upstream accepted, or may have, inside the dedupe window.
//!
//! The only place with moka. Keys are keyed hashes, so no address rests here. Written by the dispatch
//! thread alone, which is why a look-up followed by an insert needs no lock.
//!
//! An entry is judged against the *asking resend's* age, never by moka's clock: housekeeping drops
//! entries by predicate, and only those that no unfinished resend can still ask for. LRU, because with
//! moka's default policy a full cache refuses new keys (that is, forgets who was just mailed).

use std::time::Duration;

use moka::{notification::RemovalCause, policy::EvictionPolicy, sync::Cache};
use tokio::time::Instant;

use crate::domain::{AddressKey, ClientTag, Timestamp};

/// A moment, for comparing and for telling.
#[derive(Debug, Clone, Copy)]
struct Stamp {
    at: Instant,
    told: Timestamp,
    /// For whom it was called.
    by: ClientTag,
}

#[derive(Debug, Clone, Copy, Default)]
struct Entry {
    sent: Option<Stamp>,
    doubt: Option<Stamp>,
}

/// What is remembered of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Memory {
    /// Upstream accepted it then, in a list of this client.
    Sent(Timestamp, ClientTag),
    /// Its last call, in a list of this client, then ended unknown.
    Doubt(Timestamp, ClientTag),
}

/// Why an entry left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Eviction {
    /// Its window was over.
    Expired,
    /// There was no room: protection against a second mail is lost.
    Size,
}

/// The memory of recent sends and doubts.
pub struct Recent {
    cache: Cache<AddressKey, Entry>,
    window: Duration,
}

impl Recent {
    /// A memory over `window` (zero: remember nothing) of at most `max_entries`. `evicted` is called
    /// for each entry that leaves; it must be quick.
    pub fn new(
        window: Duration,
        max_entries: u64,
        evicted: impl Fn(Eviction) + Send + Sync + 'static,
    ) -> Self {
        let cache = Cache::builder()
            .max_capacity(max_entries)
            .eviction_policy(EvictionPolicy::lru())
            .support_invalidation_closures()
            .eviction_listener(move |_, _, cause| match cause {
                RemovalCause::Size => evicted(Eviction::Size),
                RemovalCause::Explicit | RemovalCause::Expired => evicted(Eviction::Expired),
                RemovalCause::Replaced => {}
            })
            .build();
        Self { cache, window }
    }

    /// What a resend created at `created` must know of this address. With `force` only what happened
    /// since then counts.
    pub fn find(&self, key: AddressKey, created: Instant, force: bool) -> Option<Memory> {
        let reach = if force { Duration::ZERO } else { self.window };
        let entry = self.cache.get(&key)?;
        let counts = |stamp: &Stamp| if force { stamp.at >= created } else { stamp.at + reach > created };
        match (entry.sent.filter(counts), entry.doubt.filter(counts)) {
            (Some(sent), _) => Some(Memory::Sent(sent.told, sent.by)),
            (None, Some(doubt)) => Some(Memory::Doubt(doubt.told, doubt.by)),
            (None, None) => None,
        }
    }

    /// Upstream accepted it now; an earlier doubt is settled by that.
    pub fn record_sent(&self, key: AddressKey, by: ClientTag, now: Instant) {
        self.record(key, |_| Entry { sent: Some(stamp(now, by)), doubt: None });
    }

    /// A call with it ended unknown now.
    pub fn record_doubt(&self, key: AddressKey, by: ClientTag, now: Instant) {
        self.record(key, |entry| Entry { doubt: Some(stamp(now, by)), ..entry });
    }

    /// Takes over that upstream accepted it then, from an earlier process. In the order of the calls.
    pub fn load_sent(&self, key: AddressKey, by: ClientTag, at: Timestamp) {
        self.record(key, |_| Entry { sent: Some(stamp_of(at, by)), doubt: None });
    }

    /// Takes over that a call with it ended unknown then, from an earlier process.
    pub fn load_doubt(&self, key: AddressKey, by: ClientTag, at: Timestamp) {
        self.record(key, |entry| Entry { doubt: Some(stamp_of(at, by)), ..entry });
    }

    /// Drops what no resend created at `oldest` or later can ask for.
    pub fn forget_before(&self, oldest: Instant) {
        let window = self.window;
        let gone = move |stamp: &Stamp| stamp.at + window <= oldest;
        let forgotten = self.cache.invalidate_entries_if(move |_, entry| {
            entry.sent.as_ref().is_none_or(gone) && entry.doubt.as_ref().is_none_or(gone)
        });
        if let Err(error) = forgotten {
            tracing::error!(%error, "The memory of recent sends can't be cleaned.");
        }
        self.cache.run_pending_tasks();
    }

    /// How many addresses are remembered, about.
    pub fn len(&self) -> u64 {
        self.cache.entry_count()
    }

    /// Whether none is remembered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The dedupe window.
    pub fn window(&self) -> Duration {
        self.window
    }

    fn record(&self, key: AddressKey, change: impl FnOnce(Entry) -> Entry) {
        if !self.window.is_zero() {
            self.cache.insert(key, change(self.cache.get(&key).unwrap_or_default()));
        }
    }
}

fn stamp(at: Instant, by: ClientTag) -> Stamp {
    Stamp { at, told: Timestamp::now(), by }
}

/// A moment that the clock on the wall told; one in the future is taken for now.
fn stamp_of(told: Timestamp, by: ClientTag) -> Stamp {
    let (now, told_now) = (Instant::now(), Timestamp::now());
    let ago = Duration::from_millis(told_now.0.saturating_sub(told.0));
    Stamp { at: now.checked_sub(ago).unwrap_or(now), told: told.min(told_now), by }
}

#[cfg(test)]
mod tests;
