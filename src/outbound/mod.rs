//! HTTP to the outside: awc, its TLS, its timers, where an answer ends, and what a failure says about the send.
//!
//! Knows nothing of fax.plus. HTTP/1.1 only, redirects off, answers bounded, every exchange under one
//! deadline of its own. The client is `!Send`: it lives on the thread that made it.

mod body;
mod client;
mod retry_after;
mod tls;
mod to_the_close;

pub use body::Written;
pub use client::{Answer, Client, ClientOptions, Content, Failure, FailureKind, Request};
pub use retry_after::retry_after;
pub use tls::{TlsError, install_crypto_provider};
