//! `probe URL`: GETs it, and exits with 0 on 2xx. For container checks: the image has no shell.

use std::{io::Write, time::Duration};

use awc::http::{Method, Uri};
use bytes::Bytes;
use clap::Args;

use super::{FAILURE, SUCCESS, unwritten};
use crate::outbound::{
    Client, ClientOptions, Content, FailureKind, Request, Written, install_crypto_provider,
};

const MAX_ANSWER_BYTES: usize = 1 << 20;

/// Arguments of `probe`.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  faxplus-gateway probe http://127.0.0.1:9090/readyz")]
pub struct Probe {
    /// What to GET, such as http://127.0.0.1:9090/readyz?verbose
    #[arg(value_parser = absolute)]
    pub url: Uri,
    /// Longest wait, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    pub timeout: u64,
}

/// Asks once; the answer's body goes to `stdout`. Gives the exit code. Must run inside an actix `System`.
pub async fn run(arguments: Probe, stdout: &mut impl Write, stderr: &mut impl Write) -> u8 {
    install_crypto_provider();
    match ask(&arguments).await {
        Ok((status, body)) => {
            let good = (200..300).contains(&status);
            match stdout.write_all(&body).and_then(|()| stdout.flush()) {
                Ok(()) if good => SUCCESS,
                // When even stderr is gone, the exit code has to say it; it is the same.
                Ok(()) => writeln!(stderr, "{}: {status}", arguments.url).map_or(FAILURE, |()| FAILURE),
                Err(error) => unwritten(&error, stderr),
            }
        }
        Err(why) => {
            // When even stderr is gone, the exit code has to say it.
            if writeln!(stderr, "{}: {why}", arguments.url).is_err() {
                return FAILURE;
            }
            FAILURE
        }
    }
}

async fn ask(arguments: &Probe) -> Result<(u16, Bytes), String> {
    let timeout = Duration::from_secs(arguments.timeout);
    let options = ClientOptions { connect_timeout: timeout, ca_file: None, max_in_flight: 1 };
    let client = Client::new(&options).map_err(|error| error.to_string())?;
    let request = Request {
        method: Method::GET,
        uri: arguments.url.clone(),
        headers: Vec::new(),
        body: Bytes::new(),
        timeout,
        max_answer_bytes: MAX_ANSWER_BYTES,
        written: Written::default(),
    };
    let answer =
        client.exchange(request).await.map_err(|failure| format!("no answer: {}", silence(failure.kind)))?;
    let body = match answer.content {
        Content::Whole(body) => body,
        Content::TooLong | Content::TimedOut | Content::Broken => Bytes::new(),
    };
    Ok((answer.status.as_u16(), body))
}

fn silence(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::TimedOut => "none came in time; --timeout says how long to wait",
        FailureKind::Dns => "the name does not resolve",
        FailureKind::Refused => "nobody listens there",
        FailureKind::Connect => "no connection, or no TLS on it",
        FailureKind::Disconnected => "the connection ended before one came",
        FailureKind::NotHttp => "what came is not HTTP",
        FailureKind::Unsendable => "this URL can't be asked",
    }
}

/// A URL that can be asked.
fn absolute(text: &str) -> Result<Uri, &'static str> {
    let expected = "expected something like http://127.0.0.1:9090/readyz";
    let url: Uri = text.parse().map_err(|_| expected)?;
    let is_http = matches!(url.scheme_str(), Some("http" | "https"));
    if is_http && url.host().is_some() { Ok(url) } else { Err(expected) }
}
