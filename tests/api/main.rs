//! The real application over real sockets against the simulated fax.plus. One binary; a file a subject.

#![allow(unreachable_pub, reason = "one crate; its modules share by pub")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects")]

mod admin;
mod answers;
mod bodies;
mod gateway;
mod lifecycle;
mod limits;
mod malformed;
mod manners;
mod metrics;
mod problem;
mod results;
mod scrape;
mod sharing;
mod wire;
