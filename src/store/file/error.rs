//! What can be wrong with the store's file, in words for the one who has to mend it.

use std::{io, path::PathBuf};

use thiserror::Error;

/// Why the store can't be opened. Nothing was changed.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The directory or a file beside the store can't be used.
    #[error("store.path: {path}: {source}; the gateway must be able to write there")]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Another process has it.
    #[error("store.path: {path} is in use by another process; two gateways can't share one file")]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// Its key is gone.
    #[error(
        "store.path: {key} is missing: without it nobody can tell who in {path} was sent lately; put the \
         key back, or move both files away to begin anew"
    )]
    KeyMissing {
        /// The file.
        path: PathBuf,
        /// Where its key should be.
        key: PathBuf,
    },
    /// Its key is none.
    #[error(
        "store.path: {key} holds no key of this store; put the key back, or move both files away to begin anew"
    )]
    KeyMalformed {
        /// Where the key should be.
        key: PathBuf,
    },
    /// Its key is that of another one.
    #[error(
        "store.path: {key} is the key of another store: with it nobody who was sent lately would be known \
         again; put the key back, or move both files away to begin anew"
    )]
    OtherKey {
        /// Where its key should be.
        key: PathBuf,
    },
    /// It is something else.
    #[error(
        "store.path: {path} is {what}, so it can't be the store; it was left unchanged; name a file that the \
         gateway may use for itself, or restore the store from a backup"
    )]
    NotAStore {
        /// What was named.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// A later version wrote it.
    #[error(
        "store.path: {path} was written by a later version of the gateway (format {found}, this one knows \
         {known}); run that version, or move the file away"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The latest format known here.
        known: i64,
    },
    /// A log lies beside it that belongs to the file that was here before.
    #[error(
        "store.path: {path} is a copy, and {log} beside it belongs to the file that was here before: it would \
         damage the copy; move it and the -shm file away"
    )]
    StrangeLog {
        /// The file.
        path: PathBuf,
        /// What does not belong to it.
        log: PathBuf,
    },
    /// It is no database, or a broken one.
    #[error(
        "store.path: {path} is damaged: {why}; restore it from a backup, or move it away to begin anew, in both \
         cases with the -wal and -shm files beside it"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        why: String,
    },
    /// SQLite can't work with it.
    #[error("store.path: {path}: {source}")]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
}

/// Why the store could not write or read just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Fault {
    /// No room on the disk, or in the file.
    #[error("the disk is full")]
    Full,
    /// Reading or writing failed.
    #[error("reading or writing the store's file failed")]
    Io,
    /// The file is broken.
    #[error("the store's file is damaged")]
    Damaged,
    /// Anything else SQLite says.
    #[error("the store does not work")]
    Other,
    /// The store has been closed.
    #[error("the store is closed")]
    Closed,
}

impl Fault {
    /// What an error of SQLite means for those who wait.
    pub(super) fn of(error: &rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Self::Full,
            Some(rusqlite::ErrorCode::SystemIoFailure | rusqlite::ErrorCode::CannotOpen) => Self::Io,
            Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => Self::Damaged,
            Some(_) | None => Self::Other,
        }
    }
}
