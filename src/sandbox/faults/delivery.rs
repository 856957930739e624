//! How an answer travels: its framing, its coding, its clock, and whatever else stands in its head.
//!
//! Pure data and its fields in JSON; `carriage.rs` makes bytes of it. Refuses field names and values that no head
//! can hold, and `content-length` and `transfer-encoding`, which belong to the framing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fields::{FaultError, Fields, fits_in_a_header};

const MAX_HEADERS: usize = 32;
/// Ten years: a clock can be wrong, but stays inside what a date of HTTP can say.
const MAX_SECONDS: i64 = 315_360_000;
const OWNED_BY_FRAMING: [&str; 2] = ["content-length", "transfer-encoding"];

/// How an answer is carried. The default is what an honest server does: a length, no coding, the true time.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Delivery {
    /// Header fields in place of those of the same name. An empty list leaves the field out.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, Vec<String>>,
    /// Seconds from the true time to the one in `Date`; below 0 the server's clock is behind.
    #[serde(skip_serializing_if = "is_zero")]
    pub clock_offset_seconds: i64,
    /// `Retry-After` as a date, so many seconds after the answer's own `Date`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_date_seconds: Option<i64>,
    /// How the client learns where the body ends.
    #[serde(skip_serializing_if = "is_default")]
    pub framing: Framing,
    /// What the body is coded in.
    #[serde(skip_serializing_if = "is_default")]
    pub encoding: Encoding,
}

/// How the client learns where the body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Framing {
    /// By `Content-Length`.
    #[default]
    Length,
    /// By chunks.
    Chunked,
    /// By the end of the connection, which `Connection: close` announces.
    Close,
    /// By the end of the connection, as HTTP/1.0 does, without announcing it.
    #[serde(rename = "http_1_0")]
    Http10,
}

/// What the body is coded in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// Nothing.
    #[default]
    Identity,
    /// Gzip, whatever the request's `Accept-Encoding` says.
    Gzip,
    /// Gzip, if the request's `Accept-Encoding` names it, as compressing proxies do.
    GzipIfAccepted,
}

impl Delivery {
    /// Takes its fields out of a rule.
    pub(super) fn take(fields: &mut Fields) -> Result<Self, FaultError> {
        Ok(Self {
            headers: headers(fields)?,
            clock_offset_seconds: seconds(fields, "clock_offset_seconds")?.unwrap_or(0),
            retry_after_date_seconds: seconds(fields, "retry_after_date_seconds")?,
            framing: fields.optional("framing")?.unwrap_or_default(),
            encoding: fields.optional("encoding")?.unwrap_or_default(),
        })
    }

    /// Refuses a `Retry-After` that is given as a text and as a date.
    pub(super) fn with_one_retry_after(
        self,
        text: Option<&String>,
        fields: &Fields,
    ) -> Result<Self, FaultError> {
        if text.is_some() && self.retry_after_date_seconds.is_some() {
            return Err(fields.wrong("retry_after_date_seconds", "`retry_after` is given already"));
        }
        Ok(self)
    }
}

fn headers(fields: &mut Fields) -> Result<BTreeMap<String, Vec<String>>, FaultError> {
    let given: BTreeMap<String, Value> = fields.optional("headers")?.unwrap_or_default();
    if given.len() > MAX_HEADERS {
        return Err(fields.wrong("headers", &format!("at most {MAX_HEADERS} names can be given")));
    }
    let read = |(name, value): (String, Value)| match header_values(&name, value) {
        Ok(values) => Ok((name, values)),
        Err(why) => Err(fields.wrong("headers", &format!("`{}` {why}", name.escape_default()))),
    };
    given.into_iter().map(read).collect()
}

/// The values of a header field: of a text one, of a list several, of `null` none.
fn header_values(name: &str, value: Value) -> Result<Vec<String>, &'static str> {
    let wrong = "must be a text, a list of at most 32 texts, or null";
    let values: Vec<String> = match value {
        Value::Null => Vec::new(),
        Value::String(text) => vec![text],
        list => serde_json::from_value(list).map_err(|_| wrong)?,
    };
    if !is_token(name) {
        return Err("is not the name of a header field");
    }
    if OWNED_BY_FRAMING.iter().any(|owned| owned.eq_ignore_ascii_case(name)) {
        return Err("follows from `framing`");
    }
    if values.len() > MAX_HEADERS {
        return Err(wrong);
    }
    if !values.iter().all(|value| fits_in_a_header(value)) {
        return Err("cannot hold a line break or control character");
    }
    Ok(values)
}

fn seconds(fields: &mut Fields, field: &str) -> Result<Option<i64>, FaultError> {
    let seconds: Option<i64> = fields.optional(field)?;
    if seconds.is_some_and(|seconds| !(-MAX_SECONDS..=MAX_SECONDS).contains(&seconds)) {
        return Err(fields.wrong(field, "must be at most ten years"));
    }
    Ok(seconds)
}

fn is_token(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(allowed)
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
