//! The clients file: a TOML table a client, or a line.
//!
//! ```toml
//! billing = { tokens = ["sha256:..."], weight = 2, force = true }
//! ```
//! Refuses anything it does not know, and tells all of it by line and client; see [`mistake`].

mod mistake;
mod row;
#[cfg(test)]
mod tests;

use toml::de::DeTable;

use self::{
    mistake::{Mistake, Why},
    row::Row,
};
use super::{
    Client,
    token::{TOKEN_PREFIX, TokenHash},
};
use crate::domain::ClientName;

pub use mistake::{BadName, ClientsError, Mistakes};

/// Most clients: each is a label in the metrics.
const MOST_CLIENTS: usize = 200;
const LONGEST_NAME: usize = 64;

/// A client with its tokens.
pub(super) struct Entry {
    pub(super) client: Client,
    pub(super) tokens: Vec<TokenHash>,
}

/// Where the lines of a text end.
struct Lines(Vec<usize>);

/// Reads the text of the file at `path`. The clients come in the order of their names.
pub(super) fn parse(path: &str, text: &str) -> Result<Vec<Entry>, ClientsError> {
    let lines = Lines::of(text);
    let (document, faults) = DeTable::parse_recoverable(text);
    let mut broken: Vec<_> =
        faults.iter().map(|fault| lines.at(fault.span().map_or(0, |span| span.start))).collect();
    broken.dedup();
    let (rows, mut found) = rows(document.get_ref(), &lines, &broken);
    found.extend(broken.iter().map(|line| Mistake { line: Some(*line), client: None, why: Why::NotToml }));
    match Mistakes::of(found) {
        None => {
            let mut entries: Vec<_> = rows.into_iter().map(|row| row.entry).collect();
            entries.sort_by(|one, other| one.client.name.cmp(&other.client.name));
            Ok(entries)
        }
        Some(mistakes) => Err(ClientsError::Wrong { path: path.to_owned(), mistakes }),
    }
}

/// The line of a new client.
///
/// # Errors
/// When no client can have this name.
pub fn line(name: &str, hash: &TokenHash) -> Result<String, BadName> {
    check_name(name)?;
    Ok(format!("{name} = {{ tokens = [\"{hash}\"] }}"))
}

/// The clients as they stand in the file, and what is wrong with them.
fn rows(document: &DeTable<'_>, lines: &Lines, broken: &[usize]) -> (Vec<Row>, Vec<Mistake>) {
    let mut clients: Vec<_> = document.iter().collect();
    clients.sort_by_key(|(name, _)| name.span().start);
    let mut found = Vec::new();
    if clients.is_empty() && broken.is_empty() {
        found.push(Mistake { line: None, client: None, why: Why::NobodyThere });
    }
    if let Some((name, _)) = clients.get(MOST_CLIENTS) {
        let why = Why::TooMany { found: clients.len(), most: MOST_CLIENTS };
        found.push(Mistake { line: Some(lines.at(name.span().start)), client: None, why });
        clients.truncate(MOST_CLIENTS);
    }
    let mut rows: Vec<Row> = Vec::with_capacity(clients.len());
    for (at, (name, value)) in clients.iter().enumerate() {
        let (row, mut mistakes) = Row::read(name, value, lines);
        mistakes.extend(row.shared(&rows));
        let next = clients.get(at + 1).map_or(usize::MAX, |(name, _)| lines.at(name.span().start));
        // What the parser makes of a piece that is not TOML was never meant like that.
        if !broken.iter().any(|line| (row.line..next.max(row.line + 1)).contains(line)) {
            found.extend(mistakes);
        }
        rows.push(row);
    }
    (rows, found)
}

fn check_name(name: &str) -> Result<(), BadName> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if name.to_ascii_lowercase().contains(TOKEN_PREFIX) {
        return Err(BadName::Token);
    }
    if name.is_empty() || name.len() > LONGEST_NAME || !name.bytes().all(is_plain) {
        return Err(BadName::Form);
    }
    if name == ClientName::anonymous().as_str() {
        return Err(BadName::Anonymous);
    }
    Ok(())
}

impl Lines {
    fn of(text: &str) -> Self {
        Self(text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect())
    }

    /// The line of a byte, from 1.
    fn at(&self, byte: usize) -> usize {
        self.0.partition_point(|end| *end < byte) + 1
    }
}
