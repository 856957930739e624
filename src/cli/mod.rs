//! The commands, one file each.
//!
//! Results go to stdout, logs and messages to stderr. Exit codes: 0 done, 1 failed, 2 wrong usage,
//! 78 wrong configuration, 141 when whoever read the results has left.

use std::io::{self, Write};

pub mod cancel;
pub mod check_config;
mod client;
pub mod completions;
pub mod demo;
mod invocation;
pub mod openapi;
mod paint;
pub mod pause;
pub mod probe;
pub mod resume;
pub mod sandbox;
pub mod send;
pub mod serve;
pub mod status;
pub mod token;
mod words;

/// Done.
pub const SUCCESS: u8 = 0;
/// Failed.
pub const FAILURE: u8 = 1;
/// The command line makes no sense; clap exits with it, too.
pub const WRONG_USAGE: u8 = 2;
/// `EX_CONFIG` of sysexits.h.
pub const WRONG_CONFIGURATION: u8 = 78;
/// What a shell tells of a command that SIGPIPE ended, as it ends most commands before `| head`. Rust ignores that
/// signal, so it is told by hand.
pub const READER_LEFT: u8 = 141;

/// Tells that results could not be written; gives the exit code. A reader that has left knows.
fn unwritten(error: &io::Error, stderr: &mut impl Write) -> u8 {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return READER_LEFT;
    }
    // When even stderr is gone, the exit code has to say it; it is the same.
    writeln!(stderr, "faxplus-gateway: can't write: {error}").map_or(FAILURE, |()| FAILURE)
}
