//! What dispatch hears: what others ask of it, and what its own jobs found.

use std::sync::Arc;

use tokio::{sync::oneshot, time::Instant};

use super::{books::Promised, credential::Proof, look_up::Question, operate::Order, rotation::Renewed};
use crate::{
    domain::ResendId,
    store::{
        Record,
        file::{Fault, StoredChunk},
    },
    upstream::{CredentialError, Probe, Report},
};

/// What others ask of dispatch.
pub(super) enum Message {
    /// A resend, and how many of its addresses have no outcome.
    Submit(Arc<Record>, u32),
    Stop(ResendId, Because),
    LookUp(Question),
    Promise(ResendId, oneshot::Sender<Promised>),
    Operate(Order),
    Drain {
        stop_drawing: Instant,
        deadline: Instant,
        done: oneshot::Sender<()>,
    },
}

/// Why a resend is stopped early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Because {
    /// The caller cancelled it.
    Cancelled,
    /// The caller's wait is over and it asked not to go on: told by what held the work, if anything.
    WaitOver,
}

/// What a job of this thread found.
pub(super) enum Event {
    CallEnded(u64, Report),
    /// How a probe of a failing upstream went.
    Probed(Probe),
    CredentialProved(Proof),
    CredentialRenewed(Renewed),
    CredentialReread(Result<bool, CredentialError>),
    Loaded(Loading),
}

/// What became of rows, as the file has it: a code and its argument each.
pub(super) type Ends = Vec<(u8, u64)>;

/// Rows of a stored list that were read, with the ends that they have.
pub(super) struct Loading {
    pub(super) id: ResendId,
    pub(super) number: u32,
    pub(super) found: Result<Option<(StoredChunk, Ends)>, Fault>,
}
