//! Learns the rate that upstream permits from nothing but its refusals.
//!
//! Until the first refusal the rate grows fast, the faster the higher it is and the sooner upstream answers. Each
//! refusal makes the growth much slower, and time without one makes it faster again: so a limit is met closely
//! after a few refusals, rarely passed, and one that has risen is found. Only admitted calls that the pace held
//! back add to the rate.
//!
//! One refusal says little about the limit: a side that stood still for some milliseconds lets calls pile up, and
//! overflows a small bucket far below the limit. So it cuts little. Only refusals one soon after the other cut
//! deep, and where the limit is taken to be falls with the second one.

use std::time::Duration;

use tokio::time::Instant;

use super::{Permit, learned::Learned};

const FIRST_RATE: f64 = 20.0;
const LOWEST_RATE: f64 = 0.5;
/// What an admitted call adds while seeking, that is, by how many e-folds the rate grows a second: at least and
/// at most; so much for each call a second ...
const SEEK_LEAST: f64 = 1.5;
const SEEK_MOST: f64 = 12.0;
const SEEK_PER_RATE: f64 = 1.0 / 12.0;
/// ... but not more than this by the time that upstream's answer is there.
const SEEK_PER_LATENCY: f64 = 0.2;
/// A refusal divides the growth by this ...
const SLOWER: f64 = 24.0;
/// ... down to this for each call a second, but not to more than this by the seconds for which calls were kept
/// back: where refusals cost little it makes up for those that say nothing ...
const LEAST_PER_RATE: f64 = 1.5e-6;
const LEAST_PER_PAUSE: f64 = 0.0001;
/// ... and without one it grows, in as long as the last one kept calls back, by so many e-folds: the dearer a
/// refusal is, the longer the next one is put off. In a second these at least and at most.
const FASTER: f64 = 0.015;
const FASTER_LEAST: f64 = 0.05;
const FASTER_MOST: f64 = 1.0;
/// Below where the limit is taken to be the rate grows by this share of what is missing, at least.
const RETURN: f64 = 0.5;
/// What upstream's bucket is taken to hold, in calls, when the rate passes the limit.
const BURST: f64 = 5.0;
/// A refusal cuts the rate by so many calls of those that went since the one before, at least. If it came within
/// `SOON` seconds after calls went again that is doubled, and again for each one in a row before it that did, ...
const CUT: f64 = 2.5;
const SOON: f64 = 0.5;
/// ... but not by more than this share.
const DEEPEST_CUT: f64 = 0.5;
/// So much below what a refusal makes of the limit, as a share, the rate is kept.
const MARGIN: f64 = 0.004;
/// What upstream is taken to need for its answer before the first one.
const FIRST_LATENCY: f64 = 0.2;
/// Weight of the newest call in the running mean of that.
const NEWEST: f64 = 0.3;
/// For how long a refusal is taken to keep calls back before the first one, in seconds.
const FIRST_PAUSE: f64 = 1.0;

/// Above this rate ...
const FAST: f64 = 500.0;
/// ... it does not grow while it is more than so many times what is attained: then something else holds calls
/// back, if only for moments.
const MOST_UNATTAINED: f64 = 2.0;
/// What is attained is measured over so many calls and so much time, at least.
const MEASURED_CALLS: u32 = 10;
const MEASURED_TIME: Duration = Duration::from_millis(10);

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

/// The refusal for which the rate was cut last.
#[derive(Debug)]
struct Refusal {
    /// When the permit of its call was taken, and the number of that.
    taken: Instant,
    number: u64,
    /// What it made of the limit.
    limit: f64,
    /// When the rate was cut: permits from before say nothing about the rate since.
    cut: Instant,
    /// Calls that were refused since.
    refused_since: u64,
}

#[derive(Debug)]
pub(super) struct Learner {
    rate: f64,
    ceiling: f64,
    /// Where upstream's limit is taken to be; infinite before the first refusal.
    limit: f64,
    /// By how many e-folds the rate grows a second, once a limit was met.
    growth: f64,
    /// How long upstream needs for its answers, in seconds.
    latency: f64,
    /// For how long the last refusal kept calls back, in seconds.
    pause: f64,
    attained: Attained,
    refusal: Option<Refusal>,
    /// When calls went again after that, and the number of the first one's permit.
    resumed: Option<(Instant, u64)>,
    /// Refusals in a row of which each came soon after calls went again.
    in_a_row: i32,
}

impl Learner {
    pub(super) fn new(ceiling: Option<f64>) -> Self {
        let ceiling = ceiling.unwrap_or(f64::INFINITY);
        Self {
            rate: FIRST_RATE.min(ceiling),
            ceiling,
            limit: f64::INFINITY,
            growth: 0.0,
            latency: FIRST_LATENCY,
            pause: FIRST_PAUSE,
            attained: Attained::default(),
            refusal: None,
            resumed: None,
            in_a_row: 0,
        }
    }

