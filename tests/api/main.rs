//! The real application over real sockets against the simulated fax.plus. One binary; a file a subject.

#![allow(unreachable_pub, reason = "one crate; its modules share by pub")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects")]

mod answers;
mod bodies;
mod gateway;
mod lifecycle;
mod limits;
mod malformed;
mod manners;
mod problem;
mod results;
mod sharing;
mod wire;
