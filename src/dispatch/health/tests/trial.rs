//! A credential that may not read its account, and is to show whether it may resend.

use super::*;

/// Refused by a call, and then by its proof.
fn on_trial(now: Instant) -> Health {
    let mut health = proven(now);
    health.credential_refused(now, now);
    health.credential_on_trial(Some(Cause::Untried), now + SECOND);
    health
}

#[test]
fn a_credential_on_trial_has_one_lone_call_and_its_trouble_stands_meanwhile() {
    let now = Instant::now();

    let health = on_trial(now);

    assert_eq!(health.gate(now + SECOND, SLOTS), Gate::Lone);
    let [trouble] = health.troubles()[..] else { panic!("one trouble") };
    assert_eq!((trouble.reason, trouble.since), (NotSentReason::CredentialsRejected, now));
    assert!(!health.wants_credential_proof(now + 100 * SECOND), "nothing but a call decides");
}

#[test]
fn an_answer_to_the_lone_call_ends_the_trial_well() {
    let now = Instant::now();
    let mut health = on_trial(now);

    health.succeeded(now);
    assert!(health.is_credential_on_trial(), "a call from before the trial shows nothing");
    health.succeeded(now + SECOND);

    assert_eq!(health.gate(now + SECOND, SLOTS), Gate::Open(SLOTS));
    assert!(health.troubles().is_empty());
}

#[test]
fn a_401_to_the_lone_call_holds_everything_for_longer() {
    let now = Instant::now();
    let mut health = on_trial(now);

    assert!(health.credential_refused(now + SECOND, now + SECOND));

    assert!(!health.is_credential_on_trial());
    assert!(matches!(health.gate(now + SECOND, SLOTS), Gate::Closed(_)));
    assert!(!health.wants_credential_proof(now + SECOND + SECOND / 2));
    assert!(health.wants_credential_proof(now + 2 * SECOND));
    assert_eq!(health.troubles()[0].since, now);
}

#[test]
fn a_changed_file_ends_the_trial_for_a_proof_of_what_it_brought() {
    let now = Instant::now();
    let mut health = on_trial(now);

    health.credential_changed(now + SECOND);

    assert!(health.wants_credential_proof(now + SECOND));
    assert!(matches!(health.gate(now + SECOND, SLOTS), Gate::Closed(_)));
}
