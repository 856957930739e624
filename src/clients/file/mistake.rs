//! What can be wrong with the clients file, told all at once.
//!
//! Owns the sentences: a closed set, which holds nothing of the file but names that a client can have. What else
//! stands there may be a token that somebody took for its hash, or for a name.

use std::fmt;

use thiserror::Error;

use crate::domain::ClientName;

/// Most mistakes that are told; the others are counted.
const MOST_TOLD: usize = 20;

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
    /// It holds what it should not, or lacks what it should.
    #[error("the clients file is wrong (auth.clients_file: {path})\n  {}", mistakes.joined("\n  "))]
    Wrong {
        /// The file.
        path: String,
        /// Everything that is wrong with it.
        mistakes: Mistakes,
    },
}

/// Why no client can have a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadName {
    /// It is no plain word.
    #[error("the name of a client has 1 to 64 of a-z, A-Z, 0-9, - and _")]
    Form,
    /// It has a meaning already.
    #[error("this name is for callers without a token")]
    Anonymous,
    /// It may be a token in the wrong place, and names stand in logs and metrics.
    #[error("the name of a client holds no fxg_, with which tokens begin")]
    Token,
}

/// Everything that is wrong with a file, in the order of its lines.
#[derive(Debug)]
pub struct Mistakes {
    told: Vec<Mistake>,
    more: usize,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mistake {
    /// `None` when it is the file as a whole.
    pub(super) line: Option<usize>,
    /// Whose entry it is, when the name is one that a client can have.
    pub(super) client: Option<ClientName>,
    pub(super) why: Why,
}

/// What is wrong. No sentence has a semicolon: it stands between them where they share a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(super) enum Why {
    #[error("no client stands in it, so nobody could call, and `token new NAME` makes one")]
    NobodyThere,
    #[error("there are {found} clients, and {most} may be, for each is a label in the metrics")]
    TooMany { found: usize, most: usize },
    #[error("this is not TOML: perhaps a text has no quotes, or a name stands there twice")]
    NotToml,
    #[error(transparent)]
    Name(#[from] BadName),
    #[error("a client is a table or, on one line, {{ tokens = [\"sha256:...\"] }}")]
    NotATable,
    #[error(
        "a client has no such field, but tokens, weight, force, operator, sees_all, addresses_per_minute and \
         queued_addresses"
    )]
    UnknownField,
    #[error("tokens is missing, and without it nobody is this client")]
    NoTokens,
    #[error("tokens must be a list, such as [\"sha256:...\"]")]
    TokensNotAList,
    #[error("tokens holds one hash, or two while the token is being changed")]
    TokenCount,
    #[error(
        "a token stands in tokens as sha256: and 64 hexadecimal digits, in quotes, as `token new` writes it"
    )]
    NotAHash,
    #[error("tokens holds the same hash twice")]
    HashTwice,
    #[error("tokens holds the hash of nothing: the token was empty when it was hashed")]
    HashOfNothing,
    #[error("the client of line {line} has the same token")]
    SharedToken { line: usize },
    #[error("weight must be a whole number, 1 to {most}")]
    Weight { most: u32 },
    #[error("{field} must be a whole number, 1 to {most}, or be left out for no limit")]
    Limit { field: &'static str, most: u32 },
    #[error("{field} must be true or false")]
    Flag { field: &'static str },
}

impl ClientsError {
    /// The same on one line, for a log.
    pub fn in_one_line(&self) -> String {
        match self {
            Self::Unreadable { .. } => self.to_string(),
            Self::Wrong { path, mistakes } => {
                format!("auth.clients_file: {path}: {}", mistakes.joined("; "))
            }
        }
    }
}

impl Mistakes {
    /// Of these, the first by line; `None` when there is none.
    pub(super) fn of(mut found: Vec<Mistake>) -> Option<Self> {
        found.sort_by_key(|mistake| mistake.line);
        found.dedup();
        let more = found.len().saturating_sub(MOST_TOLD);
        found.truncate(MOST_TOLD);
        (!found.is_empty()).then_some(Self { told: found, more })
    }

    fn joined(&self, between: &str) -> String {
        let mut parts: Vec<_> = self.told.iter().map(Mistake::to_string).collect();
        if self.more > 0 {
            parts.push(format!("and {} more", self.more));
        }
        parts.join(between)
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(formatter, "line {line}")?;
            if let Some(client) = &self.client {
                write!(formatter, ", client {}", client.as_str())?;
            }
            formatter.write_str(": ")?;
        }
        self.why.fmt(formatter)
    }
}
