//! What the gateway tells about itself: numbers, log lines, and the ids that tie a line to a request
//! and to its trace.
//!
//! Refuses addresses, tokens, paths, queries and error texts of others, in every one of them.

mod abort;
mod history;
pub mod logging;
pub mod metrics;
mod request_id;
mod root_span;
mod trace;

pub use abort::AbortOnPanic;
pub use history::{History, Past, Sample};
pub use metrics::Metrics;
pub use request_id::{REQUEST_ID_HEADER, RequestId};
pub use root_span::{UNMATCHED, WithoutAddresses, method_word};
pub use trace::trace_of;
