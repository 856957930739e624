//! A gateway that works through an endless queue, and an upstream with a token bucket, in simulated time.
//!
//! As coarse as the real ones: timers fire on the millisecond and late, a turn of the loop has one moment for
//! all that it does and takes its time, calls overtake each other on their way, and now and then the machine has
//! something else to do: what reaches upstream meanwhile is judged together afterwards, and may overflow the
//! bucket although the rate is below the limit.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::Instant;

use super::super::{Pace, Permit};
use crate::dispatch::{
    backoff::Backoff,
    trouble::{Trouble, again},
};
use crate::domain::NotSentReason;

const BACKOFF: Backoff = Backoff {
    min: Duration::from_millis(200),
    max: Duration::from_secs(30),
    max_told: Duration::from_secs(3600),
};
const TURN: Duration = Duration::from_micros(20);
const LAUNCH: Duration = Duration::from_micros(20);
const ANSWER: Duration = Duration::from_micros(5);

/// What is simulated.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scene {
    /// Calls a second that upstream permits, and from the middle on.
    pub(super) limit: f64,
    pub(super) later: f64,
    pub(super) burst: f64,
    pub(super) latency: Duration,
    pub(super) retry_after: Duration,
    pub(super) ceiling: Option<f64>,
    pub(super) slots: usize,
    pub(super) seconds: u64,
    /// How long a call may be on its way to upstream, for its mark or its connection.
    pub(super) departure: Duration,
    pub(super) stalls: Stalls,
    pub(super) seed: u64,
}

/// How often upstream, and the gateway, stand still in a second, and for how long.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stalls {
    pub(super) upstream: f64,
    pub(super) gateway: f64,
    pub(super) least: Duration,
    pub(super) most: Duration,
}

/// What became of it.
#[derive(Debug, Default)]
pub(super) struct Run {
    pub(super) admitted: u32,
    pub(super) refused: u32,
    pub(super) busiest_second: usize,
    /// The largest number of calls in flight.
    pub(super) most: usize,
    /// Calls admitted in the last second.
    pub(super) attained: f64,
    /// The learned rate at the end.
    pub(super) rate: f64,
}

impl Run {
    pub(super) fn refused_share(&self) -> f64 {
        f64::from(self.refused) / f64::from(self.refused + self.admitted)
    }
}

struct Call {
    permit: Permit,
    launched: Instant,
    is_admitted: bool,
}

struct World {
    scene: Scene,
    random: fastrand::Rng,
    start: Instant,
    pace: Pace,
    tokens: f64,
    filled: Instant,
    number: u32,
    /// Calls that have not left, by when they do; that are under way, and whose answer is.
    leaving: BTreeMap<(Instant, u32), Call>,
    answers: BTreeMap<(Instant, u32), Call>,
    left: Vec<Instant>,
    trouble: Option<Trouble>,
    is_proven: bool,
    run: Run,
}

/// Plays a scene.
pub(super) fn play(scene: Scene) -> Run {
    let start = Instant::now();
    let mut world = World {
        scene,
        random: fastrand::Rng::with_seed(scene.seed),
        start,
        pace: Pace::new(scene.ceiling, start),
        tokens: scene.burst,
        filled: start,
        number: 0,
        leaving: BTreeMap::new(),
        answers: BTreeMap::new(),
        left: Vec::new(),
        trouble: None,
        is_proven: false,
        run: Run::default(),
    };
    let mut now = start;
    while now < start + Duration::from_secs(scene.seconds) {
        now = world.turn(now).max(now + Duration::from_micros(1));
    }
    world.run.busiest_second = busiest_second(&world.left);
    world.run.rate = world.pace.rate();
    world.run
}

impl World {
    /// One turn of the loop; says when the next one begins.
    fn turn(&mut self, now: Instant) -> Instant {
        let mut busy = TURN;
        while let Some(answer) = self.answers.first_entry().filter(|answer| answer.key().0 <= now) {
            let call = answer.remove();
            self.answered(&call, now);
            busy += ANSWER;
        }
        let slots = if self.is_proven && self.trouble.is_none() { self.scene.slots } else { 1 };
        let held_until = self.trouble.map_or(now, |trouble| trouble.next_attempt);
        let (mut held_back, mut timer) = (0, None);
        if held_until > now {
            timer = Some(held_until);
        }
        while held_until <= now && self.in_flight() < slots {
            let next = self.pace.next_permit(now);
            if next > now {
                (held_back, timer) = (slots - self.in_flight(), Some(next));
                break;
            }
            busy += LAUNCH;
            self.launch(now, busy);
        }
        self.pace.hold_back(held_back);
        self.run.most = self.run.most.max(self.in_flight());
        if self.random.u32(..2000) == 0 {
            busy += Duration::from_millis(4).mul_f64(self.random.f64());
        }
        self.sleep(now + busy, timer)
    }

