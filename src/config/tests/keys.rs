//! Every key by every way in, every default, every shipped file.

use std::{collections::BTreeMap, fs, path::Path};

use super::{
    super::{CredentialRule, LoadOptions, Settings, layers::merge, read::Reader},
    SECRET, default_keys, load, with_env, with_file,
};

const OTHER_VALUES: &[(&str, &str)] = &[
    ("auth.allow_anonymous", "true"),
    ("auth.clients_file", "clients.toml"),
    ("auth.mode", "tokens"),
    ("compat.wait_seconds", "51"),
    ("credentials.client_id", "client-1"),
    ("credentials.client_secret", SECRET),
    ("credentials.client_secret_file", "a file of the test"),
    ("credentials.kind", "oauth2"),
    ("credentials.refresh_in", "query"),
    ("credentials.refresh_token", SECRET),
    ("credentials.refresh_token_file", "a file of the test"),
    ("credentials.token", SECRET),
    ("credentials.token_file", "a file of the test"),
    ("credentials.token_url", "http://127.0.0.1:9/token"),
    ("dedupe.ignore_local_part_case", "false"),
    ("dedupe.max_entries", "400001"),
    ("dedupe.window_seconds", "60"),
    ("dispatch.max_hold_seconds", "61"),
    ("dispatch.max_queued_addresses", "62"),
    ("intake.max_addresses", "63"),
    ("intake.max_body_bytes", "64"),
    ("intake.memory_bytes", "70000"),
    ("log.format", "pretty"),
    ("log.level", "trace"),
    ("server.admin_listen", "127.0.0.1:1"),
    ("server.body_idle_timeout_seconds", "65"),
    ("server.default_wait_seconds", "66"),
    ("server.drain_delay_seconds", "67"),
    ("server.drain_timeout_seconds", "68"),
    ("server.listen", "[::1]:2"),
    ("server.keep_alive_seconds", "68"),
    ("server.max_connections", "69"),
    ("server.max_wait_seconds", "70"),
    ("server.min_body_bytes_per_second", "71"),
    ("server.workers", "7"),
    ("store.max_bytes", "1048577"),
    ("store.path", ":memory:"),
    ("store.reserve_bytes", "1000"),
    ("store.retention_seconds", "72"),
    ("upstream.base_url", "http://127.0.0.1:9/v3"),
    ("upstream.batch_size", "3"),
    ("upstream.breaker_cooldown_seconds", "73"),
    ("upstream.breaker_failures", "74"),
    ("upstream.ca_file", "Cargo.toml"),
    ("upstream.connect_timeout_seconds", "75"),
    ("upstream.isolate_rejected", "false"),
    ("upstream.max_attempts", "4"),
    ("upstream.max_backoff_ms", "76000"),
    ("upstream.max_calls_per_second", "2.5"),
    ("upstream.max_in_flight", "77"),
    ("upstream.max_retry_after_seconds", "78"),
    ("upstream.min_backoff_ms", "79"),
    ("upstream.on_unknown", "resend"),
    ("upstream.request_timeout_seconds", "80"),
];

fn is_secret_file(key: &str) -> bool {
    key.starts_with("credentials.") && key.ends_with("_file")
}

#[test]
fn every_key_can_be_set_by_environment_and_shows_in_what_is_printed() {
    let token_file = tempfile::NamedTempFile::new().unwrap();
    fs::write(token_file.path(), SECRET).unwrap();
    let others: BTreeMap<_, _> = OTHER_VALUES.iter().copied().collect();

    for key in default_keys() {
        let value = match key.as_str() {
            key if is_secret_file(key) => token_file.path().to_str().unwrap(),
            key => others.get(key).unwrap_or_else(|| panic!("no other value of {key} in this table")),
        };
        // Tokens need clients.
        let needed: &[_] = if key == "auth.mode" { &[("auth.clients_file", "clients.toml")] } else { &[] };
        let before = load(needed).unwrap().redacted();
        let with: Vec<_> = needed.iter().copied().chain([(key.as_str(), value)]).collect();
        let after = load(&with).unwrap_or_else(|error| panic!("{error}")).redacted();

        let changed: Vec<_> = after.lines().filter(|line| !before.lines().any(|old| old == *line)).collect();
        let name = key.split('.').next_back().unwrap();
        assert_eq!(changed.len(), 1, "{key}: {changed:?}");
        let shown = if value == SECRET { "***" } else { value };
        assert_eq!(changed[0].replace('"', ""), format!("{name} = {shown}"));
    }
    assert_eq!(others.len(), default_keys().len(), "the table names keys that do not exist");
}

