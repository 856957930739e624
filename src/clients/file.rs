//! The clients file: a TOML table a client, or a line.
//!
//! ```toml
//! billing = { tokens = ["sha256:..."], weight = 2, force = true }
//! ```
//! Refuses anything it does not know, and tells where: line and client. Never tells what stands there: it may
//! be a token that somebody took for its hash.

use std::{collections::BTreeMap, num::NonZeroU32};

use serde::Deserialize;
use thiserror::Error;

use super::{Client, Limits, Rights, token::TokenHash};
use crate::domain::ClientName;

/// Most clients: each is a label in the metrics.
const MOST_CLIENTS: usize = 200;
/// Tokens of a client: the one in use, and the next while it is changed.
const MOST_TOKENS: usize = 2;
const MOST_WEIGHT: u32 = 100;
const LONGEST_NAME: usize = 64;

/// Why the clients file can't be used.
#[derive(Debug, Error)]
pub enum ClientsError {
    /// It can't be read.
    #[error("auth.clients_file: can't read {path}: {source}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why not.
        source: std::io::Error,
    },
    /// It is no TOML, or holds what it should not.
    #[error("auth.clients_file: {path}, line {line}: {why}")]
    Malformed {
        /// The file.
        path: String,
        /// Where.
        line: usize,
        /// What is wrong.
        why: String,
    },
    /// A client of it makes no sense.
    #[error("auth.clients_file: {path}: client {name}: {why}")]
    Client {
        /// The file.
        path: String,
        /// Whose entry.
        name: String,
        /// What is wrong.
        why: &'static str,
    },
    /// It is well-formed, but nobody could call.
    #[error("auth.clients_file: {path}: {why}")]
    Whole {
        /// The file.
        path: String,
        /// What is wrong.
        why: &'static str,
    },
}

/// A client with its tokens.
pub(super) struct Entry {
    pub(super) client: Client,
    pub(super) tokens: Vec<TokenHash>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    tokens: Vec<String>,
    weight: Option<u32>,
    #[serde(default)]
    force: bool,
    #[serde(default)]
    operator: bool,
    #[serde(default)]
    sees_all: bool,
    addresses_per_minute: Option<u32>,
    queued_addresses: Option<u64>,
}

/// Reads the text of the file at `path`.
pub(super) fn parse(path: &str, text: &str) -> Result<Vec<Entry>, ClientsError> {
    let rows: BTreeMap<String, Row> = toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        ClientsError::Malformed { path: path.to_owned(), line, why: without_values(error.message()) }
    })?;
    let whole = |why| ClientsError::Whole { path: path.to_owned(), why };
    if rows.is_empty() {
        return Err(whole("no client stands in it, so nobody could call; `token new NAME` makes one"));
    }
    if rows.len() > MOST_CLIENTS {
        return Err(whole("more than 200 clients"));
    }
    let mut entries: Vec<Entry> = Vec::with_capacity(rows.len());
    for (name, row) in rows {
        let entry = entry(&name, row).map_err(|why| ClientsError::Client {
            path: path.to_owned(),
            name: printable(&name),
            why,
        })?;
        let is_known =
            |hash: &TokenHash| entries.iter().flat_map(|other| &other.tokens).any(|it| it.is(hash));
        if entry.tokens.iter().any(is_known) {
            let why = "another client has the same token";
            return Err(ClientsError::Client { path: path.to_owned(), name, why });
        }
        entries.push(entry);
    }
    Ok(entries)
}

/// The line of a new client.
///
/// # Errors
/// When no client can have this name.
pub fn line(name: &str, hash: &TokenHash) -> Result<String, &'static str> {
    check_name(name)?;
    Ok(format!("{name} = {{ tokens = [\"{hash}\"] }}"))
}

fn check_name(name: &str) -> Result<(), &'static str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if name.is_empty() || name.len() > LONGEST_NAME || !name.bytes().all(is_plain) {
        return Err("the name of a client has up to 64 of a-z, A-Z, 0-9, - and _");
    }
    if name == ClientName::anonymous().as_str() {
        return Err("this name is for callers without a token");
    }
    Ok(())
}

