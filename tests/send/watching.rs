//! A resend under way: what is shown, leaving it, looking at it, cancelling it.

use std::{io::Write as _, time::Duration};

use faxplus_gateway::sandbox::SandboxOptions;
use serde_json::Value;

use crate::stage::{Stage, assert_printed, assert_told, eventually, id_in};

#[actix_web::test]
async fn whoever_leaves_is_told_that_the_work_goes_on_and_how_to_come_back() {
    for signal in ["INT", "TERM"] {
        let stage = Stage::slow().await;
        let list = stage.list("a", 30);
        let mut command = stage.start_command(&["send", &list, "--url", &stage.url()]);
        let id = id_in(&command.line("Accepted: 30 addresses").await);
        stage.until_accepted(10).await;

        command.signal(signal);
        let ended = command.end().await;

        let look = format!("faxplus-gateway status {id} --url {}", stage.url());
        let stop = format!("faxplus-gateway cancel {id} --url {}", stage.url());
        assert_told(&ended, 1, &["the work goes on", &look, &stop]);
        assert_eq!(ended.stdout, "");
        stage.until_accepted(30).await;
        stage.end().await;
    }
}

#[actix_web::test]
async fn whoever_leaves_in_the_middle_of_the_list_sends_nothing() {
    let stage = Stage::start().await;
    let (command, mut pipe) = stage.start_with_open_input(&["send", "-"]);
    pipe.write_all("a@example.com\n".repeat(10_000).as_bytes()).unwrap();
    eventually(async || stage.bodies_in_flight().await.then_some(())).await;

    command.signal("INT");
    let ended = command.end().await;

    assert_told(&ended, 1, &["stopped before the gateway had the whole list: nothing was sent"]);
    drop(pipe);
    let listed = stage.run(&["status"]).await;
    assert_printed(&listed, 0, &["No resends."]);
    stage.end().await;
}

#[actix_web::test]
async fn a_hold_is_shown_in_plain_words_until_it_is_over() {
    let stage = Stage::start().await;
    stage.throttle("2");
    let list = stage.list("a", 12);
    let mut command = stage.start_command(&["send", &list]);

    let line = command.line("held: ").await;
    stage.sandbox.set_faults(Vec::new());
    let ended = command.end().await;

    assert!(
        line.starts_with("0 of 12, held: 12 addresses are safe; fax.plus asks for fewer calls"),
        "{line}"
    );
    assert_printed(&ended, 0, &["12  sent"]);
    stage.end().await;
}

#[actix_web::test]
async fn a_long_resend_is_told_now_and_then() {
    let options = SandboxOptions { latency: Duration::from_millis(100), ..SandboxOptions::default() };
    let stage = Stage::with(options, &[("FAXPLUS_GATEWAY__UPSTREAM__MAX_CALLS_PER_SECOND", "1")]).await;
    let list = stage.list("a", 130);

    let ended = stage.run(&["send", &list]).await;

    assert_printed(&ended, 0, &["130  sent"]);
    let told: Vec<_> = ended.stderr.lines().filter(|line| line.contains(" of 130, about ")).collect();
    assert_eq!(told.len(), 1, "{}", ended.stderr);
    stage.end().await;
}

#[actix_web::test]
async fn a_resend_can_be_looked_at_and_cancelled() {
    let stage = Stage::holding().await;
    let list = stage.file("list.txt", "a@example.com\nb@example.com\nnobody\n");
    let mut command = stage.start_command(&["send", &list]);
    let id = id_in(&command.line("Accepted: 3 addresses").await);
    command.line("held: ").await;

    let one = stage.run(&["status", &id]).await;
    let listed = stage.run(&["status"]).await;
    let cancelled = stage.run(&["cancel", &id]).await;
    let again = stage.run(&["cancel", &id]).await;
    let after = stage.run(&["status", &id]).await;
    let sent = command.end().await;

    assert_printed(
        &one,
        0,
        &[&id, "running", "by anonymous", "2 addresses are safe", "throttled", "1  invalid", "2  pending"],
    );
    let row = listed.stdout.lines().find(|line| line.starts_with(&id)).unwrap();
    assert!(
        row.ends_with("running             3           0           1           2  held: throttled"),
        "{row}"
    );
    assert_printed(&cancelled, 0, &["cancelled", "2  not_sent"]);
    assert_eq!((again.code, after.code), (Some(0), Some(0)));
    assert!(after.stdout.contains("cancelled") && !after.stdout.contains("on hold"), "{}", after.stdout);
    assert_printed(&sent, 1, &["cancelled: 3 addresses", "not_sent   cancelled", "send the same list again"]);
    stage.end().await;
}

#[actix_web::test]
async fn status_lists_the_newest_first_and_shows_raw_answers() {
    let stage = Stage::start().await;
    let none = stage.run(&["status"]).await;
    let mut ids = Vec::new();
    for number in 0..22 {
        let list = stage.list(&format!("list{number}n"), 1);
        let ended = stage.run(&["send", &list]).await;
        ids.insert(0, id_in(ended.stderr.lines().next().unwrap()));
    }

    let listed = stage.run(&["status"]).await;
    let raw = stage.run(&["status", "--json"]).await;
    let raw_one = stage.run(&["status", &ids[0], "--json"]).await;

    assert_printed(&none, 0, &["No resends."]);
    assert_printed(&listed, 0, &["... and older ones"]);
    let shown: Vec<_> = listed.stdout.lines().skip(1).take(20).map(|line| line[..36].to_owned()).collect();
    assert_eq!(shown, ids[..20]);
    let raw: Value = serde_json::from_str(&raw.stdout).unwrap();
    assert_eq!(raw["resends"].as_array().unwrap().len(), 20);
    let raw_one: Value = serde_json::from_str(&raw_one.stdout).unwrap();
    assert_eq!((raw_one["id"].as_str(), raw_one["status"].as_str()), (Some(&*ids[0]), Some("finished")));
    stage.end().await;
}

#[actix_web::test]
async fn a_resend_that_nobody_knows_is_told_with_what_to_do() {
    let stage = Stage::start().await;
    let id = "0198c9f2-0000-7000-8000-000000000000";

    for command in ["status", "cancel"] {
        let ended = stage.run(&[command, id]).await;

        assert_told(&ended, 1, &["No such resend (status 404)", "faxplus-gateway status` lists"]);
        assert_eq!(ended.stdout, "");
    }
    stage.end().await;
}
