//! Every mistake at once, by key and origin, and never a secret.

use super::{
    super::{CredentialRule, LoadOptions, Settings},
    SECRET, complaints, default_keys, load, with_env, with_file,
};

#[test]
fn every_mistake_is_told_at_once_with_its_key_and_origin() {
    let (file, mut options) = with_file(
        "surprise = 1\nlog = 3\n[server]\nworkers = 0\nworker = 2\nlisten = 8080\n[upstream]\nbatch_size = 11\n[credentails]\n",
    );
    options.environment = with_env(&[
        ("server.default_wait_seconds", "soon"),
        ("upstream.base_ulr", "https://x.example"),
        ("upstream.max_calls_per_second", "-1"),
        ("upstream.isolate_rejected", "yes"),
        ("upstream.on_unknown", "shrug"),
        ("store.path", ""),
        ("credentials.token", SECRET),
        ("credentials.token_file", "/nowhere/token"),
    ])
    .environment;
    let path = file.path().display();

    let found = complaints(&options);

    let expected = [
        format!("{path}: unknown key credentails"),
        format!("{path}: log is a section; it holds keys and has no value of its own"),
        format!("{path}: unknown key server.worker; did you mean server.workers?"),
        format!("{path}: unknown key surprise"),
        "FAXPLUS_GATEWAY__UPSTREAM__BASE_ULR: unknown key upstream.base_ulr; did you mean FAXPLUS_GATEWAY__UPSTREAM__BASE_URL?".into(),
        format!("server.listen (from {path}): must be an IP address with a port, such as 127.0.0.1:8080 or [::1]:8080"),
        format!("server.workers (from {path}): 0 is out of range; 1 to 64"),
        "server.default_wait_seconds (from FAXPLUS_GATEWAY__SERVER__DEFAULT_WAIT_SECONDS): must be a whole number".into(),
        format!("upstream.batch_size (from {path}): 11 is out of range; 1 to 10"),
        "upstream.max_calls_per_second (from FAXPLUS_GATEWAY__UPSTREAM__MAX_CALLS_PER_SECOND): -1 is out of range; 0 or 0.001 to 100000".into(),
        "upstream.on_unknown (from FAXPLUS_GATEWAY__UPSTREAM__ON_UNKNOWN): must be \"report\" or \"resend\"".into(),
        "upstream.isolate_rejected (from FAXPLUS_GATEWAY__UPSTREAM__ISOLATE_REJECTED): must be true or false".into(),
        "credentials.token (from FAXPLUS_GATEWAY__CREDENTIALS__TOKEN): is set, and credentials.token_file too; keep one of them".into(),
        "credentials.token_file (from FAXPLUS_GATEWAY__CREDENTIALS__TOKEN_FILE): /nowhere/token cannot be read: No such file or directory (os error 2)".into(),
        "store.path (from FAXPLUS_GATEWAY__STORE__PATH): is empty; name a file, or say \":memory:\" to keep nothing across a restart".into(),
    ];
    assert_eq!(found, expected);
}

#[test]
fn keys_of_later_steps_are_refused() {
    for key in ["auth.realm", "cluster.redis_url"] {
        let found = complaints(&with_env(&[(key, "1")]));

        assert!(found.len() == 1 && found[0].contains(&format!("unknown key {key}")), "{found:?}");
    }
}

#[test]
fn other_variables_are_none_of_our_business() {
    let mut options = LoadOptions::default();
    for name in [
        "FAXPLUS_GATEWAY_PORT",
        "FAXPLUS_GATEWAY_PORT_8080_TCP",
        "FAXPLUS_GATEWAY_PORT_8080_TCP_ADDR",
        "FAXPLUS_GATEWAY_SERVICE_HOST",
        "FAXPLUS_GATEWAY_SERVICE_PORT",
        "FAXPLUS_GATEWAY_SERVICE_PORT_HTTP",
        "FAXPLUS_GATEWAY_ADMIN_SERVICE_HOST",
        "FAXPLUS_GATEWAY_URL",
        "FAXPLUS_GATEWAY_TOKEN",
        "API_GATEWAY_LOG_LEVEL",
        "GATEWAY_INTERFACE",
        "FAXPLUS_GATEWAY_ADMIN_PORT_9090_TCP_PROTO",
        "FAXPLUS_GATEWAY_ADMIN_PORT_9090_UDP_PORT",
        "FAXPLUS_HOME",
        "LOG_LEVEL",
        "PATH",
        "",
    ] {
        options.environment.insert(name.into(), "tcp://10.0.0.1:80".into());
    }

    assert_eq!(Settings::load(&options).unwrap().near_misses, [""; 0]);
}

