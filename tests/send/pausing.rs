//! Pausing and resuming from the command line.

use serde_json::Value;

use crate::stage::{Stage, assert_printed, assert_told, id_in};

#[actix_web::test]
async fn a_pause_holds_a_list_until_it_is_resumed_and_status_tells_of_it_first() {
    let stage = Stage::start().await;
    let resume = format!("faxplus-gateway resume --url {}`", stage.url());

    let paused = stage.run(&["pause", "--note", " zebras until noon "]).await;
    let list = stage.list("a", 12);
    let mut command = stage.start_command(&["send", &list]);
    let id = id_in(&command.line("Accepted: 12 addresses").await);
    let held = command.line("held: ").await;
    let listed = stage.run(&["status"]).await;
    let one = stage.run(&["status", &id]).await;
    let again = stage.run(&["pause"]).await;
    let resumed = stage.run(&["resume"]).await;
    let sent = command.end().await;
    let after = stage.run(&["status"]).await;

    assert_printed(&paused, 0, &["Paused since 2", &resume, "note       zebras until noon\n"]);
    assert_printed(&paused, 0, &["in flight  0 calls", "not done   0 addresses of 0 resends"]);
    assert!(held.contains("12 addresses are safe; an operator paused the gateway (\"zebras until"), "{held}");
    let since = |text: &str| text.lines().next().unwrap().to_owned();
    assert!(listed.stdout.starts_with(&since(&paused.stdout)), "{}", listed.stdout);
    assert_printed(&listed, 0, &["  note       zebras until noon\n\nresend ", "held: paused"]);
    assert_printed(&one, 0, &["on hold    12 addresses are safe; an operator paused", "reason paused"]);
    assert_eq!(since(&again.stdout), since(&paused.stdout), "it began when it began");
    assert_printed(&again, 0, &["zebras until noon", "not done   12 addresses of 1 resend\n"]);
    assert_printed(&resumed, 0, &["Not paused: the gateway sends.\n"]);
    assert_printed(&sent, 0, &["12  sent"]);
    assert!(after.stdout.starts_with("resend "), "{}", after.stdout);
    let log = stage.end_with_log().await;
    let lines = ["\"Paused by an operator.\"", "\"Resumed by an operator.\""];
    assert!(lines.iter().all(|line| log.matches(line).count() == 1), "{log}");
    assert!(!log.contains("zebras"), "the note is for callers, not for logs: {log}");
}

#[actix_web::test]
async fn a_note_can_be_taken_away_and_raw_answers_are_printed() {
    let stage = Stage::start().await;
    stage.run(&["pause", "--note", "first"]).await;

    let paused = stage.run(&["pause", "--note", "", "--json"]).await;
    let resumed = stage.run(&["resume", "--json"]).await;
    let again = stage.run(&["resume"]).await;

    let paused: Value = serde_json::from_str(&paused.stdout).unwrap();
    assert_eq!((&paused["paused"], &paused["note"]), (&Value::Bool(true), &Value::Null));
    let resumed: Value = serde_json::from_str(&resumed.stdout).unwrap();
    assert_eq!(resumed["paused"], false);
    assert_printed(&again, 0, &["Not paused"]);
    stage.end().await;
}

#[actix_web::test]
async fn a_note_that_cannot_be_taken_is_wrong_usage() {
    let stage = Stage::start().await;
    let long = "n".repeat(501);

    for (note, why) in [("two\nlines", "control character"), (long.as_str(), "more than 500 characters")] {
        let ended = stage.run(&["pause", "--note", note]).await;

        assert_told(&ended, 2, &["--note", why]);
    }
    let standing = stage.run(&["resume", "--json"]).await;
    assert!(standing.stdout.contains("\"paused\":false"), "{standing:?}");
    stage.end().await;
}

#[actix_web::test]
async fn where_nobody_is_there_the_commands_say_so() {
    for command in ["pause", "resume"] {
        let ended = crate::process::Process::run(&[command, "--url", "http://127.0.0.1:1"], &[]).await;

        assert_told(&ended, 1, &["no gateway can be reached at http://127.0.0.1:1"]);
    }
}

#[actix_web::test]
async fn a_gateway_that_everybody_reaches_takes_no_orders_and_still_lists_its_resends() {
    let open = [
        ("FAXPLUS_GATEWAY__SERVER__LISTEN", "0.0.0.0:0"),
        ("FAXPLUS_GATEWAY__AUTH__ALLOW_ANONYMOUS", "true"),
    ];
    let stage = Stage::with(faxplus_gateway::sandbox::SandboxOptions::default(), &open).await;

    for command in ["pause", "resume"] {
        let ended = stage.run(&[command]).await;

        assert_told(&ended, 1, &["Not allowed (status 403)", "next: do it where the gateway listens on"]);
    }
    assert_printed(&stage.run(&["status"]).await, 0, &["No resends."]);
    stage.end().await;
}
