//! `--online`: shows the credential to fax.plus and tells what it says.
//!
//! With OAuth2 an access token is needed for that, and having one may use up the refresh token of the
//! settings. So a replaced one is written back into its file; where that can't be, it is printed, once:
//! a token that nobody has any more would lock the operator out.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown},
    path::Path,
    time::Duration,
};

use awc::http::StatusCode;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    cli::{FAILURE, SUCCESS, words},
    config::{CredentialChoice, Settings, UpstreamSettings},
    outbound::{FailureKind, install_crypto_provider},
    upstream::{Credential, Outage, Probe, RenewalError, Upstream},
};

/// Proves the credential; gives the exit code.
pub(super) async fn prove(settings: &Settings, stdout: &mut impl Write, stderr: &mut impl Write) -> u8 {
    let told = match ask(settings, stdout, stderr).await {
        Ok(accepted) => writeln!(stderr, "online: {accepted}").map(|()| SUCCESS),
        Err(why) => writeln!(stderr, "online: {why}").map(|()| FAILURE),
    };
    // When even stderr is gone, the exit code has to say it.
    told.unwrap_or(FAILURE)
}

async fn ask(
    settings: &Settings,
    stdout: &mut impl Write,
    stderr: &mut impl Write,
) -> Result<String, String> {
    install_crypto_provider();
    let choice = settings.credentials.choice().ok_or("no credential is set")?;
    let (seed, remedy) = match &choice {
        CredentialChoice::PersonalAccessToken(_) => (None, "make a new access token and set it"),
        CredentialChoice::OAuth2(client) => (
            client.refresh_token.file().map(Path::to_owned),
            "the token endpoint has just given it; check credentials.client_id, and that \
             credentials.token_url and upstream.base_url belong together",
        ),
    };
    let credential = Credential::load(choice).map_err(|error| error.to_string())?;
    let upstream = Upstream::new(&settings.upstream, credential).map_err(|error| error.to_string())?;
    let refreshed = upstream.refresh().await;
    if let Some(token) = upstream.rotated_refresh_token() {
        keep(seed.as_deref(), &token, stdout, stderr).map_err(|error| error.to_string())?;
    }
    refreshed.map_err(|error| advice(&error))?;
    let url = &settings.upstream.base_url;
    let exchange = upstream.account().await;
    let probe = Probe::of(&exchange);
    match exchange {
        Ok(answer) => judge(answer.status, probe, &settings.upstream, remedy),
        Err(failure) => Err(format!("{url} {}", silence(failure.kind))),
    }
}

/// What an answer to `GET accounts/self` says of the settings. Only fax.plus itself accepts a credential.
fn judge(
    status: StatusCode,
    probe: Probe,
    upstream: &UpstreamSettings,
    remedy: &str,
) -> Result<String, String> {
    let (code, url) = (status.as_u16(), &upstream.base_url);
    match (probe, status) {
        (Probe::Alive, _) => Ok(format!("{url} accepts the credential")),
        (Probe::Refused, StatusCode::FORBIDDEN) => Ok(format!(
            "{url} knows the credential, which may not read its account (403: reading needs fax:user:read, \
             fax:member:read or fax:all:read); whether it may resend invitations shows only when it does"
        )),
        (Probe::Refused, StatusCode::UNAUTHORIZED) => Err(format!(
            "{url} refuses the credential (401); {remedy}, or it lacks the scope that reading the account needs \
             (fax:user:read, fax:member:read or fax:all:read)"
        )),
        (Probe::Refused, StatusCode::NOT_FOUND) => Err(format!(
            "{url} knows no accounts/self (404); check upstream.base_url: that of fax.plus is \
             https://restapi.fax.plus/v3"
        )),
        (Probe::Refused, _) => {
            Err(format!("{url} refuses GET accounts/self ({code}); check upstream.base_url"))
        }
        (Probe::Failing(seen, wait), _) => {
            let wait = wait.map(|wait| wait.min(upstream.max_retry_after));
            Err(format!("{url} {}", failing(seen, code, wait)))
        }
    }
}

