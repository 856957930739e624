//! `[store]`: where resends live and for how long.

use std::{path::PathBuf, time::Duration};

use super::{read::Reader, render::Rendering};

const PATH: &str = "store.path";
/// The word for resends in memory only.
const MEMORY: &str = ":memory:";
/// What `store.max_bytes = 0` means for resends in memory.
const MEMORY_MAX_BYTES: u64 = 512 << 20;

/// Where resends live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StorePath {
    /// `:memory:`: a bounded registry that a restart forgets.
    Memory,
    /// A SQLite file, with a lock and a key beside it.
    File(PathBuf),
}

/// The settings of the store.
#[derive(Debug, Clone)]
pub struct StoreSettings {
    /// Where resends live.
    pub path: StorePath,
    /// How long a finished resend can be asked for.
    pub retention: Duration,
    /// Most bytes of resends; beyond it intake stops. `None`: as many as the disk has room for.
    pub max_bytes: Option<u64>,
    /// Intake stops when less than this is free where the file is.
    pub reserve_bytes: u64,
}

impl StoreSettings {
    /// Bytes that resends in RAM may take.
    pub fn memory_bytes(&self) -> u64 {
        self.max_bytes.unwrap_or(MEMORY_MAX_BYTES)
    }

    pub(super) fn read(reader: &mut Reader) -> Self {
        let path = reader.text(PATH);
        if path.is_empty() && reader.all_well(&[PATH]) {
            reader
                .refuse(PATH, "is empty; name a file, or say \":memory:\" to keep nothing across a restart");
        }
        Self {
            path: if path == MEMORY { StorePath::Memory } else { StorePath::File(PathBuf::from(path)) },
            retention: reader.seconds("store.retention_seconds", 60..=31_536_000),
            max_bytes: reader.integer_unless_zero("store.max_bytes", 1 << 20..=1 << 50),
            reserve_bytes: reader.integer("store.reserve_bytes", 0..=1 << 50),
        }
    }

    pub(super) fn render(&self, out: &mut Rendering) {
        out.section("store");
        match &self.path {
            StorePath::Memory => out.text("path", MEMORY),
            StorePath::File(path) => out.path("path", Some(path)),
        }
        out.seconds("retention_seconds", self.retention);
        out.plain("max_bytes", self.max_bytes.unwrap_or(0));
        out.plain("reserve_bytes", self.reserve_bytes);
    }
}
