//! How fast to call: a rate learned from what upstream refuses, under a ceiling.
//!
//! Pure: time comes in. `meter` hands out permits at a rate and never lets more than the ceiling into any one
//! second. `learn` moves the rate: fast upward until the first 429, then close to where that shows the limit
//! to be, and past it now and then to see whether the limit moved.

mod learn;
mod learned;
mod meter;

use tokio::time::Instant;

use learn::Learner;
pub(super) use learned::Learned;
use meter::Meter;

/// Permits for upstream calls.
#[derive(Debug)]
pub(super) struct Pace {
    learner: Learner,
    meter: Meter,
    /// Permits taken so far.
    taken: u64,
}

/// A permit that was taken; the call carries it to its end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Permit {
    pub(super) taken: Instant,
    /// Its number: they count up.
    number: u64,
    /// The rate then.
    pub(super) rate: f64,
    /// Whether the pace, and nothing else, held a call back for it: only then does its success say that more
    /// would be welcome.
    pub(super) was_awaited: bool,
}

/// How the rate moves while nothing is refused.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outlook {
    /// Calls a second, now.
    pub(super) rate: f64,
    /// What each admitted call adds.
    pub(super) growth: f64,
    /// Up to where.
    pub(super) highest: f64,
}

impl Pace {
    /// A pace that has learned nothing yet, under `ceiling` calls a second (`None`: no ceiling).
    pub(super) fn new(ceiling: Option<f64>, now: Instant) -> Self {
        Self { learner: Learner::new(ceiling), meter: Meter::new(ceiling, now), taken: 0 }
    }

    /// When the next permit can be had; not after `now` means at once.
    pub(super) fn next_permit(&self, now: Instant) -> Instant {
        self.meter.next(now)
    }

    /// Takes the permit that is due.
    pub(super) fn take(&mut self, now: Instant) -> Permit {
        let rate = self.rate();
        let was_awaited = self.meter.take(rate, self.learner.has_met_limit(), now);
        self.taken += 1;
        Permit { taken: now, number: self.taken, rate, was_awaited }
    }

    /// Hears at the end of a turn how many calls the pace alone holds back: not those for which there is no slot
    /// or no address, or that upstream's condition forbids.
    pub(super) fn hold_back(&mut self, calls: usize) {
        self.meter.hold_back(calls);
    }

    /// The call of a permit left at `at`: its second begins.
    pub(super) fn left(&mut self, at: Instant) {
        self.meter.left(at);
    }

    /// The call of a permit ended and never left.
    pub(super) fn stayed(&mut self) {
        self.meter.stayed();
    }

    /// A call of this permit was accepted or refused for what it held: upstream had room for it.
    pub(super) fn admitted(&mut self, permit: Permit, now: Instant) {
        self.learner.admitted(permit, now);
    }

    /// Upstream said 429 to a call of this permit.
    pub(super) fn throttled(&mut self, permit: Permit, now: Instant) {
        self.learner.throttled(permit, now);
    }

    /// How the rate moves while nothing is refused: now, what each admitted call adds, and up to where.
    pub(super) fn outlook(&self) -> Outlook {
        let most = self.meter.most_per_second();
        let (growth, highest) = self.learner.growth();
        Outlook { rate: self.rate().min(most), growth, highest: highest.min(most) }
    }

    /// What was learned, to be kept for the next start.
    pub(super) fn learned(&self) -> Learned {
        self.learner.learned()
    }

    /// Goes on from what was learned before; the ceiling stands above it.
    pub(super) fn restore(&mut self, learned: Learned) {
        self.learner.restore(learned);
    }

    /// The learned rate, in calls a second.
    pub(super) fn rate(&self) -> f64 {
        self.learner.rate()
    }
}

#[cfg(test)]
mod tests;
