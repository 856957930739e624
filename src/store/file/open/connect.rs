//! The connections to the file: what they are set to, and what is refused before the first one writes.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags};

use crate::store::file::{
    error::{Fault, OpenError},
    inspect, key_check,
    place::Place,
    schema,
};

/// How long SQLite waits for a lock of another connection of this process.
const BUSY: Duration = Duration::from_secs(10);

/// The connection that writes.
pub(super) fn connect(place: &Place) -> Result<Connection, OpenError> {
    let path = &place.database;
    let wrong = |source: rusqlite::Error| match Fault::of(&source) {
        Fault::Damaged => OpenError::Damaged { path: path.to_owned(), why: source.to_string() },
        Fault::Full | Fault::Io | Fault::Other | Fault::Closed => {
            OpenError::Sqlite { path: path.to_owned(), source }
        }
    };
    let mut connection = Connection::open(path).map_err(wrong)?;
    inspect::refuse_another_program(&connection, path)?;
    let found = prepare(&mut connection).map_err(wrong)?;
    if found > schema::LATEST {
        return Err(OpenError::Newer { path: path.to_owned(), found, known: schema::LATEST });
    }
    schema::migrate(&mut connection).map_err(wrong)?;
    let check: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(wrong)?;
    if check != "ok" {
        return Err(OpenError::Damaged { path: path.to_owned(), why: check.replace('\n', " ") });
    }
    if !key_check::is_of(&connection, &place.key).map_err(wrong)? {
        return Err(OpenError::OtherKey { key: place.key_path() });
    }
    Ok(connection)
}

/// Sets the connection up; gives the format of the file, untouched so far.
fn prepare(connection: &mut Connection) -> rusqlite::Result<i64> {
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(64);
    let found = schema::format(connection)?;
    if found > schema::LATEST {
        return Ok(found);
    }
    // Only works before the first table; later it is what it was.
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    // What is erased is overwritten with zeros.
    connection.pragma_update(None, "secure_delete", "ON")?;
    // Checkpoints have a thread of their own: a settle never waits for one.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "cache_size", -4096)?;
    Ok(found)
}

/// A connection that reads, or that checkpoints.
pub(super) fn reader(path: &Path, read_only: bool) -> Result<Connection, OpenError> {
    let wrong = |source| OpenError::Sqlite { path: path.to_owned(), source };
    let access = if read_only { OpenFlags::SQLITE_OPEN_READ_ONLY } else { OpenFlags::SQLITE_OPEN_READ_WRITE };
    let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(wrong)?;
    connection.busy_timeout(BUSY).map_err(wrong)?;
    connection.pragma_update(None, "cache_size", -1024).map_err(wrong)?;
    Ok(connection)
}
