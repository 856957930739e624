//! Answers that may speak of one address or of everything.

use super::*;

fn denied(health: &mut Health, denial: Denial, at: Instant) {
    health.was_denied(denial, at, at, 0.0);
}

#[test]
fn the_first_denial_leaves_lone_addresses_at_once_and_the_next_ones_less_and_less_often() {
    let now = Instant::now();
    let mut health = proven(now);

    denied(&mut health, Denial::Forbidden, now);
    assert_eq!(health.gate(now, SLOTS), Gate::Lone);
    denied(&mut health, Denial::Forbidden, now);
    assert_eq!(health.gate(now + SECOND / 2, SLOTS), Gate::Newcomer(now + SECOND));
    assert_eq!(health.gate(now + SECOND, SLOTS), Gate::Lone);
    denied(&mut health, Denial::Forbidden, now + SECOND);

    assert_eq!(health.gate(now + 2 * SECOND, SLOTS), Gate::Newcomer(now + 3 * SECOND));
}

#[test]
fn only_the_success_of_a_later_call_ends_a_denial() {
    let now = Instant::now();
    let mut health = proven(now);

    denied(&mut health, Denial::NotFound, now);
    health.succeeded(now - SECOND);
    assert_eq!(health.gate(now, SLOTS), Gate::Lone);
    health.succeeded(now);

    assert_eq!(health.gate(now, SLOTS), Gate::Open(SLOTS));
    assert!(health.troubles().is_empty());
}

#[test]
fn denials_of_one_volley_are_one_attempt() {
    let now = Instant::now();
    let mut health = proven(now);

    denied(&mut health, Denial::NotFound, now);
    for _ in 0..7 {
        health.was_denied(Denial::NotFound, now - SECOND, now, 0.0);
    }

    assert_eq!(health.gate(now, SLOTS), Gate::Lone);
}

#[test]
fn the_hold_tells_what_the_last_denial_was_and_when_the_first_came() {
    let now = Instant::now();
    let mut health = proven(now);

    denied(&mut health, Denial::Forbidden, now);
    assert_eq!(health.troubles()[0].reason, NotSentReason::Forbidden);
    denied(&mut health, Denial::NotFound, now + SECOND);

    let [trouble] = health.troubles()[..] else { panic!("one trouble") };
    assert_eq!((trouble.reason, trouble.cause), (NotSentReason::Misconfigured, Cause::NotFound));
    assert_eq!(trouble.since, now);
}

#[test]
fn an_accepted_call_is_proof_for_an_hour_and_only_for_its_credential() {
    let now = Instant::now();
    let hour = Duration::from_secs(3600);
    let mut health = health();
    assert!(!health.accepted_within(hour, now));

    health.succeeded(now);
    assert!(health.accepted_within(hour, now + hour - SECOND));
    assert!(!health.accepted_within(hour, now + hour));
    health.credential_replaced(now + SECOND);
    assert!(!health.accepted_within(hour, now));
    health.succeeded(now);

    assert!(!health.accepted_within(hour, now), "a call with the credential before");
}

/// New resends that come one after the other would put off the others' turn for ever.
#[test]
fn a_denied_newcomer_does_not_put_off_the_next_try() {
    let now = Instant::now();
    let mut health = proven(now);
    denied(&mut health, Denial::NotFound, now);
    denied(&mut health, Denial::NotFound, now);
    assert_eq!(health.troubles()[0].next_attempt, now + SECOND);

    for tenth in 1..10 {
        let at = now + SECOND * tenth / 10;
        health.newcomer_denied(Denial::Forbidden, at, at);
    }

    assert_eq!(health.gate(now + SECOND, SLOTS), Gate::Lone);
    assert_eq!(health.troubles()[0].reason, NotSentReason::Forbidden, "it is told as it was seen last");
}

#[test]
fn believing_an_earlier_success_ends_the_hold_and_is_counted_until_the_next_one() {
    let now = Instant::now();
    let mut health = proven(now);
    denied(&mut health, Denial::Forbidden, now);

    health.believed_earlier_proof();
    assert_eq!((health.gate(now, SLOTS), health.believed_on_earlier_proof()), (Gate::Open(SLOTS), 1));
    health.succeeded(now);

    assert_eq!(health.believed_on_earlier_proof(), 0);
}
