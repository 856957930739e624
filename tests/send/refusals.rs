//! Lists that are refused, gateways that are not there, and dry runs.

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net,
};

use crate::{
    port::reserved,
    process::Process,
    proxy::{Break, Proxy},
    stage::{Stage, assert_printed, assert_told},
};

#[actix_web::test]
async fn a_refused_list_is_told_with_the_place_and_what_to_do() {
    let stage = Stage::start().await;
    let malformed = stage.file("list.json", r#"["ann@example.com", 7]"#);
    let empty = stage.file("empty.txt", "\n\n");
    let no_gzip = stage.file("list.txt.gz", "ann@example.com");

    for (path, texts) in [
        (&malformed, ["The body is malformed (status 400)", "element 1 is a number", "next: mend the list"]),
        (&empty, ["The list is empty (status 422)", "the list is empty", "next: nothing to do"]),
        (&no_gzip, ["no whole gzip stream (status 400)", "nothing was sent", "next: mend"]),
    ] {
        let ended = stage.run(&["send", path]).await;

        assert_told(&ended, 1, &texts);
        assert_eq!(ended.stdout, "");
    }
    assert_eq!(stage.sandbox.stats().calls, 0);
    stage.end().await;
}

#[actix_web::test]
async fn a_list_that_is_all_wrong_is_no_refusal_but_a_result() {
    let stage = Stage::start().await;
    let list = stage.file("list.txt", "nobody\nno one\n");

    let ended = stage.run(&["send", &list]).await;

    assert_printed(&ended, 1, &["2  invalid", "\"no one\""]);
    stage.end().await;
}

#[actix_web::test]
async fn a_long_list_that_is_refused_at_its_beginning_is_told_why() {
    let stage = Stage::start().await;
    let list = format!("[7, {}\"end@example.com\"]", "\"ann@example.com\", ".repeat(200_000));
    let path = stage.file("list.json", list);

    let ended = stage.run(&["send", &path]).await;

    assert_told(&ended, 1, &["The body is malformed (status 400)", "element 0 is a number"]);
    stage.end().await;
}

#[actix_web::test]
async fn a_list_that_cannot_be_read_is_told_before_anything_is_asked() {
    for (path, text) in [("/nowhere/list.txt", "can't read /nowhere/list.txt"), ("/", "can't read /")] {
        let ended = Process::run(&["send", path, "--url", "http://127.0.0.1:1"], &[]).await;

        assert_told(&ended, 1, &[text]);
    }
}

#[actix_web::test]
async fn a_gateway_that_cannot_be_reached_is_told_with_its_url() {
    let (_reserved, address) = reserved();
    let url = format!("http://{address}");
    let list = tempfile::NamedTempFile::new().unwrap();
    let id = "0198c9f2-0000-7000-8000-000000000000";

    for arguments in
        [&["send", list.path().to_str().unwrap()][..], &["status"], &["status", id], &["cancel", id]]
    {
        let ended = Process::run(&[arguments, &["--url", &url]].concat(), &[]).await;

        assert_told(&ended, 1, &[&url, "connection refused", "faxplus-gateway serve"]);
        assert_eq!(ended.stdout, "");
    }
}

#[actix_web::test]
async fn what_answers_but_is_no_gateway_is_told_as_such() {
    let stage = Stage::start().await;
    let list = stage.list("a", 1);
    let elsewhere = stage.sandbox.base_url();

    let ended = stage.run(&["send", &list, "--url", &elsewhere]).await;

    assert_told(&ended, 1, &[&elsewhere, "not as a gateway does: check --url"]);
    stage.end().await;
}

#[actix_web::test]
async fn a_token_file_that_cannot_be_used_is_told_without_what_it_holds() {
    let stage = Stage::start().await;
    let (list, broken, empty) =
        (stage.list("a", 1), stage.file("token", "hush\nhush"), stage.file("empty", "\n"));

    for path in [broken.as_str(), empty.as_str(), "/nowhere/token"] {
        let ended = stage.run(&["send", &list, "--token-file", path]).await;

        assert_told(&ended, 1, &["--token-file", path]);
        assert!(!ended.stderr.contains("hush"), "{}", ended.stderr);
    }
    assert_eq!(stage.sandbox.stats().calls, 0);
    stage.end().await;
}

#[actix_web::test]
async fn a_password_in_the_url_is_refused_without_being_repeated() {
    let ended = Process::run(&["status", "--url", "http://ann:hush@127.0.0.1:1"], &[]).await;

    assert_told(&ended, 1, &["--token-file"]);
    assert!(!ended.stderr.contains("hush"), "{}", ended.stderr);
}

/// Answers one request with `body` as JSON: what the request said.
async fn stub(body: &str) -> (String, impl Future<Output = String> + use<>) {
    let listener = net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n";
    let answer = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
    let asked = async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"0\r\n\r\n") {
            assert!(stream.read_buf(&mut request).await.unwrap() > 0, "half a request");
        }
        stream.write_all(answer.as_bytes()).await.unwrap();
        String::from_utf8(request).unwrap()
    };
    (url, asked)
}

