//! `status [ID]`: whether a running gateway is paused and its newest resends, or one of them in words.

use std::{
    io::{self, IsTerminal as _, Write},
    time::SystemTime,
};

use awc::http::Method;
use clap::Args;
use indicatif::HumanCount;
use thiserror::Error;

use super::{
    FAILURE, SUCCESS,
    client::{CallError, Client, Page, Resend, Standing, Target, parse, resend_id},
    invocation,
    paint::Paint,
    unwritten, words,
};
use crate::domain::ResendId;

const EXAMPLES: &str = "\
Examples:
  faxplus-gateway status
  faxplus-gateway status 0198c9f2-3c5e-7a61-9d0e-5f2b8c1a7e44
  faxplus-gateway status --json | jq -r '.resends[].id'";

/// Resends that are listed.
const LISTED: usize = 20;

/// Arguments of `status`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Status {
    /// One resend; without it the 20 newest are listed
    #[arg(value_parser = resend_id)]
    pub id: Option<ResendId>,
    /// Print the answer of the gateway as it is
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub(super) target: Target,
}

/// Why nothing is shown.
#[derive(Debug, Error)]
enum StatusError {
    #[error(transparent)]
    Call(#[from] CallError),
    #[error("can't write: {0}")]
    Io(#[from] io::Error),
}

/// Asks and shows; gives the exit code. Must run inside an actix `System`.
pub async fn run(arguments: Status, stdout: &mut impl Write, stderr: &mut impl Write) -> u8 {
    match perform(&arguments, stdout).await {
        Ok(()) => SUCCESS,
        Err(StatusError::Io(error)) => unwritten(&error, stderr),
        // When even stderr is gone, the exit code has to say it.
        Err(error) => writeln!(stderr, "faxplus-gateway: {error}").map_or(FAILURE, |()| FAILURE),
    }
}

async fn perform(arguments: &Status, stdout: &mut impl Write) -> Result<(), StatusError> {
    let client = Client::new(&arguments.target)?;
    let path = match arguments.id {
        Some(id) => format!("/v1/resends/{id}"),
        None => format!("/v1/resends?limit={LISTED}"),
    };
    let answer = client.ask(Method::GET, &path).await?;
    let paint = Paint::new(io::stdout().is_terminal());
    let text = if arguments.json {
        format!("{}\n", String::from_utf8_lossy(&answer).trim_end())
    } else if arguments.id.is_some() {
        words::resend(&parse::<Resend>(&answer)?, SystemTime::now(), paint)
    } else {
        let paused = paused(&client, &arguments.target, paint).await?;
        format!("{paused}{}", table(&parse(&answer)?, &arguments.target.options(), paint))
    };
    stdout.write_all(text.as_bytes())?;
    Ok(stdout.flush()?)
}

/// That the gateway is paused, on lines of their own; nothing where this caller may not know more than the
/// resends tell.
async fn paused(client: &Client, target: &Target, paint: Paint) -> Result<String, CallError> {
    match client.ask(Method::GET, "/v1/operator").await {
        Ok(answer) => {
            let told = words::paused(&parse::<Standing>(&answer)?, &target.options(), paint);
            Ok(told.map_or(String::new(), |told| format!("{told}\n")))
        }
        Err(error) if error.is_withheld() => Ok(String::new()),
        Err(error) => Err(error),
    }
}

fn table(page: &Page, options: &str, paint: Paint) -> String {
    if page.resends.is_empty() {
        return format!("No resends. `{} send FILE{options}` makes one.\n", invocation::command());
    }
    let heading = format!(
        "{:<36}  {:<23}  {:<9}  {:>10}  {:>10}  {:>10}  {:>10}",
        "resend", "posted", "status", "received", "fine", "problems", "pending"
    );
    let mut text = format!("{}\n", paint.bold(&heading));
    for resend in &page.resends {
        let (fine, pending) = (resend.sum(&["sent", "duplicate"]), resend.count("pending"));
        let problems = resend.settled().saturating_sub(fine);
        let count = |count: u64| HumanCount(count).to_string();
        text.push_str(&format!(
            "{:<36}  {:<23}  {:<9}  {:>10}  {:>10}  {:>10}  {:>10}{}\n",
            resend.id,
            words::clock(&resend.created_at),
            resend.status,
            count(resend.count("received")),
            count(fine),
            count(problems),
            count(pending),
            resend.hold.as_ref().map_or(String::new(), |hold| format!("  held: {}", hold.reason)),
        ));
    }
    if page.next_cursor.is_some() {
        text.push_str(&format!("... and older ones; these are the {LISTED} newest\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hint_of_an_empty_gateway_names_the_gateway_that_was_asked() {
        let page = serde_json::from_str(r#"{"resends": [], "next_cursor": null}"#).unwrap();

        let text = table(&page, " --url http://g --token-file /t", Paint::PLAIN);

        assert!(text.contains("send FILE --url http://g --token-file /t` makes one"), "{text}");
    }
}
