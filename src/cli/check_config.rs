//! `check-config`: prints the settings a `serve` would run with, or everything that is wrong with them.
//!
//! Reads files and the environment, nothing else. Secrets are shown as `***`.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use clap::Args;

use super::{FAILURE, SUCCESS, WRONG_CONFIGURATION};
use crate::config::{CredentialRule, LoadOptions, Settings};

/// Arguments of `check-config`.
#[derive(Debug, Args)]
pub struct CheckConfig {
    /// TOML file over the defaults; the environment (FAXPLUS_GATEWAY__SECTION__KEY) goes over both
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Prints the effective settings to `stdout` and warnings to `stderr`; gives the exit code.
pub fn run(arguments: CheckConfig, stdout: &mut impl Write, stderr: &mut impl Write) -> u8 {
    check(&LoadOptions::from_process(arguments.config, CredentialRule::Required), stdout, stderr)
}

fn check(options: &LoadOptions, stdout: &mut impl Write, stderr: &mut impl Write) -> u8 {
    let told = match Settings::load(options) {
        Ok(settings) => tell(&settings, stdout, stderr).map(|()| SUCCESS),
        Err(error) => writeln!(stderr, "{error}").map(|()| WRONG_CONFIGURATION),
    };
    told.unwrap_or(FAILURE)
}

fn tell(settings: &Settings, stdout: &mut impl Write, stderr: &mut impl Write) -> io::Result<()> {
    stdout.write_all(settings.redacted().as_bytes())?;
    stdout.flush()?;
    for warning in settings.warnings() {
        writeln!(stderr, "warning: {warning}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_with(pairs: &[(&str, &str)]) -> (u8, String, String) {
        let options = LoadOptions {
            overrides: pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
            credential: CredentialRule::Required,
            ..LoadOptions::default()
        };
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let code = check(&options, &mut stdout, &mut stderr);
        (code, String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
    }

    #[test]
    fn good_settings_are_printed_without_the_secret_and_warned_about() {
        let (code, stdout, stderr) =
            check_with(&[("credentials.token", "hush"), ("upstream.max_calls_per_second", "100")]);

        assert_eq!(code, 0);
        assert!(stdout.contains("[credentials]\ntoken = \"***\"\n"));
        assert!(!stdout.contains("hush"));
        assert!(stderr.starts_with("warning: up to 3600000 addresses"), "{stderr}");
    }

    #[test]
    fn wrong_settings_are_all_told_and_nothing_is_printed() {
        let (code, stdout, stderr) = check_with(&[("server.workers", "0"), ("server.colour", "red")]);

        assert_eq!(code, 78);
        assert_eq!(stdout, "");
        assert_eq!(stderr.lines().count(), 4, "{stderr}");
        assert!(stderr.contains("credentials.token: is missing"), "{stderr}");
    }
}