#[test]
fn every_key_of_the_defaults_is_read_by_a_section() {
    let (values, problems) = merge(&LoadOptions::default());
    let mut reader = Reader::new(values, problems);

    Settings::read(&mut reader, CredentialRule::Optional);

    assert_eq!(reader.unread(), Vec::<&str>::new());
    assert!(reader.finish(()).is_ok());
}

const DEFAULTS: &str = r#"[server]
listen = "127.0.0.1:8080"
admin_listen = "127.0.0.1:9090"
workers = 2
default_wait_seconds = 20
max_wait_seconds = 300
body_idle_timeout_seconds = 30
min_body_bytes_per_second = 1024
keep_alive_seconds = 75
max_connections = 1024
drain_delay_seconds = 5
drain_timeout_seconds = 60

[intake]
max_body_bytes = 0
max_addresses = 10000000
memory_bytes = 33554432

[upstream]
base_url = "https://restapi.fax.plus/v3"
batch_size = 10
max_in_flight = 8
max_calls_per_second = 10
request_timeout_seconds = 30
connect_timeout_seconds = 5
max_retry_after_seconds = 3600
ca_file = ""
on_unknown = "report"
max_attempts = 3
isolate_rejected = true
min_backoff_ms = 200
max_backoff_ms = 30000
breaker_failures = 5
breaker_cooldown_seconds = 10

[credentials]
kind = "personal_access_token"
token = ""
token_file = ""
client_id = ""
client_secret = ""
client_secret_file = ""
refresh_token = ""
refresh_token_file = ""
token_url = "https://accounts.fax.plus/token"
refresh_in = "body"

[dedupe]
window_seconds = 3600
max_entries = 400000
ignore_local_part_case = true

[dispatch]
max_queued_addresses = 10000000
max_hold_seconds = 86400

[store]
path = "data/gateway.db"
retention_seconds = 259200
max_bytes = 0
reserve_bytes = 268435456

[compat]
wait_seconds = 50

[auth]
mode = "none"
clients_file = ""
allow_anonymous = false

[log]
format = "auto"
level = "info"
"#;

#[test]
fn the_defaults_are_those_of_the_contract() {
    let settings = Settings::load(&LoadOptions::default()).unwrap();

    assert_eq!(settings.redacted(), DEFAULTS);
    assert_eq!(settings.warnings(), Vec::<String>::new());
}

#[test]
fn what_is_printed_loads_to_the_same_settings() {
    let pairs: Vec<_> = OTHER_VALUES.iter().filter(|(key, _)| !is_secret_file(key)).copied().collect();
    let printed = load(&pairs).unwrap().redacted();

    let (_file, options) = with_file(&printed);

    assert_eq!(Settings::load(&options).unwrap().redacted(), printed);
}

#[test]
fn every_shipped_file_loads() {
    let token = tempfile::NamedTempFile::new().unwrap();
    fs::write(token.path(), SECRET).unwrap();
    let mut seen = 0;
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("config")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let mut options = with_env(&[("credentials.token_file", token.path().to_str().unwrap())]);
        options.file = Some(path.clone());
        options.credential = CredentialRule::Required;
        if path.ends_with("container.toml") {
            // Who may call the image is left to whoever runs it.
            options.environment.insert("FAXPLUS_GATEWAY__AUTH__ALLOW_ANONYMOUS".into(), "true".into());
        }

        let settings = Settings::load(&options).unwrap_or_else(|error| panic!("{}: {error}", path.display()));

        assert!(settings.warnings().is_empty(), "{}", path.display());
        seen += 1;
    }
    assert_eq!(seen, 3);
}

#[test]
fn the_environment_beats_the_file_and_the_file_beats_the_defaults() {
    let (_file, mut options) = with_file("[server]\nworkers = 3\ndefault_wait_seconds = 7\n");
    options.environment.insert("FAXPLUS_GATEWAY__SERVER__WORKERS".into(), "4".into());

    let server = Settings::load(&options).unwrap().server;

    assert_eq!(server.workers, 4);
    assert_eq!(server.default_wait.as_secs(), 7);
    assert_eq!(server.max_wait.as_secs(), 300);

    options.overrides.insert("server.workers".into(), "5".into());
    assert_eq!(Settings::load(&options).unwrap().server.workers, 5);
}
