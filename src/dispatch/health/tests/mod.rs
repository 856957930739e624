//! What calls, refusals and proofs make of the gate; denials, trials and pauses stand in files of their own.

mod denial;
mod pause;
mod trial;

use super::*;

const SLOTS: usize = 8;
const SECOND: Duration = Duration::from_secs(1);

fn health() -> Health {
    let backoff = Backoff {
        min: Duration::from_millis(200),
        max: Duration::from_secs(30),
        max_told: Duration::from_secs(3600),
    };
    Health::new(backoff, Breaker::new(5, Duration::from_secs(10)))
}

fn proven(now: Instant) -> Health {
    let mut health = health();
    health.succeeded(now);
    health
}

#[test]
fn one_call_at_a_time_until_the_first_success() {
    let now = Instant::now();
    let mut health = health();
    assert_eq!(health.gate(now, SLOTS), Gate::Open(1));

    health.succeeded(now);

    assert_eq!(health.gate(now, SLOTS), Gate::Open(SLOTS));
}

#[test]
fn one_failure_narrows_to_one_call_and_a_success_widens_again() {
    let now = Instant::now();
    let mut health = proven(now);

    health.failed(Outage::Errors, now);
    assert_eq!(health.gate(now, SLOTS), Gate::Open(1));
    health.succeeded(now);

    assert_eq!(health.gate(now, SLOTS), Gate::Open(SLOTS));
}

#[test]
fn retry_after_holds_everybody_and_a_success_launched_before_does_not_lift_it() {
    let now = Instant::now();
    let mut health = proven(now);

    health.must_pause(NotSentReason::Throttled, Some(7 * SECOND), now, now, 0.0);
    health.succeeded(now - SECOND);

    assert_eq!(health.gate(now + 6 * SECOND, SLOTS), Gate::Closed(now + 7 * SECOND));
    assert_eq!(health.gate(now + 7 * SECOND, SLOTS), Gate::Open(1));
    health.succeeded(now + 7 * SECOND);
    assert_eq!(health.gate(now + 8 * SECOND, SLOTS), Gate::Open(SLOTS));
    assert!(health.troubles().is_empty());
}

#[test]
fn refusals_of_one_volley_are_one_attempt() {
    let now = Instant::now();
    let mut health = proven(now);

    for _ in 0..8 {
        health.must_pause(NotSentReason::Throttled, None, now - SECOND, now, 0.0);
    }

    assert_eq!(health.gate(now, SLOTS), Gate::Closed(now + Duration::from_millis(200)));
}

#[test]
fn after_a_429_without_retry_after_a_fast_gateway_waits_less_at_first() {
    let now = Instant::now();
    let mut health = proven(now);
    health.throttled(2000.0, None, now, now, 0.0);
    assert_eq!(health.gate(now, SLOTS), Gate::Closed(now + Duration::from_millis(20)));

    let later = now + Duration::from_millis(20);
    health.throttled(2000.0, Some(7 * SECOND), later, later, 0.0);

    assert_eq!(health.gate(later, SLOTS), Gate::Closed(later + 7 * SECOND));
}

#[test]
fn a_later_retry_after_is_not_forgotten_by_a_shorter_one() {
    let now = Instant::now();
    let mut health = proven(now);

    health.must_pause(NotSentReason::Throttled, Some(60 * SECOND), now, now, 0.0);
    health.must_pause(NotSentReason::Throttled, Some(SECOND), now, now, 0.0);

    assert_eq!(health.gate(now, SLOTS), Gate::Closed(now + 60 * SECOND));
}

#[test]
fn twenty_lone_refusals_in_a_row_leave_one_lone_address_a_second() {
    let now = Instant::now();
    let mut health = proven(now);
    for _ in 0..19 {
        health.refused_alone(now);
    }
    assert_eq!(health.gate(now, SLOTS), Gate::Open(SLOTS));

    health.refused_alone(now);

    assert!(matches!(health.gate(now, SLOTS), Gate::Closed(_)));
    assert_eq!(health.gate(now + SECOND / 2, SLOTS), Gate::Newcomer(now + SECOND));
    assert_eq!(health.gate(now + SECOND, SLOTS), Gate::Lone);
    assert_eq!(health.troubles()[0].reason, NotSentReason::UpstreamRefusing);
    health.succeeded(now);
    assert_eq!(health.gate(now, SLOTS), Gate::Open(SLOTS));
}

#[test]
fn a_refused_credential_is_proved_at_once_then_more_and_more_seldom() {
    let now = Instant::now();
    let mut health = proven(now);

    health.credential_refused(now, now);
    assert!(health.wants_credential_proof(now));
    health.credential_unproven(Cause::Itself, None, now);
    assert!(!health.wants_credential_proof(now));
    assert!(health.wants_credential_proof(now + SECOND));
    health.credential_changed(now);
    assert!(health.wants_credential_proof(now));
    health.credential_proven(now);

    assert_eq!(health.gate(now, SLOTS), Gate::Open(1));
}

