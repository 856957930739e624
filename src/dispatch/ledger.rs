//! Stands between the states of a call: prepares it, and writes what became of it.
//!
//! An enum, not a trait: each way of keeping books is known here. `Memory` is ready at once; `File` is
//! ready when what was marked is committed, which is why preparing is a step of its own in the life of a
//! call.

use bytes::Bytes;
use tokio::time::Instant;

use super::{
    active::Active,
    books::{After, Books},
    call::Member,
};
use crate::{
    domain::{AddressKey, ClientTag, Outcome, Paused, Timestamp},
    intake::Address,
    recent::{Memory, Recent},
    store::{
        Record,
        file::{CallEnd, Claim, Write},
    },
};

/// The fact under which a pause is kept.
pub(super) const PAUSED: &str = "paused";
/// The fact under which the learned pace is kept.
pub(super) const PACE: &str = "pace";
/// The fact under which a replaced refresh token is kept.
pub(super) const REFRESH_TOKEN: &str = "refresh_token";

/// The books.
pub(super) enum Ledger {
    /// In RAM: the resends themselves, and the memory of recent sends.
    Memory(Recent),
    /// The same, and a file that outlasts the process.
    File(Recent, Box<Books>),
}

/// Whether a call may be launched.
pub(super) enum Prepared {
    /// Now, with this JSON array.
    Ready(Bytes),
    /// Once its mark is written; the books know.
    Later,
}

impl Ledger {
    /// The books in a file, when there are any.
    pub(super) fn books(&mut self) -> Option<&mut Books> {
        match self {
            Self::Memory(_) => None,
            Self::File(_, books) => Some(books),
        }
    }

    /// When something is to be handed in, if nothing else happens before.
    pub(super) fn wake(&self) -> Option<Instant> {
        match self {
            Self::Memory(_) => None,
            Self::File(_, books) => books.wake(),
        }
    }

    /// Returns when the store has committed something, or begins or ends to fail, since the last time this
    /// returned: what happened between a look at the store and this is not missed. Never without a store.
    pub(super) async fn store_changed(&mut self) {
        match self {
            Self::Memory(_) => std::future::pending().await,
            Self::File(_, books) => books.changed().await,
        }
    }

    fn recent(&self) -> &Recent {
        match self {
            Self::Memory(recent) | Self::File(recent, _) => recent,
        }
    }

    /// What `record` must know of this address before it is sent.
    pub(super) fn find(&self, key: AddressKey, record: &Record) -> Option<Memory> {
        self.recall(key, record.created, record.force)
    }

    /// The same for a resend that would have been created then.
    pub(super) fn recall(&self, key: AddressKey, created: Instant, force: bool) -> Option<Memory> {
        self.recent().find(key, created, force)
    }

    /// Writes the body of a call, and marks it.
    pub(super) fn prepare<'call>(
        &mut self,
        call: u64,
        members: impl Iterator<Item = (&'call Member, &'call Active)> + Clone,
    ) -> Prepared {
        // An entry has a key only because it was an address when it came in.
        let addresses: Vec<_> = members
            .clone()
            .filter_map(|(member, active)| Address::parse_accepted(active.text(member.index)?).ok())
            .collect();
        let texts: Vec<_> = addresses.iter().map(Address::as_str).collect();
        let body = Bytes::from(serde_json::to_vec(&texts).unwrap_or_default());
        match self {
            Self::Memory(_) => Prepared::Ready(body),
            Self::File(_, books) => {
                let claim = |(member, active): (&Member, &Active)| Claim {
                    resend: member.resend,
                    index: member.index,
                    key: member.key,
                    by: active.record.client.tag(),
                };
                if members.clone().any(|(_, active)| active.record.is_promised()) {
                    books.make_hard();
                }
                let claims = members.map(claim).collect();
                books.write(Write::Mark { call: call.cast_signed(), at: Timestamp::now(), claims });
                books.then(After::Launch(call, body));
                Prepared::Later
            }
        }
    }

    /// Notes how a marked call ended.
    pub(super) fn call_ended(&mut self, call: u64, end: CallEnd) {
        if let Some(books) = self.books() {
            books.write(Write::Ended { call: call.cast_signed(), at: Timestamp::now(), end });
        }
    }

    /// Remembers what a call did to one address.
    pub(super) fn remember(&mut self, key: AddressKey, by: ClientTag, outcome: &Outcome, now: Instant) {
        match outcome {
            Outcome::Sent => self.recent().record_sent(key, by, now),
            Outcome::Unknown(_) => self.recent().record_doubt(key, by, now),
            Outcome::Duplicate(_) | Outcome::Invalid(_) | Outcome::Rejected(_) | Outcome::NotSent(_) => {}
        }
    }

    /// Hears that an operator has paused or resumed, or changed the note, for the next start to be told.
    pub(super) fn keep_pause(&mut self, paused: Option<&Paused>) {
        match self {
            // RAM knows of no next start.
            Self::Memory(_) => {}
            Self::File(_, books) => {
                books.make_hard();
                books.write(Write::Fact(PAUSED, paused.map(Paused::to_text)));
            }
        }
    }

    /// Drops what no resend created at `oldest` or later can ask for; says how much is left.
    pub(super) fn clean(&mut self, oldest: Instant) -> u64 {
        let recent = self.recent();
        recent.forget_before(oldest);
        recent.len()
    }
}
