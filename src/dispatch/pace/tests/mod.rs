//! The pace against a token bucket, in simulated time; and its parts.

mod simulated;

use std::time::Duration;

use self::simulated::{Run, Scene, Stalls, play};
use super::*;

const SCENE: Scene = Scene {
    limit: 100.0,
    later: 100.0,
    burst: 5.0,
    latency: Duration::from_millis(30),
    retry_after: Duration::ZERO,
    ceiling: Some(10_000.0),
    slots: 64,
    seconds: 60,
    departure: Duration::ZERO,
    stalls: Stalls {
        upstream: 0.0,
        gateway: 0.0,
        least: Duration::from_millis(3),
        most: Duration::from_millis(20),
    },
    seed: 1,
};

/// A minute at a limit that nobody told, with enough slots for it: `limit`, `burst`, `latency` in milliseconds,
/// `Retry-After` in seconds.
fn minute(
    (limit, burst, latency, retry_after): (f64, f64, u64, u64),
    ceiling: Option<f64>,
    seed: u64,
) -> Run {
    let latency = Duration::from_millis(latency);
    let slots = ((limit * latency.as_secs_f64() * 2.5) as usize).max(16);
    let retry_after = Duration::from_secs(retry_after);
    play(Scene { limit, later: limit, burst, latency, retry_after, ceiling, slots, seed, ..SCENE })
}

fn assert_used(case: (f64, f64, u64, u64), least: f64, most_refused: f64) {
    for (ceiling, seed) in [(Some(10_000.0), 1), (None, 2)] {
        let run = minute(case, ceiling, seed);
        let used = f64::from(run.admitted) / (case.0 * 60.0);
        assert!(used >= least, "{case:?} {ceiling:?}: {used:.3} used; {run:?}");
        let refused = run.refused_share();
        assert!(refused <= most_refused, "{case:?} {ceiling:?}: {:.3} % refused; {run:?}", refused * 100.0);
    }
}

#[test]
fn of_a_limit_that_nobody_told_095_are_used_and_0002_refused_in_the_first_minute() {
    for case in [
        (100.0, 5.0, 30, 0),
        (100.0, 5.0, 5, 0),
        (200.0, 5.0, 30, 0),
        (500.0, 5.0, 5, 0),
        (500.0, 5.0, 30, 0),
        (2000.0, 5.0, 5, 0),
        (2000.0, 5.0, 30, 0),
        (2000.0, 20.0, 5, 0),
        (2000.0, 20.0, 30, 0),
    ] {
        assert_used(case, 0.95, 0.002);
    }
}

/// 0.2 % of thirty a second are three calls in a minute: each look for the limit costs one at least.
#[test]
fn of_a_low_limit_095_are_used_and_few_calls_refused() {
    for (case, most_refused) in
        [((30.0, 5.0, 30, 0), 0.004), ((50.0, 5.0, 100, 0), 0.0035), ((30.0, 5.0, 200, 0), 0.0065)]
    {
        assert_used(case, 0.95, most_refused);
    }
}

/// Answers that come late tell late that the limit was passed, and a large burst hides it.
#[test]
fn of_a_limit_behind_slow_answers_or_a_large_burst_most_is_used() {
    for (case, least, most_refused) in [
        ((100.0, 20.0, 30, 0), 0.95, 0.006),
        ((100.0, 5.0, 200, 0), 0.93, 0.003),
        ((200.0, 10.0, 200, 0), 0.88, 0.0035),
        ((500.0, 50.0, 100, 0), 0.88, 0.0065),
        ((2000.0, 200.0, 30, 0), 0.95, 0.0045),
        ((5000.0, 20.0, 5, 0), 0.94, 0.002),
    ] {
        assert_used(case, least, most_refused);
    }
}

/// Each refusal costs a second then, of sixty, and three or four are needed to find the limit.
#[test]
fn with_a_second_of_retry_after_088_are_used() {
    for case in [(100.0, 5.0, 30, 1), (200.0, 5.0, 30, 1), (2000.0, 5.0, 5, 1), (2000.0, 5.0, 30, 1)] {
        assert_used(case, 0.88, 0.002);
    }
    assert_used((30.0, 5.0, 200, 1), 0.88, 0.0065);
}

/// What came to upstream in those milliseconds overflows a small bucket, far below the limit, and is refused
/// whatever the gateway does. Seeds differ in when, and for how long: within 3 to 20 ms.
#[test]
fn refusals_because_a_side_stood_still_for_some_milliseconds_are_not_taken_for_a_low_limit() {
    let fast = Scene { limit: 2000.0, later: 2000.0, latency: Duration::from_millis(5), ..SCENE };
    for (upstream, gateway, least, most_refused) in
        [(0.1, 0.2, 0.95, 0.002), (0.2, 0.4, 0.94, 0.003), (1.0, 1.0, 0.5, 0.015)]
    {
        for seed in 1..=2 {
            let stalls = Stalls { upstream, gateway, ..SCENE.stalls };
            let run = play(Scene { stalls, seed, ..fast });

            let used = f64::from(run.admitted) / (2000.0 * 60.0);
            assert!(used >= least, "{stalls:?}, seed {seed}: {used:.3} used; {run:?}");
            assert!(run.refused_share() <= most_refused, "{stalls:?}, seed {seed}: {run:?}");
        }
    }
}

#[test]
fn a_limit_that_falls_is_followed_without_a_storm_of_refusals() {
    let run = play(Scene { later: 20.0, seconds: 120, ..SCENE });

    let used = f64::from(run.admitted) / (100.0 * 60.0 + 20.0 * 60.0);
    assert!(used > 0.94, "{used} {run:?}");
    assert!(run.refused_share() < 0.004, "{run:?}");
}

