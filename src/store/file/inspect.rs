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
/// How long the header is of every file of SQLite.
const HEADER: u64 = 100;
const ANOTHER_PROGRAM: &str = "the database of another program";
/// The tables of a store are in the first transaction of its log, a few kilobytes long.
const START_OF_LOG: u64 = 1 << 20;

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
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // The key beside the link would not be the one beside the file that opening the link makes.
            if fs::symlink_metadata(database).is_ok() {
                let what = "a symbolic link to a file that does not exist";
                return Err(OpenError::NotAStore { path: database.to_owned(), what });
            }
            return Ok(Found::Nothing);
        }
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
        start if start != SQLITE || space::size(database) < HEADER => Found::Other("not a database"),
        _ => foreign(database).map_err(io)?.map_or(Found::Store, Found::Other),
    })
}

/// Refuses a database that another program made. One that can't be read passes: opening it reports why.
pub(super) fn refuse_another_program(connection: &Connection, database: &Path) -> Result<(), OpenError> {
    if schema::is_of_another_program(connection).unwrap_or(false) {
        return Err(OpenError::NotAStore { path: database.to_owned(), what: ANOTHER_PROGRAM });
    }
    Ok(())
}

/// What a database is that can't be a store without its key, in words. Reads the file itself, and of its log only the
/// bytes, so that no file is created beside it. One that can't be read passes.
fn foreign(database: &Path) -> io::Result<Option<&'static str>> {
    let Some(connection) = open_alone(database) else { return Ok(None) };
    if schema::is_of_another_program(&connection).unwrap_or(false) {
        return Ok(Some(ANOTHER_PROGRAM));
    }
    if !schema::is_empty(&connection).unwrap_or(false) {
        return Ok(None);
    }
    // All of a store that was never checkpointed is in its log.
    if space::size(&log_of(database)) == 0 {
        return Ok(Some("a database without the tables of the gateway"));
    }
    let mut log = Vec::new();
    File::open(log_of(database))?.take(START_OF_LOG).read_to_end(&mut log)?;
    let makes = |table: &str| log.windows(table.len()).any(|bytes| bytes == table.as_bytes());
    let is_of_gateway = makes("CREATE TABLE resends") && makes("CREATE TABLE facts");
    Ok((!is_of_gateway).then_some(ANOTHER_PROGRAM))
}

fn open_alone(database: &Path) -> Option<Connection> {
    let path = database.to_str()?;
    let path = path.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    Connection::open_with_flags(format!("file:{path}?immutable=1"), flags).ok()
}
