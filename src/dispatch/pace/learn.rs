//! Learns the rate that upstream permits from nothing but its refusals.
//!
//! Seeking: no limit met yet; each admitted call that was held back adds to the rate, the more the higher it is
//! and the sooner upstream answers. Climbing: below the last refusal; slowly up. Resting: where the limit is
//! taken to be; then a slow climb past it, less and less often while it stays where it was. What a refusal says
//! about the limit is worked out in `evidence`.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    Permit,
    evidence::{Evidence, Refusal},
    learned::{Learned, Mood},
};

const FIRST_RATE: f64 = 20.0;
const LOWEST_RATE: f64 = 0.5;
/// What an admitted call adds while seeking, that is, by how many e-folds the rate grows a second: at least and
/// at most; so much for each call a second ...
const SEEK_LEAST: f64 = 1.5;
const SEEK_MOST: f64 = 12.0;
const SEEK_PER_RATE: f64 = 1.0 / 12.0;
/// ... but not more than this by the time that upstream's answer is there.
const SEEK_PER_LATENCY: f64 = 0.2;
/// The same once a limit was met.
const CLIMB: f64 = 0.015;
/// What upstream is taken to need for its answer before the first one.
const FIRST_LATENCY: f64 = 0.2;
/// Weight of the newest call in the running mean of that.
const NEWEST: f64 = 0.3;
/// So much below what a refusal makes of the limit, as a share, the rate is kept.
const MARGIN: f64 = 0.004;
/// A limit that is taken to be at least so close below the refused rate is not climbed to.
const CLOSE: f64 = 0.85;
const FIRST_REST: Duration = Duration::from_secs(30);
const LONGEST_REST: Duration = Duration::from_secs(120);
/// So far above the last refusal the limit must have moved.
const MOVED: f64 = 1.15;

/// Above this rate ...
const FAST: f64 = 500.0;
/// ... it does not grow while it is more than so many times what is attained: then something else holds calls
/// back, if only for moments.
const MOST_UNATTAINED: f64 = 2.0;
/// What is attained is measured over so many calls and so much time, at least.
const MEASURED_CALLS: u32 = 10;
const MEASURED_TIME: Duration = Duration::from_millis(10);

#[derive(Debug, Clone, Copy)]
enum Phase {
    Seeking,
    Climbing,
    Resting { until: Instant },
}

/// Calls that were really admitted.
#[derive(Debug, Default)]
struct Attained {
    since: Option<Instant>,
    calls: u32,
    /// How many a second, lately; not known at first.
    rate: Option<f64>,
}

impl Attained {
    fn count(&mut self, now: Instant) {
        let since = *self.since.get_or_insert(now);
        self.calls += 1;
        let time = now.saturating_duration_since(since);
        if self.calls >= MEASURED_CALLS && time >= MEASURED_TIME {
            *self =
                Self { since: Some(now), calls: 0, rate: Some(f64::from(self.calls) / time.as_secs_f64()) };
        }
    }
}

#[derive(Debug)]
pub(super) struct Learner {
    rate: f64,
    ceiling: f64,
    phase: Phase,
    refused_at: f64,
    rest: Duration,
    /// How long upstream needs for its answers, in seconds.
    latency: f64,
    attained: Attained,
    evidence: Evidence,
}

impl Learner {
    pub(super) fn new(ceiling: Option<f64>) -> Self {
        let ceiling = ceiling.unwrap_or(f64::INFINITY);
        Self {
            rate: FIRST_RATE.min(ceiling),
            ceiling,
            phase: Phase::Seeking,
            refused_at: f64::INFINITY,
            rest: FIRST_REST,
            latency: FIRST_LATENCY,
            attained: Attained::default(),
            evidence: Evidence::default(),
        }
    }

    pub(super) fn learned(&self) -> Learned {
        let mood = match self.phase {
            Phase::Seeking => Mood::Seeking,
            Phase::Climbing => Mood::Climbing,
            Phase::Resting { .. } => Mood::Resting,
        };
        Learned { rate: self.rate, refused_at: self.refused_at, mood }
    }

