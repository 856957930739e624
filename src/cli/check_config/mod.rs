//! `check-config`: prints the settings a `serve` would run with, or everything that is wrong with them.
//!
//! Reads files and the environment, and with `--online` asks fax.plus for the account; mails nobody.
//! Secrets are shown as `***`.

mod online;

use std::{
    io::{self, Write},
    path::PathBuf,
};

use clap::Args;

use super::{FAILURE, SUCCESS, WRONG_CONFIGURATION, unwritten};
use crate::{
    clients::{ClientsError, Directory},
    config::{CredentialRule, LoadOptions, Settings, SettingsError},
};

/// Arguments of `check-config`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  faxplus-gateway check-config --config gateway.toml
  faxplus-gateway check-config --config gateway.toml --online")]
pub struct CheckConfig {
    /// TOML file over the defaults; the environment (FAXPLUS_GATEWAY__SECTION__KEY) goes over both
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Also prove the credential with GET accounts/self, which mails nobody. With OAuth2 this uses the
    /// refresh token: do it before the gateway runs, not beside it
    #[arg(long)]
    pub online: bool,
}

/// Prints the effective settings to `stdout` and warnings to `stderr`; gives the exit code. Must run
/// inside an actix `System`.
pub async fn run(arguments: CheckConfig, stdout: &mut impl Write, stderr: &mut impl Write) -> u8 {
    let options = LoadOptions::from_process(arguments.config, CredentialRule::Required);
    match check(&options, stdout, stderr) {
        Ok(settings) if arguments.online => online::prove(&settings, stdout, stderr).await,
        Ok(_) => SUCCESS,
        Err(code) => code,
    }
}

fn check(
    options: &LoadOptions,
    stdout: &mut impl Write,
    stderr: &mut impl Write,
) -> Result<Box<Settings>, u8> {
    match Settings::load(options) {
        Ok(settings) => match tell(&settings, stdout, stderr) {
            Ok(()) => match check_clients(&settings) {
                Ok(()) => Ok(Box::new(settings)),
                Err(error) => Err(writeln!(stderr, "{error}").map_or(FAILURE, |()| WRONG_CONFIGURATION)),
            },
            Err(error) => Err(unwritten(&error, stderr)),
        },
        Err(error) => Err(writeln!(stderr, "{}", mistakes(&error)).map_or(FAILURE, |()| WRONG_CONFIGURATION)),
    }
}

/// Everything that is wrong with the settings, and with the clients file that they name.
pub(super) fn mistakes(error: &SettingsError) -> String {
    match error.clients_file().map(Directory::open) {
        Some(Err(clients)) => format!("{error}\n{clients}"),
        Some(Ok(_)) | None => error.to_string(),
    }
}

fn check_clients(settings: &Settings) -> Result<(), ClientsError> {
    settings.auth.clients().map_or(Ok(()), |file| Directory::open(file).map(drop))
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
        let code = check(&options, &mut stdout, &mut stderr).err().unwrap_or(SUCCESS);
        (code, String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
    }

    #[test]
    fn a_clients_file_that_can_not_be_used_is_told() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "billing = { tokens = [\"fxg_hush\"] }").unwrap();
        let path = file.path().to_str().unwrap();

        let pairs = [("credentials.token", "t"), ("auth.mode", "tokens"), ("auth.clients_file", path)];
        let (code, _, stderr) = check_with(&pairs);

        assert_eq!(code, WRONG_CONFIGURATION);
        assert!(stderr.contains("client billing") && !stderr.contains("hush"), "{stderr}");
    }

    #[test]
    fn the_clients_file_is_looked_at_beside_wrong_settings_when_they_name_it() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "a = { weight = 0, queued_addresses = 0 }\n\"b c\" = 1").unwrap();
        let path = file.path().to_str().unwrap();
        let clients = ["queued_addresses must be", "weight must be", "tokens is missing", "name of a client"];

        for (mode, is_told) in [("tokens", true), ("tokns", false), ("none", false)] {
            let pairs = [("server.workers", "0"), ("auth.mode", mode), ("auth.clients_file", path)];
            let (code, _, stderr) = check_with(&pairs);

            assert_eq!(code, WRONG_CONFIGURATION);
            for text in ["0 is out of range", "credentials.token: is missing"] {
                assert!(stderr.contains(text), "{mode}: {stderr}");
            }
            assert!(clients.iter().all(|text| stderr.contains(text) == is_told), "{mode}: {stderr}");
        }
    }

    #[test]
    fn good_settings_are_printed_without_the_secret_and_warned_about() {
        let (code, stdout, stderr) =
            check_with(&[("credentials.token", "hush"), ("upstream.max_calls_per_second", "100")]);

        assert_eq!(code, 0);
        assert!(stdout.contains("\ntoken = \"***\"\n"));
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
