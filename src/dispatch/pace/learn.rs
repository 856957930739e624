//! Learns the rate that upstream permits from nothing but its refusals.
//!
//! Seeking: no limit met yet; each admitted call adds one call a second (the rate doubles in 0.7 s).
//! Climbing: below the last refusal; two per cent a second. Resting: just below a known limit; then a
//! slow climb past it, less and less often while the limit stays where it was.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    Permit,
    learned::{Learned, Mood},
};

const FIRST_RATE: f64 = 20.0;
const LOWEST_RATE: f64 = 0.5;
/// Added to the rate by each admitted call, by phase.
const SEEK: f64 = 1.0;
const CLIMB: f64 = 0.02;
const PROBE: f64 = 0.01;
/// What is left of the rate after a refusal: of a guess, of a rate that had proved itself.
const DEEP_CUT: f64 = 0.72;
const SMALL_CUT: f64 = 0.95;
/// A rate has proved itself once it was admitted for so many seconds.
const PROVEN_SECONDS: f64 = 0.7;
const FIRST_REST: Duration = Duration::from_secs(20);
const LONGEST_REST: Duration = Duration::from_secs(300);
/// So far above the last refusal the limit must have moved.
const MOVED: f64 = 1.15;

#[derive(Debug, Clone, Copy)]
enum Phase {
    Seeking,
    Climbing,
    Resting { until: Instant },
}

#[derive(Debug)]
pub(super) struct Learner {
    rate: f64,
    ceiling: f64,
    phase: Phase,
    refused_at: f64,
    rest: Duration,
    last_cut: Option<Instant>,
    admitted_since_cut: u32,
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
            last_cut: None,
            admitted_since_cut: 0,
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

    /// What an admitted call adds to the rate now, and where that ends: a limit that was met is not
    /// counted on to have moved.
    pub(super) fn growth(&self) -> (f64, f64) {
        match self.phase {
            Phase::Seeking => (SEEK, self.ceiling),
            Phase::Climbing => (CLIMB, self.refused_at.min(self.ceiling)),
            Phase::Resting { .. } => (0.0, self.rate),
        }
    }

    pub(super) fn admitted(&mut self, permit: Permit, now: Instant) {
        if self.last_cut.is_none_or(|cut| permit.taken >= cut) {
            self.admitted_since_cut += 1;
        }
        if !permit.was_awaited {
            return;
        }
        let step = match self.phase {
            Phase::Seeking => SEEK,
            Phase::Climbing if self.rate < self.refused_at => CLIMB,
            Phase::Climbing => PROBE,
            Phase::Resting { until } if now >= until => PROBE,
            Phase::Resting { .. } => 0.0,
        };
        self.rate = (self.rate + step).min(self.ceiling);
        if self.rate > self.refused_at * MOVED {
            self.phase = Phase::Seeking;
            self.rest = FIRST_REST;
        }
    }

    pub(super) fn throttled(&mut self, permit: Permit, now: Instant) {
        // Calls that were under way when the rate was cut say nothing about the new rate.
        if self.last_cut.is_some_and(|cut| permit.taken < cut) {
            return;
        }
        self.refused_at = self.rate;
        let proven = f64::from(self.admitted_since_cut) >= self.rate * PROVEN_SECONDS;
        let (kept, phase) = match self.phase {
            Phase::Climbing | Phase::Resting { .. } if proven => {
                let until = now + self.rest;
                self.rest = (self.rest * 2).min(LONGEST_REST);
                (SMALL_CUT, Phase::Resting { until })
            }
            Phase::Seeking | Phase::Climbing | Phase::Resting { .. } => {
                self.rest = FIRST_REST;
                (DEEP_CUT, Phase::Climbing)
            }
        };
        self.phase = phase;
        self.rate = (self.rate * kept).max(LOWEST_RATE.min(self.ceiling));
        self.last_cut = Some(now);
        self.admitted_since_cut = 0;
    }
}
