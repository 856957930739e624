//! From the sources to [`Settings`], or to everything that is wrong with them.
//!
//! Owns what a load depends on. Only [`LoadOptions::from_process`] looks at the environment of the
//! process; tests hand in a map.

use std::{
    collections::BTreeMap,
    env, fmt,
    path::{Path, PathBuf},
};

use super::{
    AuthSettings, CompatSettings, CredentialSettings, DedupeSettings, DispatchSettings, IntakeSettings,
    LogSettings, ServerSettings, Settings, SettingsError, StoreSettings, UpstreamSettings, layers,
    near_miss::near_misses, read::Reader, validate,
};

/// Whether the settings must hold a credential for fax.plus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CredentialRule {
    /// Missing is an error: the gateway is going to call fax.plus.
    Required,
    /// Either way is fine.
    #[default]
    Optional,
    /// Present is an error: nothing but a simulated fax.plus may be called.
    Forbidden,
}

/// What to load the settings from. The default is the compiled-in settings alone.
#[derive(Clone, Default)]
pub struct LoadOptions {
    /// A TOML file over the defaults.
    pub file: Option<PathBuf>,
    /// Variables over the file; others than `FAXPLUS_GATEWAY__*` set nothing.
    pub environment: BTreeMap<String, String>,
    /// Values by dotted key over everything.
    pub overrides: BTreeMap<String, String>,
    /// Whether a credential must be there.
    pub credential: CredentialRule,
}

impl LoadOptions {
    /// The file and the environment of this process. What is not UTF-8 in a variable is replaced, so
    /// that it is refused under its name.
    pub fn from_process(file: Option<PathBuf>, credential: CredentialRule) -> Self {
        let text = |os: std::ffi::OsString| os.to_string_lossy().into_owned();
        let environment = env::vars_os().map(|(name, value)| (text(name), text(value))).collect();
        Self { file, environment, overrides: BTreeMap::new(), credential }
    }
}

impl Settings {
    /// Loads, converts and checks everything.
    ///
    /// # Errors
    /// All problems at once; see [`SettingsError`].
    pub fn load(options: &LoadOptions) -> Result<Self, SettingsError> {
        let (values, problems) = layers::merge(options);
        let near_misses = near_misses(&options.environment, values.keys());
        let mut reader = Reader::new(values, problems);
        let settings = Self { near_misses, ..Self::read(&mut reader, options.credential) };
        let clients_file = settings.auth.clients_as_read(&reader).map(Path::to_owned);
        let near_misses = settings.near_misses.clone();
        reader.finish(settings).map_err(|error| error.beside(clients_file, near_misses))
    }

    pub(super) fn read(reader: &mut Reader, credential: CredentialRule) -> Self {
        let settings = Self {
            server: ServerSettings::read(reader),
            intake: IntakeSettings::read(reader),
            upstream: UpstreamSettings::read(reader),
            credentials: CredentialSettings::read(reader, credential),
            dedupe: DedupeSettings::read(reader),
            dispatch: DispatchSettings::read(reader),
            store: StoreSettings::read(reader),
            compat: CompatSettings::read(reader),
            auth: AuthSettings::read(reader),
            log: LogSettings::read(reader),
            near_misses: Vec::new(),
        };
        validate::check(&settings, reader);
        settings
    }
}

impl fmt::Debug for LoadOptions {
    /// Tells the names of variables and overrides, not their values: one may be a token.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("LoadOptions")
            .field("file", &self.file)
            .field("environment", &self.environment.keys())
            .field("overrides", &self.overrides.keys())
            .field("credential", &self.credential)
            .finish()
    }
}
