//! The commands, one file each.
//!
//! Results go to stdout, logs and messages to stderr. Exit codes: 0 done, 1 failed, 2 wrong usage,
//! 78 wrong configuration.

pub mod check_config;
pub mod demo;
pub mod probe;
pub mod sandbox;
pub mod serve;

/// Done.
pub const SUCCESS: u8 = 0;
/// Failed.
pub const FAILURE: u8 = 1;
/// `EX_CONFIG` of sysexits.h.
pub const WRONG_CONFIGURATION: u8 = 78;
