//! `[auth]`: who may call. This build knows no tokens of callers yet.

use super::{read::Reader, render::Rendering};

/// The settings of authentication.
#[derive(Debug, Clone)]
pub struct AuthSettings {
    /// Serve everybody on an address that is not loopback.
    pub allow_anonymous: bool,
}

impl AuthSettings {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self { allow_anonymous: reader.flag("auth.allow_anonymous") }
    }

    pub(super) fn render(&self, out: &mut Rendering) {
        out.section("auth");
        out.plain("allow_anonymous", self.allow_anonymous);
    }
}
