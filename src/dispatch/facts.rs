//! What is learned while calling, kept for the next start: the pace, and who is refused alone.
//!
//! Losing some of it in a crash costs calls, nobody a mail: it is written with what comes next. Memory
//! knows of no next start.

use std::time::Duration;

use tokio::time::Instant;

use super::{dispatcher::Dispatcher, ledger::PACE, pace::Learned};
use crate::{
    domain::{AddressKey, Timestamp},
    store::file::Write,
};

/// How often a pace that changes is written.
const PACE_INTERVAL: Duration = Duration::from_secs(5);

/// The pace as the books have it.
#[derive(Debug, Default)]
pub(super) struct KeptPace {
    written: Option<Learned>,
    not_before: Option<Instant>,
}

impl Dispatcher {
    /// Goes on with what an earlier process has learned.
    pub(super) fn start_with_facts(&mut self, pace: Option<String>, culprits: Vec<(AddressKey, Timestamp)>) {
        if let Some(learned) = pace.and_then(|text| Learned::parse(&text)) {
            self.pace.restore(learned);
        }
        self.kept_pace.written = Some(self.pace.learned());
        for (key, since) in culprits {
            let forgotten = self.culprits.add(key, crate::store::at(since));
            self.forget_culprits(forgotten);
        }
    }

    /// Writes a pace that has changed notably.
    pub(super) fn keep_pace(&mut self, now: Instant) {
        let learned = self.pace.learned();
        let is_news = self.kept_pace.written.is_none_or(|written| learned.differs_from(&written));
        if is_news && self.kept_pace.not_before.is_none_or(|at| at <= now) {
            self.kept_pace.not_before = Some(now + PACE_INTERVAL);
            self.write_pace(learned);
        }
    }

    /// Writes the pace as it is when nothing more is called.
    pub(super) fn keep_pace_at_the_end(&mut self) {
        let learned = self.pace.learned();
        if self.kept_pace.written != Some(learned) {
            self.write_pace(learned);
        }
    }

    fn write_pace(&mut self, learned: Learned) {
        self.kept_pace.written = Some(learned);
        if let Some(books) = self.ledger.books() {
            books.write(Write::Fact(PACE, Some(learned.to_text())));
        }
    }

    /// Remembers who was refused alone.
    pub(super) fn add_culprit(&mut self, key: AddressKey, now: Instant) {
        let forgotten = self.culprits.add(key, now);
        self.forget_culprits(forgotten);
        if let Some(books) = self.ledger.books() {
            books.write(Write::Culprit(key, Timestamp::now()));
        }
    }

    /// Hears that an address was accepted.
    pub(super) fn forgive(&mut self, key: AddressKey) {
        self.given_up.forgive(key);
        if self.culprits.forgive(key) {
            self.forget_culprits(vec![key]);
        }
    }

    fn forget_culprits(&mut self, forgotten: Vec<AddressKey>) {
        if let Some(books) = self.ledger.books() {
            forgotten.into_iter().for_each(|key| books.write(Write::Forgiven(key)));
        }
    }
}
