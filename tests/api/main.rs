//! The real application over real sockets against the simulated fax.plus. One binary; a file a subject.

#![allow(unreachable_pub, reason = "one crate; its modules share by pub")]

mod gateway;
mod sharing;
