use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use super::*;

const WINDOW: Duration = Duration::from_secs(3600);
const KEY: AddressKey = AddressKey(7);
const BY: ClientTag = ClientTag::NOBODY;

fn recent() -> Recent {
    Recent::new(WINDOW, 1000, |_| {})
}

fn is_sent(memory: Option<Memory>) -> bool {
    matches!(memory, Some(Memory::Sent(_, BY)))
}

#[test]
fn a_send_counts_for_resends_created_within_the_window_after_it() {
    let recent = recent();
    let sent = Instant::now() + WINDOW;
    recent.record_sent(KEY, BY, sent);

    assert!(is_sent(recent.find(KEY, sent, false)));
    assert!(is_sent(recent.find(KEY, sent + WINDOW - Duration::from_millis(1), false)));
    assert_eq!(recent.find(KEY, sent + WINDOW, false), None);
}

#[test]
fn a_send_after_a_long_resend_was_created_counts_for_it_however_long_it_takes() {
    let recent = recent();
    let created = Instant::now();
    recent.record_sent(KEY, BY, created + 3 * WINDOW);

    assert!(is_sent(recent.find(KEY, created, false)));
}

#[test]
fn force_looks_only_at_what_happened_since() {
    let recent = recent();
    let sent = Instant::now() + WINDOW;
    recent.record_sent(KEY, BY, sent);

    assert_eq!(recent.find(KEY, sent + Duration::from_secs(1), true), None);
    assert!(is_sent(recent.find(KEY, sent - Duration::from_secs(1), true)));
}

#[test]
fn a_doubt_is_remembered_until_a_send_settles_it() {
    let recent = recent();
    let now = Instant::now();
    recent.record_doubt(KEY, BY, now);
    assert!(matches!(recent.find(KEY, now, false), Some(Memory::Doubt(_, BY))));

    recent.record_sent(KEY, BY, now);

    assert!(is_sent(recent.find(KEY, now, false)));
}

#[test]
fn an_accepted_address_stays_accepted_when_a_forced_send_ends_in_doubt() {
    let recent = recent();
    let now = Instant::now();
    recent.record_sent(KEY, BY, now);

    recent.record_doubt(KEY, BY, now + Duration::from_secs(1));

    assert!(is_sent(recent.find(KEY, now, false)));
}

#[test]
fn without_a_window_nothing_is_remembered() {
    let recent = Recent::new(Duration::ZERO, 1000, |_| {});
    recent.record_sent(KEY, BY, Instant::now());
    recent.cache.run_pending_tasks();

    assert!(recent.is_empty());
}

#[test]
fn housekeeping_keeps_what_an_older_resend_may_still_ask_for() {
    let recent = recent();
    let start = Instant::now();
    recent.record_sent(AddressKey(1), BY, start);
    recent.record_sent(AddressKey(2), BY, start + Duration::from_secs(10));

    recent.forget_before(start + WINDOW + Duration::from_secs(5));

    assert_eq!(recent.find(AddressKey(1), start, false), None);
    assert!(is_sent(recent.find(AddressKey(2), start, false)));
}

#[test]
fn a_full_memory_keeps_the_newest_and_counts_what_it_lost() {
    let lost = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&lost);
    let recent = Recent::new(WINDOW, 100, move |eviction| {
        if eviction == Eviction::Size {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    });
    let now = Instant::now();

    for key in 0..1000 {
        recent.record_sent(AddressKey(key), BY, now);
    }
    recent.cache.run_pending_tasks();

    let kept = (900..1000).filter(|key| is_sent(recent.find(AddressKey(*key), now, false))).count();
    assert!(kept >= 99, "kept {kept}");
    assert_eq!(lost.load(Ordering::Relaxed) + recent.len(), 1000);
}
