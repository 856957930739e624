use std::path::Path;

use super::*;
use crate::{
    domain::{
        AddressKey, Chunk, ClientName, Entry, List, NotSentReason, Outcome, ResendId, Status, TraceContext,
    },
    store::{
        Body, Kept, KeptRows, Settled,
        file::{CallEnd, Claim, ResendRow, Stage, read},
    },
    telemetry::metrics::{BuildInfo, Metrics},
};

const HOUR: Duration = Duration::from_secs(3600);
const LIMITS: Limits = Limits { max_bytes: None, reserve_bytes: 0 };

fn store(directory: &Path) -> Store {
    let metrics = Metrics::new(BuildInfo::current(), &[ClientName::anonymous()], &[]).unwrap();
    Store::open(&directory.join("gateway.db"), [7; 16], metrics).unwrap()
}

fn work(store: &Store, registry: &Arc<Registry>) -> Work {
    Work {
        store: store.clone(),
        registry: Arc::clone(registry),
        keeping: Keeping { retention: HOUR, window: 2 * HOUR, limits: LIMITS },
        waiting_bytes: Arc::default(),
        is_over: Arc::default(),
        next_look: Instant::now(),
        next_sweep: Instant::now(),
    }
}

/// A resend of `chunks` chunks of two addresses.
fn record(id: u128, chunks: u32) -> Record {
    let chunk = |number: u32| {
        let mut chunk = Chunk::default();
        for offset in 0..2 {
            let key = u128::from(number) * 2 + offset;
            chunk.push(&format!("a{key}@example.com"), Entry::Fresh(AddressKey(key))).unwrap();
        }
        chunk
    };
    let list = List::new((0..chunks).map(chunk).collect(), Vec::new());
    Record::new(ResendId(id), ClientName::anonymous(), false, TraceContext::new(1), Body::Resident(list))
}

/// One whose even addresses were sent; the others were left over.
fn ended(id: u128, chunks: u32, at: Timestamp) -> Arc<Record> {
    let record = record(id, chunks);
    for index in (0..chunks * 2).step_by(2) {
        record.settle(&[Settled { index, repeats: 0, outcome: Outcome::Sent }], at, |_, _| {});
    }
    record.finish_at(at, Status::Cancelled, Some(Outcome::NotSent(NotSentReason::Cancelled)), |_, _| {});
    Arc::new(record)
}

fn ids(store: &Store) -> Vec<u128> {
    let everything = ResendId(u128::MAX);
    let page = store.read_now(|db| read::page(db, None, None, everything, 100)).unwrap();
    page.iter().map(|row| row.id.0).collect()
}

#[test]
fn archived_resends_of_any_length_read_back_as_they_ended() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(directory.path());
    let registry = Arc::new(Registry::beside_store(HOUR));
    let keeping = Keeping { retention: HOUR, window: HOUR, limits: LIMITS };
    let keeper = Keeper::start(store.clone(), registry, keeping).unwrap();
    let records =
        [ended(1, 1, Timestamp::now()), ended(2, 30, Timestamp::now()), ended(3, 2, Timestamp::now())];

    records.iter().for_each(|record| keeper.archive(Arc::clone(record)));
    drop(keeper);

    assert_eq!(ids(&store), [3, 2, 1]);
    for record in records {
        let row = store.read_now(|db| read::resend(db, record.id)).unwrap().unwrap();
        let kept = Kept::of(row).unwrap();
        assert_eq!(kept.snapshot(), record.snapshot());
        let (mut starts, mut rows) = (None, Vec::new());
        for number in 0..kept.len() / 2 {
            let read = |db: &_| KeptRows::read(db, record.id, number, kept.rest().as_ref(), &mut starts);
            let page = store.read_now(read).unwrap().unwrap();
            rows.extend(page.rows().map(|row| (row.index, row.email.to_owned(), row.outcome)));
        }
        let in_ram = record.rows(0, u32::MAX).into_iter();
        let in_ram: Vec<_> = in_ram.map(|row| (row.index, row.email.to_owned(), row.outcome)).collect();
        assert!(rows == in_ram, "resend {}", record.id.0);
    }
}

