//! What is written, as values: the closed list of changes, and each one's SQL.
//!
//! A batch of them is one transaction. Nothing here decides anything.

use std::sync::Arc;

use rusqlite::{Connection, MAIN_DB, OptionalExtension as _, params};

use super::codec::{self, Claim, END_BYTES};
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
    /// Forgets a part of a resend, of at most so many chunks; the last part forgets the resend itself.
    Erase(ResendId),
    /// Forgets calls before this number that have ended.
    EraseCalls {
        /// The first one that is kept.
        before: i64,
    },
    /// A key under which a resend can be met again.
    Idempotency(Box<IdempotencyRow>),
    /// An address that was refused alone.
    Culprit(AddressKey, Timestamp),
    /// One that was accepted after all.
    Forgiven(AddressKey),
    /// What was learned or decided; `None` forgets it.
    Fact(&'static str, Option<String>),
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

/// Chunks that one [`Write::Erase`] forgets: a transaction stays short.
const ERASED_AT_ONCE: i64 = 16;

impl Write {
    /// Makes the change. Says whether the same one is to be made again.
    pub(super) fn apply(&self, db: &Connection) -> rusqlite::Result<bool> {
        match self {
            Self::Mark { call, at, claims } => {
                let sql = "INSERT INTO calls (id, at, members) VALUES (?1, ?2, ?3)";
                db.prepare_cached(sql)?.execute(params![call, moment(*at), codec::claims(claims)])?;
            }
            Self::Ended { call, end } => ended(db, *call, end)?,
            Self::Resend(row) => resend(db, row)?,
            Self::Chunk { resend, number, first, chunk } => {
                insert_chunk(db, *resend, *number, *first, chunk)?
            }
            Self::Repeats { resend, number, repeats, repeated } => {
                mark_repeats(db, *resend, *number, repeats, repeated)?;
            }
            Self::Ends { resend, number, ends } => write_ends(db, *resend, *number, ends)?,
            Self::Refusal { resend, number, refusal } => {
                let sql =
                    "INSERT OR REPLACE INTO refusals (resend, number, code, detail) VALUES (?1, ?2, ?3, ?4)";
                db.prepare_cached(sql)?.execute(params![
                    codec::id(*resend),
                    number,
                    refusal.code,
                    refusal.detail
                ])?;
            }
            Self::Erase(resend) => return erase(db, *resend),
            Self::EraseCalls { before } => {
                let sql = "DELETE FROM calls WHERE id < ?1 AND verdict IS NOT NULL";
                db.prepare_cached(sql)?.execute([before])?;
            }
            Self::Idempotency(row) => {
                let sql = "INSERT OR REPLACE INTO idempotency (client, key, body, force, resend) \
                           VALUES (?1, ?2, ?3, ?4, ?5)";
                let (client, resend) = (row.client.as_str(), codec::id(row.resend));
                db.prepare_cached(sql)?.execute(params![client, row.key, row.body, row.force, resend])?;
            }
            Self::Culprit(key, at) => {
                let sql = "INSERT OR REPLACE INTO culprits (key, at) VALUES (?1, ?2)";
                db.prepare_cached(sql)?.execute(params![key.0.to_be_bytes(), moment(*at)])?;
            }
            Self::Forgiven(key) => {
                db.prepare_cached("DELETE FROM culprits WHERE key = ?1")?.execute([key.0.to_be_bytes()])?;
            }
            Self::Fact(name, Some(value)) => {
                let sql = "INSERT OR REPLACE INTO facts (name, value) VALUES (?1, ?2)";
                db.prepare_cached(sql)?.execute(params![name, value])?;
            }
            Self::Fact(name, None) => {
                db.prepare_cached("DELETE FROM facts WHERE name = ?1")?.execute([name])?;
            }
        }
        Ok(false)
    }
}

/// Moments fit: a signed number of milliseconds lasts for millions of years.
pub(super) fn moment(at: Timestamp) -> i64 {
    i64::try_from(at.0).unwrap_or(i64::MAX)
}

fn ended(db: &Connection, call: i64, end: &CallEnd) -> rusqlite::Result<()> {
    let (verdict, code, detail) = match end {
        CallEnd::Sent => ("sent", None, None),
        CallEnd::Unknown(reason) => ("unknown", Some(reason.as_str()), None),
        CallEnd::Rejected(refusal) => ("rejected", Some(refusal.code.as_str()), refusal.detail.as_deref()),
        CallEnd::NotSent => ("not_sent", None, None),
    };
    let sql = "UPDATE calls SET verdict = ?2, code = ?3, detail = ?4 WHERE id = ?1";
    db.prepare_cached(sql)?.execute(params![call, verdict, code, detail])?;
    Ok(())
}

fn resend(db: &Connection, row: &ResendRow) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO resends (id, client, stage, promised, force, trace, created_at, finished_at, \
               status, received, repeats, sent, duplicate, invalid, rejected, not_sent, unknown, upstream_calls, rest) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)";
    let [sent, duplicate, invalid, rejected, not_sent, unknown] = row.counts.map(|count| count as i64);
    db.prepare_cached(sql)?.execute(params![
        codec::id(row.id),
        row.client.as_str(),
        row.stage as i64,
        row.promised,
        row.force,
        row.trace,
        moment(row.created_at),
        row.finished_at.map(moment),
        row.status,
        row.received as i64,
        row.repeats as i64,
        sent,
        duplicate,
        invalid,
        rejected,
        not_sent,
        unknown,
        row.upstream_calls as i64,
        row.rest,
    ])?;
    Ok(())
}

