//! The words of the contract as types: addresses by key, outcomes, counts, lists, resends,
//! traces.
//!
//! Pure data, std and serde only. Whatever decides, waits or talks lives in the rooms above.

mod auth;
mod call;
mod chunk;
mod counts;
mod hold;
mod key;
mod list;
mod outcome;
mod pause;
mod resend;
mod time;
mod trace;

pub use auth::AuthFailure;
pub use call::CallResult;
pub use chunk::{CHUNK_ADDRESSES, CHUNK_BYTES, Chunk, Entry};
pub use counts::Counts;
pub use hold::Hold;
pub use key::AddressKey;
pub use list::{List, Repeat};
pub use outcome::{InvalidReason, NotSentReason, Outcome, OutcomeKind, Refusal, UnknownReason};
pub use pause::{BadNote, PauseNote, Paused};
pub use resend::{ClientName, ClientTag, ResendId, Status};
pub use time::Timestamp;
pub use trace::{TraceContext, TraceId};
