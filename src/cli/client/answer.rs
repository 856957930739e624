//! The shapes of the gateway's answers, as a caller reads them: members that it does not know are let be.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};

/// The ends that an address can come to, in the order in which they are told.
pub(crate) const OUTCOMES: [&str; 6] = ["sent", "duplicate", "invalid", "rejected", "not_sent", "unknown"];
/// Those that need somebody's attention.
pub(crate) const PROBLEMS: [&str; 4] = ["invalid", "rejected", "not_sent", "unknown"];

/// A resend without its results.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Resend {
    pub(crate) id: String,
    pub(crate) status: String,
    pub(crate) client: String,
    pub(crate) created_at: String,
    pub(crate) finished_at: Option<String>,
    pub(crate) estimated_finish_at: Option<String>,
    pub(crate) hold: Option<Hold>,
    pub(crate) counts: BTreeMap<String, u64>,
    pub(crate) upstream_calls: u64,
    #[serde(default)]
    pub(crate) sandbox: bool,
}

/// What work waits for.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Hold {
    pub(crate) reason: String,
    pub(crate) since: String,
    pub(crate) next_attempt_at: Option<String>,
    pub(crate) detail: String,
}

/// What a resend would do.
#[derive(Debug, Deserialize)]
pub(crate) struct Plan {
    pub(crate) counts: BTreeMap<String, u64>,
    pub(crate) upstream_calls: u64,
    pub(crate) estimated_seconds: f64,
    pub(crate) hold: Option<Hold>,
    #[serde(default)]
    pub(crate) sandbox: bool,
}

/// A page of resends, the newest first.
#[derive(Debug, Deserialize)]
pub(crate) struct Page {
    pub(crate) resends: Vec<Resend>,
    pub(crate) next_cursor: Option<String>,
}

/// One result. No `Debug`: it holds an address.
#[derive(Deserialize, Serialize)]
pub(crate) struct Row {
    pub(crate) index: u64,
    pub(crate) email: String,
    pub(crate) outcome: String,
    pub(crate) reason: Option<String>,
    pub(crate) detail: Option<String>,
    pub(crate) sent_at: Option<String>,
}

impl Resend {
    /// How many of its addresses came to this end.
    pub(crate) fn count(&self, word: &str) -> u64 {
        self.counts.get(word).copied().unwrap_or(0)
    }

    /// How many came to one of these ends.
    pub(crate) fn sum(&self, words: &[&str]) -> u64 {
        words.iter().map(|word| self.count(word)).sum()
    }

    /// How many have an end at all.
    pub(crate) fn settled(&self) -> u64 {
        self.count("received").saturating_sub(self.count("pending"))
    }

    /// Whether nothing more becomes of it.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.status.as_str(), "finished" | "cancelled")
    }

    /// Whether every address is `sent` or `duplicate`.
    pub(crate) fn is_fine(&self) -> bool {
        self.is_over() && self.sum(&["sent", "duplicate"]) == self.count("received")
    }

    /// How long it took, or has taken by `now`.
    pub(crate) fn took(&self, now: SystemTime) -> Option<Duration> {
        let end = self.finished_at.as_deref().map_or(Some(now), moment)?;
        end.duration_since(moment(&self.created_at)?).ok()
    }
}

/// A time as the gateway writes it.
pub(crate) fn moment(text: &str) -> Option<SystemTime> {
    humantime::parse_rfc3339(text).ok()
}
