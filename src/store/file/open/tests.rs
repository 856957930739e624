//! A real file: what is written is read back, by this process and the next.

use std::{fs, time::Duration};

use super::*;
use crate::{
    domain::{AddressKey, Chunk, ClientName, Entry, Refusal, ResendId, Timestamp},
    store::file::{CallEnd, Claim, IdempotencyRow, ResendRow, Stage, Write, read, schema},
    telemetry::metrics::BuildInfo,
};

const KEY: [u8; 16] = [7; 16];
const LIST: ResendId = ResendId(5 << 64);

fn open(path: &Path) -> Result<Store, OpenError> {
    Store::open(path, KEY, Metrics::new(BuildInfo::current(), &[], &[]).unwrap())
}

fn new_store() -> (tempfile::TempDir, PathBuf, Store) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gateway.db");
    let store = open(&path).unwrap();
    (directory, path, store)
}

fn resend_row(id: ResendId) -> ResendRow {
    ResendRow {
        id,
        client: ClientName::anonymous(),
        stage: Stage::UnderWay,
        promised: true,
        force: false,
        trace: "00-1-1-00".to_owned(),
        created_at: Timestamp(1_000),
        finished_at: None,
        status: "running".to_owned(),
        received: 3,
        repeats: 1,
        counts: [1, 2, 3, 4, 5, 6],
        upstream_calls: 9,
        rest: None,
    }
}

fn rows(number: u32, first: u32, emails: &[&str]) -> Write {
    let mut chunk = Chunk::default();
    for (number, email) in emails.iter().enumerate() {
        chunk.push(email, Entry::Fresh(AddressKey(number as u128))).unwrap();
    }
    let (chunk, repeats, repeated) = (Arc::new(chunk), Vec::new(), Vec::new());
    Write::Chunk { resend: LIST, number, first, chunk, repeats, repeated }
}

/// Writes as dispatch does, and waits until it is committed.
async fn send(store: &Store, number: u64, hard: bool, writes: Vec<Write>) {
    let mut watch = store.watch();
    store.send(Batch { number, writes, hard });
    while watch.committed() < number {
        watch.changed().await;
    }
}

#[tokio::test]
async fn a_list_is_read_back_by_the_next_process() {
    let (_directory, path, store) = new_store();
    let refusal = Arc::new(Refusal { code: "not_found".to_owned(), detail: Some("no".to_owned()) });
    let writes = vec![
        Write::Resend(Box::new(resend_row(LIST))),
        rows(0, 0, &["a@x.example", "b@x.example"]),
        rows(1, 2, &["a@x.example"]),
        Write::Repeats { resend: LIST, number: 0, repeats: vec![], repeated: vec![(0, 1)] },
        Write::Repeats { resend: LIST, number: 1, repeats: vec![(0, 0)], repeated: vec![] },
        Write::Ends { resend: LIST, number: 0, ends: vec![(1, 4, 77)] },
        Write::Refusal { resend: LIST, number: 77, refusal: Arc::clone(&refusal) },
        Write::Fact("pace", Some("12.5".to_owned())),
        Write::Culprit(AddressKey(3), Timestamp(4)),
    ];
    send(&store, 1, true, writes).await;
    drop(store);

    let store = open(&path).unwrap();

    let told = store.read(|db| Ok((read::resend(db, LIST)?, read::starts(db, LIST)?))).await.unwrap();
    assert_eq!(told, (Some(resend_row(LIST)), vec![0, 2]));
    let first = store.read(|db| read::chunk(db, LIST, 0)).await.unwrap().unwrap();
    assert_eq!(
        first.chunk.entries().map(|(text, _)| text).collect::<Vec<_>>(),
        ["a@x.example", "b@x.example"]
    );
    assert_eq!(first.repeated, [(0, 1)]);
    let second = store.read(|db| read::chunk(db, LIST, 1)).await.unwrap().unwrap();
    assert_eq!((second.first, second.repeats), (2, vec![(0, 0)]));
    assert_eq!(second.chunk.entries().next(), Some(("a@x.example", Entry::Repeat)));
    assert_eq!(store.read(|db| read::ends(db, LIST, 0)).await.unwrap(), [(0, 0), (4, 77)]);
    assert_eq!(store.read(|db| read::refusals(db, LIST)).await.unwrap(), [(77, (*refusal).clone())]);
    assert_eq!(store.read(|db| read::fact(db, "pace")).await.unwrap().as_deref(), Some("12.5"));
    assert_eq!(store.read(read::culprits).await.unwrap(), [(AddressKey(3), Timestamp(4))]);
    assert_eq!(store.key(), KEY);
}

