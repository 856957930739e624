//! What is written, as values: the closed list of changes.
//!
//! A batch of them is one transaction. How each is made is written in `apply.rs`.

use std::sync::Arc;

use secrecy::SecretString;

use super::codec::Claim;
use crate::domain::{AddressKey, Chunk, ClientName, Refusal, ResendId, Timestamp, UnknownReason};

/// One change.
#[derive(Debug, Clone)]
pub enum Write {
    /// A call is about to be made.
    Mark {
        /// Its number; never used before in this file.
        call: i64,
        /// When.
        at: Timestamp,
        /// The addresses it holds.
        claims: Vec<Claim>,
    },
    /// A marked call has ended.
    Ended {
        /// Its number.
        call: i64,
        /// When: whom it mailed was mailed no later.
        at: Timestamp,
        /// How.
        end: CallEnd,
    },
    /// A resend as a whole, new or changed; its rows are written apart.
    Resend(Box<ResendRow>),
    /// Rows of a list.
    Chunk {
        /// Whose.
        resend: ResendId,
        /// Which chunk of it, from 0.
        number: u32,
        /// The index of its first row.
        first: u32,
        /// The rows.
        chunk: Arc<Chunk>,
        /// Rows that repeat earlier ones, as far as that is known: offset, and index of the first.
        repeats: Vec<(u16, u32)>,
        /// Rows that later ones repeat, as far as that is known: offset, and how many.
        repeated: Vec<(u16, u32)>,
    },
    /// Which rows of a chunk repeat earlier ones, and which are repeated.
    Repeats {
        /// Whose.
        resend: ResendId,
        /// Which chunk.
        number: u32,
        /// Offset in the chunk and index of the first.
        repeats: Vec<(u16, u32)>,
        /// Offset in the chunk and how many rows repeat it.
        repeated: Vec<(u16, u32)>,
    },
    /// What became of rows of a chunk.
    Ends {
        /// Whose.
        resend: ResendId,
        /// Which chunk.
        number: u32,
        /// Offset in the chunk, code and argument.
        ends: Vec<(u16, u8, u64)>,
    },
    /// Words about addresses that were refused.
    Refusal {
        /// Whose.
        resend: ResendId,
        /// The argument of the ends that mean it.
        number: u32,
        /// The words.
        refusal: Arc<Refusal>,
    },
    /// A resend that ended goes on, as this row says: not one that is being forgotten. Says whether it is there.
    Reopen(Box<ResendRow>),
    /// Begins to forget a resend if it ended before this moment and has not gone on since: nobody meets it any
    /// more, and a crash goes on with forgetting. Says whether it is to be erased.
    Expire(ResendId, Timestamp),
    /// Forgets a part of a resend, of at most so many chunks; the last part forgets the resend itself.
    Erase(ResendId),
    /// Forgets calls before this number that ended before this moment.
    EraseCalls {
        /// The first one that is kept.
        before: i64,
        /// One that ended then or later is kept: calls do not end in the order of their numbers.
        ended: Timestamp,
    },
    /// A key under which a resend can be met again.
    Idempotency(Box<IdempotencyRow>),
    /// An address that was refused alone.
    Culprit(AddressKey, Timestamp),
    /// Forgets addresses that were refused alone before this moment.
    EraseCulprits(Timestamp),
    /// One that was accepted after all.
    Forgiven(AddressKey),
    /// What was learned or decided; `None` forgets it.
    Fact(&'static str, Option<String>),
    /// The same for what nobody may see in a log.
    Secret(&'static str, SecretString),
}

/// How a call ended, as far as its addresses are concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallEnd {
    /// All of them were accepted.
    Sent,
    /// Nobody can say.
    Unknown(UnknownReason),
    /// The only one was refused.
    Rejected(Arc<Refusal>),
    /// None of them was sent.
    NotSent,
}

/// A row of `resends`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResendRow {
    /// Its id.
    pub id: ResendId,
    /// Who posted it.
    pub client: ClientName,
    /// Where it is: being read, under way, ended.
    pub stage: Stage,
    /// Whether its end is owed.
    pub promised: bool,
    /// Whether what happened before it counts for nothing.
    pub force: bool,
    /// Its trace, as `traceparent` has it.
    pub trace: String,
    /// When its body was whole.
    pub created_at: Timestamp,
    /// When its last outcome fell.
    pub finished_at: Option<Timestamp>,
    /// The word of its status.
    pub status: String,
    /// Rows of its list.
    pub received: u64,
    /// How many of them repeat earlier ones.
    pub repeats: u64,
    /// Rows by outcome, in the order of the contract.
    pub counts: [u64; 6],
    /// Calls that held some of its addresses.
    pub upstream_calls: u64,
    /// The code of what became of rows without an end of their own.
    pub rest: Option<u8>,
}

/// Where a stored resend is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Its body is being read; a crash forgets it.
    Reading = 0,
    /// Under way.
    UnderWay = 1,
    /// Every row has its outcome.
    Ended = 2,
}

/// A row of `idempotency`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyRow {
    /// Whose key.
    pub client: ClientName,
    /// A hash of the key.
    pub key: [u8; 16],
    /// A hash of the body.
    pub body: [u8; 16],
    /// Whether the request forced.
    pub force: bool,
    /// What answers.
    pub resend: ResendId,
}
