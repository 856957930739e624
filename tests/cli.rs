//! The command line of the real binary: help, exit codes, and messages that say what to do.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects")]
#![allow(unreachable_pub, dead_code, reason = "shared with other test binaries")]

#[path = "support/port.rs"]
mod port;
#[path = "support/process.rs"]
mod process;

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    process::{Command, Stdio},
};

use faxplus_gateway::clients::TokenHash;
use port::reserved;
use process::{Ended, Process, gateway_environment};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

const NOWHERE: &str = "http://127.0.0.1:1/v3";
const TOKEN: (&str, &str) = ("FAXPLUS_GATEWAY__CREDENTIALS__TOKEN", "hush-this-is-the-token");
const FAILURE: Option<i32> = Some(1);
const WRONG_USAGE: Option<i32> = Some(2);
const WRONG_CONFIGURATION: Option<i32> = Some(78);

/// Fails unless the command ended so, said each of `texts` on stderr, nothing on stdout, and no secret.
fn assert_refused(ended: &Ended, code: Option<i32>, texts: &[&str]) {
    assert_eq!(ended.code, code, "{ended:?}");
    for text in texts {
        assert!(ended.stderr.contains(text), "no {text:?} in {}", ended.stderr);
    }
    assert_eq!(ended.stdout, "");
    assert!(!ended.stderr.contains("hush") && !ended.stderr.contains("panicked"), "{}", ended.stderr);
}

#[actix_web::test]
async fn without_a_command_the_help_is_told_as_a_mistake() {
    let ended = Process::run(&[], &[]).await;

    assert_refused(
        &ended,
        WRONG_USAGE,
        &["Usage: faxplus-gateway <COMMAND>", "serve", "sandbox", "check-config", "probe"],
    );
}

/// The commands of the list that `--help` gives.
async fn commands() -> Vec<String> {
    let help = Process::run(&["--help"], &[]).await.stdout;
    let (_, list) = help.split_once("Commands:\n").unwrap();
    let lines = list.lines().take_while(|line| !line.is_empty());
    let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.map(|line| line.split_whitespace().next().unwrap().to_owned()).collect()
}

#[actix_web::test]
async fn the_help_of_every_command_shows_an_example_of_it() {
    let commands = commands().await;
    assert!(commands.len() > 10, "{commands:?}");
    for command in commands.iter().filter(|command| *command != "help") {
        let help = Process::run(&[command, "--help"], &[]).await.stdout;

        let (_, examples) = help.split_once("Example").unwrap_or_else(|| panic!("{command}: {help}"));
        assert!(examples.contains(&format!("faxplus-gateway {command}")), "{help}");
    }
}

#[actix_web::test]
async fn shells_complete_every_command() {
    let commands = commands().await;
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ended = Process::run(&["completions", shell], &[]).await;

        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
        assert!(commands.iter().all(|command| ended.stdout.contains(command.as_str())), "{shell}");
    }
}

/// What bash offers for these words, the last of which is not whole.
fn offered(script: &std::path::Path, words: &[&str]) -> Vec<String> {
    let commands = "source \"$0\" && COMP_WORDS=(\"$@\") && COMP_CWORD=$(($# - 1)) &&
        _faxplus__gateway \"$1\" \"${@: -1}\" \"${@: -2:1}\" && printf '%s\\n' \"${COMPREPLY[@]}\"";
    let mut bash = Command::new("bash");
    bash.args(["--norc", "-c", commands]).arg(script).arg("faxplus-gateway").args(words);
    let output = bash.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// clap_complete 4.6.11 offers nothing behind a subcommand where the program's name holds a `-`.
#[actix_web::test]
async fn bash_completes_what_is_behind_a_subcommand() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), Process::run(&["completions", "bash"], &[]).await.stdout).unwrap();

    assert_eq!(offered(file.path(), &["send", "--o"]), ["--output"]);
    assert_eq!(offered(file.path(), &["check-config", "--on"]), ["--online"]);
    assert_eq!(offered(file.path(), &["token", "ne"]), ["new"]);
    let shells = offered(file.path(), &["completions", ""]);
    assert!(shells.iter().any(|shell| shell == "bash"), "{shells:?}");
    let mut complete = Command::new("bash");
    complete.args(["--norc", "-c", "source \"$0\" && complete -p faxplus-gateway"]);
    let registered = complete.arg(file.path()).output().unwrap();
    assert!(String::from_utf8_lossy(&registered.stdout).contains("-F _faxplus__gateway"), "{registered:?}");
}

