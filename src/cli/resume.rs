//! `resume`: what an operator paused goes on.

use std::io::{self, IsTerminal as _, Write};

use clap::Args;
use serde_json::json;
use thiserror::Error;

use super::{
    FAILURE, SUCCESS,
    client::{CallError, Client, Standing, Target, parse},
    paint::Paint,
    unwritten, words,
};

const EXAMPLES: &str = "\
Example:
  faxplus-gateway resume

Resuming a gateway that is not paused changes nothing and is no failure.";

/// Arguments of `resume`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Resume {
    /// Print the answer of the gateway as it is
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub(super) target: Target,
}

/// Why it is not known to go on.
#[derive(Debug, Error)]
enum ResumeError {
    #[error(transparent)]
    Call(#[from] CallError),
    #[error("can't write: {0}")]
    Io(#[from] io::Error),
}

/// Resumes and shows how it stands; gives the exit code. Must run inside an actix `System`.
pub async fn run(arguments: Resume, stdout: &mut impl Write, stderr: &mut impl Write) -> u8 {
    match perform(&arguments, stdout).await {
        Ok(()) => SUCCESS,
        Err(ResumeError::Io(error)) => unwritten(&error, stderr),
        // When even stderr is gone, the exit code has to say it.
        Err(error) => writeln!(stderr, "faxplus-gateway: {error}").map_or(FAILURE, |()| FAILURE),
    }
}

async fn perform(arguments: &Resume, stdout: &mut impl Write) -> Result<(), ResumeError> {
    let client = Client::new(&arguments.target)?;
    let answer = client.order("/v1/operator/resume", &json!({})).await?;
    let text = if arguments.json {
        format!("{}\n", String::from_utf8_lossy(&answer).trim_end())
    } else {
        let paint = Paint::new(io::stdout().is_terminal());
        words::standing(&parse::<Standing>(&answer)?, &arguments.target.options(), paint)
    };
    stdout.write_all(text.as_bytes())?;
    Ok(stdout.flush()?)
}