#[test]
fn only_what_ended_before_the_retention_is_erased_with_all_of_its_rows() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(directory.path());
    let registry = Arc::new(Registry::beside_store(HOUR));
    let work = work(&store, &registry);
    let now = Timestamp::now();
    let mut batch = archive::Gathered::default();
    // The last one may just have been taken up again under its key.
    for (id, age) in [(1, 3 * HOUR), (2, HOUR / 2), (3, 2 * HOUR), (5, HOUR + Duration::from_secs(30))] {
        let ended = ended(id, 20, Timestamp(now.0 - age.as_millis() as u64));
        batch.add(&ended, |writes| work.write(writes).map(drop)).unwrap();
    }
    let unfinished = Arc::new(record(4, 1));
    work.write(vec![unfinished.row_at(Stage::UnderWay)]).unwrap();

    work.sweep(now).unwrap();

    assert_eq!(ids(&store), [5, 4, 2]);
    let count = |sql: &str| store.read_now(|db| db.query_row(sql, [], |row| row.get::<_, i64>(0))).unwrap();
    assert_eq!((count("SELECT count(*) FROM chunks"), count("SELECT count(*) FROM ends")), (40, 40));
}

#[test]
fn one_that_goes_on_is_not_erased_and_one_that_is_being_erased_does_not_go_on() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(directory.path());
    let work = work(&store, &Arc::new(Registry::beside_store(HOUR)));
    let now = Timestamp::now();
    let mut batch = archive::Gathered::default();
    for id in [1, 2] {
        let ended = ended(id, 2, Timestamp(now.0 - 1));
        batch.add(&ended, |writes| work.write(writes).map(drop)).unwrap();
    }
    work.write(batch.take()).unwrap();
    let row = |id| store.read_now(|db| read::resend(db, ResendId(id))).unwrap().unwrap();
    let reopen = |id| {
        let row = ResendRow { stage: Stage::UnderWay, finished_at: None, ..row(id) };
        work.write(vec![Write::Reopen(Box::new(row))]).unwrap()
    };

    // Both were looked up as old ones.
    assert!(reopen(1));
    work.erase_resend(ResendId(1), now).unwrap();
    assert!(work.write(vec![Write::Expire(ResendId(2), now)]).unwrap());
    assert!(!reopen(2));

    assert_eq!(row(1).stage, Stage::UnderWay);
    assert!(store.read_now(|db| read::chunk(db, ResendId(1), 1)).unwrap().is_some());
    assert_eq!(row(2).stage, Stage::Reading, "a crash goes on with erasing it");
}

#[test]
fn calls_and_culprits_are_erased_once_no_list_can_ask_for_them() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(directory.path());
    let registry = Arc::new(Registry::beside_store(HOUR));
    let work = work(&store, &registry);
    let now = Timestamp::now();
    let ago = |hours: u64| Timestamp(now.0 - hours * HOUR.as_millis() as u64);
    let claim = Claim { resend: ResendId(1), index: 0, key: AddressKey(1), by: crate::domain::ClientTag(7) };
    for (call, hours) in [(1, 9), (2, 8), (3, 7), (4, 3), (5, 1), (6, 0)] {
        let mut writes = vec![Write::Mark { call, at: ago(hours), claims: vec![claim] }];
        // The second one is still in flight, as far as anybody knows.
        writes.extend((call != 2).then_some(Write::Ended { call, at: ago(hours), end: CallEnd::Sent }));
        work.write(writes).unwrap();
    }
    work.write(vec![Write::Culprit(AddressKey(1), ago(25)), Write::Culprit(AddressKey(2), ago(23))]).unwrap();
    let mut old = record(1, 1);
    old.created = Instant::now().checked_sub(5 * HOUR).unwrap();
    let old = registry.insert(old).unwrap();

    let calls = || {
        let calls = store.read_now(|db| read::calls_after(db, 0, 100)).unwrap();
        calls.iter().map(|call| call.id).collect::<Vec<_>>()
    };
    work.sweep(now).unwrap();
    // A list of five hours ago may ask for what was sent in the two hours before it.
    assert_eq!(calls(), [2, 3, 4, 5, 6]);
    assert_eq!(store.read_now(read::culprits).unwrap(), [(AddressKey(2), ago(23))]);

    old.finish(Status::Finished, Some(Outcome::Sent), |_, _| {});
    registry.ended(&old);
    work.sweep(now).unwrap();
    assert_eq!(calls(), [2, 5, 6]);

    work.sweep(Timestamp(now.0 + 9 * HOUR.as_millis() as u64)).unwrap();
    assert_eq!(calls(), [2, 6], "the number of the last call is never used again");
}
