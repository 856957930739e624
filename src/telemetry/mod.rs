//! What the gateway tells about itself: numbers, log lines, and the id that ties a line to a request.
//!
//! Refuses addresses, tokens, paths, queries and error texts of others, in every one of them.

pub mod logging;
pub mod metrics;
mod request_id;
mod root_span;

pub use metrics::Metrics;
pub use request_id::{REQUEST_ID_HEADER, RequestId};
pub use root_span::{UNMATCHED, WithoutAddresses, method_word};