    /// Goes on where another learner has left. A rest begins anew: nobody knows what changed meanwhile.
    pub(super) fn restore(&mut self, learned: Learned, now: Instant) {
        let lowest = LOWEST_RATE.min(self.ceiling);
        self.rate = learned.rate.max(lowest).min(self.ceiling);
        self.refused_at = learned.refused_at;
        self.phase = match learned.mood {
            Mood::Seeking => Phase::Seeking,
            Mood::Climbing => Phase::Climbing,
            Mood::Resting => Phase::Resting { until: now + self.rest },
        };
    }

    pub(super) fn rate(&self) -> f64 {
        self.rate
    }

    /// Whether upstream has refused calls.
    pub(super) fn has_met_limit(&self) -> bool {
        self.refused_at.is_finite()
    }

    /// What an admitted call adds to the rate now, and where that ends: a limit that was met is not
    /// counted on to have moved.
    pub(super) fn growth(&self) -> (f64, f64) {
        match self.phase {
            Phase::Seeking => (self.seek(), self.ceiling),
            Phase::Climbing => (CLIMB, self.refused_at.min(self.ceiling)),
            Phase::Resting { .. } => (0.0, self.rate),
        }
    }

    fn seek(&self) -> f64 {
        let wanted = (self.rate * SEEK_PER_RATE).clamp(SEEK_LEAST, SEEK_MOST);
        wanted.min(SEEK_PER_LATENCY / self.latency)
    }

    pub(super) fn admitted(&mut self, permit: Permit, now: Instant) {
        self.evidence.admitted(permit, now);
        self.attained.count(now);
        if !permit.was_awaited {
            return;
        }
        let took = now.saturating_duration_since(permit.taken).as_secs_f64();
        self.latency = (self.latency + (took - self.latency) * NEWEST).max(0.001);
        if self.rate > FAST && self.attained.rate.is_some_and(|rate| self.rate > rate * MOST_UNATTAINED) {
            return;
        }
        let step = match self.phase {
            Phase::Seeking => self.seek(),
            Phase::Climbing => CLIMB,
            Phase::Resting { until } if now >= until => CLIMB,
            Phase::Resting { .. } => 0.0,
        };
        self.rate = (self.rate + step).min(self.ceiling);
        if self.rate > self.refused_at * MOVED {
            self.phase = Phase::Seeking;
            self.rest = FIRST_REST;
        }
    }

    pub(super) fn throttled(&mut self, permit: Permit, now: Instant) {
        let (growth, was_resting, had_rested) = match self.phase {
            Phase::Seeking => (self.seek(), false, false),
            Phase::Climbing => (CLIMB, false, false),
            Phase::Resting { until } => (CLIMB, true, until <= permit.taken),
        };
        let refused = permit.rate.min(self.rate);
        let is_first = matches!(self.phase, Phase::Seeking);
        let refusal = Refusal { permit, refused, growth, is_first, was_resting, had_rested };
        // Calls that were under way when the rate was cut say nothing about the new rate.
        let Some(found) = self.evidence.refused(&refusal, now) else { return };
        self.rest =
            if was_resting && !found.was_quick { (self.rest * 2).min(LONGEST_REST) } else { FIRST_REST };
        let rate = found.limit * (1.0 - MARGIN);
        // What is far below the refused rate is a guess on the safe side: the truth is climbed to.
        self.phase = if !is_first && (found.is_sure || rate > refused * CLOSE) {
            Phase::Resting { until: now + self.rest }
        } else {
            Phase::Climbing
        };
        if !is_first && !found.is_sure {
            self.evidence.keep_in_mind((rate <= refused * CLOSE).then_some(rate));
        }
        self.refused_at = refused;
        self.rate = rate.max(LOWEST_RATE.min(self.ceiling));
    }
}
