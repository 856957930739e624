//! `[dispatch]`: how much may wait, and how long work may be held.

use std::time::Duration;

use super::{read::Reader, render::Rendering};

/// The settings of the queue.
#[derive(Debug, Clone)]
pub struct DispatchSettings {
    /// Most addresses waiting in all resends together.
    pub max_queued_addresses: u64,
    /// How long work may be held before it ends `not_sent`.
    pub max_hold: Duration,
}

impl DispatchSettings {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            max_queued_addresses: reader.integer("dispatch.max_queued_addresses", 1..=4_000_000_000),
            max_hold: reader.seconds("dispatch.max_hold_seconds", 1..=2_592_000),
        }
    }

    pub(super) fn render(&self, out: &mut Rendering) {
        out.section("dispatch");
        out.plain("max_queued_addresses", self.max_queued_addresses);
        out.seconds("max_hold_seconds", self.max_hold);
    }
}
