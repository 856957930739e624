//! `send`: posts a list to a running gateway, shows how it goes, and tells what became of it.
//!
//! Nothing of the list is kept: it goes out as a stream, and results come back as one. The work is the
//! gateway's: a broken connection or an interrupted command changes nothing about it.

mod csv;
mod follow;
mod list;
mod output;
mod post;
mod progress;
mod report;
mod rows;

use std::{
    io::{self, IsTerminal as _, Write},
    path::PathBuf,
    time::SystemTime,
};

use clap::Args;
use thiserror::Error;

use self::{
    list::{InputFormat, List, ListError},
    output::{Output, OutputError, OutputFormat},
    post::{PostError, Wishes},
    progress::Progress,
    rows::Rows,
};
use super::{
    FAILURE, SUCCESS, WRONG_USAGE,
    client::{BaseUrl, CallError, Client, OUTCOMES, PROBLEMS, Plan, Resend, Target, parse},
    paint::Paint,
};
use crate::shutdown::Signals;

/// Most problems that are listed.
const LISTED: usize = 20;

const EXAMPLES: &str = "\
Examples:
  faxplus-gateway send people.csv
  faxplus-gateway send people.txt.gz --output results.csv
  faxplus-gateway send people.json --dry-run
  grep -v '^#' people.txt | faxplus-gateway send -
  faxplus-gateway send people.txt --output - | jq -r 'select(.outcome==\"not_sent\").email'

