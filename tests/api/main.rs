//! The real application over real sockets against the simulated fax.plus. One binary; a file a subject.

#![allow(unreachable_pub, reason = "one crate; its modules share by pub")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects")]

mod admin;
mod answers;
mod bodies;
mod compat;
mod compat_refusals;
mod connections;
mod denials;
mod doubts;
mod drain;
mod dry_run;
mod durable;
mod durable_last_promises;
mod durable_shutdown;
mod estimates;
mod events;
mod facts;
mod fairness;
mod fates;
mod followers;
mod forms;
mod gateway;
mod heads;
mod holds;
mod idempotency;
mod kept;
mod lifecycle;
mod limits;
mod malformed;
mod manners;
mod metrics;
mod oauth;
mod openapi;
mod operator;
mod pace;
#[path = "../support/port.rs"]
mod port;
mod problem;
#[path = "../support/process.rs"]
mod process;
mod raw_upstream;
mod real_files;
mod recent_sends;
mod refusals;
mod renewals;
mod results;
mod scrape;
mod sharing;
mod shutdown;
mod spilled;
mod status;
mod statuses;
mod strangers;
mod token_changes;
mod tokens;
mod traces;
mod truth;
mod uncertain;
mod wire;