#[test]
fn an_open_breaker_asks_for_a_probe_and_then_lets_one_lone_address_through() {
    let now = Instant::now();
    let mut health = proven(now);
    for _ in 0..5 {
        health.failed(Outage::Errors, now);
    }
    let until = now + 10 * SECOND;
    assert_eq!(health.gate(now, SLOTS), Gate::Closed(until));
    assert_eq!(health.troubles()[0].reason, NotSentReason::UpstreamUnavailable);
    assert!(!health.wants_probe(now));
    assert!(health.wants_probe(until));

    health.probe_answered();
    assert_eq!(health.gate(until, SLOTS), Gate::Lone);
    health.succeeded(until);

    assert_eq!(health.gate(until, SLOTS), Gate::Open(SLOTS));
    assert!(health.troubles().is_empty());
}

#[test]
fn a_credential_that_calls_refuse_after_every_proof_is_tried_less_and_less_often() {
    let now = Instant::now();
    let mut health = proven(now);
    health.credential_refused(now, now);
    health.credential_proven(now);

    health.credential_refused(now, now);

    assert!(!health.wants_credential_proof(now));
    assert!(health.wants_credential_proof(now + SECOND));
    assert_eq!(health.troubles()[0].since, now);
}

#[test]
fn a_refusal_of_a_call_from_before_the_last_proof_changes_nothing() {
    let now = Instant::now();
    let mut health = proven(now);
    assert!(health.credential_refused(now, now));
    health.credential_proven(now + SECOND);

    assert!(!health.credential_refused(now, now + 2 * SECOND));
    assert!(!health.waits_for_credential());
    assert!(health.credential_refused(now + SECOND, now + 2 * SECOND));
}

#[test]
fn only_a_call_from_after_the_proof_ends_the_story_of_a_refused_credential() {
    let now = Instant::now();
    let mut health = proven(now);
    health.credential_refused(now, now);
    health.credential_proven(now + SECOND);

    health.succeeded(now);
    health.credential_refused(now + SECOND, now + SECOND);
    assert_eq!(health.troubles()[0].since, now, "the same trouble goes on");

    health.credential_proven(now + 2 * SECOND);
    health.succeeded(now + 2 * SECOND);
    health.credential_refused(now + 3 * SECOND, now + 3 * SECOND);
    assert_eq!(health.troubles()[0].since, now + 3 * SECOND, "another trouble");
}

#[test]
fn a_missing_token_closes_the_gate_and_says_why_not() {
    let now = Instant::now();
    let mut health = health();

    health.credential_missing(now);
    assert_eq!(health.gate(now, SLOTS), Gate::Closed(now));
    assert_eq!(health.troubles()[0].reason, NotSentReason::UpstreamUnavailable);
    health.credential_unproven(Cause::GrantRefused, None, now);

    assert_eq!(health.troubles()[0].reason, NotSentReason::CredentialsRejected);
    assert_eq!(health.gate(now, SLOTS), Gate::Closed(now + SECOND));
}

#[test]
fn probes_obey_retry_after() {
    let now = Instant::now();
    let mut health = proven(now);
    for _ in 0..5 {
        health.failed(Outage::Errors, now);
    }
    health.must_pause(NotSentReason::UpstreamUnavailable, Some(600 * SECOND), now, now, 0.0);

    assert!(!health.wants_probe(now + 10 * SECOND));
    assert!(health.wants_probe(now + 600 * SECOND));
}

/// The loop sleeps until the gate may open: if that was before the probe is due, nothing would wake it then.
#[test]
fn a_gate_that_a_probe_opens_is_closed_until_that_is_due() {
    let now = Instant::now();
    let wait = Duration::from_secs(60);
    let mut broken = proven(now);
    (0..5).for_each(|_| broken.failed(Outage::Errors, now));
    let mut refused = proven(now);
    refused.credential_refused(now, now);
    assert!(matches!(broken.gate(now, SLOTS), Gate::Closed(until) if until < now + wait));
    assert_eq!(refused.gate(now, SLOTS), Gate::Closed(now));

    for health in [&mut broken, &mut refused] {
        health.must_pause(NotSentReason::Throttled, Some(wait), now, now, 0.0);

        assert_eq!(health.gate(now, SLOTS), Gate::Closed(now + wait));
    }
    assert!(broken.wants_probe(now + wait));
    assert!(refused.wants_credential_proof(now + wait));
}

#[test]
fn what_was_seen_last_is_the_cause_of_an_outage() {
    let now = Instant::now();
    let mut health = proven(now);
    let cause = |health: &Health| health.troubles()[0].cause;

    health.failed(Outage::Lost, now);
    health.must_pause(NotSentReason::UpstreamUnavailable, None, now, now, 0.0);
    assert_eq!(cause(&health), Cause::Outage(Outage::Lost));
    for _ in 0..5 {
        health.failed(Outage::Refused, now);
    }
    assert_eq!(cause(&health), Cause::Outage(Outage::Refused));
    health.probe_failed(Outage::Silent, None, now);
    assert_eq!(cause(&health), Cause::Outage(Outage::Silent));
}

#[test]
fn a_wait_for_another_reason_does_not_speak_of_an_outage() {
    let now = Instant::now();
    let mut health = proven(now);
    health.failed(Outage::Lost, now);

    health.must_pause(NotSentReason::Throttled, None, now, now, 0.0);

    assert_eq!(health.troubles()[0].cause, Cause::Itself);
}