#[actix_web::test]
async fn a_dry_run_tells_the_plan() {
    let plan = |invalid: u64| {
        format!(
            r#"{{"dry_run": true, "upstream_calls": 130, "estimated_seconds": 13.04, "counts":
                {{"received": 1300, "would_send": 1288, "duplicate": 10, "unknown": 0, "invalid": {invalid}}}}}"#
        )
    };
    let stage = Stage::start().await;
    let list = stage.list("a", 2);

    for (body, code) in [(plan(2), 1), (plan(0), 0)] {
        let (url, asked) = stub(&body).await;
        let arguments = ["send", &list, "--dry-run", "--force", "--url", &url];
        let (ended, asked) = tokio::join!(stage.run(&arguments), asked);

        assert_printed(
            &ended,
            code,
            &[
                "dry run: 1,300 addresses; nothing was sent",
                "1,288  would_send",
                "10  duplicate",
                "0  unknown",
                "it would take 130 upstream calls, about 13 s",
            ],
        );
        assert!(asked.starts_with("POST /v1/resends?results=none&force=true&dry_run=true HTTP/1.1\r\n"));
    }
    stage.end().await;
}

#[actix_web::test]
async fn who_sends_is_said_and_each_run_has_a_name_of_its_own() {
    let stage = Stage::start().await;
    let (list, token) = (stage.list("a", 1), stage.file("token", "fxg_secret\n"));
    let plan = r#"{"dry_run": true, "upstream_calls": 0, "estimated_seconds": 0, "counts": {"received": 1}}"#;
    let mut names = Vec::new();

    for more in [&[][..], &[], &["--idempotency-key", "list-7"]] {
        let (url, asked) = stub(plan).await;
        let arguments = ["send", &list, "--dry-run", "--url", &url, "--token-file", &token];
        let arguments = [&arguments, more].concat();
        let (ended, asked) = tokio::join!(stage.run(&arguments), asked);

        assert_eq!(ended.code, Some(0), "{ended:?}");
        let field = |name: &str| asked.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned();
        assert_eq!(field("authorization: "), "Bearer fxg_secret");
        assert_eq!(field("prefer: "), "respond-async");
        names.push(field("idempotency-key: "));
    }

    assert!(names[0] != names[1] && names[2] == "list-7", "{names:?}");
    stage.end().await;
}

#[actix_web::test]
async fn a_dry_run_tells_what_would_hold_the_work() {
    let stage = Stage::holding().await;
    let mut command = stage.start_command(&["send", &stage.list("a", 3)]);
    command.line("held: ").await;

    let ended = stage.run(&["send", &stage.list("b", 5), "--dry-run"]).await;

    let held = "on hold  5 addresses would wait; fax.plus asks for fewer calls";
    assert_printed(&ended, 0, &["5  would_send", "it would take 1 upstream call, about", held]);
    command.signal("INT");
    command.end().await;
    stage.crash().await;
}

#[actix_web::test]
async fn a_dry_run_without_an_answer_says_that_nothing_was_sent() {
    let stage = Stage::start().await;
    let list = stage.list("a", 3);
    let what = Break { path: "POST /v1/resends", after_bytes: 0, times: 1 };
    let proxy = Proxy::start(stage.address, what).await;

    let ended = stage.run(&["send", &list, "--dry-run", "--url", &proxy.url()]).await;

    assert_told(&ended, 1, &["connection to the gateway broke", "dry run: nothing was sent"]);
    assert!(!ended.stderr.contains("goes on"), "{}", ended.stderr);
    stage.end().await;
}

#[actix_web::test]
async fn an_answer_that_is_cut_off_says_nothing_about_the_list() {
    let stage = Stage::start().await;
    let list = stage.list("a", 3);

    for body in [r#"{"id": "0198c9f2-"#, "<html>Welcome to this network</html>"] {
        let (url, asked) = stub(body).await;
        let arguments = ["send", &list, "--url", &url];
        let (ended, _) = tokio::join!(stage.run(&arguments), asked);

        assert_told(&ended, 1, &["not known whether it took the list", "--idempotency-key "]);
    }
    stage.end().await;
}

#[actix_web::test]
async fn a_list_too_large_for_the_memory_is_not_to_be_sent_again_as_it_is() {
    let small = [("FAXPLUS_GATEWAY__INTAKE__MEMORY_BYTES", "1048576")];
    let stage = Stage::with(Default::default(), &small).await;
    let list = stage.list("a", 60_000);

    let ended = stage.run(&["send", &list]).await;

    assert_told(&ended, 1, &["No memory for this list (status 503)", "next: send it in parts"]);
    stage.end().await;
}

#[actix_web::test]
async fn a_name_that_no_list_can_have_is_wrong_usage() {
    let stage = Stage::start().await;
    let list = stage.list("a", 1);

    for key in ["", "a b", &"k".repeat(256)] {
        let ended = stage.run(&["send", &list, "--idempotency-key", key]).await;

        assert_told(&ended, 2, &["--idempotency-key: expected 1 to 255 visible characters"]);
    }
    stage.end().await;
}