#[actix_web::test]
async fn a_reader_that_leaves_is_no_failure_to_tell_of_and_a_full_disk_is() {
    let commands =
        ["openapi", "completions bash", "check-config", "token new billing", "sandbox --listen 127.0.0.1:0"];
    for arguments in commands {
        let run = |stdout: Stdio| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_faxplus-gateway"));
            command.args(arguments.split(' ')).env_clear().env(TOKEN.0, TOKEN.1).stdout(stdout);
            let output = command.output().unwrap();
            (output.status.code(), String::from_utf8(output.stderr).unwrap())
        };
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);

        let (left, said) = run(writer.into());
        let (full, told) = run(fs::File::create("/dev/full").unwrap().into());

        assert_eq!(left, Some(141), "{arguments}: {said}");
        assert!(!said.contains("write") && !said.contains("pipe"), "{arguments}: {said}");
        assert_eq!(full, FAILURE, "{arguments}: {told}");
        assert!(told.contains("No space left"), "{arguments}: {told}");
    }
}

#[actix_web::test]
async fn a_url_of_the_admin_listener_is_recognised() {
    let mut process = Process::start(&["serve", "--sandbox"], &gateway_environment(NOWHERE, &[]));
    let (_, admin) = process.addresses().await;

    let ended = Process::run(&["status", "--url", &format!("http://{admin}")], &[]).await;

    assert_refused(&ended, FAILURE, &["looks like the admin listener", "--url", "server.listen"]);
    assert!(!ended.stderr.contains("older"), "{}", ended.stderr);
}

#[actix_web::test]
async fn a_simulated_faxplus_can_be_put_where_it_is_found() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    drop(taken);
    let arguments = ["serve", "--sandbox", "--sandbox-listen", &address];
    let mut process = Process::start(&arguments, &gateway_environment(NOWHERE, &[]));

    let line = process.line("says how to make trouble").await;
    let help = Process::run(&["probe", &format!("http://{address}/")], &[]).await;

    assert!(line.contains(&address), "{line}");
    for text in
        ["/sandbox/faults", "/sandbox/stats", "/sandbox/ledger", "/sandbox/reset", "accept_then_hang_up"]
    {
        assert!(help.stdout.contains(text), "{text}: {}", help.stdout);
        let told = Process::run(&["sandbox", "--help"], &[]).await.stdout;
        assert!(told.contains(text), "{text}: {told}");
    }
    let elsewhere = ["serve", "--sandbox", "--sandbox-listen", "0.0.0.0:1"];
    let refused = Process::run(&elsewhere, &gateway_environment(NOWHERE, &[])).await;
    assert_eq!(refused.code, WRONG_USAGE, "{}", refused.stderr);
}

