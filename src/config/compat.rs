//! `[compat]`: the endpoint in the shape of fax.plus.

use std::time::Duration;

use super::{read::Reader, render::Rendering};

/// The settings of the compatible endpoint.
#[derive(Debug, Clone)]
pub struct CompatSettings {
    /// How long its callers wait for the end of their list. They cannot say it themselves.
    pub wait: Duration,
}

impl CompatSettings {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self { wait: reader.seconds("compat.wait_seconds", 1..=3600) }
    }

    pub(super) fn render(&self, out: &mut Rendering) {
        out.section("compat");
        out.seconds("wait_seconds", self.wait);
    }
}
