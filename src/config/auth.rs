//! `[auth]`: who may call.

use std::path::{Path, PathBuf};

use super::{read::Reader, render::Rendering};

const MODE: &str = "auth.mode";
const CLIENTS_FILE: &str = "auth.clients_file";

/// The settings of authentication.
#[derive(Debug, Clone)]
pub struct AuthSettings {
    /// How callers prove who they are.
    pub mode: AuthMode,
    /// With [`AuthMode::Tokens`]: the clients.
    pub clients_file: Option<PathBuf>,
    /// With [`AuthMode::None`]: serve everybody on an address that is not loopback.
    pub allow_anonymous: bool,
}

/// How callers prove who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthMode {
    /// Not at all.
    None,
    /// By a token.
    Tokens,
}

impl AuthMode {
    const ALL: [Self; 2] = [Self::None, Self::Tokens];

    fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Tokens => "tokens",
        }
    }
}

impl AuthSettings {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mode = |word: &str| AuthMode::ALL.into_iter().find(|mode| mode.as_str() == word);
        let auth = Self {
            mode: reader.parsed(MODE, "\"none\" or \"tokens\"", AuthMode::None, mode),
            clients_file: reader.path(CLIENTS_FILE),
            allow_anonymous: reader.flag("auth.allow_anonymous"),
        };
        if reader.all_well(&[MODE, CLIENTS_FILE])
            && auth.mode == AuthMode::Tokens
            && auth.clients_file.is_none()
        {
            reader.refuse(CLIENTS_FILE, "must name the file with the clients when auth.mode = \"tokens\"");
        }
        auth
    }

    /// The clients file, when it says who may call.
    pub fn clients(&self) -> Option<&Path> {
        match self.mode {
            AuthMode::Tokens => self.clients_file.as_deref(),
            AuthMode::None => None,
        }
    }

    /// The same, when both keys were read without a mistake.
    pub(super) fn clients_as_read(&self, reader: &Reader) -> Option<&Path> {
        self.clients().filter(|_| reader.all_well(&[MODE, CLIENTS_FILE]))
    }

    pub(super) fn render(&self, out: &mut Rendering) {
        out.section("auth");
        out.text("mode", self.mode.as_str());
        out.path("clients_file", self.clients_file.as_deref());
        out.plain("allow_anonymous", self.allow_anonymous);
    }
}
