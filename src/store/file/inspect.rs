//! Examines what is at `store.path` before anything is created beside it. A path that was mistaken for another is
//! reported as what it is, and left unchanged.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    os::unix::fs::FileTypeExt as _,
    path::Path,
};

use rusqlite::{Connection, OpenFlags};

use super::{error::OpenError, place::log_of, schema, space};

/// What every file of SQLite begins with.
const SQLITE: &[u8; 16] = b"SQLite format 3\0";
const ANOTHER_PROGRAM: &str = "the database of another program";

/// What is at the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// No file, or an empty one.
    Nothing,
    /// What may be a store.
    Store,
    /// Another kind of file, in words. With the key of a store beside it, it is a damaged store.
    Other(&'static str),
}

/// Examines the path. Refuses what is not a file, and what can't be read.
pub(super) fn examine(database: &Path) -> Result<Found, OpenError> {
    let io = |source| OpenError::Io { path: database.to_owned(), source };
    let kind = match fs::metadata(database) {
        Ok(found) => found.file_type(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(io(error)),
    };
    if kind.is_dir() {
        let why = "Is a directory: name a file in it, such as gateway.db";
        return Err(io(io::Error::new(io::ErrorKind::IsADirectory, why)));
    }
    // Opening a pipe would wait for its other end.
    if !kind.is_file() {
        let what = if kind.is_fifo() {
            "a named pipe"
        } else if kind.is_socket() {
            "a socket"
        } else {
            "a device"
        };
        return Err(OpenError::NotAStore { path: database.to_owned(), what });
    }
    let mut start = Vec::new();
    File::open(database)
        .and_then(|file| file.take(SQLITE.len() as u64).read_to_end(&mut start))
        .map_err(io)?;
    Ok(match &start[..] {
        // The content may be in the write-ahead log alone.
        [] if space::size(&log_of(database)) == 0 => Found::Nothing,
        [] => Found::Store,
        start if start != SQLITE => Found::Other("not a database"),
        _ if is_of_another_program(database) => Found::Other(ANOTHER_PROGRAM),
        _ => Found::Store,
    })
}

/// Refuses a database that another program made. One that can't be read passes: opening it reports why.
pub(super) fn refuse_another_program(connection: &Connection, database: &Path) -> Result<(), OpenError> {
    if schema::is_of_another_program(connection).unwrap_or(false) {
        return Err(OpenError::NotAStore { path: database.to_owned(), what: ANOTHER_PROGRAM });
    }
    Ok(())
}

/// Reads the file itself, without its log, so that no file is created beside it.
fn is_of_another_program(database: &Path) -> bool {
    let Some(path) = database.to_str() else { return false };
    let path = path.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    Connection::open_with_flags(format!("file:{path}?immutable=1"), flags)
        .is_ok_and(|connection| refuse_another_program(&connection, database).is_err())
}
