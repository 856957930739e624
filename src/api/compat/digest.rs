//! What a caller needs of a list's results: the addresses it has to do something about, and why.
//!
//! Bounded, however long the list is.

use serde::Serialize;
use tokio::task::yield_now;

use crate::{domain::Outcome, store::Record};

/// Most addresses of each kind that are told.
pub(super) const MOST_TOLD: usize = 1000;
/// Most different reasons of each kind that are told.
const MOST_REASONS: usize = 10;
/// Rows read at once.
const PAGE: u32 = 1000;

/// The results that need something to be done.
#[derive(Default, Serialize)]
pub(super) struct Digest<'record> {
    /// The `not_sent` addresses.
    pub(super) retry: Share<'record>,
    /// The `unknown` addresses.
    pub(super) unknown: Share<'record>,
    /// The `rejected` addresses.
    pub(super) rejected: Share<'record>,
}

/// The results of one kind. As JSON: the addresses alone.
#[derive(Default, Serialize)]
#[serde(transparent)]
pub(super) struct Share<'record> {
    emails: Vec<&'record str>,
    #[serde(skip)]
    reasons: Vec<String>,
    #[serde(skip)]
    more_reasons: bool,
}

impl<'record> Digest<'record> {
    /// Reads the results in the caller's order. Other requests of this worker get their turns in between.
    pub(super) async fn of(record: &'record Record) -> Self {
        let mut digest = Self::default();
        let mut next = 0;
        while next < record.body.len() {
            for row in record.rows(next, PAGE) {
                match row.outcome {
                    Some(Outcome::NotSent(reason)) => digest.retry.add(row.email, reason.as_str()),
                    Some(Outcome::Unknown(reason)) => digest.unknown.add(row.email, reason.as_str()),
                    Some(Outcome::Rejected(refusal)) => digest.rejected.add(row.email, &refusal.code),
                    Some(Outcome::Sent | Outcome::Duplicate(_) | Outcome::Invalid(_)) | None => {}
                }
            }
            next = next.saturating_add(PAGE);
            yield_now().await;
        }
        digest
    }
}

impl<'record> Share<'record> {
    fn add(&mut self, email: &'record str, reason: &str) {
        if self.emails.len() < MOST_TOLD {
            self.emails.push(email);
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