#[actix_web::test]
async fn a_simulated_faxplus_takes_its_rules_from_a_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), r#"[{"fate": "foreign", "page": "challenge"}]"#).unwrap();
    let faults = ["serve", "--sandbox", "--sandbox-faults", file.path().to_str().unwrap()];
    let mut process = Process::start(&faults, &gateway_environment(NOWHERE, &[]));

    let address = process.upstream().await;
    let rules = Process::run(&["probe", &format!("http://{address}/sandbox/faults")], &[]).await.stdout;

    assert!(rules.contains(r#""fate":"foreign","page":"challenge","status":403"#), "{rules}");
    fs::write(file.path(), r#"[{"fate": "foreign", "page": "chalenge"}]"#).unwrap();
    let refused = Process::run(&faults, &gateway_environment(NOWHERE, &[])).await;
    assert_refused(&refused, FAILURE, &["rule 1: field `page`", "`challenge`"]);
    let real = ["serve", "--sandbox-faults", "rules.json"];
    let refused = Process::run(&real, &gateway_environment(NOWHERE, &[])).await;
    assert_refused(&refused, WRONG_USAGE, &["--sandbox"]);
}

#[actix_web::test]
async fn a_client_token_is_told_once_with_its_line() {
    let ended = Process::run(&["token", "new", "billing"], &[]).await;

    assert_eq!(ended.code, Some(0));
    let lines: Vec<_> = ended.stdout.lines().collect();
    assert!(lines.len() == 2 && lines[0].starts_with("fxg_"), "{}", ended.stdout);
    assert!(lines[1].starts_with("billing = { tokens = [\"sha256:"), "{}", ended.stdout);
    assert!(!ended.stderr.contains("fxg_"), "{}", ended.stderr);
    for name in ["a b", "fxg_hush"] {
        assert_refused(&Process::run(&["token", "new", name], &[]).await, WRONG_USAGE, &["name of a client"]);
    }
}

#[actix_web::test]
async fn every_command_has_help_on_stdout() {
    for arguments in [
        &["--help"][..],
        &["help"],
        &["help", "serve"],
        &["serve", "--help"],
        &["demo", "--help"],
        &["sandbox", "-h"],
        &["check-config", "--help"],
        &["probe", "--help"],
        &["openapi", "--help"],
        &["send", "--help"],
        &["status", "--help"],
        &["cancel", "--help"],
    ] {
        let ended = Process::run(arguments, &[]).await;

        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{arguments:?}");
        assert!(ended.stdout.contains("Usage: faxplus-gateway"), "{arguments:?}: {}", ended.stdout);
    }
    let version = Process::run(&["--version"], &[]).await;
    assert_eq!(version.stdout, format!("faxplus-gateway {}\n", env!("CARGO_PKG_VERSION")));
}

#[actix_web::test]
async fn what_is_no_command_or_option_is_wrong_usage() {
    for (arguments, text) in [
        (&["sevre"][..], "serve"),
        (&["serve", "--sandbx"], "--sandbox"),
        (&["serve", "extra"], "unexpected argument"),
        (&["probe"], "<URL>"),
        (&["probe", "http://a b"], "invalid value"),
        (&["probe", "nonsense"], "http://127.0.0.1:9090/readyz"),
        (&["probe", "ftp://127.0.0.1/"], "http://127.0.0.1:9090/readyz"),
        (&["serve", "--sandbox-listen", "127.0.0.1:0"], "--sandbox"),
        (&["sandbox", "--latency-ms", "soon"], "invalid value"),
        (&["check-config", "--config"], "--config <FILE>"),
        (&["send"], "<FILE>"),
        (&["send", "list.txt", "--url", "localhost:8080"], "http://127.0.0.1:8080"),
        (&["send", "list.txt", "--format", "csv"], "--output"),
        (&["send", "list.txt", "--output", "results.txt"], "--format csv"),
        (&["send", "list.txt", "--dry-run", "--output", "results.csv"], "cannot be used with"),
        (&["send", "list.txt", "--input-format", "xml"], "ndjson"),
        (&["status", "7"], "expected the id of a resend"),
        (&["cancel"], "<ID>"),
    ] {
        assert_refused(&Process::run(arguments, &[]).await, WRONG_USAGE, &[text]);
    }
}

#[actix_web::test]
async fn good_settings_are_printed_without_their_secrets() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), "[upstream]\nmax_in_flight = 3\n[server]\nworkers = 5\n").unwrap();
    let environment = [TOKEN, ("FAXPLUS_GATEWAY__SERVER__WORKERS", "6"), ("UNRELATED", "x")];

    let ended =
        Process::run(&["check-config", "--config", file.path().to_str().unwrap()], &environment).await;

    assert_eq!(ended.code, Some(0), "{ended:?}");
    for line in ["max_in_flight = 3", "workers = 6", "max_calls_per_second = 10", "token = \"***\""] {
        assert!(ended.stdout.lines().any(|told| told == line), "no {line:?} in {}", ended.stdout);
    }
    assert!(!ended.stdout.contains("hush") && !ended.stderr.contains("hush"), "{ended:?}");
}

