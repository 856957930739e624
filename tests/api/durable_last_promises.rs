//! Promises that are asked for when a gateway with a file ends: kept as they are told.

use std::time::Duration;

use faxplus_gateway::sandbox::SandboxOptions;

use crate::{
    durable_shutdown::{begin_post, place, until_active},
    gateway::{Gateway, addresses, eventually},
};

#[actix_web::test]
async fn a_202_at_the_end_is_told_once_it_is_written_and_a_disk_that_works_too_late_keeps_none() {
    let (_directory, path) = place();
    let settings = [
        ("store.path", path.as_str()),
        ("upstream.max_calls_per_second", "5"),
        ("server.drain_timeout_seconds", "1"),
    ];
    // No call is in flight when nothing more is drawn.
    let mut gateway = Gateway::with(SandboxOptions::default(), &settings).await;
    let waited = addresses("w", 2000);
    let mut caller = begin_post(&gateway, "", &waited).await;
    until_active(&gateway, 1.0).await;
    let database = rusqlite::Connection::open(&path).unwrap();
    database.busy_timeout(Duration::from_secs(60)).unwrap();
    let no_promise = "CREATE TRIGGER no_promise BEFORE INSERT ON resends WHEN NEW.promised \
                      BEGIN SELECT raise(ABORT, 'no'); END";
    database.execute_batch(no_promise).unwrap();

    gateway.begin_stop();
    let told = caller.answer().await.unwrap();
    database.execute_batch("DROP TRIGGER no_promise").unwrap();
    drop(database);

    assert_eq!(told.status.as_u16(), 207, "{told:?}");
    let outcomes = told.outcomes();
    gateway.end().await;
    let gateway = gateway.restart(&[]).await;
    let marker = addresses("m", 1);
    assert_eq!(gateway.post("", &marker).await.words(), ["sent"]);
    eventually(async || (gateway.metric("faxplus_gateway_resends_active").await == 0.0).then_some(())).await;
    let ledger = gateway.sandbox.ledger();
    for (email, outcome) in outcomes {
        let accepted = ledger.get(&email).copied().unwrap_or(0);
        assert_eq!(accepted, u64::from(outcome == "sent"), "{email}: {outcome}");
    }
    gateway.stop().await;
}
