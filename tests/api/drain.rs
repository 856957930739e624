//! Dispatch by its handle: a pause from before the start, look-ups beside others, and the end: what was let in before it began has its
//! outcome before it is over.

use std::{cell::Cell, collections::BTreeMap, sync::Arc, time::Duration};

use faxplus_gateway::{
    config::{LoadOptions, Settings},
    dispatch::{Dispatch, Ended, Refused, Seen},
    domain::{
        AddressKey, ClientName, OutcomeKind, PauseNote, Paused, ResendId, Status, Timestamp, TraceContext,
    },
    intake::{BodyReader, Encoding, Format, KeyHasher, ListBuilder},
    outbound::install_crypto_provider,
    sandbox::{Sandbox, SandboxOptions},
    store::{Body, Record, Registry},
    telemetry::{Metrics, metrics::BuildInfo},
};
use futures_util::future::join;
use tokio::time::{Instant, timeout};

use crate::gateway::PATIENCE;

fn record() -> Arc<Record> {
    let list = ListBuilder::new(KeyHasher::new([7; 16], true), 0);
    let mut reader = BodyReader::new(Format::Json, Encoding::Identity, None, list);
    reader.feed(br#"["a@example.com"]"#).unwrap();
    let list = reader.finish().unwrap().finish();
    Arc::new(Record::new(
        ResendId(1),
        ClientName::anonymous(),
        false,
        TraceContext::new(1),
        Body::Resident(list),
    ))
}

fn dispatch(sandbox: &Sandbox, paused: Option<Paused>) -> (Dispatch, std::thread::JoinHandle<()>) {
    install_crypto_provider();
    let overrides = BTreeMap::from(
        [("upstream.base_url", sandbox.base_url()), ("credentials.token", "token".to_owned())]
            .map(|(key, value)| (key.to_owned(), value)),
    );
    let settings = Settings::load(&LoadOptions { overrides, ..LoadOptions::default() }).unwrap();
    let metrics = Metrics::new(BuildInfo::current(), &[ClientName::anonymous()], &[]).unwrap();
    let registry = Arc::new(Registry::new(1 << 20, Duration::from_secs(60)));
    Dispatch::start(&settings, settings.credentials.choice().unwrap(), registry, None, metrics, None, paused)
        .unwrap()
}

#[actix_web::test]
async fn a_list_let_in_just_before_the_end_is_not_forgotten() {
    let sandbox = Sandbox::start(([127, 0, 0, 1], 0).into(), SandboxOptions::default()).await.unwrap();
    let (dispatch, thread) = dispatch(&sandbox, None);
    let record = record();

    let reservation = dispatch
        .reserve(1, &ClientName::anonymous(), None)
        .await
        .unwrap_or_else(|refused| panic!("{refused}"));
    let later = Instant::now() + PATIENCE;
    dispatch.drain(later, later).await;
    Dispatch::submit(Arc::clone(&record), reservation);

    timeout(PATIENCE, record.finished()).await.expect("it was forgotten");
    let snapshot = record.snapshot();
    assert_eq!((snapshot.status, snapshot.counts.of(OutcomeKind::Sent)), (Status::Finished, 1));
    assert!(matches!(dispatch.reserve(1, &ClientName::anonymous(), None).await, Err(Refused::ShuttingDown)));
    assert_eq!(dispatch.look_up(&[AddressKey(1)], Instant::now(), false).await, Err(Ended));
    thread.join().unwrap();
    assert_eq!(sandbox.ledger().len(), 1);
    sandbox.stop().await;
}

#[actix_web::test]
async fn many_look_ups_leave_room_for_others_in_between() {
    let sandbox = Sandbox::start(([127, 0, 0, 1], 0).into(), SandboxOptions::default()).await.unwrap();
    let (dispatch, _thread) = dispatch(&sandbox, None);
    let (keys, done) = ((0..100_000).map(AddressKey).collect::<Vec<_>>(), Cell::new(false));

    let many = async {
        let seen = dispatch.look_up(&keys, Instant::now(), false).await.unwrap();
        done.set(true);
        seen
    };
    let others = async {
        let mut answered = 0;
        while !done.get() {
            dispatch.look_up(&keys[..1], Instant::now(), false).await.unwrap();
            answered += 1;
        }
        answered
    };
    let (seen, answered) = join(many, others).await;

    assert_eq!(seen, vec![Seen::Fresh; 100_000]);
    assert!(answered >= 50, "{answered} others were answered meanwhile");
    sandbox.stop().await;
}

#[actix_web::test]
async fn a_pause_from_before_the_start_stands_from_the_first_moment_until_it_is_resumed() {
    let sandbox = Sandbox::start(([127, 0, 0, 1], 0).into(), SandboxOptions::default()).await.unwrap();
    let an_hour_ago = Timestamp(Timestamp::now().0 - 3_600_000);
    let left = Paused { since: an_hour_ago, note: PauseNote::parse("until noon").unwrap() };

    let (dispatch, thread) = dispatch(&sandbox, Some(left.clone()));
    let first = dispatch.view();
    let record = record();
    Dispatch::submit(
        Arc::clone(&record),
        dispatch.reserve(1, &ClientName::anonymous(), None).await.unwrap_or_else(|error| panic!("{error}")),
    );
    let again = dispatch.pause(&ClientName::anonymous(), None).await.unwrap();

    for view in [first, again] {
        assert_eq!((view.paused.as_ref(), view.holds[0].since), (Some(&left), an_hour_ago));
        assert!(view.holds[0].detail.contains("until noon"), "{}", view.holds[0].detail);
    }
    assert_eq!((sandbox.stats().calls, record.snapshot().counts.pending()), (0, 1));
    assert_eq!(dispatch.resume(&ClientName::anonymous()).await.unwrap().paused, None);
    timeout(PATIENCE, record.finished()).await.expect("it does not go on");
    let now = Instant::now() + PATIENCE;
    dispatch.drain(now, now).await;
    thread.join().unwrap();
    assert_eq!(dispatch.pause(&ClientName::anonymous(), None).await.map(|_| ()), Err(Ended));
    sandbox.stop().await;
}

#[actix_web::test]
async fn dispatch_ends_when_nobody_is_left_to_ask_it() {
    let sandbox = Sandbox::start(([127, 0, 0, 1], 0).into(), SandboxOptions::default()).await.unwrap();
    let (dispatch, thread) = dispatch(&sandbox, None);

    drop(dispatch);

    let ended = actix_web::rt::task::spawn_blocking(|| thread.join());
    timeout(PATIENCE, ended).await.expect("it runs on").unwrap().unwrap();
    sandbox.stop().await;
}