#[actix_web::test]
async fn every_mistake_in_the_settings_is_told_at_once_and_none_quotes_a_secret() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), "[upstream]\nmax_inflight = 3\nbatch_size = 11\n[servr]\nworkers = 1\n").unwrap();
    let path = file.path().to_str().unwrap();
    let environment = [
        TOKEN,
        ("FAXPLUS_GATEWAY__CREDENTIALS__TOKEN_FILE", "/nowhere/token"),
        ("FAXPLUS_GATEWAY__SERVER__WORKERS", "many"),
        ("FAXPLUS_GATEWAY__SERVER__LISTEN", "0.0.0.0:8080"),
        ("FAXPLUS_GATEWAY__UPSTREAM__BASE_URL", "hush://fax.plus"),
        ("FAXPLUS_GATEWAY__LOG__LEVEL", "hush"),
        ("FAXPLUS_GATEWAY__DEDUPE__WINDOW", "1"),
    ];
    let mistakes = [
        "upstream.max_inflight",
        "did you mean upstream.max_in_flight?",
        "upstream.batch_size",
        "servr",
        "credentials.token",
        "server.workers",
        "server.listen",
        "upstream.base_url",
        "log.level",
        "FAXPLUS_GATEWAY__DEDUPE__WINDOW: unknown key",
    ];

    for command in ["check-config", "serve"] {
        let ended = Process::run(&[command, "--config", path], &environment).await;

        assert_refused(&ended, WRONG_CONFIGURATION, &mistakes);
        assert!(ended.stderr.contains("the settings are wrong"), "{}", ended.stderr);
    }
}

#[actix_web::test]
async fn a_file_of_settings_that_cannot_be_read_is_told_without_its_text() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), "[credentials]\ntoken = \"hush\n").unwrap();
    let path = file.path().to_str().unwrap();

    for command in ["check-config", "serve"] {
        let broken = Process::run(&[command, "--config", path], &[]).await;
        assert_refused(&broken, WRONG_CONFIGURATION, &[path]);
        let missing = Process::run(&[command, "--config", "/nowhere.toml"], &[TOKEN]).await;
        assert_refused(&missing, WRONG_CONFIGURATION, &["/nowhere.toml"]);
    }
}

#[actix_web::test]
async fn a_missing_token_is_told_with_what_to_do() {
    for command in ["serve", "check-config"] {
        let ended = Process::run(&[command], &[]).await;

        assert_refused(&ended, WRONG_CONFIGURATION, &["credentials.token", "credentials.token_file"]);
    }
    let unreadable = [("FAXPLUS_GATEWAY__CREDENTIALS__TOKEN_FILE", "/nowhere/token")];
    let ended = Process::run(&["serve"], &gateway_environment(NOWHERE, &unreadable)).await;
    assert_refused(&ended, WRONG_CONFIGURATION, &["credentials.token_file", "/nowhere/token"]);
}

