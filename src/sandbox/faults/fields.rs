//! Takes the fields of one rule out of a JSON object, one by one, so that every error names rule and field.

use std::ops::RangeInclusive;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use thiserror::Error;

const MAX_MS: u64 = 3_600_000;

/// Why JSON is not a list of rules. Rules are counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FaultError {
    /// Not JSON, or not a list.
    #[error("the faults are a JSON list of rules: {0}")]
    NotAList(String),
    /// More rules than are kept.
    #[error("{count} rules are too many: at most {most}")]
    TooMany {
        /// Rules in the list.
        count: usize,
        /// Rules that would be taken.
        most: usize,
    },
    /// A rule that is no object.
    #[error("rule {rule}: not a JSON object")]
    NotAnObject {
        /// Its place, from 1.
        rule: usize,
    },
    /// A field that is missing, unknown, of the wrong type or out of range.
    #[error("rule {rule}: field `{field}`: {why}")]
    Field {
        /// The rule's place, from 1.
        rule: usize,
        /// The field.
        field: String,
        /// What is wrong.
        why: String,
    },
}

/// The fields of one rule that were not taken yet.
pub(super) struct Fields {
    rule: usize,
    map: Map<String, Value>,
}

impl Fields {
    pub(super) fn new(rule: usize, value: Value) -> Result<Self, FaultError> {
        match value {
            Value::Object(map) => Ok(Self { rule, map }),
            _ => Err(FaultError::NotAnObject { rule }),
        }
    }

    /// The field if it is there; `null` counts as absent.
    pub(super) fn optional<T: DeserializeOwned>(&mut self, field: &str) -> Result<Option<T>, FaultError> {
        match self.map.remove(field) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => {
                serde_json::from_value(value).map(Some).map_err(|error| self.wrong(field, &error.to_string()))
            }
        }
    }

    /// The field, which must be there.
    pub(super) fn required<T: DeserializeOwned>(&mut self, field: &str) -> Result<T, FaultError> {
        self.optional(field)?.ok_or_else(|| self.wrong(field, "is missing"))
    }

    /// `status` inside a range; without a default it must be there.
    pub(super) fn status(
        &mut self,
        default: Option<u16>,
        allowed: RangeInclusive<u16>,
    ) -> Result<u16, FaultError> {
        let status = match default {
            Some(default) => self.optional("status")?.unwrap_or(default),
            None => self.required("status")?,
        };
        if allowed.contains(&status) {
            return Ok(status);
        }
        Err(self.wrong("status", &format!("must be {} to {}", allowed.start(), allowed.end())))
    }

    /// `accept`: whether the call is accepted before its fate shows.
    pub(super) fn accept(&mut self, default: bool) -> Result<bool, FaultError> {
        Ok(self.optional("accept")?.unwrap_or(default))
    }

    /// The value of a header field, if it is there.
    pub(super) fn header(&mut self, field: &str) -> Result<Option<String>, FaultError> {
        let text: Option<String> = self.optional(field)?;
        if text.as_deref().is_some_and(|text| !fits_in_a_header(text)) {
            return Err(self.wrong(field, "cannot hold a line break or control character"));
        }
        Ok(text)
    }

    /// A time of at most an hour, which must be there.
    pub(super) fn milliseconds(&mut self, field: &str) -> Result<u64, FaultError> {
        self.optional_milliseconds(field)?.ok_or_else(|| self.wrong(field, "is missing"))
    }

    /// A time of at most an hour.
    pub(super) fn optional_milliseconds(&mut self, field: &str) -> Result<Option<u64>, FaultError> {
        let ms: Option<u64> = self.optional(field)?;
        if ms.is_some_and(|ms| ms > MAX_MS) {
            return Err(self.wrong(field, "must be at most one hour"));
        }
        Ok(ms)
    }

    /// Refuses what nobody took.
    pub(super) fn finish(self) -> Result<(), FaultError> {
        match self.map.keys().next() {
            None => Ok(()),
            Some(field) => Err(self.wrong(field, "there is no such field here")),
        }
    }

    /// The error about a field of this rule.
    pub(super) fn wrong(&self, field: &str, why: &str) -> FaultError {
        FaultError::Field { rule: self.rule, field: field.to_owned(), why: why.to_owned() }
    }
}

/// Whether a text can be the value of a header field.
pub(super) fn fits_in_a_header(text: &str) -> bool {
    !text.contains(|c: char| c.is_control() && c != '\t')
}
