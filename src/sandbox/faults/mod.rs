//! The faults in force: which call meets which fate.
//!
//! Owns the rules and how often each was used. Pure: the same seed, rules and numbers always pick the same
//! calls, whatever the order in which they arrive. Refuses JSON that is not a list of sensible rules.

mod delivery;
mod fate;
mod fields;
mod foreign;
mod parse;
mod parse_fate;
mod pattern;
mod rule;

use std::time::Duration;

pub use delivery::{Delivery, Encoding, Framing};
pub use fate::{Fate, StatusAnswer};
pub use fields::FaultError;
pub use foreign::{ForeignAnswer, Page};
pub use parse::{MAX_RULES, parse};
pub use rule::{Calls, Rule, Seconds, Target};

/// The rules in force.
#[derive(Debug)]
pub(super) struct Faults {
    seed: u64,
    rules: Vec<Active>,
    /// When they were put in force or last reset, since the start of the sandbox.
    since: Duration,
}

#[derive(Debug)]
struct Active {
    rule: Rule,
    pattern: Option<String>,
    used: u64,
}

/// A request as rules see it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen<'a> {
    /// Its kind.
    pub(super) target: Target,
    /// Its number among its kind, from 1.
    pub(super) number: u64,
    /// When it arrived, since the start of the sandbox.
    pub(super) at: Duration,
    /// Its addresses, lower-cased; empty for kinds that have none.
    pub(super) addresses: &'a [String],
}

impl Faults {
    pub(super) fn new(seed: u64, rules: Vec<Rule>) -> Self {
        let mut faults = Self { seed, rules: Vec::new(), since: Duration::ZERO };
        faults.replace(rules, Duration::ZERO);
        faults
    }

    /// Puts other rules in force; none of them was used yet.
    pub(super) fn replace(&mut self, rules: Vec<Rule>, now: Duration) {
        self.since = now;
        self.rules = rules
            .into_iter()
            .map(|rule| Active { pattern: rule.address.as_deref().map(str::to_lowercase), rule, used: 0 })
            .collect();
    }

    /// Puts the same rules in force again, as if none of them had been used.
    pub(super) fn restart(&mut self, now: Duration) {
        self.since = now;
        self.rules.iter_mut().for_each(|active| active.used = 0);
    }

    /// The rules in force, in order.
    pub(super) fn rules(&self) -> Vec<Rule> {
        self.rules.iter().map(|active| active.rule.clone()).collect()
    }

    /// Whether the connection is to be reset before the body is read.
    pub(super) fn hangs_up_before_reading(&mut self, seen: Seen<'_>) -> bool {
        self.pick(seen, |rule| rule.fate == Fate::HangUpBeforeReading && rule.lone.is_none()).is_some()
    }

    /// The fate of a call that was read: the first rule that picks it.
    pub(super) fn choose(&mut self, seen: Seen<'_>) -> Option<Fate> {
        self.pick(seen, |rule| rule.fate != Fate::HangUpBeforeReading)
    }

    fn pick(&mut self, seen: Seen<'_>, among: impl Fn(&Rule) -> bool) -> Option<Fate> {
        let seed = self.seed;
        let age = seen.at.saturating_sub(self.since).as_secs_f64();
        let (_, active) = self
            .rules
            .iter_mut()
            .enumerate()
            .find(|(place, active)| among(&active.rule) && active.picks(seen, age, seed, *place))?;
        active.used += 1;
        Some(active.rule.fate.clone())
    }
}

impl Active {
    fn picks(&self, seen: Seen<'_>, age: f64, seed: u64, place: usize) -> bool {
        let rule = &self.rule;
        rule.target == seen.target
            && rule.times.is_none_or(|times| self.used < times)
            && rule
                .calls
                .is_none_or(|calls| calls.from <= seen.number && calls.to.is_none_or(|to| seen.number <= to))
            && rule.seconds.is_none_or(|time| time.from <= age && time.to.is_none_or(|to| age < to))
            && rule.every.is_none_or(|n| seen.number.checked_rem(n) == Some(0))
            && rule.lone.is_none_or(|lone| lone == (seen.addresses.len() == 1))
            && rule.share.is_none_or(|share| draw(seed, place, seen.number) < share)
            && self
                .pattern
                .as_deref()
                .is_none_or(|pattern| seen.addresses.iter().any(|address| pattern::matches(pattern, address)))
    }
}

