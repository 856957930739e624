//! The commands that talk to a running gateway, as people run them: the real binary against a real gateway.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects")]
#![allow(unreachable_pub, reason = "one crate; its modules share by pub")]

mod breaks;
mod formats;
mod output;
mod pausing;
#[path = "../support/port.rs"]
mod port;
#[path = "../support/process.rs"]
mod process;
mod proxy;
mod refusals;
mod stage;
mod watching;
