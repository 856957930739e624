//! What the store's file says about a resend, read beside the gateway as an operator would with `sqlite3`.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

/// A resend as the file has it.
#[derive(Debug)]
pub struct Stored {
    pub has_ended: bool,
    pub received: u64,
    pub upstream_calls: u64,
    /// By outcome, in the order of the contract.
    pub counts: [u64; 6],
    /// What stands in each row, and the word for what became of it.
    pub rows: Vec<(String, &'static str)>,
}

pub fn open(path: &Path) -> Connection {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    connection.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    connection
}

/// The resend with this id (as the API writes it); `None` when the file knows nothing of it.
pub fn resend(db: &Connection, id: &str) -> Option<Stored> {
    let id = uuid(id);
    let sql = "SELECT stage, received, upstream_calls, sent, duplicate, invalid, rejected, not_sent, unknown, rest \
               FROM resends WHERE id = ?1";
    let (mut stored, rest) = db
        .query_row(sql, [&id], |row| {
            let count = |column| row.get::<_, i64>(column).map(|count| count as u64);
            let counts = [count(3)?, count(4)?, count(5)?, count(6)?, count(7)?, count(8)?];
            let has_ended = row.get::<_, i64>(0)? == 2;
            let (received, upstream_calls) = (count(1)?, count(2)?);
            let rest = row.get::<_, Option<u8>>(9)?.unwrap_or_default();
            Ok((Stored { has_ended, received, upstream_calls, counts, rows: Vec::new() }, rest))
        })
        .ok()?;
    stored.rows = rows(db, &id, rest);
    Some(stored)
}

/// Whether a resend has ended, without a look at its rows.
pub fn has_ended(db: &Connection, id: &str) -> bool {
    let stage =
        db.query_row("SELECT stage FROM resends WHERE id = ?1", [uuid(id)], |row| row.get::<_, i64>(0));
    stage.is_ok_and(|stage| stage == 2)
}

/// How many resends have not ended.
pub fn unfinished(db: &Connection) -> i64 {
    db.query_row("SELECT count(*) FROM resends WHERE stage < 2", [], |row| row.get(0)).unwrap()
}

fn rows(db: &Connection, id: &[u8], rest: u8) -> Vec<(String, &'static str)> {
    let sql = "SELECT emails, kinds, repeats, codes, first FROM chunks JOIN ends ON ends.rowid = chunks.rowid \
               WHERE resend = ?1 ORDER BY number";
    let mut statement = db.prepare(sql).unwrap();
    let mut found = statement.query([id]).unwrap();
    let mut rows: Vec<(String, &'static str)> = Vec::new();
    while let Some(chunk) = found.next().unwrap() {
        let emails: Vec<String> = serde_json::from_str(chunk.get_ref(0).unwrap().as_str().unwrap()).unwrap();
        let blob = |column| chunk.get_ref(column).unwrap().as_blob().unwrap().to_vec();
        let (kinds, repeats, codes, first) =
            (blob(1), blob(2), blob(3), chunk.get::<_, u32>(4).unwrap() as usize);
        assert_eq!(first, rows.len(), "a chunk is missing");
        let first_of = |offset: usize| {
            let pair = repeats.chunks_exact(6).find(|pair| pair[..2] == (offset as u16).to_be_bytes());
            u32::from_be_bytes(pair.unwrap()[2..].try_into().unwrap()) as usize
        };
        for (offset, email) in emails.into_iter().enumerate() {
            let word = match kinds[offset] {
                0 => word(if codes[offset * 9] == 0 { rest } else { codes[offset * 9] }),
                1 => match rows[first_of(offset)].1 {
                    "sent" => "duplicate",
                    other => other,
                },
                _ => "invalid",
            };
            rows.push((email, word));
        }
    }
    rows
}

fn word(code: u8) -> &'static str {
    match code {
        1 | 5 => "sent",
        2 | 3 => "duplicate",
        4 => "rejected",
        0x40..0x80 => "not_sent",
        0x80.. => "unknown",
        _ => "pending",
    }
}

fn uuid(id: &str) -> Vec<u8> {
    let digits = id.replace('-', "");
    (0..16).map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap()).collect()
}
