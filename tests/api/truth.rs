//! What callers were told, held against what the simulated fax.plus saw.

use std::time::Duration;

use faxplus_gateway::sandbox::SandboxOptions;
use serde_json::Value;

use crate::gateway::{Answer, Gateway};

/// Settings under which no breaker opens: for tests that are about single calls.
pub const NO_BREAKER: (&str, &str) = ("upstream.breaker_failures", "1000");

impl Gateway {
    /// With a sandbox whose answers take so long.
    pub async fn slow(latency_ms: u64, overrides: &[(&str, &str)]) -> Self {
        let options =
            SandboxOptions { latency: Duration::from_millis(latency_ms), ..SandboxOptions::default() };
        Self::with(options, overrides).await
    }

    /// Posts one address: gives the answer, and what was told of it.
    pub async fn post_one(&self, email: &str) -> (Answer, String) {
        let answer = self.post("", &[email]).await;
        let told = answer.words().remove(0);
        (answer, told)
    }

    /// Posts `count` lone good addresses one after the other; each must be sent, and once.
    pub async fn works(&self, name: &str, count: usize) {
        for number in 0..count {
            let email = format!("{name}-{number}@works.example");
            assert_eq!(self.post_one(&email).await.1, "sent", "{email}");
            assert_eq!(self.accepted(&email), 1, "{email}");
        }
    }

    /// Waits until a resend is told to be held for this reason: gives the hold.
    pub async fn held(&self, id: &str, reason: &str) -> Value {
        self.until(id, |resend| resend["hold"]["reason"] == reason).await["hold"].clone()
    }

    /// Holds outcomes against the ledger. For addresses that nothing was sent to before.
    pub fn check(&self, told: &[(String, String)]) {
        let ledger = self.sandbox.ledger();
        for (email, outcome) in told {
            let accepted = ledger.get(&email.to_lowercase()).copied().unwrap_or(0);
            match outcome.split('/').next().unwrap() {
                "sent" => assert_eq!(accepted, 1, "{email} was told sent"),
                "unknown" => assert!(accepted <= 1, "{email} was told {outcome} and sent {accepted} times"),
                _ => assert_eq!(accepted, 0, "{email} was told {outcome}"),
            }
        }
        let stats = self.sandbox.stats();
        assert!(stats.largest_batch <= 10, "{stats:?}");
        assert_eq!(stats.calls_with_repeats, 0);
        assert!(self.sandbox.calls().iter().all(|call| call.batch > 0 || call.emails.is_empty()));
    }
}

/// How many addresses of a resend came to this end.
pub fn count(resend: &Value, outcome: &str) -> u64 {
    resend["counts"][outcome].as_u64().unwrap_or_else(|| panic!("no count of {outcome}: {resend}"))
}

/// The counts of a resend add up to what it received.
pub fn adds_up(resend: &Value) -> bool {
    let kinds = ["sent", "duplicate", "invalid", "rejected", "not_sent", "unknown", "pending"];
    kinds.iter().map(|kind| count(resend, kind)).sum::<u64>() == count(resend, "received")
}

/// How many of the outcomes have each word, for a message that is readable.
pub fn tally(told: &[(String, String)], outcome: &str) -> usize {
    told.iter().filter(|(_, other)| other == outcome).count()
}