/// A number from 0.0 to below 1.0 that depends on nothing but its arguments.
fn draw(seed: u64, place: usize, number: u64) -> f64 {
    let place = (place as u64).wrapping_mul(0xD1B5_4A32_D192_ED03);
    let number = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    fastrand::Rng::with_seed(seed ^ place ^ number).f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(number: u64, addresses: &[String]) -> Seen<'_> {
        Seen { target: Target::Patch, number, at: Duration::ZERO, addresses }
    }

    fn picked(rule: Rule, numbers: std::ops::RangeInclusive<u64>) -> Vec<u64> {
        let mut faults = Faults::new(7, vec![rule]);
        let one = ["a@b.example".to_owned()];
        numbers.filter(|number| faults.choose(seen(*number, &one)).is_some()).collect()
    }

    #[test]
    fn numbers_and_steps_pick_the_calls_they_name() {
        let rule = Rule::new(Fate::AcceptThen500);

        assert_eq!(picked(rule.clone(), 1..=4), [1, 2, 3, 4]);
        assert_eq!(picked(rule.clone().calls(2..=3), 1..=5), [2, 3]);
        assert_eq!(picked(rule.clone().calls_from(4), 1..=5), [4, 5]);
        assert_eq!(picked(rule.clone().every(3), 1..=9), [3, 6, 9]);
        assert_eq!(picked(rule.clone().every(3).calls(4..=8), 1..=9), [6]);
        assert_eq!(picked(rule.clone().times(2), 1..=9), [1, 2]);
        assert_eq!(picked(rule.every(0), 1..=9), [0_u64; 0]);
    }

    #[test]
    fn a_share_is_met_closely_and_is_the_same_for_the_same_seed() {
        let rule = Rule::new(Fate::AcceptThen500).share(0.1);

        let first = picked(rule.clone(), 1..=10_000);

        assert!((900..=1_100).contains(&first.len()), "{}", first.len());
        assert_eq!(first, picked(rule.clone(), 1..=10_000));
        assert_eq!(picked(rule.clone().share(0.0), 1..=1_000), [0_u64; 0]);
        assert_eq!(picked(rule.share(1.0), 1..=1_000).len(), 1_000);
    }

    #[test]
    fn two_rules_with_one_share_do_not_pick_the_same_calls() {
        let shares =
            [0, 1].map(|place| (1..1_000).filter(|n| draw(1, place, *n) < 0.5).collect::<Vec<u64>>());
        let seeds = [1, 2].map(|seed| (1..1_000).filter(|n| draw(seed, 0, *n) < 0.5).collect::<Vec<u64>>());

        assert_ne!(shares[0], shares[1]);
        assert_ne!(seeds[0], seeds[1]);
    }

    #[test]
    fn one_matching_address_is_enough_and_its_case_does_not_matter() {
        let mut faults = Faults::new(0, vec![Rule::new(Fate::status(404)).address("*@BAD.example")]);
        let mixed = ["a@b.example".to_owned(), "c@bad.example".to_owned()];

        assert_eq!(faults.choose(seen(1, &mixed)), Some(Fate::status(404)));
        assert_eq!(faults.choose(seen(2, &mixed[..1])), None);
    }

    #[test]
    fn lone_and_shared_calls_are_told_apart() {
        let mut lone = Faults::new(0, vec![Rule::new(Fate::AcceptThen500).lone()]);
        let mut shared = Faults::new(0, vec![Rule::new(Fate::AcceptThen500).shared()]);
        let two = ["a@b.example".to_owned(), "c@b.example".to_owned()];

        assert!(lone.choose(seen(1, &two[..1])).is_some());
        assert!(lone.choose(seen(1, &two)).is_none());
        assert!(shared.choose(seen(1, &two[..1])).is_none());
        assert!(shared.choose(seen(1, &two)).is_some());
    }

    #[test]
    fn the_first_rule_that_picks_a_call_wins_until_it_is_used_up() {
        let rules = vec![Rule::new(Fate::status(503)).times(1), Rule::new(Fate::AcceptThen500)];
        let mut faults = Faults::new(0, rules);

        assert_eq!(faults.choose(seen(1, &[])), Some(Fate::status(503)));
        assert_eq!(faults.choose(seen(2, &[])), Some(Fate::AcceptThen500));
        faults.restart(Duration::ZERO);
        assert_eq!(faults.choose(seen(3, &[])), Some(Fate::status(503)));
    }

    #[test]
    fn rules_about_one_kind_of_request_leave_the_others_alone() {
        let mut faults = Faults::new(0, vec![Rule::new(Fate::AcceptThen500).target(Target::Probe)]);
        let probe = Seen { target: Target::Probe, ..seen(1, &[]) };

        assert_eq!(faults.choose(seen(1, &[])), None);
        assert_eq!(faults.choose(probe), Some(Fate::AcceptThen500));
    }

    #[test]
    fn seconds_count_from_when_the_rules_were_put_in_force() {
        let mut faults = Faults::new(0, Vec::new());
        let at = |seconds: f64| Seen { at: Duration::from_secs_f64(seconds), ..seen(1, &[]) };
        let rule = Rule::new(Fate::AcceptThen500).seconds(1.5..3.0);

        faults.replace(vec![rule], Duration::from_secs(10));
        let picked = [9.0, 11.4, 11.5, 12.9, 13.0].map(|seconds| faults.choose(at(seconds)).is_some());
        faults.restart(Duration::from_secs(20));

        assert_eq!(picked, [false, false, true, true, false]);
        assert!(faults.choose(at(22.0)).is_some());
    }

    #[test]
    fn hanging_up_before_reading_is_judged_apart() {
        let rules = vec![Rule::new(Fate::AcceptThen500), Rule::new(Fate::HangUpBeforeReading).calls(2..=2)];
        let mut faults = Faults::new(0, rules);

        assert!(!faults.hangs_up_before_reading(seen(1, &[])));
        assert!(faults.hangs_up_before_reading(seen(2, &[])));
        assert_eq!(faults.choose(seen(2, &[])), Some(Fate::AcceptThen500));
    }

    #[test]
    fn hanging_up_before_reading_never_looks_at_addresses() {
        let rule = Rule::new(Fate::HangUpBeforeReading);
        let one = ["a@b.example".to_owned()];

        for rule in [rule.clone().address("*"), rule.clone().lone(), rule.shared()] {
            let mut faults = Faults::new(0, vec![rule]);
            assert!(!faults.hangs_up_before_reading(seen(1, &[])));
            assert_eq!(faults.choose(seen(1, &one)), None);
            assert_eq!(faults.choose(seen(1, &[])), None);
        }
    }
}
