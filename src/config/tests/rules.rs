//! The rules that settings must keep, and the warnings.

use std::fs;

use super::{
    super::{CredentialChoice, CredentialRule, LoadOptions, RefreshIn, Settings},
    SECRET, complaints, load, with_env,
};

const OAUTH2: [(&str, &str); 4] = [
    ("credentials.kind", "oauth2"),
    ("credentials.client_id", "client"),
    ("credentials.client_secret", SECRET),
    ("credentials.refresh_token", SECRET),
];

fn required(pairs: &[(&str, &str)]) -> LoadOptions {
    LoadOptions { credential: CredentialRule::Required, ..with_env(pairs) }
}

#[test]
fn the_token_comes_in_place_or_in_a_file() {
    use secrecy::ExposeSecret;
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), SECRET).unwrap();
    let path = file.path().to_str().unwrap();

    for pair in [("credentials.token", format!("{SECRET}\n")), ("credentials.token_file", path.to_owned())] {
        let choice = load(&[(pair.0, &pair.1)]).unwrap().credentials.choice();
        let Some(CredentialChoice::PersonalAccessToken(source)) = choice else { panic!("{choice:?}") };
        assert_eq!(source.file().is_some(), pair.0.ends_with("_file"));
        assert_eq!(source.load().unwrap().expose_secret(), SECRET);
    }
}

#[test]
fn a_credential_is_demanded_or_refused_as_the_command_needs() {
    let with = [("credentials.token", SECRET)];
    let forbidden = |pairs| LoadOptions { credential: CredentialRule::Forbidden, ..with_env(pairs) };

    assert!(Settings::load(&required(&with)).is_ok());
    assert_eq!(
        complaints(&required(&[])),
        ["credentials.token: is missing; set it or credentials.token_file"]
    );
    assert!(Settings::load(&forbidden(&[])).is_ok());
    assert!(complaints(&forbidden(&with))[0].contains("no credentials are accepted"));
    assert_eq!(complaints(&forbidden(&OAUTH2)).len(), 3);
}

#[test]
fn oauth2_needs_all_of_its_keys_and_none_of_the_other_kind() {
    let settings = Settings::load(&required(&OAUTH2)).unwrap();
    let Some(CredentialChoice::OAuth2(client)) = settings.credentials.choice() else { panic!("no client") };
    assert_eq!(client.token_url, "https://accounts.fax.plus/token");
    assert_eq!(client.refresh_in, RefreshIn::Body);
    assert!(!format!("{settings:?} {}", settings.redacted()).contains("hush"));

    assert_eq!(
        complaints(&required(&[("credentials.kind", "oauth2")])),
        [
            "credentials.client_id: is missing; OAuth2 needs it",
            "credentials.client_secret: is missing; set it or credentials.client_secret_file",
            "credentials.refresh_token: is missing; set it or credentials.refresh_token_file",
        ]
    );
    let mut both = OAUTH2.to_vec();
    both.push(("credentials.token", SECRET));
    let found = complaints(&required(&both));
    assert!(found.len() == 1 && found[0].contains("does nothing while credentials.kind is"), "{found:?}");
    let found = complaints(&required(&OAUTH2[1..]));
    assert_eq!(found.len(), 4, "{found:?}");
}

#[test]
fn a_client_or_a_token_url_that_is_none_is_refused() {
    for (key, value) in [
        ("credentials.client_id", "a:b"),
        ("credentials.client_id", "a b"),
        ("credentials.client_id", "\u{e9}"),
        ("credentials.token_url", "accounts.fax.plus/token"),
        ("credentials.token_url", "https://user:hush@accounts.fax.plus/token"),
        ("credentials.refresh_in", "header"),
        ("credentials.kind", "OAuth2"),
    ] {
        let found = complaints(&with_env(&[(key, value)]));
        assert!(found.len() == 1 && found[0].starts_with(key) && !found[0].contains("hush"), "{found:?}");
    }
}

#[test]
fn a_base_url_that_holds_the_endpoint_is_refused_and_one_of_fax_plus_without_its_path_warned_about() {
    let url = |path: &str| format!("https://restapi.fax.plus{path}");
    for path in ["/v3/accounts/self/member-invitations", "/v3/accounts/self", "/accounts"] {
        let found = complaints(&with_env(&[("upstream.base_url", &url(path))]));
        assert!(found.len() == 1 && found[0].contains("must end before /accounts"), "{path}: {found:?}");
    }
    for (url, warned) in [
        (url("/v3"), 0),
        (url("/v3/"), 0),
        (url(""), 1),
        (url("/v2"), 1),
        (url("//v3"), 1),
        ("https://accounts.fax.plus".to_owned(), 1),
        ("https://proxy.example".to_owned(), 0),
    ] {
        let warnings = load(&[("upstream.base_url", &url)]).unwrap().warnings();
        assert_eq!(warnings.len(), warned, "{url}: {warnings:?}");
    }
}

