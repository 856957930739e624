//! Finds variables that were probably meant as settings, and are none: `FAXPLUS_GATEWAY_LOG_LEVEL`, with one
//! underscore where two belong, would do nothing, and nobody would see it.
//!
//! Such a variable is told, not refused: the environment of a process is full of other people's names, and a stray
//! one must not keep a pod from starting. What begins with `FAXPLUS_GATEWAY__` is meant for the gateway; there a wrong
//! name is an error. Never looks at a value.

use std::collections::BTreeMap;

use super::{
    layers::{PREFIX, variable},
    nearest::distance,
};

/// Read by the commands that talk to a running gateway.
const OF_COMMANDS: [&str; 2] = ["FAXPLUS_GATEWAY_URL", "FAXPLUS_GATEWAY_TOKEN"];
/// So many letters may be wrong.
const SLIPS: usize = 2;

/// A sentence for each variable that looks like one of a known key, and is none.
pub(super) fn near_misses<'known>(
    environment: &BTreeMap<String, String>,
    known: impl Iterator<Item = &'known String> + Clone,
) -> Vec<String> {
    let settings = format!("{PREFIX}__");
    let is_no_setting = |name: &&String| !name.to_uppercase().starts_with(&settings);
    let names = environment.keys().filter(is_no_setting).filter(|name| !is_of_another(name));
    names
        .filter_map(|name| {
            let meant = variable(meant(name, known.clone())?);
            Some(format!("the variable {name} is no setting and does nothing; did you mean {meant}?"))
        })
        .collect()
}

/// The key that a variable seems to mean: its letters are the same but for a slip, or it lacks the section alone.
fn meant<'known>(name: &str, known: impl Iterator<Item = &'known String>) -> Option<&'known str> {
    let letters = letters_of(name);
    // Most names of an environment have nothing in common with the gateway's.
    if !letters.contains("FAX") && !letters.contains("GATEWAY") {
        return None;
    }
    let slips = |key: &str| {
        let whole = distance(&letters, &letters_of(&variable(key)));
        let is_without_section = letters == letters_of(&format!("{PREFIX}{}", name_of(key)));
        if is_without_section { whole.min(SLIPS) } else { whole }
    };
    let (key, slips) = known.map(|key| (key.as_str(), slips(key))).min_by_key(|(_, slips)| *slips)?;
    (slips <= SLIPS).then_some(key)
}

/// Names that Kubernetes gives every container of a namespace for a Service called `faxplus-gateway`, and those of
/// commands.
fn is_of_another(name: &str) -> bool {
    let is_port = |rest: &str| rest.is_empty() || rest.starts_with('_');
    let is_service_link = name.contains("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || name.rsplit_once("_PORT").is_some_and(|(_, rest)| is_port(rest));
    is_service_link || OF_COMMANDS.contains(&name)
}

fn name_of(key: &str) -> &str {
    key.rsplit_once('.').map_or(key, |(_, name)| name)
}

fn letters_of(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_uppercase()).collect()
}
