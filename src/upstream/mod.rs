//! fax.plus: the one PATCH, the one probe, the credential, and what an answer means.
//!
//! Stateless but for the credential and the connections. When to call is decided in `dispatch`.

mod client;
mod credential;
mod outage;
mod probe;
mod renewal;
mod verdict;

pub use client::{Report, Upstream, UpstreamError};
pub use credential::{Credential, CredentialError, RenewalError};
pub use outage::Outage;
pub use probe::Probe;
pub use verdict::{Stranger, Unsent, Verdict};
