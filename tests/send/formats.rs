//! Every form of a list, from files and from standard input.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};

use crate::stage::{Stage, assert_printed, assert_told};

fn gzipped(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[actix_web::test]
async fn a_file_is_what_its_name_says() {
    let stage = Stage::start().await;

    for (name, content) in [
        ("one.json", br#"["one@example.com", "One@example.com"]"#.to_vec()),
        ("two.JSON", br#"{"emails": ["two@example.com"]}"#.to_vec()),
        ("three.ndjson", b"{\"email\": \"three@example.com\"}\n".to_vec()),
        ("four.jsonl", b"\"four@example.com\"\n".to_vec()),
        ("five.csv", b"name,email\nFive,five@example.com\n".to_vec()),
        ("six.txt", b"six@example.com\n\n".to_vec()),
        ("seven", b"seven@example.com".to_vec()),
        ("eight.csv.gz", gzipped("email\neight@example.com\n")),
        ("nine.txt", gzipped("nine@example.com\n")),
    ] {
        let path = stage.file(name, content);

        let ended = stage.run(&["send", &path]).await;

        assert_printed(&ended, 0, &["finished: ", "1  sent", "1 upstream call\n"]);
        let email = format!("{}@example.com", name.split('.').next().unwrap());
        assert_eq!(stage.accepted(&email), 1, "{name}");
    }
    stage.end().await;
}

#[actix_web::test]
async fn what_a_name_does_not_say_the_option_does() {
    let stage = Stage::start().await;
    let path = stage.file("list.data", "{\"email\": \"a@example.com\"}\n{\"email\": \"b@example.com\"}\n");

    let mistaken = stage.run(&["send", &path]).await;
    let told = stage.run(&["send", &path, "--input-format", "ndjson"]).await;

    assert_told(&mistaken, 1, &["looks like JSON", "say --input-format"]);
    assert_printed(&told, 0, &["2  sent"]);
    stage.end().await;
}

#[actix_web::test]
async fn standard_input_is_recognised() {
    let stage = Stage::start().await;

    for (name, input, format) in [
        ("a", br#" ["a@example.com"]"#.to_vec(), None),
        ("b", br#"{"emails": ["b@example.com"]}"#.to_vec(), None),
        ("c", b"{\"email\": \"c@example.com\"}\n".to_vec(), None),
        ("d", b"\"d@example.com\"\n".to_vec(), None),
        ("e", b"e@example.com\n".to_vec(), None),
        ("f", gzipped(r#"["f@example.com"]"#), None),
        ("h", "\u{feff}[\"h@example.com\"]".into(), None),
        ("g", b"id,email\n7,g@example.com\n".to_vec(), Some("csv")),
    ] {
        let mut arguments = vec!["send", "-"];
        arguments.extend(format.iter().flat_map(|format| ["--input-format", *format]));

        let ended = stage.run_with_input(&arguments, input).await;

        assert_printed(&ended, 0, &["1  sent"]);
        assert_eq!(stage.accepted(&format!("{name}@example.com")), 1, "{name}");
    }
    stage.end().await;
}

#[actix_web::test]
async fn a_file_that_is_no_list_is_refused_with_what_it_is_and_what_to_do() {
    let stage = Stage::start().await;

    for (name, content, word) in [
        ("list.xlsx", b"PK\x03\x04\x14\0\x06\0".to_vec(), "save the sheet as CSV"),
        ("list.csv", b"\"email\";\"name\"\r\n".to_vec(), "semicolons"),
        ("list.tsv", b"email\tname\n".to_vec(), "tabs"),
        ("list.txt", "ann@example.com".encode_utf16().flat_map(u16::to_le_bytes).collect(), "UTF-16"),
        ("list.json", b"['ann@example.com']".to_vec(), "double quotes"),
    ] {
        let ended = stage.run(&["send", &stage.file(name, content)]).await;

        assert_told(&ended, 1, &["The body is malformed (status 400)", word, "nothing was sent", "next: "]);
    }
    let pair = stage.file("pair.txt", "a@example.com; b@example.com\n");
    assert_printed(&stage.run(&["send", &pair]).await, 1, &["1  invalid", "several addresses stand here"]);
    assert_eq!(stage.sandbox.stats().calls, 0);
    stage.end().await;
}

#[actix_web::test]
async fn a_long_list_goes_out_whole() {
    let stage = Stage::start().await;
    let path = stage.list("long", 30_000);

    let ended = stage.run(&["send", &path]).await;

    assert_printed(&ended, 0, &["30,000 addresses", "30,000  sent"]);
    assert_eq!(stage.sandbox.ledger().len(), 30_000);
    stage.end().await;
}
