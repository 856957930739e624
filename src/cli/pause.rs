//! `pause [--note TEXT]`: nothing more is sent for anybody until `resume`; nothing is lost.

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
use crate::domain::PauseNote;

const EXAMPLES: &str = "\
Examples:
  faxplus-gateway pause --note 'fax.plus has maintenance until noon'
  faxplus-gateway pause --note ''

Lists are still taken; calls in flight end with their true outcome. Pausing again changes the note, or keeps it
when there is none on the command line; an empty one takes it away. Callers see the note.";

/// Arguments of `pause`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Pause {
    /// What callers are told, on one line
    #[arg(long, value_name = "TEXT", value_parser = note)]
    pub note: Option<PauseNote>,
    /// Print the answer of the gateway as it is
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub(super) target: Target,
}

/// Why it is not known to be paused.
#[derive(Debug, Error)]
enum PauseError {
    #[error(transparent)]
    Call(#[from] CallError),
    #[error("can't write: {0}")]
    Io(#[from] io::Error),
}

/// Pauses and shows how it stands; gives the exit code. Must run inside an actix `System`.
pub async fn run(arguments: Pause, stdout: &mut impl Write, stderr: &mut impl Write) -> u8 {
    match perform(&arguments, stdout).await {
        Ok(()) => SUCCESS,
        Err(PauseError::Io(error)) => unwritten(&error, stderr),
        // When even stderr is gone, the exit code has to say it.
        Err(error) => writeln!(stderr, "faxplus-gateway: {error}").map_or(FAILURE, |()| FAILURE),
    }
}

async fn perform(arguments: &Pause, stdout: &mut impl Write) -> Result<(), PauseError> {
    let client = Client::new(&arguments.target)?;
    let order = match &arguments.note {
        Some(note) => json!({ "note": note.words().unwrap_or_default() }),
        None => json!({}),
    };
    let answer = client.order("/v1/operator/pause", &order).await?;
    let text = if arguments.json {
        format!("{}\n", String::from_utf8_lossy(&answer).trim_end())
    } else {
        let paint = Paint::new(io::stdout().is_terminal());
        words::standing(&parse::<Standing>(&answer)?, &arguments.target.options(), paint)
    };
    stdout.write_all(text.as_bytes())?;
    Ok(stdout.flush()?)
}

/// A note on the command line.
fn note(text: &str) -> Result<PauseNote, String> {
    PauseNote::parse(text).map_err(|why| why.to_string())
}
