//! The rules that settings must keep, and the warnings.

use std::fs;

use super::{
    super::{CredentialRule, LoadOptions, Settings, TokenSetting},
    SECRET, complaints, load, with_env,
};

#[test]
fn the_token_comes_in_place_or_in_a_file() {
    use secrecy::ExposeSecret;
    let inline = load(&[("credentials.token", &format!("{SECRET}\n"))]).unwrap().credentials.token;
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), SECRET).unwrap();
    let path = file.path().to_str().unwrap();
    let from_file = load(&[("credentials.token_file", path)]).unwrap().credentials.token;

    assert!(matches!(inline, Some(TokenSetting::Inline(secret)) if secret.expose_secret() == SECRET));
    assert!(matches!(from_file, Some(TokenSetting::File(found)) if found == file.path()));
}

#[test]
fn a_credential_is_demanded_or_refused_as_the_command_needs() {
    let mut with = with_env(&[("credentials.token", SECRET)]);
    let mut without = LoadOptions::default();
    for options in [&mut with, &mut without] {
        options.credential = CredentialRule::Required;
    }
    assert!(Settings::load(&with).is_ok());
    assert_eq!(complaints(&without), ["credentials.token: is missing; set it or credentials.token_file"]);

    for options in [&mut with, &mut without] {
        options.credential = CredentialRule::Forbidden;
    }
    assert!(Settings::load(&without).is_ok());
    assert!(complaints(&with)[0].contains("no credentials are accepted"));
}

#[test]
fn a_listener_for_everybody_must_be_asked_for() {
    for listen in ["0.0.0.0:8080", "[::]:8080", "192.0.2.1:0", "[::ffff:127.0.0.1]:8080"] {
        let found = complaints(&with_env(&[("server.listen", listen)]));
        assert!(found.len() == 1 && found[0].contains("auth.allow_anonymous"), "{found:?}");

        assert!(load(&[("server.listen", listen), ("auth.allow_anonymous", "true")]).is_ok());
    }
    assert!(load(&[("server.admin_listen", "0.0.0.0:9090")]).is_ok());
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
