use super::*;
use crate::{
    domain::{AddressKey, Chunk, Entry, List, Outcome, OutcomeKind, Repeat, TraceContext},
    store::{Body, Keyed, Settled},
};

fn record(id: u128, addresses: &[&str]) -> Record {
    let mut chunk = Chunk::default();
    for (key, address) in addresses.iter().enumerate() {
        chunk.push(address, Entry::Fresh(AddressKey(key as u128))).unwrap();
    }
    Record::new(
        ResendId(id),
        ClientName::anonymous(),
        false,
        TraceContext::new(1),
        Body::Resident(List::new(vec![chunk], Vec::new())),
    )
}

fn finish(registry: &Registry, id: u128) {
    let record = registry.get(ResendId(id)).unwrap();
    record.finish(Status::Finished, Some(Outcome::Sent), |_, _| {});
    registry.ended(&record);
}

#[test]
fn finished_resends_make_room_oldest_first_and_unfinished_ones_do_not() {
    let size = Record::bytes(&record(0, &["a@b.c"]).body);
    let registry = Registry::new(3 * size, Duration::MAX);
    for id in 1..=3 {
        registry.insert(record(id, &["a@b.c"])).unwrap();
    }
    assert_eq!(
        registry.insert(record(4, &["a@b.c"])).unwrap_err(),
        Full { needed: size, free: 0, budget: 3 * size }
    );

    finish(&registry, 2);
    finish(&registry, 3);
    registry.insert(record(4, &["a@b.c"])).unwrap();

    assert!(registry.get(ResendId(1)).is_some());
    assert!(registry.get(ResendId(2)).is_none());
    assert!(registry.get(ResendId(3)).is_some());
    assert_eq!(registry.bytes(), 3 * size);
}

#[test]
fn what_is_owed_always_finds_room_and_one_with_the_same_id_takes_its_place() {
    let size = Record::bytes(&record(0, &["a@b.c"]).body);
    let registry = Registry::new(size, Duration::MAX);
    registry.insert(record(1, &["a@b.c"])).unwrap();
    let owed = record(2, &["a@b.c"]);
    owed.promise();

    registry.insert(owed).unwrap();
    finish(&registry, 1);
    assert!(registry.is_crowded(1));
    finish(&registry, 2);
    assert!(!registry.is_crowded(size));
    let again = record(2, &["a@b.c"]);
    again.promise();
    registry.insert(again).unwrap();

    assert!(!registry.get(ResendId(2)).unwrap().snapshot().status.is_final());
    assert_eq!(registry.bytes(), size);
    assert!(registry.is_crowded(1));
}

#[test]
fn pages_follow_each_other_newest_first() {
    let registry = Registry::new(1 << 20, Duration::MAX);
    for id in 1..=5 {
        registry.insert(record(id, &["a@b.c"])).unwrap();
    }
    finish(&registry, 2);

    let first = registry.page(None, Some(Status::Queued), None, 3);
    let second = registry.page(None, Some(Status::Queued), first.next, 3);

    let ids = |page: &Page| page.records.iter().map(|record| record.id.0).collect::<Vec<_>>();
    assert_eq!(ids(&first), [5, 4, 3]);
    assert_eq!(ids(&second), [1]);
    assert_eq!(second.next, None);
}

#[test]
fn a_client_sees_its_own_resends() {
    let registry = Registry::new(1 << 20, Duration::MAX);
    registry.insert(record(1, &["a@b.c"])).unwrap();

    let other = registry.page(Some(&ClientName::new("other")), None, None, 3);

    assert!(other.records.is_empty());
}

#[test]
fn only_what_finished_before_the_retention_is_forgotten() {
    let registry = Registry::new(1 << 20, Duration::ZERO);
    registry.insert(record(1, &["a@b.c"])).unwrap();
    let finished = registry.insert(record(2, &["a@b.c"])).unwrap();
    finish(&registry, finished.id.0);

    while Timestamp::now() <= finished.snapshot().finished_at.unwrap() {
        std::hint::spin_loop();
    }
    registry.forget_old();

    assert!(registry.get(ResendId(1)).is_some());
    assert!(registry.get(ResendId(2)).is_none());
}

#[test]
fn a_key_that_means_a_later_resend_outlives_the_earlier_one() {
    let registry = Registry::new(1 << 20, Duration::ZERO);
    let under_the_key = |id| {
        let mut record = record(id, &["a@b.c"]);
        record.keyed = Some(Keyed { key: [1; 16], body: [2; 16] });
        registry.insert(record).unwrap()
    };
    let first = under_the_key(1);
    finish(&registry, 1);
    let second = under_the_key(2);

    while Timestamp::now() <= first.snapshot().finished_at.unwrap() {
        std::hint::spin_loop();
    }
    registry.forget_old();

    assert!(registry.get(ResendId(1)).is_none());
    assert_eq!(registry.keyed(&second.client, [1; 16]).map(|record| record.id), Some(ResendId(2)));
}

