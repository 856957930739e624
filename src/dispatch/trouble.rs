//! One kind of trouble with upstream, from its first sign to its end.

use std::time::Duration;

use tokio::time::Instant;

use crate::domain::NotSentReason;

/// One trouble: since when, how often it was met, and when to try again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trouble {
    pub(super) reason: NotSentReason,
    pub(super) since: Instant,
    pub(super) next_attempt: Instant,
    pub(super) attempt: u32,
    /// When `next_attempt` was last set: failures of calls launched before belong to the same attempt.
    pub(super) judged: Instant,
}

/// The same trouble once more, or a new one.
pub(super) fn again(
    before: Option<Trouble>,
    reason: NotSentReason,
    launched: Instant,
    now: Instant,
    delay: impl FnOnce(u32) -> Duration,
) -> Trouble {
    match before {
        None => Trouble { reason, since: now, next_attempt: now + delay(1), attempt: 1, judged: now },
        // A call from before the last judgement: the same attempt, which may be told a longer wait.
        Some(trouble) if launched < trouble.judged => {
            let next_attempt = trouble.next_attempt.max(now + delay(1));
            Trouble { next_attempt, ..trouble }
        }
        Some(trouble) => {
            let attempt = trouble.attempt + 1;
            let next_attempt = trouble.next_attempt.max(now + delay(attempt));
            Trouble { reason, since: trouble.since, next_attempt, attempt, judged: now }
        }
    }
}