fn insert_chunk(
    db: &Connection,
    resend: ResendId,
    number: u32,
    first: u32,
    chunk: &Chunk,
) -> rusqlite::Result<()> {
    let columns = codec::chunk_columns(chunk);
    let sql = "INSERT OR REPLACE INTO chunks (resend, number, first, size, emails, kinds, keys, repeats, repeated) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, x'', x'')";
    db.prepare_cached(sql)?.execute(params![
        codec::id(resend),
        number,
        first,
        chunk.len() as i64,
        columns.emails,
        columns.kinds,
        columns.keys
    ])?;
    let ends = (chunk.len() * END_BYTES) as i64;
    let sql = "INSERT OR REPLACE INTO ends (rowid, codes) VALUES (?1, zeroblob(?2))";
    db.prepare_cached(sql)?.execute(params![db.last_insert_rowid(), ends])?;
    Ok(())
}

/// The row of a chunk, also that of its ends.
pub(super) fn row_of(db: &Connection, resend: ResendId, number: u32) -> rusqlite::Result<Option<i64>> {
    let sql = "SELECT rowid FROM chunks WHERE resend = ?1 AND number = ?2";
    db.prepare_cached(sql)?.query_row(params![codec::id(resend), number], |row| row.get(0)).optional()
}

fn mark_repeats(
    db: &Connection,
    resend: ResendId,
    number: u32,
    repeats: &[(u16, u32)],
    repeated: &[(u16, u32)],
) -> rusqlite::Result<()> {
    let Some(row) = row_of(db, resend, number)? else { return Ok(()) };
    let kinds: Vec<u8> =
        db.prepare_cached("SELECT kinds FROM chunks WHERE rowid = ?1")?.query_row([row], |row| row.get(0))?;
    let sql = "UPDATE chunks SET kinds = ?2, repeats = ?3, repeated = ?4 WHERE rowid = ?1";
    db.prepare_cached(sql)?.execute(params![
        row,
        codec::with_repeats(kinds, repeats),
        codec::pairs(repeats),
        codec::pairs(repeated)
    ])?;
    Ok(())
}

/// In place: a few ends of a chunk cost a page, not the chunk.
fn write_ends(
    db: &Connection,
    resend: ResendId,
    number: u32,
    ends: &[(u16, u8, u64)],
) -> rusqlite::Result<()> {
    let Some(row) = row_of(db, resend, number)? else { return Ok(()) };
    let mut blob = db.blob_open(MAIN_DB, "ends", "codes", row, false)?;
    for (offset, code, argument) in ends {
        let mut end = [0; END_BYTES];
        end[0] = *code;
        end[1..].copy_from_slice(&argument.to_be_bytes());
        blob.write_at(&end, usize::from(*offset) * END_BYTES)?;
    }
    blob.close()
}

fn erase(db: &Connection, resend: ResendId) -> rusqlite::Result<bool> {
    let id = codec::id(resend);
    let part = "SELECT rowid FROM chunks WHERE resend = ?1 ORDER BY number DESC LIMIT ?2";
    let sql = format!("DELETE FROM ends WHERE rowid IN ({part})");
    db.prepare_cached(&sql)?.execute(params![id, ERASED_AT_ONCE])?;
    let sql = format!("DELETE FROM chunks WHERE rowid IN ({part})");
    let erased = db.prepare_cached(&sql)?.execute(params![id, ERASED_AT_ONCE])?;
    if erased as i64 == ERASED_AT_ONCE {
        return Ok(true);
    }
    for sql in [
        "DELETE FROM refusals WHERE resend = ?1",
        "DELETE FROM idempotency WHERE resend = ?1",
        "DELETE FROM resends WHERE id = ?1",
    ] {
        db.prepare_cached(sql)?.execute([id])?;
    }
    Ok(false)
}