What the list is: by the end of its name .json, .ndjson or .jsonl, .csv; anything else is text, an address a \
line. The name may end in .gz besides; gzip is recognised by its first bytes, too. Standard input is looked \
at: it is JSON when it begins with [ or {\"emails\", NDJSON when it begins with another { or with a quotation \
mark, else text. For CSV on standard input say --input-format csv.

Exit codes: 0 every address is `sent` or `duplicate` (with --dry-run: would be), 1 anything else, 2 wrong \
usage. Ctrl-C stops the watching, not the work.";

/// Arguments of `send`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct SendArgs {
    /// The list; `-` is standard input
    pub file: PathBuf,
    #[command(flatten)]
    pub(super) target: Target,
    /// Send also what was sent lately or is in doubt; repeats inside the list still count once
    #[arg(long)]
    pub force: bool,
    /// Send nothing; say what would happen
    #[arg(long, conflicts_with_all = ["output", "format"])]
    pub dry_run: bool,
    /// Write the result of every address to this file; `-` is standard output
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// The form of --output, when its name does not end in .csv, .ndjson or .jsonl [default for -: ndjson]
    #[arg(long, value_enum, requires = "output")]
    pub format: Option<OutputFormat>,
    /// What the list is, when its name does not say it
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub input_format: Option<InputFormat>,
    /// Name for this list: sent again under the same name, a gateway that keeps names joins both
    /// [default: one made for this run]
    #[arg(long, value_name = "KEY")]
    pub idempotency_key: Option<String>,
}

/// Why there is nothing to report.
#[derive(Debug, Error)]
enum SendError {
    #[error(transparent)]
    Usage(OutputError),
    #[error(transparent)]
    List(#[from] ListError),
    #[error(transparent)]
    Call(#[from] CallError),
    #[error(transparent)]
    Post(#[from] PostError),
    /// Told already.
    #[error("interrupted")]
    Interrupted,
    /// The summary is told already.
    #[error(
        "can't write the results: {cause}\n  \
         the work is over; GET {url}/v1/resends/{id}/results gives them again"
    )]
    Results { cause: io::Error, url: BaseUrl, id: String },
    #[error("can't write: {0}")]
    Io(#[from] io::Error),
}

impl From<OutputError> for SendError {
    fn from(error: OutputError) -> Self {
        match error {
            OutputError::Write { cause, .. } => Self::Io(cause),
            OutputError::UnknownForm { .. } | OutputError::IsList { .. } | OutputError::Open { .. } => {
                Self::Usage(error)
            }
        }
    }
}

/// Sends the list; gives the exit code. Must run inside an actix `System`.
pub async fn run(arguments: SendArgs, stdout: &mut impl Write, stderr: &mut impl Write) -> u8 {
    let error = match perform(&arguments, stdout, stderr).await {
        Ok(true) => return SUCCESS,
        Ok(false) | Err(SendError::Interrupted) => return FAILURE,
        Err(error) => error,
    };
    let code = match error {
        SendError::Usage(OutputError::UnknownForm { .. } | OutputError::IsList { .. })
        | SendError::Post(PostError::Key) => WRONG_USAGE,
        _ => FAILURE,
    };
    // When even stderr is gone, the exit code has to say it.
    writeln!(stderr, "faxplus-gateway: {error}").map_or(FAILURE, |()| code)
}

/// Says whether every address is fine.
async fn perform(
    arguments: &SendArgs,
    stdout: &mut impl Write,
    stderr: &mut impl Write,
) -> Result<bool, SendError> {
    let mut output = Output::open(arguments.output.as_deref(), arguments.format, &arguments.file)?;
    let client = Client::new(&arguments.target)?;
    let list = List::open(&arguments.file, arguments.input_format)?;
    let wishes = Wishes::new(arguments)?;
    let mut signals = Signals::listen()?;
    let posted = post::post(&client, list, &wishes, signals.next()).await?;
    if arguments.dry_run {
        let plan: Plan = parse(&posted)?;
        let paint = Paint::new(io::stdout().is_terminal());
        stdout.write_all(report::plan(&plan, SystemTime::now(), paint).as_bytes())?;
        return Ok(report::is_fine(&plan));
    }
    let resend = wishes.resend(&posted)?;
    let (id, options) = (resend.id.clone(), arguments.target.options());
    writeln!(stderr, "{}", report::accepted(&resend))?;
    let mut progress = Progress::begin(&resend);
    let ended = tokio::select! {
        biased;
        ended = follow::follow(&client, resend, &mut progress) => Some(ended),
        () = signals.next() => None,
    };
    progress.end();
    let Some(ended) = ended else {
        write!(stderr, "{}", report::goes_on(&id, &options))?;
        return Err(SendError::Interrupted);
    };
    let resend = ended?;
    tokio::select! {
        biased;
        told = tell(&client, &resend, &mut output, stdout, stderr) => told?,
        () = signals.next() => {
            write!(stderr, "{}", report::told_in_part(&id, &options))?;
            return Err(SendError::Interrupted);
        }
    }
    Ok(resend.is_fine())
}

/// Writes the result of every address.
async fn write_results(
    client: &Client,
    resend: &Resend,
    output: &mut Output,
    stdout: &mut impl Write,
) -> Result<(), SendError> {
    output.begin(stdout)?;
    let mut rows = Rows::new(client, resend, &OUTCOMES);
    while let Some((row, line)) = rows.next().await? {
        output.write(stdout, &row, &line)?;
    }
    Ok(output.end(stdout)?)
}

/// Tells what became of a resend that is over, also when its results can't be written.
async fn tell(
    client: &Client,
    resend: &Resend,
    output: &mut Output,
    stdout: &mut impl Write,
    stderr: &mut impl Write,
) -> Result<(), SendError> {
    let written = match output.is_wanted() {
        true => write_results(client, resend, output, stdout).await,
        false => Ok(()),
    };
    let written = match written {
        Err(SendError::Io(cause)) => {
            Err(SendError::Results { cause, url: client.url().clone(), id: resend.id.clone() })
        }
        Ok(()) => Ok(()),
        Err(other) => return Err(other),
    };
    let takes_stdout = output.takes_stdout();
    let is_terminal = if takes_stdout { io::stderr().is_terminal() } else { io::stdout().is_terminal() };
    let paint = Paint::new(is_terminal);
    let mut text = report::summary(resend, SystemTime::now(), paint);
    let mut problems = Vec::new();
    let mut rows = Rows::new(client, resend, &PROBLEMS);
    while problems.len() < LISTED
        && let Some((row, _)) = rows.next().await?
    {
        problems.push(row);
    }
    let all_are_written = output.is_wanted() && written.is_ok();
    text.push_str(&report::problems(resend, &problems, all_are_written, paint));
    if takes_stdout {
        stderr.write_all(text.as_bytes())?;
    } else {
        stdout.write_all(text.as_bytes())?;
        stdout.flush()?;
    }
    written
}
