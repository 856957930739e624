//! One rule: which calls, and what becomes of them.

use std::ops::{Range, RangeInclusive};

use serde::{Deserialize, Serialize};

use super::Fate;

/// Picks calls and gives them a fate. Every condition that is given must hold; without any, each call is picked.
///
/// Rules made in Rust are taken as they stand: one that makes no sense (`every` of 0) picks nothing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rule {
    /// Which kind of request the rule is about; the numbers count that kind alone.
    pub target: Target,
    /// Only the calls with these numbers.
    pub calls: Option<Calls>,
    /// Only while this time runs.
    pub seconds: Option<Seconds>,
    /// Only every n-th call: those whose number divides by n.
    pub every: Option<u64>,
    /// Only this share of the calls, 0.0 to 1.0. The seed and the call's number decide, not chance.
    pub share: Option<f64>,
    /// Only calls that hold an address of this pattern: `*` stands for any text, case does not matter.
    pub address: Option<String>,
    /// `true`: only calls of one address; `false`: only calls of several.
    pub lone: Option<bool>,
    /// At most so many times.
    pub times: Option<u64>,
    /// What becomes of the calls it picks.
    #[serde(flatten)]
    pub fate: Fate,
}

/// The kinds of request that can meet a fate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// `PATCH /v3/accounts/self/member-invitations`.
    #[default]
    Patch,
    /// `GET /v3/accounts/self`.
    Probe,
    /// `POST /token`.
    Token,
    /// Any method on a path that neither fax.plus nor the sandbox serves, as a wrong base URL asks for.
    Elsewhere,
}

impl Target {
    /// How many kinds there are.
    pub(in crate::sandbox) const COUNT: usize = Self::Elsewhere as usize + 1;
}

/// A range of call numbers; the first call since the start or the last reset is number 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calls {
    /// The first number. Default in JSON: 1.
    #[serde(default = "first")]
    pub from: u64,
    /// The last number; `None` for no end.
    pub to: Option<u64>,
}

/// A time in seconds since the rules were put in force, or since the last reset.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seconds {
    /// When it begins. Default in JSON: 0.
    #[serde(default)]
    pub from: f64,
    /// When it is over; `None` for no end.
    pub to: Option<f64>,
}

fn first() -> u64 {
    1
}

impl Rule {
    /// A rule that picks every PATCH.
    pub fn new(fate: Fate) -> Self {
        Self {
            target: Target::Patch,
            calls: None,
            seconds: None,
            every: None,
            share: None,
            address: None,
            lone: None,
            times: None,
            fate,
        }
    }

    /// Only requests of this kind.
    #[must_use]
    pub fn target(self, target: Target) -> Self {
        Self { target, ..self }
    }

    /// Only calls with these numbers.
    #[must_use]
    pub fn calls(self, numbers: RangeInclusive<u64>) -> Self {
        Self { calls: Some(Calls { from: *numbers.start(), to: Some(*numbers.end()) }), ..self }
    }

    /// Only calls from this number on.
    #[must_use]
    pub fn calls_from(self, number: u64) -> Self {
        Self { calls: Some(Calls { from: number, to: None }), ..self }
    }

    /// Only while these seconds run.
    #[must_use]
    pub fn seconds(self, time: Range<f64>) -> Self {
        Self { seconds: Some(Seconds { from: time.start, to: Some(time.end) }), ..self }
    }

    /// Only every n-th call.
    #[must_use]
    pub fn every(self, n: u64) -> Self {
        Self { every: Some(n), ..self }
    }

    /// Only this share of the calls.
    #[must_use]
    pub fn share(self, share: f64) -> Self {
        Self { share: Some(share), ..self }
    }

    /// Only calls that hold an address of this pattern.
    #[must_use]
    pub fn address(self, pattern: &str) -> Self {
        Self { address: Some(pattern.to_owned()), ..self }
    }

    /// Only calls of one address.
    #[must_use]
    pub fn lone(self) -> Self {
        Self { lone: Some(true), ..self }
    }

    /// Only calls of several addresses.
    #[must_use]
    pub fn shared(self) -> Self {
        Self { lone: Some(false), ..self }
    }

    /// At most so many times.
    #[must_use]
    pub fn times(self, times: u64) -> Self {
        Self { times: Some(times), ..self }
    }
}