#[test]
fn a_variable_that_is_nearly_a_setting_is_told_with_the_name_that_was_meant() {
    for (wrong, meant) in [
        ("FAXPLUS_GATEWAY_UPSTREAM__BASE_URL", "UPSTREAM__BASE_URL"),
        ("FAXPLUS_GATEWAY_UPSTREAM_BASE_URL", "UPSTREAM__BASE_URL"),
        ("FAXPLUS_GATEWAY_UPSTREAM_BASEURL", "UPSTREAM__BASE_URL"),
        ("FAXPLUSGATEWAY__UPSTREAM__BASE_URL", "UPSTREAM__BASE_URL"),
        ("FAXPLUS__GATEWAY__UPSTREAM__BASE_URL", "UPSTREAM__BASE_URL"),
        ("FAX_PLUS_GATEWAY__UPSTREAM__BASE_URL", "UPSTREAM__BASE_URL"),
        ("FAXPLUS-GATEWAY__UPSTREAM__BASE_URL", "UPSTREAM__BASE_URL"),
        ("faxplus_gateway_upstream_base_url", "UPSTREAM__BASE_URL"),
        ("FAXPLUS_GATWAY__UPSTREAM__BASE_URL", "UPSTREAM__BASE_URL"),
        ("FAXPLUS_GATEWAY_BASE_URL", "UPSTREAM__BASE_URL"),
        ("FAXPLUS_GATEWAY_CREDENTIALS__TOKEN_FILE", "CREDENTIALS__TOKEN_FILE"),
        ("FAXPLUS_GATEWAY_LOG_LEVEL", "LOG__LEVEL"),
        ("FAXPLUS_UPSTREAM_BASE_URL", "UPSTREAM__BASE_URL"),
        ("FAXPLUS__UPSTREAM__BASE_URL", "UPSTREAM__BASE_URL"),
        ("FAX_STORE_PATH", "STORE__PATH"),
        ("FAXPLUS_TOKEN", "CREDENTIALS__TOKEN"),
    ] {
        let mut options = LoadOptions::default();
        options.environment.insert(wrong.into(), SECRET.into());

        let told = Settings::load(&options).unwrap().warnings();

        let sentence = format!(
            "the variable {wrong} is not a setting and has no effect; did you mean FAXPLUS_GATEWAY__{meant}?"
        );
        assert_eq!(told, [sentence]);
        let options = LoadOptions { credential: CredentialRule::Required, ..options };
        let error = Settings::load(&options).unwrap_err().to_string();
        assert!(error.contains(&told[0]) && !error.contains("hush"), "{error}");
    }
}

#[test]
fn a_variable_with_the_prefix_of_the_gateway_that_is_none_of_its_own_is_told() {
    for (name, value) in [
        ("FAXPLUS_GATEWAY_CONFIG", "gateway.toml"),
        ("FAXPLUS_GATEWAY_LOG", "debug"),
        ("FAXPLUS_GATEWAY_SERVER_PORT", "8080"),
        ("FAXPLUS_GATEWAY_PORT_NAME", "http"),
    ] {
        let mut options = LoadOptions::default();
        options.environment.insert(name.into(), value.into());

        let told = Settings::load(&options).unwrap().near_misses;

        let sentence = format!("the variable {name} is not a setting and has no effect; ");
        assert!(told.len() == 1 && told[0].starts_with(&sentence), "{told:?}");
    }
}

#[test]
fn a_wrong_name_behind_the_prefix_of_settings_is_refused_with_the_right_one() {
    for (wrong, meant) in [
        ("FAXPLUS_GATEWAY__UPSTREAM_BASE_URL", "UPSTREAM__BASE_URL"),
        ("FAXPLUS_GATEWAY__UPSTREAM__BASEURL", "UPSTREAM__BASE_URL"),
        ("FAXPLUS_GATEWAY__UPSTREAM__BASE__URL", "UPSTREAM__BASE_URL"),
        ("FAXPLUS_GATEWAY___UPSTREAM__BASE_URL", "UPSTREAM__BASE_URL"),
        ("FAXPLUS_GATEWAY__BASE_URL", "UPSTREAM__BASE_URL"),
        ("FAXPLUS_GATEWAY__CREDENTIALS_TOKEN_FILE", "CREDENTIALS__TOKEN_FILE"),
    ] {
        let mut options = LoadOptions::default();
        options.environment.insert(wrong.into(), SECRET.into());

        let found = complaints(&options);

        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].ends_with(&format!("did you mean FAXPLUS_GATEWAY__{meant}?")), "{}", found[0]);
    }
}

#[test]
fn one_variable_in_two_spellings_is_refused() {
    let mut options = with_env(&[("server.workers", "3")]);
    options.environment.insert("faxplus_gateway__server__workers".into(), "4".into());

    assert_eq!(complaints(&options), ["FAXPLUS_GATEWAY__SERVER__WORKERS: set twice, in different case"]);
}

#[test]
fn a_file_that_is_missing_or_no_toml_is_told_without_its_text() {
    let (file, options) = with_file(&format!("[credentials]\ntoken = \"{SECRET}\n"));
    let missing = LoadOptions { file: Some("/nowhere/x.toml".into()), ..LoadOptions::default() };

    let found = complaints(&options);

    assert_eq!(found.len(), 1);
    assert!(
        found[0].starts_with(&format!("{}: is not valid TOML at line 2, column ", file.path().display())),
        "{}",
        found[0]
    );
    assert!(!found[0].contains("hush"));
    assert_eq!(
        complaints(&missing),
        ["/nowhere/x.toml: cannot be read: No such file or directory (os error 2)"]
    );
}

#[test]
fn a_secret_is_never_shown() {
    let options = with_env(&[("credentials.token", SECRET)]);
    let settings = Settings::load(&options).unwrap();
    assert!(!format!("{settings:?} {options:?} {}", settings.redacted()).contains("hush"));

    for key in default_keys() {
        for value in
            [format!("{SECRET}\n{SECRET}"), format!("https://{SECRET}@x.example"), format!("{SECRET}\u{7f}")]
        {
            if let Err(error) = load(&[(&key, &value)]) {
                let shown = format!("{error} {error:?}");
                // A path is no secret, and the error must say which one is missing.
                assert!(key.ends_with("_file") || !shown.contains("hush"), "{shown}");
            }
        }
    }
    for content in [format!("credentials = \"{SECRET}\""), format!("[credentials]\ntoken = [\"{SECRET}\"]")] {
        let (_file, options) = with_file(&content);
        let error = Settings::load(&options).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hush"), "{error}");
    }
}
