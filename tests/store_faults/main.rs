//! A store that can't be used: the gateway says so in one line and does not start, or takes no lists until it can.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects")]
#![allow(unreachable_pub, dead_code, reason = "shared with other test binaries")]

#[path = "../support/client.rs"]
mod client;
mod full;
#[path = "../support/process.rs"]
mod process;
mod slow;
mod start;
