//! The end of dispatch: what was let in before it began has its outcome before it is over.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use faxplus_gateway::{
    config::{LoadOptions, Settings},
    dispatch::{Dispatch, Refused},
    domain::{ClientName, OutcomeKind, ResendId, Status},
    intake::{BodyReader, Encoding, Format, KeyHasher, ListBuilder},
    outbound::install_crypto_provider,
    sandbox::{Sandbox, SandboxOptions},
    store::{Record, Registry},
    telemetry::{Metrics, metrics::BuildInfo},
};
use tokio::time::{Instant, timeout};

use crate::gateway::PATIENCE;

fn record() -> Arc<Record> {
    let list = ListBuilder::new(KeyHasher::new([7; 16], true), 0);
    let mut reader = BodyReader::new(Format::Json, Encoding::Identity, None, list);
    reader.feed(br#"["a@example.com"]"#).unwrap();
    let list = reader.finish().unwrap().finish();
    Arc::new(Record::new(ResendId(1), ClientName::anonymous(), false, list))
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
    Dispatch::start(&settings, settings.credentials.choice().unwrap(), registry, metrics).unwrap()
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
    thread.join().unwrap();
    assert_eq!(sandbox.ledger().len(), 1);
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