    fn in_flight(&self) -> usize {
        self.leaving.len() + self.answers.len()
    }

    fn launch(&mut self, now: Instant, busy: Duration) {
        let permit = self.pace.take(now);
        let jitter = Duration::from_micros(300).mul_f64(self.random.f64());
        let departure = self.scene.departure.mul_f64(self.random.f64());
        self.number += 1;
        let call = Call { permit, launched: now, is_admitted: false };
        self.leaving.insert((now + busy + jitter + departure, self.number), call);
    }

    /// Until the timer, which fires on the next millisecond and a little late, or an answer.
    fn sleep(&mut self, earliest: Instant, timer: Option<Instant>) -> Instant {
        let fires = timer.map(|at| {
            let millis = at.duration_since(self.start).as_secs_f64() * 1e3;
            let late = Duration::from_micros(self.random.u64(60..160));
            self.start + Duration::from_secs_f64(millis.ceil() / 1e3) + late
        });
        loop {
            let answer = self.answers.first_key_value().map(|((at, _), _)| *at);
            let wake = fires.into_iter().chain(answer).min().map(|at| at.max(earliest));
            // What leaves until then is judged, and may be answered sooner.
            match self.leaving.first_key_value().map(|((at, _), _)| *at) {
                Some(leaves) if wake.is_none_or(|wake| leaves <= wake) => self.reaches_upstream(),
                Some(_) | None => {
                    return self.after_stall(wake.unwrap_or(earliest), self.scene.stalls.gateway, 0);
                }
            }
        }
    }

    fn reaches_upstream(&mut self) {
        let Some(((at, number), mut call)) = self.leaving.pop_first() else { return };
        self.pace.left(at);
        self.left.push(at);
        let at = self.after_stall(at, self.scene.stalls.upstream, 1);
        let half = Duration::from_secs(self.scene.seconds) / 2;
        let limit = if at < self.start + half { self.scene.limit } else { self.scene.later };
        self.tokens = (self.tokens + limit * (at - self.filled).as_secs_f64()).min(self.scene.burst);
        self.filled = at;
        call.is_admitted = self.tokens >= 1.0;
        if call.is_admitted {
            self.tokens -= 1.0;
            self.run.admitted += 1;
            let last = self.start + Duration::from_secs(self.scene.seconds - 1);
            self.run.attained += f64::from(u8::from(at >= last));
        } else {
            self.run.refused += 1;
        }
        let latency = self.scene.latency.mul_f64(1.0 + 0.1 * self.random.f64());
        self.answers.insert((at + latency, number), call);
    }

    /// When that what comes at `at` is seen by a side that stands still `per_second` times: each time somewhere
    /// in its share of the second.
    fn after_stall(&self, at: Instant, per_second: f64, side: u64) -> Instant {
        if per_second <= 0.0 {
            return at;
        }
        let share = 1.0 / per_second;
        let number = (at.duration_since(self.start).as_secs_f64() / share).floor();
        let mut random = fastrand::Rng::with_seed(self.scene.seed ^ ((number as u64 * 2 + side) << 8));
        let Stalls { least, most, .. } = self.scene.stalls;
        let lasts = least.as_secs_f64() + (most - least).as_secs_f64() * random.f64();
        let begins = number * share + (share - lasts) * random.f64();
        let begins = self.start + Duration::from_secs_f64(begins);
        let ends = begins + Duration::from_secs_f64(lasts);
        if (begins..ends).contains(&at) { ends } else { at }
    }

    fn answered(&mut self, call: &Call, now: Instant) {
        if call.is_admitted {
            self.pace.admitted(call.permit, now);
            self.is_proven = true;
            self.trouble = self.trouble.filter(|trouble| call.launched < trouble.since);
            return;
        }
        self.pace.throttled(call.permit, now);
        let (told, jitter) = (Some(self.scene.retry_after), self.random.f64());
        let backoff = BACKOFF.at_rate(call.permit.rate);
        let delay = |attempt| backoff.next_delay(attempt, told, jitter);
        self.trouble = Some(again(self.trouble, NotSentReason::Throttled, call.launched, now, delay));
    }
}

fn busiest_second(left: &[Instant]) -> usize {
    let until = |at: &Instant| left.partition_point(|other| *other < *at + Duration::from_secs(1));
    left.iter().enumerate().map(|(number, at)| until(at) - number).max().unwrap_or(0)
}
