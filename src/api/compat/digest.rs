//! What a caller needs of a list's results: the addresses it has to do something about, and why.
//!
//! Bounded, however long the list is.

use serde::Serialize;
use tokio::task::yield_now;
use utoipa::ToSchema;

use crate::{
    domain::Outcome,
    resends::{ReadError, Reader},
    store::Row,
};

/// Most addresses of each kind that are told.
pub(super) const MOST_TOLD: usize = 1000;
/// Most different reasons of each kind that are told.
const MOST_REASONS: usize = 10;

/// The results that need something to be done.
#[derive(Default, Serialize, ToSchema)]
pub(in crate::api) struct Digest {
    /// The `not_sent` addresses.
    #[schema(value_type = Vec<String>, max_items = 1000)]
    pub(super) retry: Share,
    /// The `unknown` addresses.
    #[schema(value_type = Vec<String>, max_items = 1000)]
    pub(super) unknown: Share,
    /// The `rejected` addresses.
    #[schema(value_type = Vec<String>, max_items = 1000)]
    pub(super) rejected: Share,
}

/// The results of one kind. As JSON: the addresses alone.
#[derive(Default, Serialize)]
#[serde(transparent)]
pub(in crate::api) struct Share {
    emails: Vec<String>,
    #[serde(skip)]
    reasons: Vec<String>,
    #[serde(skip)]
    more_reasons: bool,
}

impl Digest {
    /// Reads the results in the caller's order. Other requests of this worker get their turns in between.
    pub(super) async fn of(mut rows: Reader) -> Result<Self, ReadError> {
        let mut digest = Self::default();
        while rows.read(&mut |row| digest.take(row)).await? {
            yield_now().await;
        }
        Ok(digest)
    }

    fn take(&mut self, row: &Row<'_>) {
        match &row.outcome {
            Some(Outcome::NotSent(reason)) => self.retry.add(row.email, reason.as_str()),
            Some(Outcome::Unknown(reason)) => self.unknown.add(row.email, reason.as_str()),
            Some(Outcome::Rejected(refusal)) => self.rejected.add(row.email, &refusal.code),
            Some(Outcome::Sent | Outcome::Duplicate(_) | Outcome::Invalid(_)) | None => {}
        }
    }
}

impl Share {
    fn add(&mut self, email: &str, reason: &str) {
        if self.emails.len() < MOST_TOLD {
            self.emails.push(email.to_owned());
        }
        if self.reasons.iter().any(|known| known == reason) {
            return;
        }
        if self.reasons.len() < MOST_REASONS {
            self.reasons.push(reason.to_owned());
        } else {
            self.more_reasons = true;
        }
    }

    /// The different reasons in words, in the order in which they came.
    pub(super) fn reasons(&self) -> String {
        let more = if self.more_reasons { ", …" } else { "" };
        format!("{}{more}", self.reasons.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_reasons_are_told_up_to_their_limits() {
        let emails: Vec<_> = (0..1001).map(|number| format!("a{number}@example.com")).collect();
        let mut share = Share::default();

        for (at, email) in emails.iter().enumerate() {
            share.add(email, &format!("code_{}", at % 11));
        }

        let told: Vec<String> = serde_json::from_value(serde_json::to_value(&share).unwrap()).unwrap();
        assert_eq!(told, emails[..1000]);
        let reasons: Vec<_> = (0..10).map(|number| format!("code_{number}")).collect();
        assert_eq!(share.reasons(), format!("{}, …", reasons.join(", ")));
    }
}
