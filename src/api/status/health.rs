//! Whether all is well, in one word and in sentences.

use super::StatusSource;
use crate::{
    dispatch::View,
    domain::{NotSentReason, Timestamp},
    resends::StoreTrouble,
    telemetry::metrics::{BreakerState, Glance},
};

/// From the worst to the best.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Health {
    /// Starting, draining, or the store fails.
    Unready,
    /// An operator said so.
    Paused,
    /// Work waits, or would.
    Held,
    /// Work goes on, but something wants a look.
    Attention,
    /// Upstream sets the pace.
    Slowed,
    /// There is work.
    Working,
    /// There is none.
    Idle,
}

impl Health {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Unready => "unready",
            Self::Paused => "paused",
            Self::Held => "held",
            Self::Attention => "attention",
            Self::Slowed => "slowed",
            Self::Working => "working",
            Self::Idle => "idle",
        }
    }

    pub(super) fn is_healthy(self) -> bool {
        match self {
            Self::Unready | Self::Paused | Self::Held | Self::Attention => false,
            Self::Slowed | Self::Working | Self::Idle => true,
        }
    }
}

/// How it stands, and what to say about it beside the holds, which have their own words.
pub(super) fn judge(source: &StatusSource, view: &View, glance: &Glance) -> (Health, Vec<String>) {
    let (is_ready, word, _) = source.readiness.report();
    let mut words = Vec::new();
    match word {
        "starting" => words.push("the gateway is starting".to_owned()),
        "draining" => words.push(
            "the gateway is shutting down: it takes no new lists, and ends or keeps what is under way"
                .to_owned(),
        ),
        _ => {}
    }
    match source.resends.check_store() {
        Ok(()) => {}
        Err(StoreTrouble::Failing(fault)) => {
            words.push(format!(
                "{fault}; it is tried again every second, and no new lists are taken meanwhile"
            ));
        }
        Err(StoreTrouble::Full(lack)) => {
            words.push(format!("no new lists are taken: {lack}; what was promised goes on"));
        }
    }
    match view.token_ends_soon() {
        Some(at) if at <= Timestamp::now() => {
            words.push("the access token has ended; put a new one into its place".to_owned());
        }
        Some(_) => words.push("the access token ends soon; put a new one into its place".to_owned()),
        None => {}
    }
    let holds_credential = view.holds.iter().any(|hold| hold.reason == NotSentReason::CredentialsRejected);
    if !glance.credential_valid && !holds_credential {
        words.push("fax.plus refuses the credential, or to renew it".to_owned());
    }
    if glance.breaker != BreakerState::Closed && view.holds.is_empty() {
        words.push("fax.plus failed lately; it is tried carefully with the next list".to_owned());
    }
    let is_throttled_only =
        !view.holds.is_empty() && view.holds.iter().all(|hold| hold.reason == NotSentReason::Throttled);
    let health = if !is_ready {
        Health::Unready
    } else if view.paused.is_some() {
        Health::Paused
    } else if !view.holds.is_empty() && !is_throttled_only {
        Health::Held
    } else if !words.is_empty() {
        Health::Attention
    } else if is_throttled_only {
        Health::Slowed
    } else if view.active > 0 {
        Health::Working
    } else {
        Health::Idle
    };
    (health, words)
}
