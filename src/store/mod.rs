//! Where resends are kept: for now in RAM, within a byte budget.

pub mod file;
mod memory;
pub mod repeats;

pub use memory::{
    Body, Caller, Full, Held, Keyed, Page, Record, Registry, Restored, Row, Settled, Shape, Snapshot, at,
    not_sent_in,
};
