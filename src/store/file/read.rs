//! What is read, as values. Each function is one short statement or a few.

use rusqlite::{Connection, MAIN_DB, OptionalExtension as _, Row, params};

use super::{
    apply::{moment, row_of},
    codec::{self, Claim, END_BYTES},
    write::{IdempotencyRow, ResendRow, Stage},
};
use crate::domain::{AddressKey, Chunk, ClientName, Refusal, ResendId, Timestamp};

/// Rows of a list with all that is known of them.
#[derive(Debug)]
pub struct StoredChunk {
    /// The index of its first row.
    pub first: u32,
    /// The rows.
    pub chunk: Chunk,
    /// Rows that repeat an earlier one: offset, and index of the first.
    pub repeats: Vec<(u16, u32)>,
    /// Rows that later ones repeat: offset, and how many.
    pub repeated: Vec<(u16, u32)>,
}

/// A call as the file knows it.
#[derive(Debug)]
pub struct StoredCall {
    /// Its number.
    pub id: i64,
    /// When it ended; while nobody wrote that, when it was marked.
    pub at: Timestamp,
    /// What it held.
    pub claims: Vec<Claim>,
    /// How it ended; `None` when nobody wrote that.
    pub verdict: Option<String>,
    /// The reason of a doubt, or the code of a refusal.
    pub code: Option<String>,
    /// The words of a refusal.
    pub detail: Option<String>,
}

const RESEND: &str = "SELECT id, client, stage, promised, force, trace, created_at, finished_at, status, received, \
                      repeats, sent, duplicate, invalid, rejected, not_sent, unknown, upstream_calls, rest FROM resends";

/// One resend.
pub fn resend(db: &Connection, id: ResendId) -> rusqlite::Result<Option<ResendRow>> {
    let sql = format!("{RESEND} WHERE id = ?1");
    db.prepare_cached(&sql)?.query_row([codec::id(id)], resend_row).optional()
}

/// The resends of `client` (all, when `None`) with this status before `before`, newest first.
pub fn page(
    db: &Connection,
    client: Option<&ClientName>,
    status: Option<&str>,
    before: ResendId,
    limit: u32,
) -> rusqlite::Result<Vec<ResendRow>> {
    let sql = format!(
        "{RESEND} WHERE id < ?1 AND stage > 0 AND (?2 IS NULL OR client = ?2) AND (?3 IS NULL OR status = ?3) \
         ORDER BY id DESC LIMIT ?4"
    );
    let client = client.map(ClientName::as_str);
    db.prepare_cached(&sql)?
        .query_map(params![codec::id(before), client, status, limit], resend_row)?
        .collect()
}

/// The resends that have not ended, oldest first, also those whose body was never whole.
pub fn unfinished(db: &Connection) -> rusqlite::Result<Vec<ResendRow>> {
    let sql = format!("{RESEND} WHERE stage < 2 ORDER BY id");
    db.prepare_cached(&sql)?.query_map([], resend_row)?.collect()
}

/// Resends that ended before this moment, at most so many.
pub fn ended_before(db: &Connection, moment_ms: Timestamp, limit: u32) -> rusqlite::Result<Vec<ResendId>> {
    let sql = "SELECT id FROM resends WHERE stage = 2 AND finished_at < ?1 ORDER BY finished_at LIMIT ?2";
    let id = |row: &Row<'_>| row.get::<_, Vec<u8>>(0);
    let ids: Vec<Vec<u8>> = db
        .prepare_cached(sql)?
        .query_map(params![moment(moment_ms), limit], id)?
        .collect::<Result<_, _>>()?;
    Ok(ids.iter().filter_map(|id| codec::read_id(id)).collect())
}

/// Rows of a list. `None` when there are none, or they are not as they were written.
pub fn chunk(db: &Connection, resend: ResendId, number: u32) -> rusqlite::Result<Option<StoredChunk>> {
    let sql =
        "SELECT first, emails, kinds, keys, repeats, repeated FROM chunks WHERE resend = ?1 AND number = ?2";
    let found = db
        .prepare_cached(sql)?
        .query_row(params![codec::id(resend), number], |row| {
            let (emails, kinds, keys) = (row.get_ref(1)?, row.get_ref(2)?, row.get_ref(3)?);
            let chunk = codec::chunk(emails.as_str()?, kinds.as_blob()?, keys.as_blob()?);
            Ok((
                row.get(0)?,
                chunk,
                codec::read_pairs(row.get_ref(4)?.as_blob()?),
                codec::read_pairs(row.get_ref(5)?.as_blob()?),
            ))
        })
        .optional()?;
    Ok(found.and_then(|(first, chunk, repeats, repeated)| {
        Some(StoredChunk { first, chunk: chunk?, repeats, repeated })
    }))
}

