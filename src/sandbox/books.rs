//! The truth: which addresses were accepted how often, and what became of each call.
//!
//! Owns the ledger, the counters, the numbers of calls and the log of the last calls. Refuses to accept a call
//! that would take the ledger over [`MAX_LEDGER_ADDRESSES`]: a truth that forgets would be none.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::time::Duration;

use serde::Serialize;

use super::faults::Target;

/// Most distinct addresses in the ledger: about 2 GB. A call that would bring more is answered 503 and not accepted.
pub const MAX_LEDGER_ADDRESSES: usize = 20_000_000;

const MAX_LOGGED_EMAILS: usize = 32;
const MAX_LOGGED_BYTES: usize = 320;

/// Counters since the start or the last reset. A *call* is a PATCH whose head arrived and whose end is decided.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Stats {
    /// Calls.
    pub calls: u64,
    /// Calls by the status they were answered with; `none` when they saw none. Sums up to `calls`.
    pub calls_by_status: BTreeMap<String, u64>,
    /// Addresses in accepted calls; the sum over the ledger.
    pub addresses_accepted: u64,
    /// Addresses in the ledger.
    pub distinct_addresses_accepted: u64,
    /// Most addresses in one call, accepted or not.
    pub largest_batch: u64,
    /// Calls that held one address twice (case apart), accepted or not.
    pub calls_with_repeats: u64,
    /// Most calls between their head and the end of their answer at one moment.
    pub most_in_flight: u64,
    /// `GET /v3/accounts/self`.
    pub probes: u64,
    /// Requests to paths that neither fax.plus nor the sandbox serves, as a wrong base URL asks for.
    pub elsewhere: u64,
    /// Requests of all kinds by the fate that a rule gave them.
    pub fates: BTreeMap<&'static str, u64>,
    /// Calls and probes that the throttle answered 429.
    pub refused_by_throttle: u64,
    /// `POST /token`.
    pub token_requests: u64,
    /// Those with the refresh token in the URL.
    pub token_requests_in_query: u64,
}

/// One call as the simulated fax.plus saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedCall {
    /// Its number among the calls, from 1, in order of arrival.
    pub number: u64,
    /// When its head had arrived, since the start of the sandbox, by tokio's clock.
    pub at: Duration,
    /// Its addresses as sent; only the first 32, each cut to 320 bytes.
    pub emails: Vec<String>,
    /// How many addresses it held.
    pub batch: usize,
    /// The status its answer showed; `None` when no status was sent.
    pub status: Option<u16>,
    /// Whether it went into the ledger.
    pub accepted: bool,
    /// The fate a rule gave it.
    pub fate: Option<&'static str>,
    /// Whether its credential was good.
    pub authorized: bool,
    /// Its `traceparent`, cut to 320 bytes.
    pub traceparent: Option<String>,
}

/// Everything the sandbox remembers about calls.
#[derive(Debug)]
pub(super) struct Books {
    stats: Stats,
    numbers: [u64; Target::COUNT],
    in_flight: u64,
    ledger: BTreeMap<Box<str>, u64>,
    capacity: usize,
    log: VecDeque<RecordedCall>,
    calls_kept: usize,
}

impl Books {
    pub(super) fn new(calls_kept: usize) -> Self {
        Self {
            stats: Stats::default(),
            numbers: [0; Target::COUNT],
            in_flight: 0,
            ledger: BTreeMap::new(),
            capacity: MAX_LEDGER_ADDRESSES,
            log: VecDeque::new(),
            calls_kept,
        }
    }

    /// Gives an arriving request its number.
    pub(super) fn number(&mut self, target: Target) -> u64 {
        match target {
            Target::Patch => {}
            Target::Probe => self.stats.probes += 1,
            Target::Token => self.stats.token_requests += 1,
            Target::Elsewhere => self.stats.elsewhere += 1,
        }
        let number = &mut self.numbers[target as usize];
        *number += 1;
        *number
    }

    pub(super) fn enter(&mut self) {
        self.in_flight += 1;
        self.stats.most_in_flight = self.stats.most_in_flight.max(self.in_flight);
    }

    pub(super) fn leave(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    pub(super) fn count_throttled(&mut self) {
        self.stats.refused_by_throttle += 1;
    }

    pub(super) fn count_fate(&mut self, fate: &'static str) {
        *self.stats.fates.entry(fate).or_default() += 1;
    }

    pub(super) fn count_token_in_query(&mut self) {
        self.stats.token_requests_in_query += 1;
    }

    /// Accepts a call that holds these lower-cased addresses; one that is in it twice counts once.
    /// `false`, and nothing is accepted, when the ledger is full.
    pub(super) fn accept(&mut self, addresses: &[String]) -> bool {
        let mut distinct: Vec<&str> = addresses.iter().map(String::as_str).collect();
        distinct.sort_unstable();
        distinct.dedup();
        let fresh = distinct.iter().filter(|address| !self.ledger.contains_key(**address)).count();
        if self.ledger.len() + fresh > self.capacity {
            return false;
        }
        self.stats.addresses_accepted += distinct.len() as u64;
        for address in distinct {
            if let Some(times) = self.ledger.get_mut(address) {
                *times += 1;
            } else {
                self.ledger.insert(address.into(), 1);
            }
        }
        true
    }

    /// Enters a call whose end is decided.
    pub(super) fn record(&mut self, mut call: RecordedCall, addresses: &[String]) {
        let status = call.status.map_or_else(|| "none".to_owned(), |status| status.to_string());
        self.stats.calls += 1;
        *self.stats.calls_by_status.entry(status).or_default() += 1;
        self.stats.largest_batch = self.stats.largest_batch.max(call.batch as u64);
        let mut sorted: Vec<&str> = addresses.iter().map(String::as_str).collect();
        sorted.sort_unstable();
        if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
            self.stats.calls_with_repeats += 1;
        }
        if self.calls_kept == 0 {
            return;
        }
        call.emails.truncate(MAX_LOGGED_EMAILS);
        call.emails.iter_mut().chain(&mut call.traceparent).for_each(cut);
        if self.log.len() >= self.calls_kept {
            self.log.pop_front();
        }
        self.log.push_back(call);
    }

