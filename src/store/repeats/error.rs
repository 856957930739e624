//! What can go wrong while repeats are sought: the temporary files, and nothing else.

use std::io;

use thiserror::Error;

/// A temporary file failed. The texts name no path and no address.
#[derive(Debug, Error)]
pub enum RepeatError {
    /// It could not be made in the directory.
    #[error("could not create a temporary file: {source}")]
    Create {
        /// What the system said.
        source: io::Error,
    },
    /// It could not be written.
    #[error("could not write a temporary file: {source}")]
    Write {
        /// What the system said.
        source: io::Error,
    },
    /// It could not be read, or was cut short behind our back.
    #[error("could not read a temporary file: {source}")]
    Read {
        /// What the system said.
        source: io::Error,
    },
}

impl RepeatError {
    /// Whether the disk, or the share of it that the process may use, is full.
    pub fn is_full(&self) -> bool {
        let (Self::Create { source } | Self::Write { source } | Self::Read { source }) = self;
        matches!(
            source.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
        )
    }
}