#[actix_web::test]
async fn a_variable_that_is_nearly_a_setting_is_told_and_breaks_nothing() {
    let near = ("FAXPLUS_GATEWAY_UPSTREAM__BASE_URL", "https://hush.example");
    let sentence = "FAXPLUS_GATEWAY_UPSTREAM__BASE_URL is not a setting and has no effect; \
                    did you mean FAXPLUS_GATEWAY__UPSTREAM__BASE_URL?";

    let checked = Process::run(&["check-config"], &[TOKEN, near]).await;
    let without_token = Process::run(&["serve"], &[near]).await;
    let mut process = Process::start(&["serve", "--sandbox"], &gateway_environment(NOWHERE, &[near]));
    let warning = process.line("is not a setting").await;
    process.addresses().await;
    process.signal("TERM");
    let ended = process.end().await;

    assert_eq!(checked.code, Some(0), "{checked:?}");
    assert!(checked.stderr.contains(&format!("warning: the variable {sentence}")), "{}", checked.stderr);
    assert_refused(&without_token, WRONG_CONFIGURATION, &["credentials.token", sentence]);
    assert!(warning.contains("WARN") && warning.contains(sentence), "{warning}");
    assert!(ended.code == Some(0) && !ended.stderr.contains("hush"), "{}", ended.stderr);
}

#[actix_web::test]
async fn a_name_behind_the_prefix_of_settings_that_is_none_is_refused_with_the_right_one() {
    for command in ["check-config", "serve"] {
        let wrong = ("FAXPLUS_GATEWAY__UPSTREAM_BASE_URL", "https://hush.example");
        let ended = Process::run(&[command], &[TOKEN, wrong]).await;

        assert_refused(&ended, WRONG_CONFIGURATION, &["did you mean FAXPLUS_GATEWAY__UPSTREAM__BASE_URL?"]);
    }
}

#[actix_web::test]
async fn variables_of_kubernetes_and_of_the_commands_are_passed_over_in_silence() {
    let others = [
        TOKEN,
        ("FAXPLUS_GATEWAY_PORT", "tcp://10.96.0.7:8080"),
        ("FAXPLUS_GATEWAY_PORT_8080_TCP_ADDR", "10.96.0.7"),
        ("FAXPLUS_GATEWAY_SERVICE_HOST", "10.96.0.7"),
        ("FAXPLUS_GATEWAY_SERVICE_PORT_HTTP", "8080"),
        ("FAXPLUS_GATEWAY_URL", "http://gateway"),
        ("FAXPLUS_GATEWAY_TOKEN", "hush-c"),
    ];

    let ended = Process::run(&["check-config"], &others).await;

    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
}

#[actix_web::test]
async fn a_port_in_use_is_told_with_its_setting() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();

    for (variable, key) in [
        ("FAXPLUS_GATEWAY__SERVER__LISTEN", "server.listen"),
        ("FAXPLUS_GATEWAY__SERVER__ADMIN_LISTEN", "server.admin_listen"),
    ] {
        let environment = gateway_environment(NOWHERE, &[TOKEN, (variable, &address)]);
        let ended = Process::run(&["serve"], &environment).await;

        assert_refused(&ended, FAILURE, &[&format!("{key}: can't listen on {address}"), "in use"]);
    }
    let ended = Process::run(&["sandbox", "--listen", &address], &[]).await;
    assert_refused(&ended, FAILURE, &[&address, "in use"]);
}

#[actix_web::test]
async fn against_the_sandbox_no_credential_is_taken_and_every_resend_says_so() {
    let with_token = Process::run(&["serve", "--sandbox"], &gateway_environment(NOWHERE, &[TOKEN])).await;
    assert_refused(&with_token, WRONG_CONFIGURATION, &["credentials.token"]);

    let mut process = Process::start(&["serve", "--sandbox"], &gateway_environment(NOWHERE, &[]));
    let (address, admin) = process.addresses().await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = "POST /v1/resends HTTP/1.1\r\nHost: g\r\nConnection: close\r\nContent-Type: text/plain";
    stream.write_all(format!("{head}\r\nContent-Length: 13\r\n\r\na@example.com").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let metrics = Process::run(&["probe", &format!("http://{admin}/metrics")], &[]).await;
    process.signal("TERM");
    let ended = process.end().await;

    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"sandbox\":true"), "{answer}");
    assert!(metrics.stdout.contains("\nfaxplus_gateway_sandbox 1\n"), "{}", metrics.stdout);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), ""), "{}", ended.stderr);
}

