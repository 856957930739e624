//! Where resends are kept: for now in RAM, within a byte budget.

pub mod file;
mod kept;
mod memory;
pub mod repeats;

pub use kept::{Kept, KeptRows, Starts};
pub use memory::{Body, Full, Page, Record, Registry, Row, Settled, Shape, Snapshot, at};
