//! Resends in a file: SQLite in WAL mode, one thread that writes, any that read.
//!
//! Owns the database, its lock and its key. What is written comes as values in batches, each one a
//! transaction; what is read comes as values. Nothing is swallowed: a batch that can't be written is
//! tried again until it can, and meanwhile the fault is told.

mod apply;
mod checkpoint;
mod codec;
mod error;
mod inspect;
mod key_check;
mod open;
mod parts;
mod place;
mod queue;
pub mod read;
mod schema;
mod space;
mod write;
mod writer;

pub use codec::Claim;
pub use error::{Fault, OpenError};
pub use open::{Store, Watch};
pub use parts::Parts;
pub use queue::Batch;
pub use read::{StoredCall, StoredChunk};
pub use space::{Lack, Limits};
pub use write::{CallEnd, IdempotencyRow, ResendRow, Stage, Write};