/// The status line that a gateway answers an order of a client with, and the body.
async fn ask(address: SocketAddr, token: &str, line: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let length = body.len();
    let request = format!(
        "{line} HTTP/1.1\r\nHost: g\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nPrefer: respond-async\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[actix_web::test]
async fn the_log_names_who_came_and_went_who_gave_orders_and_every_mistake_of_the_clients_file() {
    let directory = tempfile::tempdir().unwrap();
    let (path, next) = (directory.path().join("clients.toml"), directory.path().join("next.toml"));
    let write = |text: &str| {
        fs::write(&next, text).unwrap();
        fs::rename(&next, &path).unwrap();
    };
    let op = format!("op = {{ tokens = [\"{}\"], operator = true }}\n", TokenHash::of("hush-o"));
    let ann = format!("ann = {{ tokens = [\"{}\"] }}\n", TokenHash::of("hush-a"));
    write(&format!("{op}{ann}"));
    let tokens = [
        ("FAXPLUS_GATEWAY__AUTH__MODE", "tokens"),
        ("FAXPLUS_GATEWAY__AUTH__CLIENTS_FILE", path.to_str().unwrap()),
    ];
    let mut process = Process::start(&["serve", "--sandbox"], &gateway_environment(NOWHERE, &tokens));
    let (address, _) = process.addresses().await;

    ask(address, "hush-o", "POST /v1/operator/pause", "").await;
    ask(address, "hush-o", "POST /v1/operator/pause", r#"{"note": "noon"}"#).await;
    let posted = ask(address, "hush-a", "POST /v1/resends", "[\"a@example.com\"]").await;
    let (_, id) = posted.split_once("\"id\":\"").unwrap();
    ask(address, "hush-o", &format!("DELETE /v1/resends/{}", &id[..36]), "").await;
    ask(address, "hush-o", "POST /v1/operator/resume", "").await;
    for message in
        ["Paused by an operator", "changed the note", "of another client", "Resumed by an operator"]
    {
        let told = process.line(message).await;
        assert!(told.contains("\"client\":\"op\""), "{told}");
    }
    let cancelled = process.line("of another client").await;
    assert!(cancelled.contains("\"of\":\"ann\"") && cancelled.contains(&id[..36]), "{cancelled}");

    write(&format!("{op}crm = {{ tokens = [\"{}\"] }}\n", TokenHash::of("hush-c")));
    let reread = process.line("Read the clients file again.").await;
    for text in ["\"came\":1", "\"went\":1", "\"names_came\":\"crm\"", "\"names_went\":\"ann\""] {
        assert!(reread.contains(text), "no {text} in {reread}");
    }
    write("a = { weight = 0, fxg_hush = 1 }\n\"b c\" = 1");
    let wrong = process.line("The clients stay as they were.").await;
    for text in [
        "client a: weight must",
        "no such field",
        "tokens is missing",
        "line 2: the name",
        "line 2: a client is",
    ] {
        assert!(wrong.contains(text), "no {text} in {wrong}");
    }
    process.signal("TERM");
    let ended = process.end().await;
    assert!(ended.code == Some(0) && !ended.stderr.contains("hush"), "{}", ended.stderr);
}

#[actix_web::test]
async fn wrong_settings_and_a_wrong_clients_file_are_told_together() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), "a = { fxg_hush = 1, tokens = [\"x\\\"hush\"], weight = 0 }").unwrap();
    let environment = [
        TOKEN,
        ("FAXPLUS_GATEWAY__AUTH__MODE", "tokens"),
        ("FAXPLUS_GATEWAY__AUTH__CLIENTS_FILE", file.path().to_str().unwrap()),
    ];
    let wrong = [&environment[..], &[("FAXPLUS_GATEWAY__SERVER__WORKERS", "0")]].concat();
    let mistakes = ["client a: weight must be", "client a: a client has no such field", "as sha256:"];

    for command in ["check-config", "serve"] {
        let ended = Process::run(&[command], &wrong).await;
        assert_refused(&ended, WRONG_CONFIGURATION, &[&["server.workers"], &mistakes[..]].concat());
    }
    let ended = Process::run(&["serve"], &gateway_environment(NOWHERE, &environment)).await;
    assert_refused(&ended, WRONG_CONFIGURATION, &mistakes);
}

