//! How each change is made. Nothing here decides anything.

use rusqlite::{Connection, MAIN_DB, OptionalExtension as _, params};
use secrecy::ExposeSecret as _;

use super::{
    codec::{self, END_BYTES},
    write::{CallEnd, ResendRow, Stage, Write},
};
use crate::domain::{Chunk, ResendId, Timestamp};

/// Offsets in a chunk, each with a number.
type Pairs = [(u16, u32)];

/// Chunks that one [`Write::Erase`] forgets: a transaction stays short.
const ERASED_AT_ONCE: i64 = 16;

impl Write {
    /// Makes the change. Says whether the same one is to be made again, or what else the change says.
    pub(super) fn apply(&self, db: &Connection) -> rusqlite::Result<bool> {
        match self {
            Self::Mark { call, at, claims } => {
                let sql = "INSERT INTO calls (id, at, members, clients) VALUES (?1, ?2, ?3, ?4)";
                let (members, clients) = (codec::claims(claims), codec::clients(claims));
                db.prepare_cached(sql)?.execute(params![call, moment(*at), members, clients])?;
            }
            Self::Ended { call, at, end } => ended(db, *call, *at, end)?,
            Self::Resend(row) => resend(db, row)?,
            Self::Chunk { resend, number, first, chunk, repeats, repeated } => {
                insert_chunk(db, (*resend, *number), *first, chunk, (repeats, repeated))?;
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
            Self::Reopen(row) => return reopen(db, row),
            Self::Expire(resend, ended) => return expire(db, *resend, *ended),
            Self::Erase(resend) => return erase(db, *resend),
            Self::EraseCalls { before, ended } => {
                let sql = "DELETE FROM calls WHERE id < ?1 AND at < ?2 AND verdict IS NOT NULL";
                db.prepare_cached(sql)?.execute(params![before, moment(*ended)])?;
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
            Self::EraseCulprits(before) => {
                db.prepare_cached("DELETE FROM culprits WHERE at < ?1")?.execute([moment(*before)])?;
            }
            Self::Forgiven(key) => {
                db.prepare_cached("DELETE FROM culprits WHERE key = ?1")?.execute([key.0.to_be_bytes()])?;
            }
            Self::Fact(name, Some(value)) => fact(db, name, value)?,
            Self::Secret(name, value) => fact(db, name, value.expose_secret())?,
            Self::Fact(name, None) => {
                db.prepare_cached("DELETE FROM facts WHERE name = ?1")?.execute([name])?;
            }
        }
        Ok(false)
    }
}

fn fact(db: &Connection, name: &str, value: &str) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO facts (name, value) VALUES (?1, ?2)";
    db.prepare_cached(sql)?.execute(params![name, value])?;
    Ok(())
}

/// Moments fit: a signed number of milliseconds lasts for millions of years.
pub(super) fn moment(at: Timestamp) -> i64 {
    i64::try_from(at.0).unwrap_or(i64::MAX)
}

fn ended(db: &Connection, call: i64, at: Timestamp, end: &CallEnd) -> rusqlite::Result<()> {
    let (verdict, code, detail) = match end {
        CallEnd::Sent => ("sent", None, None),
        CallEnd::Unknown(reason) => ("unknown", Some(reason.as_str()), None),
        CallEnd::Rejected(refusal) => ("rejected", Some(refusal.code.as_str()), refusal.detail.as_deref()),
        CallEnd::NotSent => ("not_sent", None, None),
    };
    let sql = "UPDATE calls SET at = ?2, verdict = ?3, code = ?4, detail = ?5 WHERE id = ?1";
    db.prepare_cached(sql)?.execute(params![call, moment(at), verdict, code, detail])?;
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
    (resend, number): (ResendId, u32),
    first: u32,
    chunk: &Chunk,
    (repeats, repeated): (&Pairs, &Pairs),
) -> rusqlite::Result<()> {
    let columns = codec::chunk_columns(chunk);
    // One that is written again keeps its row: its ends before would stay behind under another one.
    let sql = "INSERT INTO chunks (resend, number, first, size, emails, kinds, keys, repeats, repeated) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (resend, number) DO UPDATE SET \
               first = ?3, size = ?4, emails = ?5, kinds = ?6, keys = ?7, repeats = ?8, repeated = ?9 \
               RETURNING rowid";
    let values = params![
        codec::id(resend),
        number,
        first,
        chunk.len() as i64,
        columns.emails,
        columns.kinds,
        columns.keys,
        codec::pairs(repeats),
        codec::pairs(repeated)
    ];
    let row: i64 = db.prepare_cached(sql)?.query_row(values, |row| row.get(0))?;
    let ends = (chunk.len() * END_BYTES) as i64;
    let sql = "INSERT OR REPLACE INTO ends (rowid, codes) VALUES (?1, zeroblob(?2))";
    db.prepare_cached(sql)?.execute(params![row, ends])?;
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

fn reopen(db: &Connection, row: &ResendRow) -> rusqlite::Result<bool> {
    let sql = "SELECT 1 FROM resends WHERE id = ?1 AND stage <> ?2";
    let is_there = db.prepare_cached(sql)?.exists(params![codec::id(row.id), Stage::Reading as i64])?;
    if is_there {
        resend(db, row)?;
    }
    Ok(is_there)
}

fn expire(db: &Connection, resend: ResendId, ended: Timestamp) -> rusqlite::Result<bool> {
    let id = codec::id(resend);
    let sql = "UPDATE resends SET stage = ?2, promised = 0 WHERE id = ?1 AND stage = ?3 AND finished_at < ?4";
    let (reading, over) = (Stage::Reading as i64, Stage::Ended as i64);
    let changed = db.prepare_cached(sql)?.execute(params![id, reading, over, moment(ended)])?;
    if changed > 0 {
        db.prepare_cached("DELETE FROM idempotency WHERE resend = ?1")?.execute([id])?;
    }
    Ok(changed > 0)
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