    pub(super) fn stats(&self) -> Stats {
        Stats { distinct_addresses_accepted: self.ledger.len() as u64, ..self.stats.clone() }
    }

    /// The calls still remembered, in order of arrival.
    pub(super) fn calls(&self) -> Vec<RecordedCall> {
        let mut calls: Vec<RecordedCall> = self.log.iter().cloned().collect();
        calls.sort_by_key(|call| call.number);
        calls
    }

    pub(super) fn ledger(&self) -> BTreeMap<String, u64> {
        self.ledger.iter().map(|(address, times)| (address.to_string(), *times)).collect()
    }

    /// At most `rows` rows of the ledger that come after `last`.
    pub(super) fn ledger_page(&self, last: Option<&str>, rows: usize) -> Vec<(Box<str>, u64)> {
        let start = last.map_or(Bound::Unbounded, Bound::Excluded);
        let rows = self.ledger.range::<str, _>((start, Bound::Unbounded)).take(rows);
        rows.map(|(address, times)| (address.clone(), *times)).collect()
    }

    /// Forgets everything but the calls in flight; numbers start again at 1.
    pub(super) fn reset(&mut self) {
        let (in_flight, capacity) = (self.in_flight, self.capacity);
        *self = Self { in_flight, capacity, ..Self::new(self.calls_kept) };
        self.stats.most_in_flight = in_flight;
    }
}

fn cut(email: &mut String) {
    if email.len() > MAX_LOGGED_BYTES {
        let end = (0..=MAX_LOGGED_BYTES).rev().find(|end| email.is_char_boundary(*end));
        email.truncate(end.unwrap_or(0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(list: &[&str]) -> Vec<String> {
        list.iter().map(|address| (*address).to_owned()).collect()
    }

    fn call(number: u64) -> RecordedCall {
        RecordedCall {
            number,
            at: Duration::ZERO,
            emails: vec!["é".repeat(400); 40],
            batch: 40,
            status: None,
            accepted: false,
            fate: None,
            authorized: true,
            traceparent: None,
        }
    }

    #[test]
    fn an_address_counts_once_a_call() {
        let mut books = Books::new(0);

        assert!(books.accept(&addresses(&["a", "b", "a"])));
        assert!(books.accept(&addresses(&["a"])));

        assert_eq!(books.ledger(), BTreeMap::from([("a".to_owned(), 2), ("b".to_owned(), 1)]));
        assert_eq!((books.stats().addresses_accepted, books.stats().distinct_addresses_accepted), (3, 2));
    }

    #[test]
    fn a_full_ledger_accepts_known_addresses_only_and_never_a_part_of_a_call() {
        let mut books = Books { capacity: 2, ..Books::new(0) };

        assert!(books.accept(&addresses(&["a"])));
        assert!(!books.accept(&addresses(&["b", "c"])));
        assert!(books.accept(&addresses(&["a", "b"])));

        assert_eq!(books.ledger(), BTreeMap::from([("a".to_owned(), 2), ("b".to_owned(), 1)]));
    }

    #[test]
    fn the_log_keeps_the_last_calls_and_cuts_what_is_long() {
        let mut books = Books::new(2);

        for number in [1, 3, 2] {
            books.record(call(number), &[]);
        }

        assert_eq!(books.calls().iter().map(|call| call.number).collect::<Vec<_>>(), [2, 3]);
        assert_eq!(books.calls()[0].emails.len(), 32);
        assert_eq!(books.calls()[0].emails[0].len(), 320);
        assert_eq!(books.stats().calls, 3);
    }

    #[test]
    fn the_ledger_can_be_read_page_by_page() {
        let mut books = Books::new(0);
        assert!(books.accept(&addresses(&["a", "b", "c"])));

        assert_eq!(books.ledger_page(None, 2), [("a".into(), 1), ("b".into(), 1)]);
        assert_eq!(books.ledger_page(Some("b"), 2), [("c".into(), 1)]);
    }

    #[test]
    fn a_reset_forgets_all_but_the_calls_in_flight() {
        let mut books = Books::new(9);
        assert_eq!((books.number(Target::Patch), books.number(Target::Patch)), (1, 2));
        books.enter();
        books.enter();
        books.leave();
        books.accept(&addresses(&["a"]));
        books.record(call(1), &[]);

        books.reset();

        assert_eq!(books.stats(), Stats { most_in_flight: 1, ..Stats::default() });
        assert_eq!((books.ledger().len(), books.calls().len()), (0, 0));
        assert_eq!(books.number(Target::Patch), 1);
    }
}
