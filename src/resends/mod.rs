//! What callers were promised: taking a list in, waiting for its end, cancelling, telling results;
//! and what would happen to a list, without taking it in.
//!
//! Every request is a resend, whatever its size; waiting for it is optional. Nothing is handed to
//! dispatch before the whole list was read and found good.

mod admission;
mod again;
mod all_or_none;
mod budget;
mod catalogue;
mod found;
mod key_claims;
mod keyed;
mod plan;
mod promise;
mod recall;
mod service;
mod spill;
mod stow;

pub use admission::{Draft, DraftError, Step};
pub use all_or_none::{InvalidElement, InvalidElements};
pub use budget::{BudgetFull, MemoryBudget};
pub use catalogue::ResendPage;
pub use found::{ReadError, Reader, Resend};
pub use plan::{Plan, PlanCounts, PlanRow};
pub use recall::Recalled;
pub use service::{Resends, SealError, StoreTrouble};
pub use spill::SpillError;