#[test]
fn counts_add_up_through_settles_repeats_and_the_rest() {
    let mut chunk = Chunk::default();
    for (text, entry) in [
        ("a@b.c", Entry::Fresh(AddressKey(1))),
        ("A@b.c", Entry::Repeat),
        ("b@b.c", Entry::Fresh(AddressKey(2))),
        ("nobody", Entry::Invalid(crate::domain::InvalidReason::NoAtSign)),
        ("B@b.c", Entry::Repeat),
    ] {
        chunk.push(text, entry).unwrap();
    }
    let repeats = vec![Repeat { index: 1, first: 0 }, Repeat { index: 4, first: 2 }];
    let list = List::new(vec![chunk], repeats);
    let record =
        Record::new(ResendId(1), ClientName::anonymous(), false, TraceContext::new(1), Body::Resident(list));
    let mut told = Vec::new();

    record.settle(
        &[Settled { index: 0, repeats: 1, outcome: Outcome::Sent }],
        Timestamp::now(),
        |outcome, count| told.push((outcome.kind(), count)),
    );
    assert_eq!(record.snapshot().counts.pending(), 2);
    record.settle(&[Settled { index: 0, repeats: 1, outcome: Outcome::Sent }], Timestamp::now(), |_, _| {
        panic!("settled twice")
    });
    record.finish(
        Status::Cancelled,
        Some(Outcome::NotSent(crate::domain::NotSentReason::Cancelled)),
        |outcome, count| {
            told.push((outcome.kind(), count));
        },
    );

    assert_eq!(told, [(OutcomeKind::Sent, 1), (OutcomeKind::Duplicate, 1), (OutcomeKind::NotSent, 2)]);
    assert_eq!(record.snapshot().counts.pending(), 0);
    let kinds: Vec<_> = record.rows(0, 10).into_iter().map(|row| row.outcome.unwrap().kind()).collect();
    assert_eq!(
        kinds,
        [
            OutcomeKind::Sent,
            OutcomeKind::Duplicate,
            OutcomeKind::NotSent,
            OutcomeKind::Invalid,
            OutcomeKind::NotSent
        ]
    );
}

fn keyed(id: u128, key: u8) -> Record {
    let mut record = record(id, &["a@b.c"]);
    record.keyed = Some(Keyed { key: [key; 16], body: [9; 16] });
    record
}

#[test]
fn a_key_lives_as_long_as_its_resend() {
    let size = bytes(&keyed(0, 0));
    let registry = Registry::new(2 * size, Duration::MAX);
    let (ann, bob) = (ClientName::anonymous(), ClientName::new("bob"));
    registry.insert(keyed(1, 1)).unwrap();
    let second = registry.insert(keyed(2, 2)).unwrap();
    let found = |key| registry.keyed(&ann, [key; 16]).map(|record| record.id.0);
    assert_eq!((found(1), found(2), found(3)), (Some(1), Some(2), None));
    assert!(registry.keyed(&bob, [1; 16]).is_none());

    finish(&registry, second.id.0);
    registry.insert(keyed(3, 3)).unwrap();

    assert_eq!((found(1), found(2), found(3)), (Some(1), None, Some(3)));
    assert_eq!(registry.kept().by_key.len(), 2);
    finish(&registry, 3);
    let again = registry.get(ResendId(3)).unwrap().again();
    let again = registry.insert(again.record).unwrap();
    assert!(Arc::ptr_eq(&registry.keyed(&ann, [3; 16]).unwrap(), &again), "it takes the place of itself");
    assert_eq!(registry.bytes(), 2 * size);
}

#[test]
fn room_that_is_held_is_nobody_elses_until_it_is_given_back() {
    let size = bytes(&keyed(0, 0));
    let registry = Arc::new(Registry::new(2 * size, Duration::MAX));
    let first = registry.hold(&keyed(1, 1)).unwrap();
    let second = registry.hold(&keyed(2, 2)).unwrap();
    assert!(registry.get(ResendId(1)).is_none());

    assert_eq!(registry.hold(&keyed(3, 3)).unwrap_err().free, 0);
    drop(second);
    assert_eq!(registry.bytes(), size);
    first.fill(keyed(1, 1));
    assert!(registry.keyed(&ClientName::anonymous(), [1; 16]).is_some());
    registry.insert(keyed(4, 4)).unwrap();

    assert_eq!(registry.bytes(), 2 * size);
    assert!(registry.insert(keyed(5, 5)).is_err());
}

#[test]
fn what_has_begun_again_before_its_end_was_noted_does_not_leave() {
    let size = bytes(&keyed(0, 0));
    let registry = Registry::new(size, Duration::MAX);
    let first = registry.insert(keyed(1, 1)).unwrap();
    first.finish(Status::Cancelled, Some(Outcome::Sent), |_, _| {});
    let again = registry.insert(first.again().record).unwrap();

    registry.ended(&first);

    assert!(registry.insert(keyed(2, 2)).is_err());
    assert!(Arc::ptr_eq(&registry.get(ResendId(1)).unwrap(), &again));
    finish(&registry, 1);
    registry.insert(keyed(2, 2)).unwrap();
    assert!(registry.get(ResendId(1)).is_none());
}
