//! Hands out permits at a rate, evenly spaced, and never more in any one second than the ceiling.
//!
//! Timers fire up to a millisecond late and a turn of the loop has one moment for all that it does, so permits
//! that came due a short while ago are handed out together. What was due longer ago is lost. A second of the
//! ceiling counts from the moment at which a call leaves, which is later than its permit: its mark may have to
//! be written first, or a connection to be opened.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

/// For so long a permit that came due can be had.
const SLACK: Duration = Duration::from_millis(2);
/// Once upstream has refused calls: no more than so many of them together, beside the one that is due. The least
/// bucket that a limiter is likely to have holds a few.
const TOGETHER: f64 = 3.0;
const SECOND: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Meter {
    /// When the next permit is due with perfect spacing.
    due: Instant,
    /// When calls of the last second left, as many as a second may hold: nothing is handed out before the
    /// oldest is a second old. That keeps the promise of the ceiling whatever the spacing did.
    last_second: VecDeque<Instant>,
    /// Permits whose calls have not left yet.
    unsent: usize,
    per_second: Option<usize>,
    /// Calls that could have gone, but for the next permit.
    held_back: usize,
}

impl Meter {
    pub(super) fn new(ceiling: Option<f64>, now: Instant) -> Self {
        let per_second = ceiling.map(|ceiling| (ceiling.floor() as usize).max(1));
        Self { due: now, last_second: VecDeque::new(), unsent: 0, per_second, held_back: 0 }
    }

    /// Most permits that a second can have: a ceiling with a fraction is not reached.
    pub(super) fn most_per_second(&self) -> f64 {
        self.per_second.map_or(f64::INFINITY, |permits| permits as f64)
    }

    pub(super) fn next(&self, now: Instant) -> Instant {
        if self.per_second.is_none_or(|permits| self.last_second.len() + self.unsent < permits) {
            return self.due;
        }
        // What has not left yet leaves now at the earliest.
        self.due.max(*self.last_second.front().unwrap_or(&now) + SECOND)
    }

    /// So many calls could go now, but for the next permit, which is not due.
    pub(super) fn hold_back(&mut self, calls: usize) {
        self.held_back = calls;
    }

    /// Takes a permit; says whether a call was held back for it. `has_met_limit`: upstream has refused calls.
    pub(super) fn take(&mut self, rate: f64, has_met_limit: bool, now: Instant) -> bool {
        let earliest = now.checked_sub(slack(rate, has_met_limit)).unwrap_or(now);
        if self.due < earliest {
            // More was due than is made up for: it was not the pace that nothing went in that time.
            self.held_back = 0;
        }
        let was_awaited = self.held_back > 0;
        self.held_back = self.held_back.saturating_sub(1);
        self.due = self.due.max(earliest) + interval(rate);
        if let Some(per_second) = self.per_second {
            if self.last_second.len() + self.unsent >= per_second {
                self.last_second.pop_front();
            }
            self.unsent += 1;
        }
        was_awaited
    }

    /// The call of a permit left at `at`.
    pub(super) fn left(&mut self, at: Instant) {
        if self.per_second.is_some() {
            self.unsent = self.unsent.saturating_sub(1);
            // In order, so that the front is the oldest; a little late is never too early.
            let at = self.last_second.back().map_or(at, |last| at.max(*last));
            self.last_second.push_back(at);
        }
    }

    /// The call of a permit will never leave.
    pub(super) fn stayed(&mut self) {
        self.unsent = self.unsent.saturating_sub(1);
    }
}

fn slack(rate: f64, has_met_limit: bool) -> Duration {
    match has_met_limit {
        // Below a permit a second the spacing alone keeps the ceiling, and slack would break it.
        _ if rate <= 1.0 => Duration::ZERO,
        true => SLACK.min(interval(rate / TOGETHER)),
        false => SLACK,
    }
}

fn interval(rate: f64) -> Duration {
    Duration::from_secs_f64(1.0 / rate)
}
