//! Pauses: over everything else, and gone without a trace.

use super::*;
use crate::domain::{PauseNote, Paused, Timestamp};

fn paused(note: &str) -> Paused {
    Paused { since: Timestamp(7), note: PauseNote::parse(note).unwrap() }
}

#[test]
fn a_pause_shuts_the_gate_whatever_upstream_is_like_and_a_resume_gives_back_what_was() {
    let now = Instant::now();
    let mut open = proven(now);
    let mut throttled = proven(now);
    throttled.must_pause(NotSentReason::Throttled, Some(7 * SECOND), now, now, 0.0);
    let before = [open.gate(now, SLOTS), throttled.gate(now, SLOTS)];

    for (health, before) in [&mut open, &mut throttled].into_iter().zip(before) {
        health.pause(paused("until noon"), now);
        health.succeeded(now - SECOND);
        assert_eq!(health.gate(now, SLOTS), Gate::Shut);
        assert_eq!(health.gate(now + 1_000_000 * SECOND, SLOTS), Gate::Shut);

        assert!(health.resume());

        assert_eq!(health.gate(now, SLOTS), before);
        assert_eq!(health.paused(), None);
        assert!(!health.resume(), "it was not paused any more");
    }
}

#[test]
fn a_note_can_be_changed_or_kept_and_only_while_paused() {
    let now = Instant::now();
    let mut health = proven(now);
    assert!(!health.note_pause(Some(PauseNote::none())));
    health.pause(paused("until noon"), now);

    assert!(health.note_pause(None));
    assert_eq!(health.paused(), Some(&paused("until noon")));
    assert!(health.note_pause(Some(PauseNote::parse("until one").unwrap())));
    assert_eq!(health.paused(), Some(&paused("until one")));
    assert!(health.note_pause(Some(PauseNote::none())));
    assert_eq!(health.paused(), Some(&paused("")));
}

#[test]
fn a_pause_weighs_most_and_is_held_as_long_as_the_oldest_of_all() {
    let now = Instant::now();
    let mut health = proven(now);
    assert_eq!((health.held_by(), health.held_since()), (None, None));
    assert!(!health.is_held_beyond(now));

    health.credential_refused(now + SECOND, now + SECOND);
    assert_eq!(health.held_by(), Some(NotSentReason::CredentialsRejected));
    assert_eq!(health.held_since(), Some(now + SECOND));
    assert!(health.is_held_beyond(now) && !health.is_held_beyond(now + SECOND));

    health.pause(paused(""), now + 2 * SECOND);
    assert_eq!(health.held_by(), Some(NotSentReason::Paused));
    assert_eq!(health.held_since(), Some(now + SECOND));
    assert!(health.is_held_beyond(now + 1_000_000 * SECOND), "nobody knows when a pause ends");

    health.credential_proven(now + 3 * SECOND);
    assert_eq!(health.held_since(), Some(now + 2 * SECOND));
}

#[test]
fn while_paused_the_breaker_is_not_probed_but_a_credential_is_proved() {
    let now = Instant::now();
    let later = now + 10 * SECOND;
    let mut health = proven(now);
    for _ in 0..5 {
        health.failed(Outage::Errors, now);
    }
    health.pause(paused(""), now);
    assert!(!health.wants_probe(later));
    health.credential_refused(now, now);
    assert!(health.wants_credential_proof(now));
    health.credential_proven(now);

    health.resume();

    assert!(health.wants_probe(later));
}
