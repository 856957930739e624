//! Resends in RAM: the lists, what became of each address, and who is told when one is done.
//!
//! Bounded in bytes; finished resends leave after the retention, or earlier, oldest first, when room
//! is needed. Nothing of it survives the process.

mod again;
mod body;
mod life;
mod outcomes;
mod record;
mod registry;
mod restore;
mod writes;

pub use again::not_sent_in;
pub use body::{Body, Shape};
pub use life::Caller;
pub(super) use outcomes::{decode, means_refusal, repeated};
pub use record::{Keyed, Record, Row, Settled, Snapshot};
pub use registry::{Full, Held, Page, Registry};
pub use restore::{Restored, at};
