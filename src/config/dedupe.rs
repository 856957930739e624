//! `[dedupe]`: the memory of recent sends.

use std::time::Duration;

use super::{read::Reader, render::Rendering};

/// The settings of the memory of recent sends.
#[derive(Debug, Clone)]
pub struct DedupeSettings {
    /// How long an accepted address is not sent again; `None` = off.
    pub window: Option<Duration>,
    /// Most addresses remembered, at least one.
    pub max_entries: u64,
    /// Whether the case of the part before the `@` makes no difference.
    pub ignore_local_part_case: bool,
}

impl DedupeSettings {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let window = reader.integer_unless_zero("dedupe.window_seconds", 1..=2_678_400_u64);
        Self {
            window: window.map(Duration::from_secs),
            max_entries: reader.integer("dedupe.max_entries", 1..=100_000_000),
            ignore_local_part_case: reader.flag("dedupe.ignore_local_part_case"),
        }
    }

    pub(super) fn render(&self, out: &mut Rendering) {
        out.section("dedupe");
        out.seconds("window_seconds", self.window.unwrap_or_default());
        out.plain("max_entries", self.max_entries);
        out.plain("ignore_local_part_case", self.ignore_local_part_case);
    }
}
