//! How many addresses of a resend came to which end.

use super::OutcomeKind;

/// `received = sent + duplicate + invalid + rejected + not_sent + unknown + pending`, always.
///
/// `pending` is what is left, so the sum cannot go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Addresses in the list.
    pub received: u64,
    by_kind: [u64; 6],
}

impl Counts {
    /// Nothing settled yet.
    pub fn new(received: u64) -> Self {
        Self { received, by_kind: [0; 6] }
    }

    /// Adds `addresses` that ended as `kind`.
    pub fn add(&mut self, kind: OutcomeKind, addresses: u64) {
        self.by_kind[kind as usize] += addresses;
    }

    /// Takes back that any ended as `kind`: they are pending again.
    pub fn reopen(&mut self, kind: OutcomeKind) {
        self.by_kind[kind as usize] = 0;
    }

    /// How many ended as `kind`.
    pub fn of(&self, kind: OutcomeKind) -> u64 {
        self.by_kind[kind as usize]
    }

    /// How many have no outcome yet.
    pub fn pending(&self) -> u64 {
        self.received.saturating_sub(self.by_kind.iter().sum())
    }
}
