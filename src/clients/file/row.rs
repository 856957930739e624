//! One client of the file. Goes on after a mistake, with a stand-in that never leaves this room: a file with a
//! mistake gives no clients.

use std::num::NonZeroU32;

use toml::{
    Spanned,
    de::{DeInteger, DeString, DeTable, DeValue},
};

use super::{
    Entry, Lines, check_name,
    mistake::{Mistake, Why},
};
use crate::{
    clients::{Client, Limits, Rights, token::TokenHash},
    domain::ClientName,
};

/// Tokens of a client: the one in use, and the next while it is changed.
const MOST_TOKENS: usize = 2;
/// What is looked at of a list that is too long.
const LOOKED_AT: usize = 20;
const MOST_WEIGHT: u32 = 100;

/// A client where it stands in the file.
pub(super) struct Row {
    pub(super) entry: Entry,
    pub(super) line: usize,
    /// Its name, when it is one that a client can have.
    name: Option<ClientName>,
}

/// A client while it is being read.
struct Reading<'a> {
    lines: &'a Lines,
    name: Option<ClientName>,
    mistakes: Vec<Mistake>,
}

impl Row {
    /// Reads the client of this name, and tells what is wrong with it.
    pub(super) fn read(
        name: &Spanned<DeString<'_>>,
        value: &Spanned<DeValue<'_>>,
        lines: &Lines,
    ) -> (Self, Vec<Mistake>) {
        let checked = check_name(name.get_ref());
        let known = checked.is_ok().then(|| ClientName::new(name.get_ref()));
        let mut reading = Reading { lines, name: known.clone(), mistakes: Vec::new() };
        if let Err(why) = checked {
            reading.tell(name, why.into());
        }
        let named = Client {
            name: ClientName::new(name.get_ref()),
            weight: NonZeroU32::MIN,
            rights: Rights::default(),
            limits: Limits::default(),
        };
        let entry = match value.get_ref().as_table() {
            Some(table) => reading.entry(named, name, table),
            None => {
                reading.tell(value, Why::NotATable);
                Entry { client: named, tokens: Vec::new() }
            }
        };
        (Self { entry, line: lines.at(name.span().start), name: known }, reading.mistakes)
    }

    /// That its token is also one of another client.
    pub(super) fn shared(&self, others: &[Self]) -> Option<Mistake> {
        let has = |other: &Self, hash: &TokenHash| other.entry.tokens.iter().any(|own| own.is(hash));
        let other = others.iter().find(|other| self.entry.tokens.iter().any(|hash| has(other, hash)))?;
        let why = Why::SharedToken { line: other.line };
        Some(Mistake { line: Some(self.line), client: self.name.clone(), why })
    }
}

impl Reading<'_> {
    fn tell<T>(&mut self, place: &Spanned<T>, why: Why) {
        let line = Some(self.lines.at(place.span().start));
        self.mistakes.push(Mistake { line, client: self.name.clone(), why });
    }

    fn entry(&mut self, named: Client, name: &Spanned<DeString<'_>>, table: &DeTable<'_>) -> Entry {
        let mut entry = Entry { client: named, tokens: Vec::new() };
        let (rights, limits) = (&mut entry.client.rights, &mut entry.client.limits);
        for (field, value) in table {
            match field.get_ref().as_ref() {
                "tokens" => entry.tokens = self.tokens(value),
                "weight" => {
                    let weight = self.number(value, MOST_WEIGHT, Why::Weight { most: MOST_WEIGHT });
                    entry.client.weight = weight.unwrap_or(NonZeroU32::MIN);
                }
                "force" => rights.force = self.flag("force", value),
                "operator" => rights.operator = self.flag("operator", value),
                "sees_all" => rights.sees_all = self.flag("sees_all", value),
                "addresses_per_minute" => {
                    limits.addresses_per_minute = self.limit("addresses_per_minute", value);
                }
                "queued_addresses" => {
                    let limit = self.limit("queued_addresses", value);
                    limits.queued_addresses = limit.map(|limit| limit.get().into());
                }
                _ => self.tell(field, Why::UnknownField),
            }
        }
        if !table.contains_key("tokens") {
            self.tell(name, Why::NoTokens);
        }
        entry
    }

    fn tokens(&mut self, value: &Spanned<DeValue<'_>>) -> Vec<TokenHash> {
        let Some(list) = value.get_ref().as_array() else {
            self.tell(value, Why::TokensNotAList);
            return Vec::new();
        };
        if list.is_empty() || list.len() > MOST_TOKENS {
            self.tell(value, Why::TokenCount);
        }
        let mut hashes: Vec<TokenHash> = Vec::with_capacity(MOST_TOKENS);
        for token in list.iter().take(LOOKED_AT) {
            match token.get_ref().as_str().and_then(TokenHash::parse) {
                None => self.tell(token, Why::NotAHash),
                Some(hash) if hash.is_of_nothing() => self.tell(token, Why::HashOfNothing),
                Some(hash) if hashes.iter().any(|other| other.is(&hash)) => self.tell(token, Why::HashTwice),
                Some(hash) => hashes.push(hash),
            }
        }
        hashes
    }

    fn limit(&mut self, field: &'static str, value: &Spanned<DeValue<'_>>) -> Option<NonZeroU32> {
        self.number(value, u32::MAX, Why::Limit { field, most: u32::MAX })
    }

    /// A whole number from 1 on.
    fn number(&mut self, value: &Spanned<DeValue<'_>>, most: u32, why: Why) -> Option<NonZeroU32> {
        let read = |number: &DeInteger<'_>| u32::from_str_radix(number.as_str(), number.radix()).ok();
        let number = value.get_ref().as_integer().and_then(read).and_then(NonZeroU32::new);
        let number = number.filter(|number| number.get() <= most);
        if number.is_none() {
            self.tell(value, why);
        }
        number
    }

    fn flag(&mut self, field: &'static str, value: &Spanned<DeValue<'_>>) -> bool {
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.tell(value, Why::Flag { field });
        }
        flag.unwrap_or_default()
    }
}