#[test]
fn a_limit_that_rises_is_found() {
    let run = play(Scene { limit: 20.0, seconds: 400, ..SCENE });

    let used = f64::from(run.admitted) / (20.0 * 200.0 + 100.0 * 200.0);
    assert!(used > 0.7, "{used} {run:?}");
    assert!(run.refused_share() < 0.002, "{run:?}");
}

/// Nothing is refused: what is left is the ceiling. Calls leave up to `departure` after their permit.
#[test]
fn no_second_ever_holds_more_calls_than_the_ceiling_however_late_they_leave() {
    for departure in [0, 5, 300, 1500].map(Duration::from_millis) {
        for ceiling in [0.5, 1.0, 7.0, 10.0, 333.0, 2000.0] {
            let open = Scene { limit: 1e9, later: 1e9, burst: 1e9, seconds: 20, ..SCENE };
            let run = play(Scene { ceiling: Some(ceiling), departure, slots: 2000, ..open });

            assert!(run.busiest_second as f64 <= ceiling.max(1.0), "{ceiling} {departure:?}: {run:?}");
            let used = f64::from(run.admitted) / (ceiling * 20.0);
            assert!(used > 0.9 || !departure.is_zero(), "{ceiling}: {used} {run:?}");
        }
    }
}

/// An upstream without a limit: only the gateway's own work, and its slots, bound what is attained.
#[test]
fn without_a_limit_the_slots_fill_and_the_rate_does_not_run_away_from_what_is_attained() {
    let open = Scene { limit: 1e9, later: 1e9, burst: 1e9, ceiling: None, seconds: 20, ..SCENE };
    for (latency_us, slots) in [(50, 8), (50, 64), (1000, 64), (5000, 64), (30_000, 64), (5000, 1000)] {
        let run = play(Scene { latency: Duration::from_micros(latency_us), slots, ..open });

        assert!(run.rate < 2.2 * run.attained, "{latency_us} us, {slots} slots: {run:?}");
        // 20 us to launch a call, 5 us to hear of it, and the turn around them.
        let bound = (slots as f64 / (latency_us as f64 * 1e-6)).min(1.0 / 30e-6);
        assert!(run.attained > 0.6 * bound, "{latency_us} us, {slots} slots: {run:?} of {bound}");
        assert!(
            latency_us < 1000 || slots > 64 || run.most == slots,
            "{latency_us} us, {slots} slots: {run:?}"
        );
    }
}

#[test]
fn permits_that_came_due_together_go_together_and_no_more() {
    let start = Instant::now();
    let mut pace = Pace::new(None, start);
    pace.restore(Learned::parse("2000 inf").unwrap());
    let at_once = |pace: &mut Pace, now| {
        let mut permits = 0;
        while pace.next_permit(now) <= now {
            pace.take(now);
            permits += 1;
        }
        permits
    };

    assert_eq!(at_once(&mut pace, start + Duration::from_millis(1)), 3);
    assert_eq!(at_once(&mut pace, start + Duration::from_millis(2)), 2);
    // What was due longer ago is lost.
    assert_eq!(at_once(&mut pace, start + Duration::from_secs(1)), 5);
    // Upstream has a limit: its burst may be small.
    pace.restore(Learned::parse("2000 2100").unwrap());
    assert_eq!(at_once(&mut pace, start + Duration::from_secs(2)), 4);
}

/// Only then its success says that more would be welcome.
#[test]
fn a_permit_counts_as_awaited_if_the_pace_held_a_call_back_for_it() {
    let start = Instant::now();
    let mut pace = Pace::new(None, start);
    let interval = Duration::from_millis(50);

    assert!(!pace.take(start).was_awaited, "nothing waited");
    pace.hold_back(1);
    assert!(pace.take(start + interval).was_awaited);
    assert!(!pace.take(start + 2 * interval).was_awaited, "one call was held back, not two");
    pace.hold_back(5);
    pace.hold_back(0);
    assert!(!pace.take(start + 3 * interval).was_awaited, "there was no slot, or no address");
    pace.hold_back(5);
    assert!(!pace.take(start + 20 * interval).was_awaited, "it could have gone long before");
}

#[test]
fn a_rate_that_nobody_needed_does_not_grow() {
    let start = Instant::now();
    let mut pace = Pace::new(Some(1000.0), start);

    for second in 1..100 {
        let now = start + Duration::from_secs(second);
        let permit = pace.take(now);
        pace.admitted(permit, now);
    }

    assert!(pace.rate() < 22.0, "{}", pace.rate());
}

/// An account that is shut for a while answers 429 to each call: that says nothing about a rate.
#[test]
fn a_few_refusals_without_a_success_between_them_do_not_stop_the_gateway() {
    let mut now = Instant::now();
    let mut pace = Pace::new(None, now);

    for _ in 0..3 {
        let permit = pace.take(now);
        pace.throttled(permit, now + Duration::from_millis(5));
        now += Duration::from_secs(1);
    }

    assert!(pace.rate() > 20.0 * 0.72 * 0.72 * 0.71, "{}", pace.rate());
}

#[test]
fn what_was_learned_is_gone_on_with() {
    let start = Instant::now();
    let mut pace = Pace::new(Some(1000.0), start);
    let learned = Learned::parse("72.5 75").unwrap();

    pace.restore(learned);

    assert_eq!(pace.learned(), learned);
    assert!((pace.rate() - 72.5).abs() < 1e-9);
}
