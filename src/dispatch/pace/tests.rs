//! The pace against a token bucket, in simulated time.

use std::{collections::BTreeMap, time::Duration};

use super::*;

/// An upstream that permits `rate` calls a second with bursts of `burst`, and answers after `latency`.
struct Bucket {
    rate: f64,
    burst: f64,
    latency: Duration,
    retry_after: Duration,
}

#[derive(Debug, Default)]
struct Run {
    admitted: u32,
    refused: u32,
    busiest_second: usize,
}

/// `Pace` works through an endless queue with `slots` calls in flight; the bucket's rate becomes
/// `later` after half of the time.
fn run(bucket: &Bucket, later: f64, ceiling: Option<f64>, seconds: u64, slots: usize) -> Run {
    let start = Instant::now();
    let end = start + Duration::from_secs(seconds);
    let mut pace = Pace::new(ceiling, start);
    let (mut tokens, mut filled) = (bucket.burst, start);
    let mut in_flight: BTreeMap<(Instant, u32), (Permit, bool)> = BTreeMap::new();
    let (mut held_until, mut number, mut taken) = (start, 0, Vec::new());
    let mut run = Run::default();
    let mut now = start;
    while now < end {
        while let Some(entry) = in_flight.first_entry().filter(|entry| entry.key().0 <= now) {
            let (permit, admitted) = entry.remove();
            if admitted {
                pace.admitted(permit, now);
            } else {
                pace.throttled(permit, now);
                held_until = held_until.max(now + bucket.retry_after.max(Duration::from_millis(150)));
            }
        }
        let due = pace.next_permit(now).max(held_until);
        if in_flight.len() < slots && due <= now {
            let rate = if now < start + Duration::from_secs(seconds / 2) { bucket.rate } else { later };
            tokens = (tokens + rate * (now - filled).as_secs_f64()).min(bucket.burst);
            filled = now;
            let admitted = tokens >= 1.0;
            if admitted {
                tokens -= 1.0;
                run.admitted += 1;
            } else {
                run.refused += 1;
            }
            taken.push(now);
            number += 1;
            in_flight.insert((now + bucket.latency, number), (pace.take(now), admitted));
            continue;
        }
        let answer = in_flight.first_key_value().map_or(end, |((at, _), _)| *at);
        // Timers are as coarse as tokio's.
        let timer = if in_flight.len() < slots { due + Duration::from_millis(1) } else { end };
        now = answer.min(timer).max(now + Duration::from_micros(1));
    }
    run.busiest_second = busiest_second(&taken);
    run
}

fn busiest_second(taken: &[Instant]) -> usize {
    let until = |at: &Instant| taken.partition_point(|other| *other < *at + Duration::from_secs(1));
    taken.iter().enumerate().map(|(number, at)| until(at) - number).max().unwrap_or(0)
}

fn share(run: &Run, permitted: f64) -> f64 {
    f64::from(run.admitted) / permitted
}

fn refused_share(run: &Run) -> f64 {
    f64::from(run.refused) / f64::from(run.refused + run.admitted)
}

#[test]
fn more_than_nine_tenths_of_an_unknown_limit_are_used_in_the_first_minute() {
    for (rate, burst, latency, retry_after) in [
        (100.0, 5.0, 30, 0),
        (100.0, 5.0, 30, 1),
        (100.0, 20.0, 30, 0),
        (50.0, 5.0, 100, 0),
        (30.0, 5.0, 200, 0),
        (200.0, 10.0, 30, 0),
    ] {
        let bucket = Bucket {
            rate,
            burst,
            latency: Duration::from_millis(latency),
            retry_after: Duration::from_secs(retry_after),
        };
        let run = run(&bucket, rate, Some(1000.0), 60, 16);

        let case = format!("{rate}/s burst {burst} {latency} ms, Retry-After {retry_after}: {run:?}");
        assert!(share(&run, rate * 60.0) > 0.90, "{case} {}", share(&run, rate * 60.0));
        assert!(refused_share(&run) < 0.01, "{case}");
    }
}

#[test]
fn a_limit_that_falls_is_followed_without_a_storm_of_refusals() {
    let bucket =
        Bucket { rate: 100.0, burst: 5.0, latency: Duration::from_millis(30), retry_after: Duration::ZERO };

    let run = run(&bucket, 20.0, Some(1000.0), 120, 16);

    assert!(share(&run, 100.0 * 60.0 + 20.0 * 60.0) > 0.9, "{run:?}");
    assert!(refused_share(&run) < 0.02, "{run:?}");
}

#[test]
fn a_limit_that_rises_is_found() {
    let bucket =
        Bucket { rate: 20.0, burst: 5.0, latency: Duration::from_millis(30), retry_after: Duration::ZERO };

    let run = run(&bucket, 100.0, Some(1000.0), 400, 16);

    assert!(share(&run, 20.0 * 200.0 + 100.0 * 200.0) > 0.7, "{run:?}");
    assert!(refused_share(&run) < 0.01, "{run:?}");
}

#[test]
fn no_second_ever_holds_more_calls_than_the_ceiling() {
    for ceiling in [0.5, 1.0, 7.0, 10.0, 333.0] {
        let bucket =
            Bucket { rate: 1e9, burst: 1e9, latency: Duration::from_millis(3), retry_after: Duration::ZERO };

        let run = run(&bucket, 1e9, Some(ceiling), 30, 16);

        assert!(run.busiest_second as f64 <= ceiling.max(1.0), "{ceiling}: {run:?}");
        assert!(share(&run, ceiling * 30.0) > 0.9, "{ceiling}: {run:?}");
    }
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
