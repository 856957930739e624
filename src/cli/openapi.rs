//! `openapi`: prints the OpenAPI document of the API, as `GET /openapi.json` serves it. Needs no settings.

use std::io::Write;

use clap::Args;

use super::{SUCCESS, unwritten};
use crate::api;

/// Arguments of `openapi`.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  faxplus-gateway openapi > openapi.json")]
pub struct Openapi {}

/// Runs the command; gives the exit code.
pub fn run(_: &Openapi, stdout: &mut impl Write, stderr: &mut impl Write) -> u8 {
    let written = writeln!(stdout, "{:#}", api::openapi()).and_then(|()| stdout.flush());
    match written {
        Ok(()) => SUCCESS,
        Err(error) => unwritten(&error, stderr),
    }
}
