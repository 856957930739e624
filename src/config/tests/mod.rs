//! The settings as a whole, by the public way in.

use std::fs;

use super::{LoadOptions, Settings, SettingsError, layers};

mod keys;
mod mistakes;
mod rules;

const SECRET: &str = "hush-hush-0123456789";

fn with_env(pairs: &[(&str, &str)]) -> LoadOptions {
    let environment = pairs.iter().map(|(key, value)| (layers::variable(key), (*value).to_owned())).collect();
    LoadOptions { environment, ..LoadOptions::default() }
}

fn load(pairs: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    Settings::load(&with_env(pairs))
}

fn complaints(options: &LoadOptions) -> Vec<String> {
    Settings::load(options).unwrap_err().problems().iter().map(ToString::to_string).collect()
}

fn with_file(content: &str) -> (tempfile::NamedTempFile, LoadOptions) {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), content).unwrap();
    let options = LoadOptions { file: Some(file.path().to_owned()), ..LoadOptions::default() };
    (file, options)
}

fn default_keys() -> Vec<String> {
    layers::merge(&LoadOptions::default()).0.into_keys().collect()
}
