//! Resends in RAM: the lists, what became of each address, and who is told when one is done.
//!
//! Bounded in bytes; finished resends leave after the retention, or earlier, oldest first, when room
//! is needed. Nothing of it survives the process.

mod body;
mod outcomes;
mod record;
mod registry;
mod restore;
mod writes;

pub use body::{Body, Shape};
pub(super) use outcomes::{decode, means_refusal, repeated};
pub use record::{Record, Row, Settled, Snapshot};
pub use registry::{Full, Page, Registry};
pub use restore::{Restored, at};
