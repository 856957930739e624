//! `cancel ID`: nothing more of a resend is sent; calls in flight end with their true outcome.

use std::{
    io::{self, IsTerminal as _, Write},
    time::SystemTime,
};

use awc::http::Method;
use clap::Args;
use thiserror::Error;

use super::{
    FAILURE, SUCCESS,
    client::{CallError, Client, Resend, Target, parse, resend_id},
    paint::Paint,
    unwritten, words,
};
use crate::domain::ResendId;

const EXAMPLES: &str = "\
Example:
  faxplus-gateway cancel 0198c9f2-3c5e-7a61-9d0e-5f2b8c1a7e44

What was not sent becomes `not_sent`. Cancelling what has ended changes nothing and is no failure.";

/// Arguments of `cancel`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Cancel {
    /// The resend
    #[arg(value_parser = resend_id)]
    pub id: ResendId,
    /// Print the answer of the gateway as it is
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub(super) target: Target,
}

/// Why nothing was cancelled, as far as is known.
#[derive(Debug, Error)]
enum CancelError {
    #[error(transparent)]
    Call(#[from] CallError),
    #[error("can't write: {0}")]
    Io(#[from] io::Error),
}

/// Cancels and shows what is left; gives the exit code. Must run inside an actix `System`.
pub async fn run(arguments: Cancel, stdout: &mut impl Write, stderr: &mut impl Write) -> u8 {
    match perform(&arguments, stdout).await {
        Ok(()) => SUCCESS,
        Err(CancelError::Io(error)) => unwritten(&error, stderr),
        // When even stderr is gone, the exit code has to say it.
        Err(error) => writeln!(stderr, "faxplus-gateway: {error}").map_or(FAILURE, |()| FAILURE),
    }
}

async fn perform(arguments: &Cancel, stdout: &mut impl Write) -> Result<(), CancelError> {
    let client = Client::new(&arguments.target)?;
    let answer = client.ask(Method::DELETE, &format!("/v1/resends/{}", arguments.id)).await?;
    let text = if arguments.json {
        format!("{}\n", String::from_utf8_lossy(&answer).trim_end())
    } else {
        let paint = Paint::new(io::stdout().is_terminal());
        words::resend(&parse::<Resend>(&answer)?, SystemTime::now(), paint)
    };
    stdout.write_all(text.as_bytes())?;
    Ok(stdout.flush()?)
}