#[tokio::test]
async fn a_call_is_known_by_its_mark_and_by_its_end() {
    let (_directory, _path, store) = new_store();
    let claim = Claim { resend: LIST, index: 2, key: AddressKey(8), by: crate::domain::ClientTag(7) };
    let mark = |call| Write::Mark { call, at: Timestamp(10), claims: vec![claim] };

    send(&store, 1, false, vec![mark(1), mark(2), mark(3)]).await;
    let refusal = Arc::new(Refusal { code: "bad".to_owned(), detail: None });
    let ends = [(1, CallEnd::Sent), (3, CallEnd::Rejected(refusal))];
    let ends = ends.map(|(call, end)| Write::Ended { call, at: Timestamp(20), end });
    send(&store, 2, false, ends.to_vec()).await;

    let calls = store.read(|db| read::calls_after(db, 0, 10)).await.unwrap();
    let told: Vec<_> =
        calls.iter().map(|call| (call.id, call.verdict.as_deref(), call.code.as_deref())).collect();
    assert_eq!(told, [(1, Some("sent"), None), (2, None, None), (3, Some("rejected"), Some("bad"))]);
    assert_eq!(calls[1].claims, [claim]);
    send(&store, 3, false, vec![Write::EraseCalls { before: 3, ended: Timestamp(20) }]).await;
    assert_eq!(store.read(|db| read::calls_after(db, 0, 10)).await.unwrap().len(), 3, "it ended later");
    send(&store, 4, false, vec![Write::EraseCalls { before: 3, ended: Timestamp(21) }]).await;
    let calls = store.read(|db| read::calls_after(db, 0, 10)).await.unwrap();
    assert_eq!(calls.iter().map(|call| call.id).collect::<Vec<_>>(), [2, 3], "one without an end is kept");
    assert_eq!(store.read(read::last_call).await.unwrap(), 3);
}

#[tokio::test]
async fn erasing_goes_in_parts_and_leaves_nothing() {
    let (directory, _path, store) = new_store();
    let mut writes = vec![Write::Resend(Box::new(resend_row(LIST)))];
    writes.extend((0..40).map(|number| rows(number, number, &["zebra@x.example"])));
    // Some of them are written again.
    writes.extend((0..5).map(|number| rows(number, number, &["zebra@x.example"])));
    writes.push(Write::Idempotency(Box::new(IdempotencyRow {
        client: ClientName::anonymous(),
        key: [1; 16],
        body: [2; 16],
        force: true,
        resend: LIST,
    })));
    store.write(Batch { writes, ..Batch::default() }).await.unwrap();
    let anonymous = ClientName::anonymous;
    assert!(store.read(move |db| read::idempotency(db, &anonymous(), [1; 16])).await.unwrap().is_some());

    let mut parts = 1;
    while store.write(Batch { writes: vec![Write::Erase(LIST)], ..Batch::default() }).await.unwrap() {
        parts += 1;
    }

    assert_eq!(parts, 3);
    let ends = |db: &Connection| db.query_row("SELECT count(*) FROM ends", [], |row| row.get::<_, i64>(0));
    assert_eq!(store.read(ends).await.unwrap(), 0);
    assert_eq!(store.read(|db| read::resend(db, LIST)).await.unwrap(), None);
    assert!(store.read(move |db| read::idempotency(db, &anonymous(), [1; 16])).await.unwrap().is_none());
    let log = directory.path().join("gateway.db-wal");
    while fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let left = fs::read(directory.path().join("gateway.db")).unwrap();
    assert!(!left.windows(5).any(|bytes| bytes == b"zebra"), "it is still in the file");
}

#[tokio::test]
async fn a_backup_beside_the_log_of_the_file_before_is_refused_untouched() {
    let (directory, path, store) = new_store();
    send(&store, 1, true, vec![Write::Fact("pace", Some("1".to_owned()))]).await;
    let [log, left, backup] = ["gateway.db-wal", "left", "backup.db"].map(|name| directory.path().join(name));
    let words = format!("VACUUM INTO '{}'", backup.display());
    Connection::open(&path).unwrap().execute_batch(&words).unwrap();
    send(&store, 2, true, vec![Write::Fact("pace", Some("2".to_owned()))]).await;
    // What a kill leaves.
    fs::copy(&log, &left).unwrap();
    drop(store);
    fs::copy(&backup, &path).unwrap();
    fs::copy(&left, &log).unwrap();

    let error = open(&path).err().unwrap();

    assert!(matches!(error, OpenError::StrangeLog { .. }), "{error}");
    assert_eq!(
        (fs::read(&path).unwrap(), fs::read(&log).unwrap()),
        (fs::read(&backup).unwrap(), fs::read(left).unwrap())
    );
    fs::remove_file(log).unwrap();
    let store = open(&path).unwrap();
    assert_eq!(store.read(|db| read::fact(db, "pace")).await.unwrap().as_deref(), Some("1"));
}

#[tokio::test]
async fn what_is_no_store_of_this_version_is_refused_untouched() {
    let (directory, path, store) = new_store();
    assert!(matches!(open(&path), Err(OpenError::InUse { .. })));
    drop(store);

    Connection::open(&path).unwrap().pragma_update(None, "user_version", schema::LATEST + 1).unwrap();
    let error = open(&path).err().unwrap();
    assert!(error.to_string().contains("written by a later version"), "{error}");

    fs::write(&path, "this is no database, but a text that somebody put here by mistake").unwrap();
    let error = open(&path).err().unwrap();
    assert!(matches!(error, OpenError::Damaged { .. }), "{error}");

    fs::remove_file(&path).unwrap();
    fs::remove_file(directory.path().join("gateway.db.key")).unwrap();
    assert!(open(&path).is_ok());
    assert!(matches!(open(Path::new("/proc/nowhere/gateway.db")), Err(OpenError::Io { .. })));
}
