//! Dispatch by its handle: look-ups beside others, and the end: what was let in before it began has its
//! outcome before it is over.

use std::{cell::Cell, collections::BTreeMap, sync::Arc, time::Duration};

use faxplus_gateway::{
    config::{LoadOptions, Settings},
    dispatch::{Dispatch, Ended, Refused, Seen},
    domain::{AddressKey, ClientName, OutcomeKind, ResendId, Status, TraceContext},
    intake::{BodyReader, Encoding, Format, KeyHasher, ListBuilder},
    outbound::install_crypto_provider,
    sandbox::{Sandbox, SandboxOptions},
    store::{Record, Registry},
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
    Arc::new(Record::new(ResendId(1), ClientName::anonymous(), false, TraceContext::new(1), list))
}

fn dispatch(sandbox: &Sandbox) -> (Dispatch, std::thread::JoinHandle<()>) {
    install_crypto_provider();
    let overrides = BTreeMap::from(
        [("upstream.base_url", sandbox.base_url()), ("credentials.token", "token".to_owned())]
            .map(|(key, value)| (key.to_owned(), value)),
    );
    let settings = Settings::load(&LoadOptions { overrides, ..LoadOptions::default() }).unwrap();
    let metrics = Metrics::new(BuildInfo::current(), &[ClientName::anonymous()], &[]).unwrap();
    let registry = Arc::new(Registry::new(1 << 20, Duration::from_secs(60)));
    Dispatch::start(&settings, settings.credentials.choice().unwrap(), registry, metrics, None).unwrap()
}

#[actix_web::test]
async fn a_list_let_in_just_before_the_end_is_not_forgotten() {
    let sandbox = Sandbox::start(([127, 0, 0, 1], 0).into(), SandboxOptions::default()).await.unwrap();
    let (dispatch, thread) = dispatch(&sandbox);
    let record = record();

    let reservation = dispatch.reserve(1).await.unwrap_or_else(|refused| panic!("{refused}"));
    let later = Instant::now() + PATIENCE;
    dispatch.drain(later, later).await;
    Dispatch::submit(Arc::clone(&record), reservation);

    timeout(PATIENCE, record.finished()).await.expect("it was forgotten");
    let snapshot = record.snapshot();
    assert_eq!((snapshot.status, snapshot.counts.of(OutcomeKind::Sent)), (Status::Finished, 1));
    assert!(matches!(dispatch.reserve(1).await, Err(Refused::ShuttingDown)));
    assert_eq!(dispatch.look_up(&[AddressKey(1)], Instant::now(), false).await, Err(Ended));
    thread.join().unwrap();
    assert_eq!(sandbox.ledger().len(), 1);
    sandbox.stop().await;
}

#[actix_web::test]
async fn many_look_ups_leave_room_for_others_in_between() {
    let sandbox = Sandbox::start(([127, 0, 0, 1], 0).into(), SandboxOptions::default()).await.unwrap();
    let (dispatch, _thread) = dispatch(&sandbox);
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
async fn dispatch_ends_when_nobody_is_left_to_ask_it() {
    let sandbox = Sandbox::start(([127, 0, 0, 1], 0).into(), SandboxOptions::default()).await.unwrap();
    let (dispatch, thread) = dispatch(&sandbox);

    drop(dispatch);

    let ended = actix_web::rt::task::spawn_blocking(|| thread.join());
    timeout(PATIENCE, ended).await.expect("it runs on").unwrap().unwrap();
    sandbox.stop().await;
}
