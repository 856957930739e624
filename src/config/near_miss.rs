//! Finds environment variables that were probably meant as settings but are not: `FAXPLUS_GATEWAY_LOG_LEVEL`, with one
//! underscore instead of two, has no effect, and without a warning its author would not notice.
//!
//! It is a warning, not an error: the environment of a process holds many names of other origin, and a stray one must
//! not keep a pod from starting. A name that begins with `FAXPLUS_GATEWAY__` is certainly meant for the gateway; if it
//! is wrong, that is an error (see `layers`). Of a value it reads only whether it is the address of a Kubernetes Service.

use std::collections::BTreeMap;

use super::{
    layers::{PREFIX, variable},
    nearest::distance,
};

/// Read by the commands that talk to a running gateway.
const OF_COMMANDS: [&str; 2] = ["FAXPLUS_GATEWAY_URL", "FAXPLUS_GATEWAY_TOKEN"];
/// The first half of the prefix, which alone is taken for the whole.
const UPSTREAM: &str = "FAXPLUS";
/// How many letters may be wrong.
const SLIPS: usize = 2;

/// A warning for each variable that resembles the variable of a known key.
pub(super) fn near_misses<'known>(
    environment: &BTreeMap<String, String>,
    known: impl Iterator<Item = &'known String> + Clone,
) -> Vec<String> {
    let settings = format!("{PREFIX}__");
    let is_no_setting = |name: &&String| !name.to_uppercase().starts_with(&settings);
    let is_other = |name: &&String| !is_known_otherwise(name, &environment[*name]);
    let names = environment.keys().filter(is_no_setting).filter(is_other);
    names
        .filter_map(|name| {
            let hint = match meant(name, known.clone()) {
                Some(key) => format!("did you mean {}?", variable(key)),
                None if name.to_uppercase().starts_with(&format!("{PREFIX}_")) => {
                    format!("the variables of settings begin with {settings}")
                }
                None => return None,
            };
            Some(format!("the variable {name} is not a setting and has no effect; {hint}"))
        })
        .collect()
}

/// The key that a variable probably means: its letters differ by a slip at most, or only the section or a part of the
/// prefix is missing.
fn meant<'known>(name: &str, known: impl Iterator<Item = &'known String>) -> Option<&'known str> {
    let letters = letters_of(name);
    // Most names of an environment have nothing in common with the gateway's.
    if !letters.contains("FAX") && !letters.contains("GATEWAY") {
        return None;
    }
    let slips = |key: &str| {
        let whole = distance(&letters, &letters_of(&variable(key)));
        let is_behind = |prefix: &str, key: &str| letters == letters_of(&format!("{prefix}{key}"));
        let is_cut = letters.starts_with("FAX") && letters.ends_with(&letters_of(key))
            || [PREFIX, UPSTREAM].iter().any(|prefix| is_behind(prefix, name_of(key)));
        if is_cut { whole.min(SLIPS) } else { whole }
    };
    let (key, slips) = known.map(|key| (key.as_str(), slips(key))).min_by_key(|(_, slips)| *slips)?;
    (slips <= SLIPS).then_some(key)
}

/// Whether Kubernetes sets the variable for a Service called `faxplus-gateway`, or a command of this program reads it.
fn is_known_otherwise(name: &str, value: &str) -> bool {
    let is_of_port = |rest: &str| {
        let mut words = rest.split('_');
        words.next().is_some_and(|number| number.parse::<u16>().is_ok())
            && words.next().is_some_and(|protocol| ["TCP", "UDP", "SCTP"].contains(&protocol))
    };
    let is_address = ["tcp://", "udp://", "sctp://"].iter().any(|scheme| value.starts_with(scheme));
    let is_service_link = name.ends_with("_SERVICE_HOST")
        || name.ends_with("_SERVICE_PORT")
        || name.contains("_SERVICE_PORT_")
        || name.split_once("_PORT_").is_some_and(|(_, rest)| is_of_port(rest))
        || (name.ends_with("_PORT") && is_address);
    is_service_link || OF_COMMANDS.contains(&name)
}

fn name_of(key: &str) -> &str {
    key.rsplit_once('.').map_or(key, |(_, name)| name)
}

fn letters_of(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_uppercase()).collect()
}
