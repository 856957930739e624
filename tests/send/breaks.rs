//! Connections that break: the work goes on, and so does the command.

use std::fs;

use crate::{
    port::reserved,
    proxy::{Break, Proxy},
    stage::{Stage, assert_printed, assert_told, eventually},
};

#[actix_web::test]
async fn watching_goes_on_after_a_broken_connection() {
    let stage = Stage::slow().await;
    let list = stage.list("a", 80);
    let what = Break { path: "/events", after_bytes: 700, times: 2 };
    let proxy = Proxy::start(stage.address, what).await;

    let ended = stage.run(&["send", &list, "--url", &proxy.url()]).await;

    assert_eq!(proxy.broken(), 2);
    assert_printed(&ended, 0, &["80  sent"]);
    assert_told(&ended, 0, &["Lost the gateway", "the work goes on there", "Connected again."]);
    assert!(ended.stderr.matches("Lost the gateway").count() <= 2, "{}", ended.stderr);
    assert_eq!(stage.sandbox.ledger().len(), 80);
    assert!(stage.sandbox.ledger().values().all(|times| *times == 1));
    stage.end().await;
}

#[actix_web::test]
async fn a_gateway_that_is_away_for_several_attempts_is_told_once() {
    let stage = Stage::slow().await;
    let list = stage.list("a", 60);
    let what = Break { path: "/events", after_bytes: 0, times: 3 };
    let proxy = Proxy::start(stage.address, what).await;

    let ended = stage.run(&["send", &list, "--url", &proxy.url()]).await;

    assert_eq!(proxy.broken(), 3);
    assert_printed(&ended, 0, &["60  sent"]);
    assert_eq!(ended.stderr.matches("Lost the gateway").count(), 1, "{}", ended.stderr);
    stage.end().await;
}

#[actix_web::test]
async fn results_that_break_off_are_read_on_without_a_gap_or_a_repeat() {
    let stage = Stage::start().await;
    let list = stage.list("a", 5000);
    let results = stage.path("results.ndjson");
    let what = Break { path: "/results", after_bytes: 100_000, times: 2 };
    let proxy = Proxy::start(stage.address, what).await;

    let ended = stage.run(&["send", &list, "--url", &proxy.url(), "--output", &results]).await;

    assert_eq!((ended.code, proxy.broken()), (Some(0), 2), "{ended:?}");
    let written = fs::read_to_string(results).unwrap();
    let indices: Vec<u64> = written
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["index"].as_u64().unwrap())
        .collect();
    assert_eq!(indices, (0..5000).collect::<Vec<_>>());
    stage.end().await;
}

#[actix_web::test]
async fn a_post_without_an_answer_is_told_as_not_known() {
    let stage = Stage::start().await;
    let list = stage.list("a", 3);

    for (options, text) in [(&[][..], "safe inside the dedupe window"), (&["--force"], "mails people again")]
    {
        let what = Break { path: "POST /v1/resends", after_bytes: 0, times: 1 };
        let proxy = Proxy::start(stage.address, what).await;
        let url = proxy.url();
        let arguments = [&["send", &list, "--url", &url], options].concat();

        let ended = stage.run(&arguments).await;

        let look = format!("faxplus-gateway status --url {url}");
        assert_told(&ended, 1, &["not known whether it took the list", &look, text, "--idempotency-key "]);
        assert_eq!(ended.stdout, "");
    }
    eventually(async || (stage.accepted("a2@example.com") == 2).then_some(())).await;
    stage.end().await;
}

#[actix_web::test]
async fn a_gateway_that_forgot_the_resend_is_told_as_such() {
    let (_reserved, port) = reserved();
    let listen = [("FAXPLUS_GATEWAY__SERVER__LISTEN", &*port.to_string())];
    let before = Stage::with(Default::default(), &listen).await;
    before.throttle("60");
    let list = before.list("a", 3);
    let mut command = before.start_command(&["send", &list]);
    command.line("held: ").await;
    before.crash().await;
    let after = Stage::with(Default::default(), &listen).await;

    let ended = command.end().await;

    assert_told(&ended, 1, &["does not know this resend any more", "No such resend (status 404)"]);
    after.end().await;
}