/// Where the chunks of a list begin, in order.
pub fn starts(db: &Connection, resend: ResendId) -> rusqlite::Result<Vec<u32>> {
    let sql = "SELECT first FROM chunks WHERE resend = ?1 ORDER BY number";
    db.prepare_cached(sql)?.query_map([codec::id(resend)], |row| row.get(0))?.collect()
}

/// What became of the rows of a chunk: a code and its argument each.
pub fn ends(db: &Connection, resend: ResendId, number: u32) -> rusqlite::Result<Vec<(u8, u64)>> {
    let Some(row) = row_of(db, resend, number)? else { return Ok(Vec::new()) };
    let codes: Vec<u8> =
        db.prepare_cached("SELECT codes FROM ends WHERE rowid = ?1")?.query_row([row], |row| row.get(0))?;
    Ok(codes.chunks_exact(END_BYTES).map(end_of).collect())
}

/// What became of some rows of a chunk, by their offsets: a code and its argument each.
pub fn ends_at(
    db: &Connection,
    resend: ResendId,
    number: u32,
    offsets: impl Iterator<Item = u16>,
) -> rusqlite::Result<Option<Vec<(u8, u64)>>> {
    let Some(row) = row_of(db, resend, number)? else { return Ok(None) };
    let blob = db.blob_open(MAIN_DB, "ends", "codes", row, true)?;
    let end = |offset: u16| {
        let mut bytes = [0; END_BYTES];
        blob.read_at_exact(&mut bytes, usize::from(offset) * END_BYTES)?;
        Ok(end_of(&bytes))
    };
    offsets.map(end).collect::<rusqlite::Result<_>>().map(Some)
}

fn end_of(bytes: &[u8]) -> (u8, u64) {
    let argument = bytes.get(1..).and_then(|argument| argument.try_into().ok()).unwrap_or_default();
    (bytes.first().copied().unwrap_or_default(), u64::from_be_bytes(argument))
}

/// fax.plus' words with this number about addresses of a list.
pub fn refusal(db: &Connection, resend: ResendId, number: u64) -> rusqlite::Result<Option<Refusal>> {
    let sql = "SELECT code, detail FROM refusals WHERE resend = ?1 AND number = ?2";
    let refusal = |row: &Row<'_>| Ok(Refusal { code: row.get(0)?, detail: row.get(1)? });
    let number = i64::try_from(number).unwrap_or(i64::MAX);
    db.prepare_cached(sql)?.query_row(params![codec::id(resend), number], refusal).optional()
}

/// fax.plus' words about addresses of a list, by number.
pub fn refusals(db: &Connection, resend: ResendId) -> rusqlite::Result<Vec<(u32, Refusal)>> {
    let sql = "SELECT number, code, detail FROM refusals WHERE resend = ?1 ORDER BY number";
    let refusal = |row: &Row<'_>| Ok((row.get(0)?, Refusal { code: row.get(1)?, detail: row.get(2)? }));
    db.prepare_cached(sql)?.query_map([codec::id(resend)], refusal)?.collect()
}

/// Calls marked after this one, in order, at most so many.
pub fn calls_after(db: &Connection, call: i64, limit: u32) -> rusqlite::Result<Vec<StoredCall>> {
    let sql = "SELECT id, at, members, clients, verdict, code, detail FROM calls WHERE id > ?1 ORDER BY id LIMIT ?2";
    let stored = |row: &Row<'_>| {
        let at: i64 = row.get(1)?;
        Ok(StoredCall {
            id: row.get(0)?,
            at: Timestamp(u64::try_from(at).unwrap_or_default()),
            claims: codec::read_claims(row.get_ref(2)?.as_blob()?, row.get_ref(3)?.as_blob()?),
            verdict: row.get(4)?,
            code: row.get(5)?,
            detail: row.get(6)?,
        })
    };
    db.prepare_cached(sql)?.query_map(params![call, limit], stored)?.collect()
}

