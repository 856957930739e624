//! Lists as callers post them: of all sizes and forms, with addresses of each other.

use fastrand::Rng;

/// How a caller posts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Does not wait: 202.
    Async,
    /// Waits a moment: 202, or the end.
    Briefly,
    /// Waits for the end.
    Patiently,
}

/// A list that is to be posted.
#[derive(Debug)]
pub struct List {
    pub emails: Vec<String>,
    pub manner: Manner,
    pub is_text: bool,
    pub key: Option<String>,
}

/// Whether some lists come with an `Idempotency-Key`, and are then posted again until they are answered.
pub const KEYS: bool = true;

impl List {
    /// A list out of `people` addresses of a round: short, long, or so long that it goes to the store.
    pub fn new(random: &mut Rng, round: u64, people: usize) -> Self {
        let manner = match random.u8(0..10) {
            0..6 => Manner::Async,
            6..8 => Manner::Briefly,
            _ => Manner::Patiently,
        };
        let kind = random.u8(0..10);
        let rows = match kind {
            0..4 => random.usize(1..60),
            4..8 => random.usize(60..3000),
            _ => random.usize(12_000..16_000),
        };
        let from = random.usize(0..people);
        let near = random.usize(1..people);
        let mut pick = || {
            let number = (from + random.usize(0..near)) % people;
            address(random, round, number)
        };
        let emails = (0..rows).map(|_| pick()).collect();
        let key = (KEYS && random.bool()).then(|| format!("key-{}", random.u64(..)));
        Self { emails, manner, is_text: random.bool(), key }
    }

    pub fn body(&self) -> Vec<u8> {
        if self.is_text {
            self.emails.join("\n").into_bytes()
        } else {
            serde_json::to_vec(&self.emails).unwrap()
        }
    }

    pub fn head(&self, results: &str) -> String {
        let prefer = match self.manner {
            Manner::Async => "respond-async",
            Manner::Briefly => "wait=1",
            Manner::Patiently => "wait=50",
        };
        let form = if self.is_text { "text/plain" } else { "application/json" };
        let key = self.key.as_ref().map_or(String::new(), |key| format!("\r\nIdempotency-Key: \"{key}\""));
        format!(
            "POST /v1/resends?results={results} HTTP/1.1\r\nContent-Type: {form}\r\nPrefer: {prefer}{key}"
        )
    }
}

/// One of a round's people, in one of the ways to write it. Some are refused by fax.plus, some are none.
/// Long enough that a few thousand take a MiB.
fn address(random: &mut Rng, round: u64, number: usize) -> String {
    match number % 97 {
        13 => format!("bad-{round}-{number}@example.com"),
        31 => format!("nobody-{number}"),
        _ => {
            let first = if random.bool() { 'a' } else { 'A' };
            format!("{first}-{round}-{number}@a-department-with-a-rather-long-name.{number}.example.com")
        }
    }
}
