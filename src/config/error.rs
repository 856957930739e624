//! What can be wrong with the settings, told all at once.
//!
//! Owns the sentences. Refuses to quote a value, except a number that is out of range: a text may be
//! a secret in the wrong place.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use thiserror::Error;

use super::secret::SecretError;

/// A key, and where its value came from when that is not the compiled-in default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The dotted key.
    pub key: &'static str,
    /// The file, or the environment variable.
    pub origin: Option<String>,
}

/// One thing that is wrong.
#[derive(Debug, Error)]
pub enum Problem {
    /// A file of settings cannot be read, or is not TOML.
    #[error("{}: {why}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, with the line but without its text.
        why: String,
    },
    /// A key that this build does not have.
    #[error("{origin}: unknown key {key}{}", suggest(suggestion))]
    UnknownKey {
        /// The file, or the environment variable.
        origin: String,
        /// The dotted key as found.
        key: String,
        /// The nearest key, written as in the same source.
        suggestion: Option<String>,
    },
    /// A value where a section is expected.
    #[error("{origin}: {key} is a section; it holds keys and has no value of its own")]
    Section {
        /// The file, or the environment variable.
        origin: String,
        /// The section.
        key: String,
    },
    /// Two environment variables for one key, differing in case.
    #[error("{variable}: set twice, in different case")]
    SetTwice {
        /// The variable in upper case.
        variable: String,
    },
    /// A value of another type.
    #[error("{place}: must be {expected}")]
    WrongType {
        /// The key.
        place: Place,
        /// What it must be.
        expected: String,
    },
    /// A number that makes no sense.
    #[error("{place}: {value} is out of range; {range}")]
    OutOfRange {
        /// The key.
        place: Place,
        /// The number found.
        value: String,
        /// What is served.
        range: String,
    },
    /// A value that breaks a rule.
    #[error("{place}: {why}")]
    Rule {
        /// The key.
        place: Place,
        /// The rule.
        why: String,
    },
    /// A secret that cannot be used.
    #[error("{place}: {why}")]
    Secret {
        /// The key.
        place: Place,
        /// What is wrong with it.
        why: SecretError,
    },
}

/// Everything that is wrong with the settings.
#[derive(Debug, Error)]
pub struct SettingsError {
    problems: Vec<Problem>,
    clients_file: Option<PathBuf>,
    near_misses: Vec<String>,
}

impl SettingsError {
    pub(super) fn new(problems: Vec<Problem>) -> Self {
        Self { problems, clients_file: None, near_misses: Vec::new() }
    }

    /// With the clients file that the settings name, and the variables that may have been meant as settings: what
    /// is missing may stand there.
    pub(super) fn beside(self, clients_file: Option<PathBuf>, near_misses: Vec<String>) -> Self {
        Self { clients_file, near_misses, ..self }
    }

    /// The clients file, as far as the settings were good enough to name it: it may have mistakes of its own.
    pub fn clients_file(&self) -> Option<&Path> {
        self.clients_file.as_deref()
    }

    /// The problems, in the order of the settings. Never empty.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the settings are wrong")?;
        for problem in &self.problems {
            write!(formatter, "\n  {problem}")?;
        }
        for near_miss in &self.near_misses {
            write!(formatter, "\n  {near_miss}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.key)?;
        match &self.origin {
            Some(origin) => write!(formatter, " (from {origin})"),
            None => Ok(()),
        }
    }
}

fn suggest(suggestion: &Option<String>) -> String {
    suggestion.as_ref().map_or_else(String::new, |near| format!("; did you mean {near}?"))
}
