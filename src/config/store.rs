//! `[store]`: where resends live and for how long.

use std::time::Duration;

use super::{read::Reader, render::Rendering};

const PATH: &str = "store.path";
/// The word for resends in memory only.
const MEMORY: &str = ":memory:";
/// What `store.max_bytes = 0` means for resends in memory.
const MEMORY_MAX_BYTES: u64 = 512 << 20;

/// Where resends live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StorePath {
    /// `:memory:`: a bounded registry that a restart forgets.
    Memory,
}

/// The settings of the store.
#[derive(Debug, Clone)]
pub struct StoreSettings {
    /// Where resends live.
    pub path: StorePath,
    /// How long a finished resend can be asked for.
    pub retention: Duration,
    /// Most bytes of resends; beyond it intake stops.
    pub max_bytes: u64,
}

impl StorePath {
    /// The word in the settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Memory => MEMORY,
        }
    }
}

impl StoreSettings {
    pub(super) fn read(reader: &mut Reader) -> Self {
        if reader.text(PATH) != MEMORY && reader.all_well(&[PATH]) {
            reader.refuse(PATH, "this build keeps resends in memory only; the one value is \":memory:\"");
        }
        Self {
            path: StorePath::Memory,
            retention: reader.seconds("store.retention_seconds", 60..=31_536_000),
            max_bytes: reader
                .integer_unless_zero("store.max_bytes", 1 << 20..=1 << 40)
                .unwrap_or(MEMORY_MAX_BYTES),
        }
    }

    pub(super) fn render(&self, out: &mut Rendering) {
        out.section("store");
        out.text("path", self.path.as_str());
        out.seconds("retention_seconds", self.retention);
        out.plain("max_bytes", self.max_bytes);
    }
}
