//! The files of a store: the database, its lock, and its key, all for their owner only.
//!
//! The lock is held as long as the process lives. The key makes the hashes by which addresses are known,
//! so a store without its key is of no use; it is made once, with the store.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use super::{error::OpenError, inspect, space};

const KEY_BYTES: usize = 16;
const OWNER_ONLY: u32 = 0o600;

/// A store's files, locked.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) database: PathBuf,
    pub(super) key: [u8; KEY_BYTES],
    _lock: File,
}

impl Place {
    /// Locks the store at `database` and finds its key; makes what a new one needs.
    pub(super) fn take(database: &Path, new_key: [u8; KEY_BYTES]) -> Result<Self, OpenError> {
        let at = |path: &Path| {
            let path = path.to_owned();
            move |source| OpenError::Io { path, source }
        };
        if let Some(directory) = database.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(directory);
            made.map_err(|error| match error.kind() {
                io::ErrorKind::AlreadyExists => io::Error::from(io::ErrorKind::NotADirectory),
                _ => error,
            })
            .map_err(at(directory))?;
        }
        // One file is one place, whatever names lead to it.
        let database = &real(database).map_err(at(database))?;
        let content = inspect::examine(database)?;
        let key_path = beside(database, "key");
        if !fs::exists(&key_path).map_err(at(&key_path))? {
            // Nothing is left beside what is not used. The key is made before the store.
            match content {
                inspect::Found::Nothing => {}
                inspect::Found::Store => {
                    return Err(OpenError::KeyMissing { path: database.to_owned(), key: key_path });
                }
                inspect::Found::Other(what) => {
                    return Err(OpenError::NotAStore { path: database.to_owned(), what });
                }
            }
        }
        let lock_path = beside(database, "lock");
        let lock = open_for_owner(&lock_path).map_err(at(&lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(OpenError::InUse { path: database.to_owned() }),
            Err(TryLockError::Error(source)) => return Err(at(&lock_path)(source)),
        }
        let key = match read_key(&key_path).map_err(at(&key_path))? {
            Found::Key(key) => key,
            Found::Nothing if content != inspect::Found::Nothing => {
                return Err(OpenError::KeyMissing { path: database.to_owned(), key: key_path });
            }
            Found::Nothing => {
                write_key(&key_path, new_key).map_err(at(&key_path))?;
                new_key
            }
            Found::Else => return Err(OpenError::KeyMalformed { key: key_path }),
        };
        if is_copy_beside_a_log(database).map_err(at(database))? {
            return Err(OpenError::StrangeLog { path: database.to_owned(), log: log_of(database) });
        }
        // SQLite would make the file readable for everybody whom the umask lets.
        drop(open_for_owner(database).map_err(at(database))?);
        close_to_others(&key_path);
        Ok(Self { database: database.to_owned(), key, _lock: lock })
    }

    /// Where the key is.
    pub(super) fn key_path(&self) -> PathBuf {
        beside(&self.database, "key")
    }
}

/// The path without links. The file need not exist, its directory must.
fn real(database: &Path) -> io::Result<PathBuf> {
    if fs::exists(database)? {
        return fs::canonicalize(database);
    }
    let directory = database.parent().filter(|parent| !parent.as_os_str().is_empty());
    let directory = fs::canonicalize(directory.unwrap_or(Path::new(".")))?;
    Ok(database.file_name().map_or_else(|| directory.clone(), |name| directory.join(name)))
}

enum Found {
    Key([u8; KEY_BYTES]),
    Nothing,
    Else,
}

/// A copy may have come with wider rights.
fn close_to_others(path: &Path) {
    let is_open = |rights: fs::Permissions| rights.mode() & 0o077 != 0;
    if fs::metadata(path).is_ok_and(|found| is_open(found.permissions()))
        && let Err(error) = fs::set_permissions(path, fs::Permissions::from_mode(OWNER_ONLY))
    {
        tracing::warn!(%error, "The key of the store can be read by others than its owner.");
    }
}

fn read_key(path: &Path) -> io::Result<Found> {
    let mut bytes = Vec::new();
    match File::open(path) {
        Ok(file) => drop(file.take(1024).read_to_end(&mut bytes)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(error),
    }
    let Ok(text) = str::from_utf8(&bytes) else { return Ok(Found::Else) };
    let text = text.trim_end();
    let number = u128::from_str_radix(text, 16).ok().filter(|_| text.len() == 2 * KEY_BYTES);
    Ok(number.map_or(Found::Else, |number| Found::Key(number.to_be_bytes())))
}

/// Whole or not at all: a key that was half written would lock the store out.
fn write_key(path: &Path, key: [u8; KEY_BYTES]) -> io::Result<()> {
    let draft = path.with_extension("key-draft");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(OWNER_ONLY).open(&draft)?;
    writeln!(file, "{:032x}", u128::from_be_bytes(key))?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
}

/// Whether the database was put here from a backup while the log of the one before still lies beside it. SQLite
/// would carry that log into it, and damage it. The header of a database that was never used with a log says so.
fn is_copy_beside_a_log(database: &Path) -> io::Result<bool> {
    /// Where the header has its "write version", and what that is without a log.
    const VERSION_AT: usize = 18;
    const WITHOUT_LOG: u8 = 1;
    if space::size(&log_of(database)) == 0 {
        return Ok(false);
    }
    let mut header = Vec::new();
    match File::open(database) {
        Ok(file) => drop(file.take(VERSION_AT as u64 + 1).read_to_end(&mut header)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    }
    Ok(header.get(VERSION_AT) == Some(&WITHOUT_LOG))
}

fn open_for_owner(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(OWNER_ONLY).open(path)
}

fn beside(database: &Path, what: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".");
    name.push(what);
    PathBuf::from(name)
}

/// The log beside a database.
pub(super) fn log_of(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-wal");
    PathBuf::from(name)
}

#[cfg(test)]
mod tests;
