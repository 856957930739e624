//! What is printed, what is written, and the exit code.

use std::fs;

use serde_json::{Value, json};

use crate::stage::{Stage, assert_printed, assert_told};

const MIXED: &str = "ann@example.com\nAnn@example.com\nno, body\ngone@example.com\n";

/// Upstream refuses `gone@example.com`.
async fn refusing() -> Stage {
    let stage = Stage::start().await;
    stage.faults(json!([
        {"address": "gone@example.com", "fate": "status", "status": 404, "error": "not_found",
         "description": "it said \"no\""}
    ]));
    stage
}

fn rows(ndjson: &str) -> Vec<(u64, String, String)> {
    let row = |line: &str| {
        let row: Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| row[name].as_str().unwrap().to_owned();
        (row["index"].as_u64().unwrap(), text("email"), text("outcome"))
    };
    ndjson.lines().map(row).collect()
}

#[actix_web::test]
async fn only_sent_and_duplicate_are_a_success() {
    let stage = refusing().await;
    let (fine, mixed) = (stage.file("fine.txt", "ann@example.com\n"), stage.file("mixed.txt", MIXED));

    let first = stage.run(&["send", &fine]).await;
    let again = stage.run(&["send", &fine]).await;
    let forced = stage.run(&["send", &fine, "--force"]).await;
    let with_problems = stage.run(&["send", &mixed]).await;

    assert_printed(&first, 0, &["1  sent"]);
    assert_printed(&again, 0, &["1  duplicate"]);
    assert_printed(&forced, 0, &["1  sent"]);
    assert_eq!(stage.accepted("ann@example.com"), 2);
    assert_told(&with_problems, 1, &["Accepted: 4 addresses, resend "]);
    assert_printed(&with_problems, 1, &["2  duplicate", "1  invalid", "1  rejected"]);
    for line in [
        "        3  \"no, body\"        invalid    no_at_sign\n",
        "        4  gone@example.com  rejected   not_found: \"it said \\\"no\\\"\"\n",
    ] {
        assert!(with_problems.stdout.contains(line), "{}", with_problems.stdout);
    }
    stage.end().await;
}

#[actix_web::test]
async fn the_first_problems_are_listed_and_the_others_counted() {
    let stage = Stage::start().await;
    let lines: Vec<_> = (0..25).map(|number| format!("nobody{number}")).collect();
    let path = stage.file("list.txt", lines.join("\n"));

    let ended = stage.run(&["send", &path]).await;

    assert_printed(&ended, 1, &["25  invalid", "nobody19", "... and 5 more: use --output"]);
    assert!(!ended.stdout.contains("nobody20"), "{}", ended.stdout);
    stage.end().await;
}

#[actix_web::test]
async fn results_are_written_as_csv() {
    let stage = refusing().await;
    let (list, results) = (stage.file("mixed.txt", MIXED), stage.file("results.csv", "old".repeat(1000)));

    let ended = stage.run(&["send", &list, "--output", &results]).await;

    assert_printed(&ended, 1, &["1  sent"]);
    let written = fs::read_to_string(&results).unwrap();
    let lines: Vec<_> = written.split("\r\n").collect();
    assert_eq!(lines[0], "index,email,outcome,reason,detail,sent_at");
    assert_eq!(lines[1], "0,ann@example.com,sent,,,");
    assert!(lines[2].starts_with("1,Ann@example.com,duplicate,,,20"), "{written}");
    assert_eq!(lines[3], "2,\"no, body\",invalid,no_at_sign,,");
    assert_eq!(lines[4], "3,gone@example.com,rejected,not_found,\"it said \"\"no\"\"\",");
    assert_eq!(lines[5..], [""]);
    stage.end().await;
}

#[actix_web::test]
async fn results_are_written_as_ndjson() {
    let stage = refusing().await;
    let list = stage.file("mixed.txt", MIXED);
    let by_name = stage.path("results.ndjson");
    let by_format = stage.path("results.data");

    stage.run(&["send", &list, "--output", &by_name]).await;
    let ended = stage.run(&["send", &list, "--output", &by_format, "--format", "ndjson"]).await;

    assert_eq!(ended.code, Some(1), "{ended:?}");
    let expected = |outcomes: [&str; 4]| -> Vec<_> {
        let rows = MIXED.lines().zip(outcomes).enumerate();
        rows.map(|(index, (email, outcome))| (index as u64, email.to_owned(), outcome.to_owned())).collect()
    };
    let first = rows(&fs::read_to_string(by_name).unwrap());
    assert_eq!(first, expected(["sent", "duplicate", "invalid", "rejected"]));
    let second = rows(&fs::read_to_string(by_format).unwrap());
    assert_eq!(second, expected(["duplicate", "duplicate", "invalid", "rejected"]));
    stage.end().await;
}

#[actix_web::test]
async fn results_on_stdout_are_alone_there() {
    let stage = refusing().await;
    let list = stage.file("mixed.txt", MIXED);

    let ended = stage.run(&["send", &list, "--output", "-"]).await;

    assert_eq!(rows(&ended.stdout).len(), 4);
    assert_told(&ended, 1, &["1  sent", "gone@example.com"]);
    let csv = stage.run(&["send", &list, "--output", "-", "--format", "csv"]).await;
    assert!(csv.stdout.starts_with("index,email,") && csv.stdout.matches("\r\n").count() == 5, "{csv:?}");
    stage.end().await;
}

#[actix_web::test]
async fn an_output_that_cannot_be_written_mails_nobody() {
    let stage = Stage::start().await;
    let list = stage.list("a", 3);

    let ended = stage.run(&["send", &list, "--output", "/nowhere/results.csv"]).await;

    assert_told(&ended, 1, &["/nowhere/results.csv", "nothing was sent"]);
    assert_eq!(stage.sandbox.stats().calls, 0);
    stage.end().await;
}

#[actix_web::test]
async fn an_output_that_is_the_list_is_refused_and_leaves_the_list() {
    let stage = Stage::start().await;
    let list = stage.file("list.csv", "email,name\nann@example.com,Ann\n");
    let linked = stage.path("linked.csv");
    std::os::unix::fs::symlink(&list, &linked).unwrap();

    for output in [&list, &linked] {
        let ended = stage.run(&["send", &list, "--output", output]).await;

        assert_told(&ended, 2, &[output, "is the list itself", "nothing was sent"]);
    }
    assert_eq!(fs::read_to_string(&list).unwrap(), "email,name\nann@example.com,Ann\n");
    assert_eq!(stage.sandbox.stats().calls, 0);
    stage.end().await;
}

#[actix_web::test]
async fn results_that_cannot_be_written_take_nothing_from_the_summary_and_are_still_to_be_had() {
    let stage = Stage::start().await;
    let list = stage.list("a", 3);

    let ended = stage.run(&["send", &list, "--output", "/dev/full", "--format", "csv"]).await;

    assert_printed(&ended, 1, &["3  sent"]);
    let results = format!("GET {}/v1/resends/", stage.url());
    assert_told(&ended, 1, &["can't write the results: ", "the work is over", &results]);
    stage.end().await;
}
