//! A fax.plus that is slow, throttles, fails and hangs up, each honestly: its ledger is the truth.

use std::time::Duration;

use fastrand::Rng;
use faxplus_gateway::sandbox::{Fate, Rule, Sandbox, SandboxOptions};

/// One with the faults of a round.
pub async fn start(random: &mut Rng) -> Sandbox {
    let options = SandboxOptions {
        latency: Duration::from_millis(random.u64(0..8)),
        seed: random.u64(..),
        faults: faults(random),
        ..SandboxOptions::default()
    };
    Sandbox::start(([127, 0, 0, 1], 0).into(), options).await.unwrap()
}

/// What is refused whatever happens.
pub fn refusals() -> Rule {
    Rule::new(Fate::status(400)).address("bad-*")
}

fn faults(random: &mut Rng) -> Vec<Rule> {
    let mut rules = vec![
        Rule::new(Fate::status_with_retry_after(429, "0")).share(0.03),
        Rule::new(Fate::status_with_retry_after(503, "0")).share(0.02),
        Rule::new(Fate::HangUpBeforeReading).share(0.01),
        Rule::new(Fate::HangUpAfterReading).share(0.01),
        Rule::new(Fate::status(500)).share(0.005),
        Rule::new(Fate::AcceptThen500).share(0.01),
        Rule::new(Fate::AcceptThenHangUp).share(0.01),
        Rule::new(Fate::Delay { ms: random.u64(10..80) }).share(0.05),
    ];
    rules.retain(|_| random.u8(0..4) > 0);
    // What is refused is refused always.
    rules.insert(0, refusals());
    rules
}