#[test]
fn a_secret_with_its_header_or_its_quotes_is_refused_wherever_it_stands() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    for key in ["token", "client_secret", "refresh_token"].map(|name| format!("credentials.{name}")) {
        for value in ["Bearer hush", "\"hush\"", "\u{201c}hush\u{201d}", "\u{feff}hush"] {
            fs::write(file.path(), value).unwrap();
            let file_key = format!("{key}_file");
            for (key, value) in [(&key, value), (&file_key, path)] {
                let found = complaints(&with_env(&[(key, value)]));
                assert!(found.len() == 1 && found[0].starts_with(key.as_str()), "{found:?}");
                assert!(!found[0].contains("hush"), "{found:?}");
            }
        }
    }
    for (key, value) in [("credentials.client_id", "\"client\""), ("credentials.token", "hush hush")] {
        let found = complaints(&with_env(&[(key, value)]));
        assert!(found.len() == 1 && found[0].starts_with(key) && !found[0].contains("hush"), "{found:?}");
    }
}

#[test]
fn a_token_url_without_tls_is_warned_about_when_it_is_used() {
    let url = ("credentials.token_url", "http://accounts.example/token");
    let mut used = OAUTH2.to_vec();
    used.push(url);

    let warned = |pairs: &[(&str, &str)]| load(pairs).unwrap().warnings().len();

    assert_eq!((warned(&used), warned(&[url])), (1, 0));
    used[4].1 = "https://accounts.fax.plus";
    assert_eq!(warned(&used), 1, "that is not where fax.plus gives tokens");
}

#[test]
fn a_listener_for_everybody_must_be_asked_for() {
    for listen in ["0.0.0.0:8080", "[::]:8080", "192.0.2.1:0", "[::ffff:127.0.0.1]:8080"] {
        let found = complaints(&with_env(&[("server.listen", listen)]));
        assert!(found.len() == 1 && found[0].contains("auth.allow_anonymous"), "{found:?}");

        assert!(load(&[("server.listen", listen), ("auth.allow_anonymous", "true")]).is_ok());
        let tokens = [("auth.mode", "tokens"), ("auth.clients_file", "clients.toml")];
        assert!(load(&[("server.listen", listen), tokens[0], tokens[1]]).is_ok());
    }
    assert!(load(&[("server.admin_listen", "0.0.0.0:9090")]).is_ok());
}

#[test]
fn tokens_need_clients_and_leave_no_anonymous_callers() {
    let (mode, file) = (("auth.mode", "tokens"), ("auth.clients_file", "clients.toml"));
    let anonymous = ("auth.allow_anonymous", "true");

    assert!(complaints(&with_env(&[mode]))[0].contains("auth.clients_file"));
    assert!(load(&[mode, file, anonymous]).unwrap().warnings()[0].contains("auth.allow_anonymous"));
    assert!(complaints(&with_env(&[("auth.mode", "basic")]))[0].contains("auth.mode"));
    assert_eq!(load(&[file]).unwrap().warnings().len(), 1);
    assert_eq!(load(&[mode, file]).unwrap().warnings().len(), 0);
}

#[test]
fn the_two_listeners_must_not_meet() {
    let both = |one, other| load(&[("server.listen", one), ("server.admin_listen", other)]);

    assert!(both("127.0.0.1:1", "127.0.0.1:1").is_err());
    assert!(both("127.0.0.1:1", "0.0.0.0:1").is_err());
    assert!(both("127.0.0.1:1", "[::1]:1").is_ok());
    assert!(both("127.0.0.1:0", "127.0.0.1:0").is_ok());
}

#[test]
fn pairs_in_the_wrong_order_are_refused() {
    assert_eq!(complaints(&with_env(&[("server.default_wait_seconds", "301")])).len(), 1);
    assert_eq!(complaints(&with_env(&[("upstream.min_backoff_ms", "30001")])).len(), 1);
}

#[test]
fn zero_means_none_where_the_file_says_so() {
    let settings = load(&[
        ("intake.max_addresses", "0"),
        ("upstream.max_calls_per_second", "0"),
        ("dedupe.window_seconds", "0"),
    ])
    .unwrap();

    assert_eq!(settings.intake.max_body_bytes, None);
    assert_eq!(settings.intake.max_addresses, None);
    assert_eq!(settings.upstream.max_calls_per_second, None);
    assert_eq!(settings.dedupe.window, None);
    assert!(settings.warnings().is_empty());
}

#[test]
fn a_memory_too_small_and_a_readable_line_are_warned_of() {
    let warnings = |pairs: &[(&str, &str)]| load(pairs).unwrap().warnings();

    assert!(warnings(&[("upstream.max_calls_per_second", "12")])[0].contains("up to 432000 addresses"));
    assert!(warnings(&[("upstream.max_calls_per_second", "0")])[0].contains("no ceiling"));
    assert!(warnings(&[("upstream.base_url", "http://restapi.fax.plus/v3")])[0].contains("plain http"));
    assert!(warnings(&[("upstream.base_url", "http://127.0.0.1:8025/v3")]).is_empty());
}
