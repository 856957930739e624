//! What a refusal says about the limit.
//!
//! Upstream is taken to have a bucket that is filled at the limit and holds a burst; a refusal is the moment at
//! which it is empty. So what was admitted between two refusals, by the time between them, is never more than
//! the limit; and what was admitted since calls go again, less the burst, is the limit if the rate was above it
//! all the time. How much the bucket holds is not known: it is taken to be small, and four times as much each
//! time that a rate worked out so is refused again at once.

use tokio::time::Instant;

use super::Permit;

/// What a bucket is taken to hold at first, in calls.
const BURST: f64 = 5.0;
/// A wrong guess of that is too low by so much.
const WRONG: f64 = 4.0;
/// A rate that is refused within so many seconds was above the limit from the first moment.
const QUICK: f64 = 2.0;
/// A rate is above another one if it is so by this much.
const ABOVE: f64 = 1.02;
/// What is kept of a rate of which nothing was admitted: the refusal says no more than the one before.
const DEEP_CUT: f64 = 0.72;
/// No refusal makes more of a rate than this wrong: a few calls are no measure.
const DEEPEST_CUT: f64 = 0.5;
/// No time is shorter than this, in seconds.
const LEAST: f64 = 0.001;

/// A call was refused.
pub(super) struct Refusal {
    pub(super) permit: Permit,
    /// The rate at which it was made.
    pub(super) refused: f64,
    /// By how many e-folds that grew a second.
    pub(super) growth: f64,
    /// Whether no limit was met before.
    pub(super) is_first: bool,
    /// Whether the rate stood still, and whether that was until it was time to look for more.
    pub(super) was_resting: bool,
    pub(super) had_rested: bool,
}

/// What that says.
pub(super) struct Found {
    /// Where the limit is.
    pub(super) limit: f64,
    /// Whether the refused rate was above it from the first moment.
    pub(super) was_quick: bool,
    /// Whether it lies between two rates of which one was refused and the other was not.
    pub(super) is_sure: bool,
}

#[derive(Debug)]
pub(super) struct Evidence {
    /// When the rate was cut last: permits from before say nothing about the rate since.
    cut: Option<Instant>,
    /// When calls went again, and the number of the next permit.
    resumed: Option<(Instant, u64)>,
    /// The call that was refused when the rate was cut: when its permit was taken, and the number of that.
    refused: Option<(Instant, u64)>,
    /// Calls that were refused since.
    refusals: u64,
    /// What the bucket is taken to hold.
    burst: f64,
    /// A rate that is taken to be below the limit.
    below: Option<f64>,
}

impl Default for Evidence {
    fn default() -> Self {
        Self { cut: None, resumed: None, refused: None, refusals: 0, burst: BURST, below: None }
    }
}

impl Evidence {
    pub(super) fn admitted(&mut self, permit: Permit, now: Instant) {
        if self.cut.is_none_or(|cut| permit.taken >= cut) {
            self.resumed.get_or_insert((now, permit.number + 1));
        }
    }

    /// Where the limit is after this refusal; `None` if the rate was cut for it already.
    pub(super) fn refused(&mut self, refusal: &Refusal, now: Instant) -> Option<Found> {
        let Refusal { permit, refused, .. } = *refusal;
        self.refusals += 1;
        if self.cut.is_some_and(|cut| permit.taken < cut) {
            return None;
        }
        let span = self.resumed.map_or(0.0, |(at, _)| seconds(at, permit.taken));
        let was_quick = span < QUICK;
        let below = self.below.filter(|below| !refusal.had_rested && refused > below * ABOVE);
        if was_quick && below.is_none() && !refusal.is_first && (refusal.was_resting || self.below.is_some())
        {
            self.burst = (self.burst * WRONG).min(refused.max(BURST));
        }
        let is_blind = self.resumed.is_none();
        let hidden = (2.0 * self.burst * refusal.growth / refused).sqrt();
        let outgrown = if is_blind { refused * DEEP_CUT } else { refused / (1.0 + hidden) };
        let found = match below {
            _ if refusal.is_first => Found { limit: outgrown, was_quick, is_sure: false },
            Some(below) => {
                self.burst = (self.burst / WRONG).max(BURST);
                Found { limit: outgrown.max(below), was_quick, is_sure: true }
            }
            None => {
                let drained = self.drained(permit, span);
                let drained = if was_quick { drained } else { drained.max(outgrown) };
                let (least, most) = if is_blind { (DEEP_CUT, DEEP_CUT) } else { (DEEPEST_CUT, 1.0) };
                let limit = drained.max(self.at_least(permit)).clamp(refused * least, refused * most);
                Found { limit, was_quick, is_sure: false }
            }
        };
        self.below = below.filter(|_| !refusal.is_first);
        self.cut = Some(now);
        self.resumed = None;
        self.refused = Some((permit.taken, permit.number));
        self.refusals = 0;
        Some(found)
    }

    /// Takes a rate to be below the limit.
    pub(super) fn keep_in_mind(&mut self, below: Option<f64>) {
        self.below = below;
    }

    /// The limit, if all was above it since calls go again.
    fn drained(&self, permit: Permit, span: f64) -> f64 {
        let Some((_, first)) = self.resumed else { return 0.0 };
        (permit.number.saturating_sub(first) as f64 - self.burst) / span.max(LEAST)
    }

    /// What the limit is not below: the bucket was empty twice.
    fn at_least(&self, permit: Permit) -> f64 {
        let Some((at, number)) = self.refused else { return 0.0 };
        let admitted = permit.number.saturating_sub(number).saturating_sub(self.refusals);
        admitted as f64 / seconds(at, permit.taken).max(LEAST)
    }
}

fn seconds(from: Instant, until: Instant) -> f64 {
    until.saturating_duration_since(from).as_secs_f64()
}
