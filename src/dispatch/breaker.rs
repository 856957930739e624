//! Opens when upstream fails, and lets one careful try through at a time until it works again.
//!
//! Pure: time comes in. Counts what looks like an outage: other 5xx, timeouts, lost connections, and
//! connections that do not come about. Refusals and throttling are answers, not outages.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

const RECENT: usize = 20;
const MAX_COOLDOWN: Duration = Duration::from_secs(300);
/// After so many failed probes in a row one lone call is tried: what makes them fail may not touch the calls.
const MOST_PROBES: u32 = 3;

/// What the breaker lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BreakerState {
    /// Everything.
    Closed,
    /// Nothing until then; then a probe that mails nobody.
    Open(Instant),
    /// The probe was answered: one call of one address.
    HalfOpen,
}

#[derive(Debug)]
pub(super) struct Breaker {
    state: BreakerState,
    failures_in_a_row: u32,
    recent: VecDeque<bool>,
    threshold: u32,
    first_cooldown: Duration,
    cooldown: Duration,
    /// Probes that failed in a row.
    failed_probes: u32,
}

impl Breaker {
    pub(super) fn new(threshold: u32, cooldown: Duration) -> Self {
        Self {
            state: BreakerState::Closed,
            failures_in_a_row: 0,
            recent: VecDeque::with_capacity(RECENT),
            threshold,
            first_cooldown: cooldown,
            cooldown,
            failed_probes: 0,
        }
    }

    pub(super) fn state(&self) -> BreakerState {
        self.state
    }

    /// Whether the last thing heard was a failure: then more than one call at a time is too many.
    pub(super) fn is_shaken(&self) -> bool {
        self.failures_in_a_row > 0
    }

    /// A call was answered. In an open breaker that is a late answer and changes nothing.
    pub(super) fn answered(&mut self) {
        match self.state {
            BreakerState::Closed => {
                self.failures_in_a_row = 0;
                self.remember(false);
            }
            BreakerState::HalfOpen => {
                self.state = BreakerState::Closed;
                self.failures_in_a_row = 0;
                self.recent.clear();
                self.cooldown = self.first_cooldown;
            }
            BreakerState::Open(_) => {}
        }
    }

    /// A call failed.
    pub(super) fn failed(&mut self, now: Instant) {
        match self.state {
            BreakerState::Closed => {
                self.failures_in_a_row += 1;
                self.remember(true);
                let failures = self.recent.iter().filter(|failed| **failed).count();
                let half = self.recent.len() == RECENT && failures * 2 >= RECENT;
                if self.failures_in_a_row >= self.threshold || half {
                    self.cooldown = self.first_cooldown;
                    self.state = BreakerState::Open(now + self.cooldown);
                }
            }
            BreakerState::HalfOpen => self.reopen(now, None),
            BreakerState::Open(_) => {}
        }
    }

    /// The probe after the cool-down was answered well.
    pub(super) fn probe_answered(&mut self) {
        if let BreakerState::Open(_) = self.state {
            self.state = BreakerState::HalfOpen;
            self.failed_probes = 0;
        }
    }

    /// Whether so many probes failed in a row that a lone call is to decide in the place of the next one.
    pub(super) fn gives_up_probing(&self) -> bool {
        self.failed_probes >= MOST_PROBES
    }

    /// The probe was not answered well; `told` is the wait that upstream asked for.
    pub(super) fn probe_failed(&mut self, now: Instant, told: Option<Duration>) {
        if let BreakerState::Open(_) = self.state {
            self.failed_probes += 1;
            self.reopen(now, told);
        }
    }

    fn reopen(&mut self, now: Instant, told: Option<Duration>) {
        self.cooldown = (self.cooldown * 2).min(MAX_COOLDOWN.max(self.first_cooldown));
        self.state = BreakerState::Open(now + self.cooldown.max(told.unwrap_or_default()));
    }

    fn remember(&mut self, failed: bool) {
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(failed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COOLDOWN: Duration = Duration::from_secs(10);

    fn opened() -> (Breaker, Instant) {
        let mut breaker = Breaker::new(5, COOLDOWN);
        let now = Instant::now();
        for _ in 0..5 {
            breaker.failed(now);
        }
        (breaker, now)
    }

    #[test]
    fn it_opens_at_the_fifth_failure_in_a_row_and_not_before() {
        let mut breaker = Breaker::new(5, COOLDOWN);
        let now = Instant::now();
        for _ in 0..4 {
            breaker.failed(now);
        }
        breaker.answered();
        for _ in 0..4 {
            breaker.failed(now);
            assert_eq!(breaker.state(), BreakerState::Closed);
        }

        breaker.failed(now);

        assert_eq!(breaker.state(), BreakerState::Open(now + COOLDOWN));
    }

    #[test]
    fn it_opens_when_half_of_the_last_twenty_failed() {
        let mut breaker = Breaker::new(5, COOLDOWN);
        let now = Instant::now();
        for _ in 0..9 {
            breaker.answered();
            breaker.failed(now);
        }
        assert_eq!(breaker.state(), BreakerState::Closed);

        breaker.answered();
        breaker.failed(now);

        assert!(matches!(breaker.state(), BreakerState::Open(_)));
    }

    #[test]
    fn late_answers_do_not_close_it() {
        let (mut breaker, now) = opened();

        breaker.answered();
        breaker.failed(now);

        assert_eq!(breaker.state(), BreakerState::Open(now + COOLDOWN));
    }

    #[test]
    fn the_cool_down_doubles_up_to_five_minutes_and_starts_anew_after_a_success() {
        let (mut breaker, now) = opened();
        let mut waits = Vec::new();
        for _ in 0..6 {
            breaker.probe_answered();
            assert_eq!(breaker.state(), BreakerState::HalfOpen);
            breaker.failed(now);
            let BreakerState::Open(until) = breaker.state() else { panic!("not open") };
            waits.push((until - now).as_secs());
        }
        assert_eq!(waits, [20, 40, 80, 160, 300, 300]);

        breaker.probe_answered();
        breaker.answered();

        assert_eq!(breaker.state(), BreakerState::Closed);
        assert!(!breaker.is_shaken());
        for _ in 0..5 {
            breaker.failed(now);
        }
        assert_eq!(breaker.state(), BreakerState::Open(now + COOLDOWN));
    }

    #[test]
    fn after_three_failed_probes_a_call_decides_and_probing_begins_anew() {
        let (mut breaker, now) = opened();
        for _ in 0..3 {
            assert!(!breaker.gives_up_probing());
            breaker.probe_failed(now, None);
        }
        assert!(breaker.gives_up_probing());

        breaker.probe_answered();
        assert_eq!(breaker.state(), BreakerState::HalfOpen);
        breaker.failed(now);

        assert!(matches!(breaker.state(), BreakerState::Open(_)) && !breaker.gives_up_probing());
    }

    #[test]
    fn a_probe_that_is_told_to_wait_waits() {
        let (mut breaker, now) = opened();

        breaker.probe_failed(now, Some(Duration::from_secs(60)));

        assert_eq!(breaker.state(), BreakerState::Open(now + Duration::from_secs(60)));
    }
}
