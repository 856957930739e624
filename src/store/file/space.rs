//! How much room the file takes and leaves: intake stops in time, so that what is under way can be written.

use std::{fs, path::Path};

use thiserror::Error;

use super::{Store, place::log_of};

/// What the file may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of the file and its log; `None`: as many as there are.
    pub max_bytes: Option<u64>,
    /// Bytes that stay free where the file is.
    pub reserve_bytes: u64,
}

/// Why no new lists are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Lack {
    /// The file is as large as it may be.
    #[error("the store takes all of the {max_bytes} bytes it may (store.max_bytes)")]
    Allowed {
        /// What it may take.
        max_bytes: u64,
    },
    /// The disk is almost full.
    #[error("less than {reserve_bytes} bytes (store.reserve_bytes) are free where the store is")]
    Free {
        /// What must stay free.
        reserve_bytes: u64,
    },
}

impl Limits {
    /// What lacks with so many bytes in use and so many free, if those are known.
    fn lack(&self, used: u64, free: Option<u64>) -> Option<Lack> {
        let reserve_bytes = self.reserve_bytes;
        match (self.max_bytes, free) {
            (Some(max_bytes), _) if used >= max_bytes => Some(Lack::Allowed { max_bytes }),
            (_, Some(free)) if free < reserve_bytes => Some(Lack::Free { reserve_bytes }),
            (_, _) => None,
        }
    }
}

impl Store {
    /// Looks how much room there is, and remembers it. Blocks.
    pub fn measure(&self, limits: &Limits) {
        let shared = &self.shared;
        let database = &shared.place.database;
        let free = free(&self.directory());
        let lack = limits.lack(size(database) + size(&log_of(database)), free);
        shared.metrics.set_store_free_bytes(free.unwrap_or_default());
        let before = shared.lack.send_replace(lack);
        match (before, lack) {
            (None, Some(lack)) => tracing::error!(%lack, "No new lists are taken."),
            (Some(_), None) => tracing::info!("The store has room again; new lists are taken."),
            (None, None) | (Some(_), Some(_)) => {}
        }
    }

    /// Why no new lists are taken, as far as room is concerned.
    pub fn lack(&self) -> Option<Lack> {
        *self.shared.lack.borrow()
    }
}

/// The size of a file; 0 for none.
pub(super) fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// Bytes that this process may still take where `directory` is; `None` when the system does not say.
fn free(directory: &Path) -> Option<u64> {
    let space = rustix::fs::statvfs(directory).ok()?;
    Some(space.f_bavail.saturating_mul(space.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intake_stops_at_either_limit_and_without_limits_at_none() {
        let limits = Limits { max_bytes: Some(100), reserve_bytes: 50 };

        assert_eq!(limits.lack(99, Some(50)), None);
        assert_eq!(limits.lack(100, Some(50)), Some(Lack::Allowed { max_bytes: 100 }));
        assert_eq!(limits.lack(99, Some(49)), Some(Lack::Free { reserve_bytes: 50 }));
        assert_eq!(limits.lack(99, None), None);
        assert_eq!(Limits { max_bytes: None, reserve_bytes: 0 }.lack(u64::MAX, Some(0)), None);
    }

    #[test]
    fn what_is_free_is_known() {
        assert!(free(Path::new(".")).is_some_and(|free| free > 0));
        assert_eq!(free(Path::new("no/such/place")), None);
    }
}