fn failing(seen: Outage, status: u16, wait: Option<Duration>) -> String {
    let again = match wait {
        Some(wait) if !wait.is_zero() => format!("try again in {}", words::seconds(wait)),
        Some(_) | None => "try again later".to_owned(),
    };
    match seen {
        Outage::Unavailable if status == 429 => format!("asks for fewer requests (429); {again}"),
        Outage::Unavailable | Outage::Errors => format!("fails ({status}); {again}"),
        Outage::OriginUnreachable(edge) => {
            format!("is not reached by the edge in front of it ({edge}); {again}")
        }
        Outage::Elsewhere(stranger) => format!(
            "is not answered by fax.plus but by something else ({stranger}); check upstream.base_url, and \
             proxies and redirects on the way"
        ),
        Outage::Silent => "does not end its answer in time; check the way there".to_owned(),
        Outage::Lost => "ends the connection inside its answer; check the way there".to_owned(),
        Outage::Unreadable | Outage::Refused | Outage::NoName | Outage::NoConnection => {
            format!("gives an answer that can't be read (status {status}); check upstream.base_url")
        }
    }
}

fn advice(error: &RenewalError) -> String {
    let next = match error {
        RenewalError::ClientRefused => "check credentials.client_id and credentials.client_secret",
        RenewalError::GrantRefused => "grant access again and set the new credentials.refresh_token",
        RenewalError::NoAnswer => "check credentials.token_url and the way there",
        RenewalError::Failing { .. } => "try again later",
        RenewalError::RequestRefused => {
            "check credentials.refresh_in: set \"query\" if it is \"body\", else \"body\""
        }
        RenewalError::Denied => "check in fax.plus that access is still granted",
        RenewalError::Elsewhere(_) => "check credentials.token_url, and proxies and redirects on the way",
        RenewalError::Unusable(_) => "ask the operators of credentials.token_url",
    };
    format!("{error}; {next}")
}

fn silence(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::TimedOut => "does not answer in time; check the way there",
        FailureKind::Dns => "has a name that does not resolve; check upstream.base_url and DNS",
        FailureKind::Refused => "refuses the connection; check upstream.base_url and the way there",
        FailureKind::Connect => {
            "can't be reached; check upstream.base_url, upstream.ca_file and the way there"
        }
        FailureKind::Disconnected => "ends the connection without an answer",
        FailureKind::NotHttp => "does not speak HTTP; check upstream.base_url",
        FailureKind::Unsendable => "can't be asked; check upstream.base_url",
    }
}

/// Puts a replaced refresh token where the gateway will find it.
fn keep(
    seed: Option<&Path>,
    token: &SecretString,
    stdout: &mut impl Write,
    stderr: &mut impl Write,
) -> io::Result<()> {
    let why = match seed.map(|path| (path, replace(path, token))) {
        Some((path, Ok(()))) => {
            return writeln!(
                stderr,
                "online: fax.plus replaced the refresh token; {} holds the new one",
                path.display()
            );
        }
        Some((path, Err(error))) => format!("{} can't be written: {error}", path.display()),
        None => "it stands among the settings".to_owned(),
    };
    // First: with a stderr that takes nothing it must not be lost.
    writeln!(stdout, "{}", token.expose_secret())?;
    stdout.flush()?;
    writeln!(
        stderr,
        "online: fax.plus replaced the refresh token, and the old one is of no use any more ({why}).\n\
         online: the new one is the last line on stdout; put it into its place"
    )
}

/// Gives a file the owner and the mode of another: whoever checks is not always whoever runs the gateway.
fn belongs_as(file: &fs::File, other: &fs::Metadata) -> io::Result<()> {
    let own = file.metadata()?;
    if (own.uid(), own.gid()) != (other.uid(), other.gid()) {
        fchown(file, Some(other.uid()), Some(other.gid()))?;
    }
    file.set_permissions(fs::Permissions::from_mode(other.mode() & 0o777))
}

/// Replaces a file as a whole: a power cut leaves the old token or the new one.
fn replace(path: &Path, token: &SecretString) -> io::Result<()> {
    let path = fs::canonicalize(path)?;
    let new = path.with_extension(format!("new-{}", std::process::id()));
    let written =
        fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new).and_then(|mut file| {
            belongs_as(&file, &fs::metadata(&path)?)?;
            writeln!(file, "{}", token.expose_secret())?;
            file.sync_all()
        });
    match written.and_then(|()| fs::rename(&new, &path)) {
        Ok(()) => Ok(()),
        Err(error) => {
            // What was half written must not stay beside the secret.
            drop(fs::remove_file(&new));
            Err(error)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_token_is_printed_also_when_nobody_reads_stderr() {
        let mut stdout = Vec::new();
        let mut nowhere: &mut [u8] = &mut [];

        assert!(keep(None, &SecretString::from("the-new-one"), &mut stdout, &mut nowhere).is_err());

        assert_eq!(stdout, b"the-new-one\n");
    }
}
