//! `[intake]`: how large a list may be, and the memory for reading lists.

use super::{read::Reader, render::Rendering};

/// Most bytes that a setting can ask for.
const TEBIBYTE: usize = 1 << 40;

/// The settings of reading lists.
#[derive(Debug, Clone)]
pub struct IntakeSettings {
    /// Most bytes of a decoded body; `None` = no limit.
    pub max_body_bytes: Option<u64>,
    /// Most addresses of a list; `None` = as many as an index can number.
    pub max_addresses: Option<u32>,
    /// Bytes of memory for all lists being read together.
    pub memory_bytes: usize,
}

impl IntakeSettings {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            max_body_bytes: reader.integer_unless_zero("intake.max_body_bytes", 1..=TEBIBYTE as u64),
            max_addresses: reader.integer_unless_zero("intake.max_addresses", 1..=4_000_000_000),
            memory_bytes: reader.integer("intake.memory_bytes", 65_536..=TEBIBYTE),
        }
    }

    pub(super) fn render(&self, out: &mut Rendering) {
        out.section("intake");
        out.plain("max_body_bytes", self.max_body_bytes.unwrap_or(0));
        out.plain("max_addresses", self.max_addresses.unwrap_or(0));
        out.plain("memory_bytes", self.memory_bytes);
    }
}
