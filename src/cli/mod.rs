//! The commands, one file each.
//!
//! Results go to stdout, logs and messages to stderr. Exit codes: 0 done, 1 failed, 2 wrong usage,
//! 78 wrong configuration.

pub mod cancel;
pub mod check_config;
mod client;
pub mod completions;
pub mod demo;
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
