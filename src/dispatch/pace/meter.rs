//! Hands out permits at a rate: evenly spaced, with a few milliseconds of slack for coarse timers.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

/// A timer that fires late may be made up for by so much.
const SLACK: Duration = Duration::from_millis(2);
const SECOND: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Meter {
    /// When the next permit would be due with perfect spacing.
    due: Instant,
    /// The last permits, as many as one second may hold: none is handed out before the oldest is a
    /// second old. That keeps the promise of the ceiling whatever the spacing did.
    last_second: VecDeque<Instant>,
    per_second: Option<usize>,
}

impl Meter {
    pub(super) fn new(ceiling: Option<f64>, now: Instant) -> Self {
        let per_second = ceiling.map(|ceiling| (ceiling.floor() as usize).max(1));
        Self { due: now, last_second: VecDeque::new(), per_second }
    }

    /// Most permits that a second can have: a ceiling with a fraction is not reached.
    pub(super) fn most_per_second(&self) -> f64 {
        self.per_second.map_or(f64::INFINITY, |permits| permits as f64)
    }

    pub(super) fn next(&self, rate: f64, now: Instant) -> Instant {
        // Below a permit a second the spacing alone keeps the ceiling, and slack would break it.
        let slack = if rate > 1.0 { SLACK.min(interval(rate)) } else { Duration::ZERO };
        let spaced = self.due.checked_sub(slack).unwrap_or(now);
        match (self.per_second, self.last_second.front()) {
            (Some(per_second), Some(oldest)) if self.last_second.len() >= per_second => {
                spaced.max(*oldest + SECOND)
            }
            _ => spaced,
        }
    }

    /// Takes a permit; says whether it was waited for, that is, taken about when it came due.
    pub(super) fn take(&mut self, rate: f64, now: Instant) -> bool {
        let was_awaited = now < self.next(rate, now) + interval(rate) + SLACK;
        self.due = self.due.max(now) + interval(rate);
        if let Some(per_second) = self.per_second {
            if self.last_second.len() >= per_second {
                self.last_second.pop_front();
            }
            self.last_second.push_back(now);
        }
        was_awaited
    }
}

fn interval(rate: f64) -> Duration {
    Duration::from_secs_f64(1.0 / rate)
}
