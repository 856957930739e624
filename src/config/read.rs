//! Reads one key after the other into typed values, and goes on after a mistake.
//!
//! Owns the merged values and the problems found so far. Every read takes its key away, so a key that
//! no section reads is left over and a test sees it. After a mistake a read gives a stand-in; nothing
//! made of stand-ins leaves this room, because [`Reader::finish`] refuses when there was a problem.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
    ops::RangeInclusive,
    path::PathBuf,
    time::Duration,
};

use config::{Value, ValueKind};

use super::{
    error::{Place, Problem, SettingsError},
    secret::SecretError,
};

/// The merged settings while they are being read.
pub(super) struct Reader {
    values: BTreeMap<String, Value>,
    origins: BTreeMap<&'static str, String>,
    wrong: BTreeSet<&'static str>,
    problems: Vec<Problem>,
}

impl Reader {
    pub(super) fn new(values: BTreeMap<String, Value>, problems: Vec<Problem>) -> Self {
        Self { values, origins: BTreeMap::new(), wrong: BTreeSet::new(), problems }
    }

    /// A whole number inside `range`.
    pub(super) fn integer<N>(&mut self, key: &'static str, range: RangeInclusive<N>) -> N
    where
        N: Copy + Display + PartialOrd + TryFrom<i128>,
    {
        let (low, high) = (*range.start(), *range.end());
        let words = format!("{low} to {high}");
        match self.whole_number(key) {
            Some(number) => self.within(key, number, &range, words),
            None => low,
        }
    }

    /// A whole number inside `range`, or `None` for 0.
    pub(super) fn integer_unless_zero<N>(&mut self, key: &'static str, range: RangeInclusive<N>) -> Option<N>
    where
        N: Copy + Display + PartialOrd + TryFrom<i128>,
    {
        let words = format!("0 or {} to {}", range.start(), range.end());
        match self.whole_number(key) {
            Some(0) | None => None,
            Some(number) => Some(self.within(key, number, &range, words)),
        }
    }

    /// Whole seconds inside `range`.
    pub(super) fn seconds(&mut self, key: &'static str, range: RangeInclusive<u64>) -> Duration {
        Duration::from_secs(self.integer(key, range))
    }

    /// Whole milliseconds inside `range`.
    pub(super) fn millis(&mut self, key: &'static str, range: RangeInclusive<u64>) -> Duration {
        Duration::from_millis(self.integer(key, range))
    }

    /// A number with or without a fraction inside `range`, or `None` for 0.
    pub(super) fn decimal_unless_zero(
        &mut self,
        key: &'static str,
        range: RangeInclusive<f64>,
    ) -> Option<f64> {
        let number = match self.take(key)? {
            ValueKind::Float(number) => Some(number),
            ValueKind::String(text) => text.parse::<f64>().ok(),
            other => whole(&other).map(|number| number as f64),
        };
        match number.filter(|number| number.is_finite()) {
            Some(0.0) => None,
            Some(number) if range.contains(&number) => Some(number),
            Some(number) => {
                let words = format!("0 or {} to {}", range.start(), range.end());
                self.out_of_range(key, number.to_string(), words);
                None
            }
            None => self.wrong_type(key, "a number"),
        }
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, key: &'static str) -> bool {
        let flag = match self.take(key) {
            Some(ValueKind::Boolean(flag)) => Some(flag),
            Some(ValueKind::String(text)) => text.parse().ok(),
            Some(_) => None,
            None => return false,
        };
        flag.or_else(|| self.wrong_type(key, "true or false")).unwrap_or_default()
    }

    /// A text; empty when not set.
    pub(super) fn text(&mut self, key: &'static str) -> String {
        match self.take(key) {
            Some(ValueKind::String(text)) => text,
            Some(_) => self.wrong_type(key, "a text in quotes").unwrap_or_default(),
            None => String::new(),
        }
    }

    /// A path; `None` when not set.
    pub(super) fn path(&mut self, key: &'static str) -> Option<PathBuf> {
        let text = self.text(key);
        if text.is_empty() { None } else { Some(PathBuf::from(text)) }
    }

    /// A text that `parse` understands; `expected` says in words which.
    pub(super) fn parsed<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        stand_in: T,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> T {
        let value = match self.take(key) {
            Some(ValueKind::String(text)) => parse(&text),
            Some(_) => None,
            None => return stand_in,
        };
        value.or_else(|| self.wrong_type(key, expected)).unwrap_or(stand_in)
    }

    /// Notes that the value of `key` breaks a rule.
    pub(super) fn refuse(&mut self, key: &'static str, why: impl Into<String>) {
        let place = self.spoil(key);
        self.problems.push(Problem::Rule { place, why: why.into() });
    }

    /// Notes that the secret of `key` cannot be used.
    pub(super) fn refuse_secret(&mut self, key: &'static str, why: SecretError) {
        let place = self.spoil(key);
        self.problems.push(Problem::Secret { place, why });
    }

    /// Whether all these keys were read without a mistake, so that a rule about them makes sense.
    pub(super) fn all_well(&self, keys: &[&'static str]) -> bool {
        keys.iter().all(|key| !self.wrong.contains(key))
    }

    /// Gives `settings` when nothing was wrong.
    pub(super) fn finish<T>(self, settings: T) -> Result<T, SettingsError> {
        if self.problems.is_empty() { Ok(settings) } else { Err(SettingsError::new(self.problems)) }
    }

    /// The keys that nobody read.
    #[cfg(test)]
    pub(super) fn unread(&self) -> Vec<&str> {
        self.values.keys().map(String::as_str).collect()
    }

    /// The value of `key`; `None` (and a problem) when an earlier layer lost it.
    fn take(&mut self, key: &'static str) -> Option<ValueKind> {
        let Some(value) = self.values.remove(key) else {
            self.refuse(key, "has no default in this build");
            return None;
        };
        if let Some(origin) = value.origin() {
            self.origins.insert(key, origin.to_owned());
        }
        Some(value.kind)
    }

    fn whole_number(&mut self, key: &'static str) -> Option<i128> {
        let value = self.take(key)?;
        let number = match &value {
            ValueKind::String(text) => text.parse().ok(),
            other => whole(other),
        };
        number.or_else(|| self.wrong_type(key, "a whole number"))
    }

    fn within<N>(&mut self, key: &'static str, number: i128, range: &RangeInclusive<N>, words: String) -> N
    where
        N: Copy + PartialOrd + TryFrom<i128>,
    {
        match N::try_from(number) {
            Ok(value) if range.contains(&value) => value,
            Ok(_) | Err(_) => {
                self.out_of_range(key, number.to_string(), words);
                *range.start()
            }
        }
    }

    fn out_of_range(&mut self, key: &'static str, value: String, range: String) {
        let place = self.spoil(key);
        self.problems.push(Problem::OutOfRange { place, value, range });
    }

    /// Notes the mistake; gives `None` so that it can end an expression.
    fn wrong_type<T>(&mut self, key: &'static str, expected: &str) -> Option<T> {
        let place = self.spoil(key);
        self.problems.push(Problem::WrongType { place, expected: expected.to_owned() });
        None
    }

    fn spoil(&mut self, key: &'static str) -> Place {
        self.wrong.insert(key);
        Place { key, origin: self.origins.get(key).cloned() }
    }
}

fn whole(value: &ValueKind) -> Option<i128> {
    match value {
        ValueKind::I64(number) => Some(i128::from(*number)),
        ValueKind::I128(number) => Some(*number),
        ValueKind::U64(number) => Some(i128::from(*number)),
        ValueKind::U128(number) => i128::try_from(*number).ok(),
        ValueKind::Nil
        | ValueKind::Boolean(_)
        | ValueKind::Float(_)
        | ValueKind::String(_)
        | ValueKind::Table(_)
        | ValueKind::Array(_) => None,
    }
}
