//! `faxplus-gateway sandbox`: the simulated fax.plus alone, until a signal ends it.
//!
//! Refuses an address that is not loopback, an impossible limit and a faults file that makes no sense.

use std::future::Future;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use thiserror::Error;

use super::{FAILURE, SUCCESS, WRONG_USAGE, unwritten};
use crate::sandbox::{CONTROL_HELP, FaultError, Rule, Sandbox, SandboxError, SandboxOptions, parse_faults};
use crate::shutdown::Signals;

const EXAMPLES: &str = "\
Examples:
  faxplus-gateway sandbox --latency-ms 300 --calls-per-second 20 --burst 5
  faxplus-gateway sandbox --faults config/faults.example.json
  curl http://127.0.0.1:8090/sandbox/stats
  curl http://127.0.0.1:8090/sandbox/faults -d '[{\"every\": 10, \"fate\": \"accept_then_500\"}]'
  curl http://127.0.0.1:8090/sandbox/faults -d '[{\"fate\": \"foreign\", \"page\": \"default_backend\"}]'";

/// Run a simulated fax.plus on this machine; it mails nobody. `GET /` on it explains its endpoints.
#[derive(Debug, Clone, Args)]
#[command(after_help = format!("{EXAMPLES}\n\n`--help` tells its control API and all faults."))]
#[command(after_long_help = format!("{EXAMPLES}\n\nIts control API, on the same address:\n{CONTROL_HELP}"))]
pub struct SandboxArgs {
    /// Where to listen; loopback only.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8090")]
    pub listen: SocketAddr,
    /// How long every answer takes, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub latency_ms: u64,
    /// How many calls a second are let through; the others are answered 429 [default: all].
    #[arg(long, value_name = "RATE")]
    pub calls_per_second: Option<f64>,
    /// How many calls are let through at once after a pause.
    #[arg(long, value_name = "CALLS", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub burst: u32,
    /// `Retry-After` of those 429s, in seconds [default: none].
    #[arg(long, value_name = "SECONDS")]
    pub retry_after: Option<u64>,
    /// A JSON list of rules: which calls meet which fate.
    #[arg(long, value_name = "FILE")]
    pub faults: Option<PathBuf>,
    /// Decides which calls make up the share of a rule.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub seed: u64,
    /// A token that is good; may be given several times [default: any that is not empty].
    #[arg(long = "token", value_name = "TOKEN")]
    pub tokens: Vec<String>,
}

/// Why the command failed.
#[derive(Debug, Error)]
pub enum SandboxCommandError {
    /// The faults file cannot be read.
    #[error("cannot read the faults file {}: {source}", path.display())]
    ReadFaults {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The faults file makes no sense.
    #[error("the faults file {}: {source}", path.display())]
    Faults {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        source: FaultError,
    },
    /// The sandbox cannot start.
    #[error(transparent)]
    Start(#[from] SandboxError),
    /// Signals cannot be watched, or stdout cannot be written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Runs the sandbox until a signal ends it; the base URL goes to stdout. Gives the exit code.
pub async fn run(args: SandboxArgs, stderr: &mut impl Write) -> u8 {
    match run_until_signal(args).await {
        Ok(()) => SUCCESS,
        Err(SandboxCommandError::Io(error)) => unwritten(&error, stderr),
        Err(error) => {
            let code = match &error {
                SandboxCommandError::Start(error) => exit_code(error),
                SandboxCommandError::ReadFaults { .. }
                | SandboxCommandError::Faults { .. }
                | SandboxCommandError::Io(_) => FAILURE,
            };
            // When even stderr is gone, the exit code has to say it.
            if writeln!(stderr, "faxplus-gateway: {error}").is_err() { FAILURE } else { code }
        }
    }
}

/// What a simulated fax.plus that can't start makes of the command: what no machine could do is wrong usage.
pub(super) fn exit_code(error: &SandboxError) -> u8 {
    match error {
        SandboxError::NotLoopback(_) | SandboxError::Rate(_) => WRONG_USAGE,
        SandboxError::Listen { .. } => FAILURE,
    }
}

async fn run_until_signal(args: SandboxArgs) -> Result<(), SandboxCommandError> {
    let mut signals = Signals::listen()?;
    run_until(args, &mut io::stdout(), async move { signals.next().await }).await
}

/// Runs the sandbox until `stop` is ready; the base URL goes to `out`, in a line of its own, once it serves.
///
/// # Errors
/// A wrong setting, or an address that cannot be had.
pub async fn run_until(
    args: SandboxArgs,
    out: &mut impl Write,
    stop: impl Future<Output = ()>,
) -> Result<(), SandboxCommandError> {
    let faults = match &args.faults {
        Some(path) => read_faults(path).await?,
        None => Vec::new(),
    };
    let options = SandboxOptions {
        latency: Duration::from_millis(args.latency_ms),
        calls_per_second: args.calls_per_second,
        burst: args.burst,
        retry_after: args.retry_after.map(Duration::from_secs),
        faults,
        seed: args.seed,
        tokens: (!args.tokens.is_empty()).then_some(args.tokens),
        calls_kept: 0,
        ..SandboxOptions::default()
    };
    let sandbox = Sandbox::start(args.listen, options).await?;
    tracing::info!(address = %sandbox.address(), "The simulated fax.plus is up.");
    writeln!(out, "{}", sandbox.base_url())?;
    out.flush()?;
    stop.await;
    let stats = sandbox.stats();
    tracing::info!(
        calls = stats.calls,
        addresses_accepted = stats.addresses_accepted,
        "The simulated fax.plus stops."
    );
    sandbox.stop().await;
    Ok(())
}

/// Reads a file of rules.
pub(super) async fn read_faults(path: &Path) -> Result<Vec<Rule>, SandboxCommandError> {
    let json = tokio::fs::read(path)
        .await
        .map_err(|source| SandboxCommandError::ReadFaults { path: path.to_owned(), source })?;
    parse_faults(&json).map_err(|source| SandboxCommandError::Faults { path: path.to_owned(), source })
}