fn entry(name: &str, row: Row) -> Result<Entry, &'static str> {
    check_name(name)?;
    if row.tokens.is_empty() || row.tokens.len() > MOST_TOKENS {
        return Err("tokens holds one hash, or two while the token is being changed");
    }
    let hashes = row.tokens.iter().map(|text| TokenHash::parse(text)).collect::<Option<Vec<_>>>();
    let tokens =
        hashes.ok_or("a token stands there as sha256: and 64 hexadecimal digits; see `token new`")?;
    let weight = row.weight.unwrap_or(1);
    let limit = |limit: Option<u32>| limit.map(|limit| NonZeroU32::new(limit).ok_or(()));
    Ok(Entry {
        client: Client {
            name: ClientName::new(name),
            weight: NonZeroU32::new(weight)
                .filter(|weight| weight.get() <= MOST_WEIGHT)
                .ok_or("weight is 1 to 100")?,
            rights: Rights { force: row.force, operator: row.operator, sees_all: row.sees_all },
            limits: Limits {
                addresses_per_minute: limit(row.addresses_per_minute)
                    .transpose()
                    .map_err(|()| "addresses_per_minute is 1 or more; leave it out for no limit")?,
                queued_addresses: match row.queued_addresses {
                    Some(0) => return Err("queued_addresses is 1 or more; leave it out for no limit"),
                    limit => limit,
                },
            },
        },
        tokens,
    })
}

/// What the parser says, without the text in quotes: it may be a token.
fn without_values(message: &str) -> String {
    let mut quoted = false;
    let mut kept = String::new();
    for part in message.split('"') {
        kept.push_str(if quoted { "\"...\"" } else { part });
        quoted = !quoted;
    }
    kept
}

fn printable(name: &str) -> String {
    name.chars().take(LONGEST_NAME).map(|c| if c.is_ascii_graphic() { c } else { '?' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    const OTHER: &str = "sha256:ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb";

    fn refusal(text: &str) -> String {
        parse("clients.toml", text).err().unwrap_or_else(|| panic!("{text}")).to_string()
    }

    #[test]
    fn clients_are_read_with_their_rights_and_limits() {
        let text = format!(
            "billing = {{ tokens = [\"{HASH}\", \"{OTHER}\"], weight = 3, force = true }}\n\
             [crm]\ntokens = [\"sha256:{}\"]\noperator = true\nsees_all = true\naddresses_per_minute = 600\n\
             queued_addresses = 1000\n",
            "0".repeat(64)
        );

        let entries = parse("clients.toml", &text).unwrap();

        let [billing, crm] = &entries[..] else { panic!("{}", entries.len()) };
        assert_eq!((billing.client.name.as_str(), billing.client.weight.get()), ("billing", 3));
        assert_eq!(billing.client.rights, Rights { force: true, ..Rights::default() });
        assert_eq!(billing.client.limits, Limits::default());
        assert_eq!((billing.tokens.len(), crm.tokens.len()), (2, 1));
        assert_eq!(crm.client.rights, Rights { force: false, operator: true, sees_all: true });
        assert_eq!(crm.client.limits.addresses_per_minute.unwrap().get(), 600);
        assert_eq!(crm.client.limits.queued_addresses, Some(1000));
    }

    #[test]
    fn what_can_not_be_used_is_told_by_its_place_and_never_by_its_text() {
        for (text, expected) in [
            (String::new(), "no client stands in it"),
            ("a = 7".to_owned(), "line 1"),
            (format!("\na = {{ tokens = [\"{HASH}\"], wieght = 2 }}"), "line 2"),
            ("a = { tokens = [] }".to_owned(), "client a: tokens holds one hash"),
            (format!("a = {{ tokens = [\"{HASH}\", \"{HASH}\", \"{HASH}\"] }}"), "tokens holds one hash"),
            ("a = { tokens = [\"fxg_secret\"] }".to_owned(), "client a: a token stands there as sha256:"),
            ("a = { tokens = \"fxg_secret\" }".to_owned(), "line 1"),
            (format!("\"a b\" = {{ tokens = [\"{HASH}\"] }}"), "client a?b: the name of a client has"),
            (format!("anonymous = {{ tokens = [\"{HASH}\"] }}"), "without a token"),
            (format!("a = {{ tokens = [\"{HASH}\"], weight = 0 }}"), "weight is 1 to 100"),
            (format!("a = {{ tokens = [\"{HASH}\"], addresses_per_minute = 0 }}"), "leave it out"),
            (format!("a = {{ tokens = [\"{HASH}\"], queued_addresses = 0 }}"), "leave it out"),
            (
                format!("a = {{ tokens = [\"{HASH}\"] }}\nb = {{ tokens = [\"{HASH}\"] }}"),
                "client b: another",
            ),
        ] {
            let told = refusal(&text);

            assert!(told.contains(expected), "{text}: {told}");
            assert!(!told.contains("fxg_secret"), "{told}");
        }
    }
}
