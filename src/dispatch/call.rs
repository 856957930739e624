//! A call on its way: `Drawn → Prepared → Calling → Settled`.
//!
//! A drawn call has its members, its claims and its permit. The ledger prepares it (at once, in
//! memory), it is launched, and its verdict settles it. A call that was certainly not sent dissolves;
//! only the parts of a refused or repeated call persist.

use tokio::time::Instant;

use super::pace::Permit;
use crate::{
    domain::{AddressKey, ResendId, TraceContext, UnknownReason},
    outbound::Written,
};

/// Most addresses of one upstream call [fax.plus documents ten].
pub(super) const MAX_MEMBERS: usize = 10;

/// One address in a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) resend: ResendId,
    pub(super) index: u32,
    pub(super) key: AddressKey,
    /// Written calls it was part of that ended unknown (with `on_unknown = "resend"`).
    pub(super) doubts: u32,
    /// How the last of those ended: from then on it is never again certainly unsent.
    pub(super) doubt: Option<UnknownReason>,
    /// The last call with it alone that was denied.
    pub(super) denied: Option<Denied>,
}

/// A lone address was answered in a way that may speak of it or of everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Denied {
    pub(super) at: Instant,
    /// Whether fax.plus itself did; else something that answered in its place.
    pub(super) by_fax_plus: bool,
    /// How often, each time after a call of another address was accepted.
    pub(super) times: u8,
}

impl Member {
    pub(super) fn new(resend: ResendId, index: u32, key: AddressKey) -> Self {
        Self { resend, index, key, doubts: 0, doubt: None, denied: None }
    }
}

/// Whether the members of a call go back to their resends when it was not sent, or stay together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// Drawn from the heads of resends.
    Fresh,
    /// The first address of a resend that came while only lone ones are tried, ahead of the next try.
    Newcomer,
    /// A part of a call that was refused, or whose outcome is in doubt.
    Part,
}

/// One to ten members that go out together, ahead of their owner's fresh addresses. They keep their claims.
pub(super) type Part = Vec<Member>;

/// A call.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) members: Vec<Member>,
    pub(super) origin: Origin,
    pub(super) permit: Permit,
    pub(super) launched: Instant,
    /// The trace of the first member's resend: a call has one, also when it is shared.
    pub(super) trace: TraceContext,
    pub(super) written: Written,
    /// Whether it is on its way: not before its mark is written.
    pub(super) made: bool,
}

impl Call {
    /// The resends it holds addresses of, each once.
    pub(super) fn resends(&self) -> Vec<ResendId> {
        let mut ids: Vec<_> = self.members.iter().map(|member| member.resend).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }
}
