//! Everything that decides: whose turn it is, which addresses share a call, when to call and when not,
//! what an answer means for each address.
//!
//! One thread owns all of it (`dispatcher`); others hold the cheap, `Send` [`Dispatch`] handle. It
//! sees keys and places in lists, not addresses. Upstream is called from nowhere else.

mod active;
mod backoff;
mod books;
mod breaker;
mod call;
mod chores;
mod credential;
mod denied;
mod dispatcher;
mod drain;
mod draw;
mod ending;
mod facts;
mod fair_queue;
mod feed;
mod forecast;
mod handle;
mod health;
mod latency;
mod launch;
mod ledger;
mod look_up;
mod message;
mod named;
mod operate;
mod pace;
mod promise;
mod promised;
mod queued;
mod recover;
mod refused;
mod release;
mod rotation;
mod rows;
mod said;
mod settle;
mod shares;
mod split;
mod trouble;
mod turns;
mod view;
mod wake;

pub use books::Promised;
pub use handle::{Dispatch, Reservation, StartError};
pub use look_up::{CallCount, Ended, LOOK_UPS, Seen};
pub use message::Because;
pub use refused::Refused;
pub use view::View;
