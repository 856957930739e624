//! Holds what callers were told against what upstream accepted, address by address.
//!
//! Owns the rules: told `sent` was accepted exactly once; told nothing but `invalid`, `rejected` or
//! `not_sent` was never accepted; `unknown` at most once; nothing else was. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::caller::Row;
use crate::domain::OutcomeKind;

/// What callers were told, over any number of posts.
#[derive(Debug, Default)]
pub(super) struct Told {
    by_address: BTreeMap<String, Words>,
    /// Rows of the longest list.
    rows: usize,
    untold: Vec<Difference>,
}

/// Addresses that were told the same, and those of them that upstream accepted.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Compared {
    pub(super) told: usize,
    pub(super) accepted: usize,
}

/// How the two sides compare.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Reconciliation {
    /// Rows of the list.
    pub(super) rows: usize,
    /// Those of them that repeat an address, and addresses that upstream accepted more than once.
    pub(super) repeats: Compared,
    /// Told `sent`; accepted exactly once.
    pub(super) sent: Compared,
    /// Told nothing better than `invalid`.
    pub(super) invalid: Compared,
    /// Told nothing better than `rejected`.
    pub(super) rejected: Compared,
    /// Told nothing better than `not_sent`.
    pub(super) not_sent: Compared,
    /// Told `unknown` and never `sent`.
    pub(super) unknown: Compared,
    /// Addresses in the ledger.
    pub(super) accepted: usize,
    /// What should not be.
    pub(super) differences: Vec<Difference>,
}

/// Something that should not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Difference {
    /// A row of a list has no outcome, or more than one, or an unknown one.
    Untold {
        /// Its place in the list.
        index: usize,
        /// What stands there.
        email: String,
    },
    /// Told `sent`, but upstream never accepted it.
    NotSeen(String),
    /// Upstream accepted it more than once.
    SeenTwice(String, u64),
    /// Told `sent` more than once.
    ToldTwice(String, usize),
    /// Upstream accepted it, but callers were told otherwise.
    SeenAgainst(String, OutcomeKind),
    /// Told `duplicate`, but of nothing that was sent.
    DuplicateOfNothing(String),
    /// Upstream accepted it, but nobody posted it.
    Unposted(String),
}

#[derive(Debug, Default)]
struct Words {
    sent: usize,
    others: BTreeSet<&'static str>,
}

impl Words {
    fn holds(&self, kind: OutcomeKind) -> bool {
        self.others.contains(kind.as_str())
    }

    fn is_doubtful(&self) -> bool {
        self.sent == 0 && self.holds(OutcomeKind::Unknown)
    }

    /// What is to be held against the ledger; none for an address that was told `duplicate` alone.
    fn last_word(&self) -> Option<OutcomeKind> {
        if self.sent > 0 {
            return Some(OutcomeKind::Sent);
        }
        if self.is_doubtful() { Some(OutcomeKind::Unknown) } else { self.denial() }
    }

    /// The word that says that it was certainly never sent.
    fn denial(&self) -> Option<OutcomeKind> {
        [OutcomeKind::Rejected, OutcomeKind::NotSent, OutcomeKind::Invalid]
            .into_iter()
            .find(|kind| self.holds(*kind))
    }
}

impl Told {
    /// Enters the results of a list that was posted.
    pub(super) fn enter(&mut self, list: &[String], rows: &[Row]) {
        let mut outcomes = vec![0_usize; list.len()];
        self.rows = self.rows.max(list.len());
        for row in rows {
            let Some(kind) = OutcomeKind::parse(&row.outcome) else { continue };
            if let Some(count) = outcomes.get_mut(row.index) {
                *count += 1;
            }
            let words = self.by_address.entry(key(&row.email)).or_default();
            match kind {
                OutcomeKind::Sent => words.sent += 1,
                other => {
                    words.others.insert(other.as_str());
                }
            }
        }
        let wrong = outcomes.iter().zip(list).enumerate().filter(|(_, (count, _))| **count != 1);
        self.untold
            .extend(wrong.map(|(index, (_, email))| Difference::Untold { index, email: email.clone() }));
    }

    /// Compares with the ledger: each accepted address, lower-cased, and how many calls accepted it.
    pub(super) fn against(&self, ledger: &BTreeMap<String, u64>) -> Reconciliation {
        let mut sum = Reconciliation {
            rows: self.rows,
            repeats: Compared {
                told: self.rows.saturating_sub(self.by_address.len()),
                accepted: ledger.values().filter(|times| **times > 1).count(),
            },
            accepted: ledger.len(),
            differences: self.untold.clone(),
            ..Reconciliation::default()
        };
        for (address, words) in &self.by_address {
            let seen = ledger.get(address).copied().unwrap_or(0);
            if let Some(kind) = words.last_word() {
                let compared = sum.of(kind);
                compared.told += 1;
                compared.accepted += usize::from(seen == 1 || seen > 1 && kind != OutcomeKind::Sent);
            }
            sum.differences.extend(differences(address, words, seen));
        }
        let unposted = ledger.keys().filter(|address| !self.by_address.contains_key(*address));
        sum.differences.extend(unposted.map(|address| Difference::Unposted(address.clone())));
        sum
    }
}

impl Reconciliation {
    pub(super) fn is_balanced(&self) -> bool {
        self.differences.is_empty() && self.sent.told + self.unknown.accepted == self.accepted
    }

    fn of(&mut self, kind: OutcomeKind) -> &mut Compared {
        match kind {
            OutcomeKind::Sent => &mut self.sent,
            OutcomeKind::Duplicate => &mut self.repeats,
            OutcomeKind::Invalid => &mut self.invalid,
            OutcomeKind::Rejected => &mut self.rejected,
            OutcomeKind::NotSent => &mut self.not_sent,
            OutcomeKind::Unknown => &mut self.unknown,
        }
    }
}

fn differences(address: &str, words: &Words, seen: u64) -> Vec<Difference> {
    let mut found = Vec::new();
    let address = || address.to_owned();
    if words.sent > 1 {
        found.push(Difference::ToldTwice(address(), words.sent));
    }
    if words.sent > 0 && seen == 0 {
        found.push(Difference::NotSeen(address()));
    }
    if seen > 1 {
        found.push(Difference::SeenTwice(address(), seen));
    }
    if words.sent == 0 && !words.is_doubtful() {
        match words.denial() {
            Some(denial) if seen > 0 => found.push(Difference::SeenAgainst(address(), denial)),
            Some(_) => {}
            None => found.push(Difference::DuplicateOfNothing(address())),
        }
    }
    found
}

/// How the ledger writes an address.
fn key(email: &str) -> String {
    email.trim().to_lowercase()
}

#[cfg(test)]
mod tests;
