//! Whether a key is the one of this store: with another one nobody who was sent lately would be known again.

use rusqlite::{Connection, OptionalExtension as _};
use siphasher::sip::SipHasher13;

const FACT: &str = "key_check";

/// Remembers `key` by a hash made with it, or compares it with the one that is remembered.
pub(super) fn is_of(db: &Connection, key: &[u8; 16]) -> rusqlite::Result<bool> {
    let check = format!("{:016x}", SipHasher13::new_with_key(key).hash(b"the key of this store"));
    let sql = "SELECT value FROM facts WHERE name = ?1";
    let found: Option<String> = db.query_row(sql, [FACT], |row| row.get(0)).optional()?;
    if found.is_none() {
        db.execute("INSERT INTO facts (name, value) VALUES (?1, ?2)", [FACT, &check])?;
    }
    Ok(found.is_none_or(|found| found == check))
}