#[actix_web::test]
async fn who_is_refused_for_its_token_is_told_what_to_do_with_it() {
    let directory = tempfile::tempdir().unwrap();
    let place = |name: &str, text: String| {
        let path = directory.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let hash = TokenHash::of("hush-a");
    let clients = place("clients", format!("ann = {{ tokens = [\"{hash}\"], addresses_per_minute = 1 }}\n"));
    let (good, wrong) = (place("good", "hush-a".to_owned()), place("wrong", "hush-w".to_owned()));
    let list = place("list.txt", (0..11).map(|number| format!("a{number}@example.com\n")).collect());
    let tokens = [
        ("FAXPLUS_GATEWAY__AUTH__MODE", "tokens"),
        ("FAXPLUS_GATEWAY__AUTH__CLIENTS_FILE", clients.as_str()),
    ];
    let mut process = Process::start(&["serve", "--sandbox"], &gateway_environment(NOWHERE, &tokens));
    let url = format!("http://{}", process.addresses().await.0);
    let run = async |arguments: &[&str]| Process::run(&[arguments, &["--url", &url]].concat(), &[]).await;

    let nobody = run(&["pause"]).await;
    let stranger = run(&["pause", "--token-file", &wrong]).await;
    let ann = run(&["pause", "--token-file", &good]).await;
    let sent = run(&["send", &list, "--token-file", &good]).await;
    let over = run(&["send", &list, "--token-file", &good]).await;

    assert_refused(
        &nobody,
        FAILURE,
        &["No valid token (status 401)", "next: Pass your token with --token-file"],
    );
    assert_refused(&stranger, FAILURE, &["no client has this token", "which token is to be in --token-file"]);
    assert_refused(
        &ann,
        FAILURE,
        &["operator = true", "next: ask the operator of the gateway for that right"],
    );
    assert_eq!(sent.code, Some(0), "{sent:?}");
    let with = async |token: &str, arguments: &[&str]| {
        let arguments = [arguments, &["--url", &url]].concat();
        Process::run(&arguments, &[("FAXPLUS_GATEWAY_TOKEN", token)]).await
    };
    for (token, arguments, code) in [
        ("hush-a", &["status"][..], Some(0)),
        ("hush-a\n", &["status"], Some(0)),
        ("hush-w", &["status"], FAILURE),
        ("", &["status"], FAILURE),
        ("Bearer hush-a", &["status"], FAILURE),
        // The file counts more.
        ("hush-w", &["status", "--token-file", &good], Some(0)),
        ("hush-a", &["status", "--token-file", &wrong], FAILURE),
        ("", &["status", "--token-file", &good], Some(0)),
        ("hush-a", &["send", &list, "--dry-run"], Some(0)),
    ] {
        let ended = with(token, arguments).await;
        assert_eq!(ended.code, code, "{token:?} {arguments:?}: {ended:?}");
        assert!(!ended.stderr.contains("hush"), "{}", ended.stderr);
    }
    for order in [&["pause"][..], &["resume"], &["cancel", "0198c9f2-0000-7000-8000-000000000000"]] {
        let ended = with("hush-a", order).await;
        // Known as ann, who may not, or whose resend it is not.
        assert_eq!(ended.code, FAILURE, "{ended:?}");
        assert!(!ended.stderr.contains("401"), "{order:?}: {}", ended.stderr);
    }
    for command in ["send", "status", "cancel", "pause", "resume"] {
        let help = Process::run(&[command, "--help"], &[("FAXPLUS_GATEWAY_TOKEN", "hush-a")]).await.stdout;
        assert!(help.contains("FAXPLUS_GATEWAY_TOKEN") && !help.contains("hush"), "{command}: {help}");
    }
    assert_refused(&over, FAILURE, &["status 429", "next: try again in "]);
    // Ten minutes, less what has passed since.
    assert!(["in 10m", "in 9m 5"].iter().any(|wait| over.stderr.contains(wait)), "{}", over.stderr);
    process.signal("TERM");
    process.end().await;
}

#[actix_web::test]
async fn probe_tells_by_its_exit_code() {
    let mut process = Process::start(&["serve", "--sandbox"], &gateway_environment(NOWHERE, &[]));
    let (address, admin) = process.addresses().await;
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = closed.local_addr().unwrap();

    let ready = Process::run(&["probe", &format!("http://{admin}/readyz?verbose")], &[]).await;
    let absent = Process::run(&["probe", &format!("http://{address}/nothing")], &[]).await;
    let slow = Process::run(&["probe", "--timeout", "1", &format!("http://{silent}/")], &[]).await;
    let (_reserved, nobody) = reserved();
    let refused = Process::run(&["probe", &format!("http://{nobody}/")], &[]).await;

    assert_eq!((ready.code, ready.stderr.as_str()), (Some(0), ""));
    assert!(ready.stdout.ends_with("ready\n"), "{}", ready.stdout);
    assert_eq!(absent.code, FAILURE);
    assert!(absent.stderr.contains("404"), "{}", absent.stderr);
    assert_refused(&slow, FAILURE, &[&silent.to_string(), "no answer: none came in time"]);
    assert_refused(&refused, FAILURE, &[&nobody.to_string(), "no answer: nobody listens there"]);
    process.signal("INT");
    assert_eq!(process.end().await.code, Some(0));
}

#[actix_web::test]
async fn the_sandbox_says_where_it_is_and_ends_well_on_a_signal() {
    for signal in ["TERM", "INT"] {
        let mut process = Process::start(&["sandbox", "--listen", "127.0.0.1:0"], &[]);
        let base_url = process.line("http://127.0.0.1:").await;
        let stats = base_url.trim().replace("/v3", "/sandbox/stats");

        let asked = Process::run(&["probe", &stats], &[]).await;
        process.signal(signal);
        let ended = process.end().await;

        assert!(asked.stdout.contains("\"calls\":0"), "{asked:?}");
        assert_eq!((ended.code, ended.stdout), (Some(0), base_url));
    }
}

#[actix_web::test]
async fn the_sandbox_refuses_what_makes_no_sense() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), r#"[{"fate": "explode"}]"#).unwrap();

    for (arguments, code, text) in [
        (["--listen", "0.0.0.0:0"], WRONG_USAGE, "loopback"),
        (["--calls-per-second", "0"], WRONG_USAGE, "above 0"),
        (["--faults", "/nowhere.json"], FAILURE, "/nowhere.json"),
        (["--faults", file.path().to_str().unwrap()], FAILURE, "accept_then_500"),
    ] {
        let ended = Process::run(&[&["sandbox"], &arguments[..]].concat(), &[]).await;

        assert_refused(&ended, code, &[text]);
    }
}

#[actix_web::test]
async fn the_document_of_the_api_is_printed_without_settings() {
    let ended = Process::run(&["openapi"], &[]).await;

    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert_eq!(ended.stdout, include_str!("openapi.json"));
}
