//! Settings: loaded once, checked whole, then handed out section by section.
//!
//! Sources, each over the one before: `config/default.toml` (compiled in, documents every key), the
//! file of `--config`, the environment (`FAXPLUS_GATEWAY__SECTION__KEY`). Every mistake is told at
//! once, by key and origin. Secrets are never shown: not in errors, not by `Debug`, not when printed.
//! Refuses keys that this build does not have.

mod auth;
mod base_url;
mod compat;
mod credentials;
mod dedupe;
mod dispatch;
mod error;
mod intake;
mod layers;
mod load;
mod log;
mod near_miss;
mod nearest;
mod oauth2;
mod read;
mod render;
pub mod secret;
mod secret_source;
mod server;
mod store;
#[cfg(test)]
mod tests;
mod upstream;
mod validate;

pub use auth::{AuthMode, AuthSettings};
pub use compat::CompatSettings;
pub use credentials::{CredentialChoice, CredentialSettings};
pub use dedupe::DedupeSettings;
pub use dispatch::DispatchSettings;
pub use error::{Place, Problem, SettingsError};
pub use intake::IntakeSettings;
pub use load::{CredentialRule, LoadOptions};
pub use log::{LogFormat, LogLevel, LogSettings};
pub use oauth2::{OAuth2Settings, RefreshIn};
pub use secret_source::SecretSource;
pub use server::ServerSettings;
pub use store::{StorePath, StoreSettings};
pub use upstream::{OnUnknown, UpstreamSettings};

/// Every setting, typed and checked. Sections go by value to the rooms that need them.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `[server]`
    pub server: ServerSettings,
    /// `[intake]`
    pub intake: IntakeSettings,
    /// `[upstream]`
    pub upstream: UpstreamSettings,
    /// `[credentials]`
    pub credentials: CredentialSettings,
    /// `[dedupe]`
    pub dedupe: DedupeSettings,
    /// `[dispatch]`
    pub dispatch: DispatchSettings,
    /// `[store]`
    pub store: StoreSettings,
    /// `[compat]`
    pub compat: CompatSettings,
    /// `[auth]`
    pub auth: AuthSettings,
    /// `[log]`
    pub log: LogSettings,
    /// Warnings about variables that look like settings and are none.
    near_misses: Vec<String>,
}

impl Settings {
    /// The effective settings as TOML, in the order of `config/default.toml`, secrets as `***`.
    pub fn redacted(&self) -> String {
        let mut out = render::Rendering::default();
        self.server.render(&mut out);
        self.intake.render(&mut out);
        self.upstream.render(&mut out);
        self.credentials.render(&mut out);
        self.dedupe.render(&mut out);
        self.dispatch.render(&mut out);
        self.store.render(&mut out);
        self.compat.render(&mut out);
        self.auth.render(&mut out);
        self.log.render(&mut out);
        out.finish()
    }
}
