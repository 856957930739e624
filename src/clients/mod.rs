//! Who may call: the clients of the clients file, how they prove it, what they may do and how much.
//!
//! Owns the file's contents, which are read again while the gateway runs, and what each client has used of its
//! allowance. Knows tokens only as SHA-256: a clients file that leaks opens nothing.

mod allowance;
mod directory;
mod file;
mod token;
mod watch;

use std::num::NonZeroU32;

use crate::domain::ClientName;

pub use allowance::{Caller, Charge, OverLimit};
pub use directory::{Directory, Reloaded};
pub use file::{BadName, ClientsError, Mistakes, line};
pub use token::{NewToken, TokenHash};
pub use watch::watch;

/// An internal service that posts lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Its name in answers, logs and metrics.
    pub name: ClientName,
    /// Turns in a round of the fair queue.
    pub weight: NonZeroU32,
    /// What it may do beside sending.
    pub rights: Rights,
    /// How much it may send.
    pub limits: Limits,
}

/// What a client may do beside sending and looking at its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rights {
    /// Send again within the window.
    pub force: bool,
    /// Pause and resume for everybody, and cancel any resend.
    pub operator: bool,
    /// See the resends of all clients.
    pub sees_all: bool,
}

/// How much a client may send; `None` is without limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Addresses a minute, on average.
    pub addresses_per_minute: Option<NonZeroU32>,
    /// Addresses that wait at once.
    pub queued_addresses: Option<u64>,
}

impl Client {
    /// Whose resends it may see; `None` is everybody's.
    pub fn sees(&self) -> Option<&ClientName> {
        (!self.rights.sees_all && !self.rights.operator).then_some(&self.name)
    }

    /// Everybody, on a gateway without authentication.
    pub fn anonymous() -> Self {
        Self {
            name: ClientName::anonymous(),
            weight: NonZeroU32::MIN,
            rights: Rights { force: true, operator: false, sees_all: false },
            limits: Limits::default(),
        }
    }
}