/// The numbers of the first call and, nearly, of the first one of `at` or later; `None` without calls, or when
/// nothing lies before it. The last call is never before anything: its number must not be used again.
pub fn calls_before(db: &Connection, at: Timestamp) -> rusqlite::Result<Option<(i64, i64)>> {
    let ends = "SELECT min(id), max(id) FROM calls";
    let (first, last) = db.query_row(ends, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (Some(first), Some(last)) = (first, last) else { return Ok(None) };
    // Numbers rise with time, nearly, so halves are enough; who erases looks at each moment again.
    let sql = "SELECT at FROM calls WHERE id >= ?1 ORDER BY id LIMIT 1";
    let (mut low, mut high): (i64, i64) = (first, last);
    while low < high {
        let middle = low + (high - low) / 2;
        let marked: i64 = db.prepare_cached(sql)?.query_row([middle], |row| row.get(0))?;
        if marked < moment(at) { low = middle + 1 } else { high = middle }
    }
    Ok((first < low).then_some((first, low)))
}

/// The number of the last call.
pub fn last_call(db: &Connection) -> rusqlite::Result<i64> {
    db.query_row("SELECT coalesce(max(id), 0) FROM calls", [], |row| row.get(0))
}

/// What answers under an idempotency key.
pub fn idempotency(
    db: &Connection,
    client: &ClientName,
    key: [u8; 16],
) -> rusqlite::Result<Option<IdempotencyRow>> {
    let sql = "SELECT body, force, resend FROM idempotency WHERE client = ?1 AND key = ?2";
    let found = |row: &Row<'_>| {
        let (body, resend): (Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(2)?);
        Ok((body, row.get(1)?, resend))
    };
    let found = db.prepare_cached(sql)?.query_row(params![client.as_str(), key], found).optional()?;
    Ok(found.and_then(|(body, force, resend)| {
        let (body, resend) = (body.try_into().ok()?, codec::read_id(&resend)?);
        Some(IdempotencyRow { client: client.clone(), key, body, force, resend })
    }))
}

/// Addresses that were refused alone, and when.
pub fn culprits(db: &Connection) -> rusqlite::Result<Vec<(AddressKey, Timestamp)>> {
    let culprit = |row: &Row<'_>| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, i64>(1)?));
    let rows: Vec<_> = db
        .prepare_cached("SELECT key, at FROM culprits ORDER BY at")?
        .query_map([], culprit)?
        .collect::<Result<_, _>>()?;
    let known = |(key, at): (Vec<u8>, i64)| {
        let key = AddressKey(u128::from_be_bytes(key.try_into().ok()?));
        Some((key, Timestamp(u64::try_from(at).unwrap_or_default())))
    };
    Ok(rows.into_iter().filter_map(known).collect())
}

/// What was learned or decided under this name.
pub fn fact(db: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    db.prepare_cached("SELECT value FROM facts WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()
}

fn resend_row(row: &Row<'_>) -> rusqlite::Result<ResendRow> {
    let id: Vec<u8> = row.get(0)?;
    let count = |column| row.get::<_, i64>(column).map(|count| u64::try_from(count).unwrap_or_default());
    let moment = |at: i64| Timestamp(u64::try_from(at).unwrap_or_default());
    let client: String = row.get(1)?;
    Ok(ResendRow {
        id: codec::read_id(&id).unwrap_or(ResendId(0)),
        client: ClientName::new(&client),
        stage: match row.get::<_, i64>(2)? {
            0 => Stage::Reading,
            1 => Stage::UnderWay,
            _ => Stage::Ended,
        },
        promised: row.get(3)?,
        force: row.get(4)?,
        trace: row.get(5)?,
        created_at: moment(row.get(6)?),
        finished_at: row.get::<_, Option<i64>>(7)?.map(moment),
        status: row.get(8)?,
        received: count(9)?,
        repeats: count(10)?,
        counts: [count(11)?, count(12)?, count(13)?, count(14)?, count(15)?, count(16)?],
        upstream_calls: count(17)?,
        rest: row.get(18)?,
    })
}
