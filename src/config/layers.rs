//! Lays the sources of settings over each other: compiled-in, file, environment, overrides.
//!
//! Owns the list of known keys, which is the list of keys in `config/default.toml`. Refuses every key
//! that is not on it, before values are looked at. Errors of the `config` crate can quote what they
//! read, so they are replaced here and never passed on.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs,
    path::Path,
};

use config::{Config, ConfigError, Environment, File, FileFormat, Map, Source, Value, ValueKind};

use super::{LoadOptions, error::Problem, nearest::nearest};

/// What every variable of the gateway begins with; `__` follows.
pub(super) const PREFIX: &str = "FAXPLUS_GATEWAY";
/// The documented defaults.
pub(super) const DEFAULTS: &str = include_str!("../../config/default.toml");

/// Values by dotted key.
pub(super) type Flat = BTreeMap<String, Value>;

/// The environment variable that sets `key`.
pub(super) fn variable(key: &str) -> String {
    format!("{PREFIX}__{}", key.to_uppercase().replace('.', "__"))
}

/// The merged values of all known keys, each with its origin, and what was wrong on the way.
pub(super) fn merge(options: &LoadOptions) -> (Flat, Vec<Problem>) {
    let mut problems = Vec::new();
    let defaults = parse(DEFAULTS, Path::new("config/default.toml"), &mut problems);
    let known: BTreeSet<String> = defaults.keys().cloned().collect();

    let mut layers = vec![Layer(defaults)];
    if let Some(path) = &options.file {
        let origin = path.display().to_string();
        let values = read(path, &mut problems);
        layers.push(Layer::of_known(values, &known, |_| origin.clone(), str::to_owned, &mut problems));
    }
    let values = environment(&options.environment, &mut problems);
    layers.push(Layer::of_known(values, &known, variable, variable, &mut problems));
    let overrides =
        options.overrides.iter().map(|(key, text)| (key.clone(), Value::new(None, text.as_str())));
    let origin = |_: &str| "an override".to_owned();
    layers.push(Layer::of_known(overrides.collect(), &known, origin, str::to_owned, &mut problems));

    let builder = layers.into_iter().fold(Config::builder(), |builder, layer| builder.add_source(layer));
    (flatten(builder.build().and_then(|merged| merged.collect()).unwrap_or_default()), problems)
}

fn read(path: &Path, problems: &mut Vec<Problem>) -> Flat {
    match fs::read_to_string(path) {
        Ok(text) => parse(&text, path, problems),
        Err(error) => {
            problems.push(Problem::File { path: path.to_owned(), why: format!("cannot be read: {error}") });
            Flat::new()
        }
    }
}

fn parse(text: &str, path: &Path, problems: &mut Vec<Problem>) -> Flat {
    match File::from_str(text, FileFormat::Toml).collect() {
        Ok(values) => flatten(values),
        Err(error) => {
            problems.push(Problem::File { path: path.to_owned(), why: why_no_toml(&error) });
            Flat::new()
        }
    }
}

/// Where a file stops being TOML. The first line of the parser's message tells the position alone;
/// the lines after it quote the file.
fn why_no_toml(error: &ConfigError) -> String {
    let position = match error {
        ConfigError::FileParse { cause, .. } => cause
            .to_string()
            .lines()
            .next()
            .and_then(|line| line.strip_prefix("TOML parse error at ").map(str::to_owned)),
        _ => None,
    };
    position.map_or_else(|| "is not valid TOML".to_owned(), |at| format!("is not valid TOML at {at}"))
}

fn environment(variables: &BTreeMap<String, String>, problems: &mut Vec<Problem>) -> Flat {
    let prefix = format!("{PREFIX}__").to_lowercase();
    let mut seen = BTreeSet::new();
    for name in variables.keys().filter(|name| name.to_lowercase().starts_with(&prefix)) {
        if !seen.insert(name.to_lowercase()) {
            problems.push(Problem::SetTwice { variable: name.to_uppercase() });
        }
    }
    let map: Map<String, String> = variables.clone().into_iter().collect();
    let source = Environment::with_prefix(PREFIX).separator("__").source(Some(map));
    source.collect().unwrap_or_default().into_iter().collect()
}

/// Tables become dotted keys; an empty table stays, as a key of its own.
fn flatten(values: Map<String, Value>) -> Flat {
    let mut flat = Flat::new();
    let mut rest: Vec<(String, Value)> = values.into_iter().collect();
    while let Some((key, value)) = rest.pop() {
        match value.kind {
            ValueKind::Table(table) if !table.is_empty() => {
                rest.extend(table.into_iter().map(|(name, value)| (format!("{key}.{name}"), value)));
            }
            _ => {
                flat.insert(key, value);
            }
        }
    }
    flat
}

/// One source, with known keys only.
#[derive(Clone)]
struct Layer(Flat);

impl Layer {
    /// Keeps what is known and names where it came from; what is not becomes a problem, with the
    /// nearest key as `spell` writes it.
    fn of_known(
        values: Flat,
        known: &BTreeSet<String>,
        origin: impl Fn(&str) -> String,
        spell: impl Fn(&str) -> String,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let mut kept = Flat::new();
        for (key, value) in values {
            if known.contains(&key) {
                kept.insert(key.clone(), Value::new(Some(&origin(&key)), value.kind));
                continue;
            }
            let is_section = known.iter().any(|known| known.starts_with(&format!("{key}.")));
            match value.kind {
                ValueKind::Table(_) if is_section => {}
                _ if is_section => problems.push(Problem::Section { origin: origin(&key), key }),
                _ => {
                    let suggestion = nearest(&key, known.iter()).map(&spell);
                    problems.push(Problem::UnknownKey { origin: origin(&key), key, suggestion });
                }
            }
        }
        Self(kept)
    }
}

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        Ok(self.0.clone().into_iter().collect())
    }
}

impl fmt::Debug for Layer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}