    pub(super) fn learned(&self) -> Learned {
        Learned { rate: self.rate, limit: self.limit }
    }

    /// Goes on where another learner has left.
    pub(super) fn restore(&mut self, learned: Learned) {
        self.rate = learned.rate.max(self.lowest()).min(self.ceiling);
        self.limit = learned.limit;
    }

    pub(super) fn rate(&self) -> f64 {
        self.rate
    }

    fn lowest(&self) -> f64 {
        LOWEST_RATE.min(self.ceiling)
    }

    /// Whether upstream has refused calls.
    pub(super) fn has_met_limit(&self) -> bool {
        self.limit.is_finite()
    }

    /// What an admitted call adds to the rate now, and where that ends: a limit that was met is not
    /// counted on to have moved.
    pub(super) fn growth(&self) -> (f64, f64) {
        let highest = if self.has_met_limit() { self.limit.max(self.rate) } else { self.ceiling };
        (self.step(), highest.min(self.ceiling))
    }

    /// What an admitted call adds: with as many of them a second as the rate says, that is by how many e-folds
    /// the rate grows.
    fn step(&self) -> f64 {
        if !self.has_met_limit() {
            return self.seek();
        }
        self.growth.max(RETURN * (1.0 - self.rate / self.limit))
    }

    fn seek(&self) -> f64 {
        let wanted = (self.rate * SEEK_PER_RATE).clamp(SEEK_LEAST, SEEK_MOST);
        wanted.min(SEEK_PER_LATENCY / self.latency)
    }

    pub(super) fn admitted(&mut self, permit: Permit, now: Instant) {
        let cut = self.refusal.as_ref().map(|refusal| refusal.cut);
        if self.resumed.is_none() && cut.is_none_or(|cut| permit.taken >= cut) {
            self.pause = cut.map_or(self.pause, |cut| seconds(cut, now));
            self.resumed = Some((now, permit.number));
        }
        self.attained.count(now);
        if !permit.was_awaited {
            return;
        }
        let took = now.saturating_duration_since(permit.taken).as_secs_f64();
        self.latency = (self.latency + (took - self.latency) * NEWEST).max(0.001);
        let runs_away = self.attained.rate.is_some_and(|rate| self.rate > rate * MOST_UNATTAINED);
        if self.rate >= self.ceiling || self.rate > FAST && runs_away {
            return;
        }
        let step = self.step();
        let faster = (FASTER / self.pause).clamp(FASTER_LEAST, FASTER_MOST);
        let least = (LEAST_PER_RATE * self.rate).min(LEAST_PER_PAUSE / self.pause);
        self.growth = (self.growth * (1.0 + faster / self.rate)).max(least).min(self.seek());
        self.rate = (self.rate + step).min(self.ceiling);
    }

    /// A refusal that follows no success since the last cut says nothing about the rate: an account that is shut
    /// for a while answers so to each call. How long to stay away is not decided here.
    pub(super) fn throttled(&mut self, permit: Permit, now: Instant) {
        if let Some(refusal) = &mut self.refusal {
            refusal.refused_since += 1;
        }
        let is_new = self.refusal.as_ref().is_none_or(|refusal| permit.taken >= refusal.cut);
        let Some((resumed, first)) = self.resumed.filter(|_| is_new) else { return };
        let is_soon = self.has_met_limit() && seconds(resumed, permit.taken) < SOON;
        self.in_a_row = if is_soon { self.in_a_row + 1 } else { 0 };
        let refused = permit.rate.min(self.rate);
        let growth = self.step();
        // The rate passed the limit while the bucket was being emptied.
        let outgrown = refused / (1.0 + (2.0 * BURST * growth / refused).sqrt());
        let went = permit.number.saturating_sub(first).max(1) as f64;
        let cut = (CUT / went * 2_f64.powi(self.in_a_row)).min(DEEPEST_CUT);
        let limit = outgrown.min(refused * (1.0 - cut)) * (1.0 - MARGIN);
        let (before, at_least) = self
            .refusal
            .as_ref()
            .map_or((0.0, 0.0), |refusal| (refusal.limit, refusal.let_through_until(permit)));
        self.growth = growth / SLOWER;
        self.limit = limit.max(before);
        self.rate = limit.max(at_least.min(refused)).max(self.lowest());
        self.refusal =
            Some(Refusal { taken: permit.taken, number: permit.number, limit, cut: now, refused_since: 0 });
        self.resumed = None;
    }
}

impl Refusal {
    /// Calls a second that were let through from this refusal until the one of `permit`: never more than the
    /// limit, because the bucket was empty both times.
    fn let_through_until(&self, permit: Permit) -> f64 {
        let admitted = permit.number.saturating_sub(self.number).saturating_sub(self.refused_since);
        admitted as f64 / seconds(self.taken, permit.taken).max(0.001)
    }
}

fn seconds(from: Instant, until: Instant) -> f64 {
    until.saturating_duration_since(from).as_secs_f64()
}
