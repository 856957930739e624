//! Stands between the states of a call: prepares it, and writes what became of it.
//!
//! An enum, not a trait: each way of keeping books is known here. `Memory` is ready at once; others
//! answer later, which is why preparing is a step of its own in the life of a call.

use bytes::Bytes;
use tokio::time::Instant;

use super::call::Member;
use crate::{
    domain::{AddressKey, Outcome, Paused},
    intake::Address,
    recent::{Memory, Recent},
    store::Record,
};

/// The books.
pub(super) enum Ledger {
    /// In RAM: the resends themselves, and the memory of recent sends.
    Memory(Recent),
}

/// A call that may be launched.
pub(super) struct Prepared {
    /// The JSON array to send.
    pub(super) body: Bytes,
}

impl Ledger {
    /// What `record` must know of this address before it is sent.
    pub(super) fn find(&self, key: AddressKey, record: &Record) -> Option<Memory> {
        self.recall(key, record.created, record.force)
    }

    /// The same for a resend that would have been created then.
    pub(super) fn recall(&self, key: AddressKey, created: Instant, force: bool) -> Option<Memory> {
        match self {
            Self::Memory(recent) => recent.find(key, created, force),
        }
    }

    /// Marks the call and writes its body.
    pub(super) fn prepare<'call>(
        &mut self,
        members: impl Iterator<Item = (&'call Member, &'call Record)>,
    ) -> Prepared {
        match self {
            Self::Memory(_) => {
                // An entry has a key only because it was an address when it came in.
                let addresses: Vec<_> = members
                    .filter_map(|(member, record)| Address::parse(record.list.text(member.index)).ok())
                    .collect();
                let texts: Vec<_> = addresses.iter().map(Address::as_str).collect();
                Prepared { body: Bytes::from(serde_json::to_vec(&texts).unwrap_or_default()) }
            }
        }
    }

    /// Remembers what a call did to one address.
    pub(super) fn remember(&mut self, key: AddressKey, outcome: &Outcome, now: Instant) {
        match (self, outcome) {
            (Self::Memory(recent), Outcome::Sent) => recent.record_sent(key, now),
            (Self::Memory(recent), Outcome::Unknown(_)) => recent.record_doubt(key, now),
            (
                Self::Memory(_),
                Outcome::Duplicate(_) | Outcome::Invalid(_) | Outcome::Rejected(_) | Outcome::NotSent(_),
            ) => {}
        }
    }

    /// Writes outcomes of `record`; `tell` hears each with the number of addresses that have it by this.
    pub(super) fn settle(
        &mut self,
        record: &Record,
        outcomes: &[(u32, Outcome)],
        tell: impl FnMut(&Outcome, u64),
    ) {
        match self {
            Self::Memory(_) => record.settle(outcomes, tell),
        }
    }

    /// Hears that an operator has paused or resumed, or changed the note, for the next start to be told.
    pub(super) fn keep_pause(&mut self, paused: Option<&Paused>) {
        match (self, paused) {
            // RAM knows of no next start.
            (Self::Memory(_), Some(_) | None) => {}
        }
    }

    /// Drops what no resend created at `oldest` or later can ask for; says how much is left.
    pub(super) fn clean(&mut self, oldest: Instant) -> u64 {
        match self {
            Self::Memory(recent) => {
                recent.forget_before(oldest);
                recent.len()
            }
        }
    }
}
