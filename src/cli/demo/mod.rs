//! `demo`: the gateway against a simulated fax.plus, from nothing to a proven account, in seconds.
//!
//! Needs no settings, no file, no network, and looks at no environment variable of the gateway. Plays on
//! a `stage`, as a `caller`, with a shipped `list`; shows the `summary`; and fails when what the
//! caller was told is not what upstream saw (`reconcile`).

mod caller;
mod frame;
mod list;
mod play;
mod progress;
mod reconcile;
mod stage;
mod summary;
mod tally;

use std::{
    future::Future,
    io::{self, IsTerminal, Write},
    pin::pin,
};

use clap::{Args, builder::PossibleValuesParser};
use thiserror::Error;
use tracing::subscriber::SetGlobalDefaultError;

use self::{caller::CallerError, play::Played, stage::Stage};
use super::{
    FAILURE, SUCCESS, invocation,
    paint::{self, Paint},
};
use crate::{
    config::SettingsError,
    sandbox::SandboxError,
    shutdown::{Signals, first_signal},
    startup::StartupError,
    telemetry::logging,
};

/// Arguments of `demo`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  faxplus-gateway demo
  faxplus-gateway demo --keep")]
pub struct Demo {
    /// Stay up afterwards and print the addresses to look at
    #[arg(long)]
    pub keep: bool,
    /// Least important log line shown on stderr
    #[arg(
        long,
        value_name = "LEVEL",
        default_value = "warn",
        value_parser = PossibleValuesParser::new(["error", "warn", "info", "debug", "trace"])
    )]
    pub log_level: String,
}

/// Why there was no demo.
#[derive(Debug, Error)]
enum DemoError {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Logging(#[from] SetGlobalDefaultError),
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    #[error(transparent)]
    Startup(#[from] StartupError),
    #[error(transparent)]
    Caller(#[from] CallerError),
    /// Signals, stdout, or a server that failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("stopped before the end; nothing was compared")]
    Interrupted,
}

/// Plays the demo; gives the exit code. Must run inside an actix `System`.
pub async fn run(arguments: Demo, stdout: &mut impl Write, stderr: &mut impl Write) -> u8 {
    match perform(&arguments, stdout).await {
        Ok(true) => SUCCESS,
        Ok(false) => FAILURE,
        Err(error) => {
            // When even stderr is gone, the exit code has to say it.
            writeln!(stderr, "faxplus-gateway: {error}").map_or(FAILURE, |()| FAILURE)
        }
    }
}

/// Says whether the account balanced.
async fn perform(arguments: &Demo, stdout: &mut impl Write) -> Result<bool, DemoError> {
    let settings = stage::settings(&arguments.log_level)?;
    logging::init(&settings.log)?;
    let stop = first_signal(Signals::listen()?);
    let paint = Paint::new(io::stdout().is_terminal());
    say(stdout, &frame::intro(paint))?;
    let stage = Stage::start(settings).await?;
    let shown = show(&stage, arguments.keep, paint, stdout, stop).await;
    let stopped = stage.stop().await;
    let balanced = shown?;
    stopped?;
    Ok(balanced)
}

async fn show(
    stage: &Stage,
    keep: bool,
    paint: Paint,
    stdout: &mut impl Write,
    stop: impl Future<Output = ()>,
) -> Result<bool, DemoError> {
    let mut stop = pin!(stop);
    let played = tokio::select! {
        biased;
        () = &mut stop => return Err(DemoError::Interrupted),
        played = play::play(stage) => played?,
    };
    say(stdout, &account(&played, paint))?;
    let balanced = played.reconciliation.is_balanced();
    if keep {
        say(stdout, &frame::look_around(stage, paint))?;
        stop.await;
    } else if balanced {
        say(stdout, &frame::next_steps(&invocation::command(), paint))?;
    }
    Ok(balanced)
}

fn account(played: &Played, paint: Paint) -> String {
    [
        summary::outcomes(&played.first.tally, paint),
        summary::upstream(&played.first, paint),
        summary::again(&played.first, &played.second, paint),
        summary::reconciliation(&played.reconciliation, paint),
    ]
    .concat()
}

fn say(stdout: &mut impl Write, text: &str) -> io::Result<()> {
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}
