//! Where resends are kept: in RAM within a byte budget, and in a file that outlasts the process.

pub mod file;
mod keeper;
mod kept;
mod memory;
pub mod repeats;

pub use keeper::{Keeper, Keeping};
pub use kept::{Kept, KeptRows, Starts};
pub use memory::{
    Body, Caller, Full, Held, Keyed, Page, Record, Registry, Restored, Row, Settled, Shape, Snapshot, at,
    not_sent_in,
};
