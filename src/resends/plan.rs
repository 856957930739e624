//! Dry runs: what would become of a list if it were posted now. Reserves nothing, sends nothing, counts
//! nowhere.
//!
//! Beside the list a plan holds one byte an address, and eight more once one of them was sent lately.
//! All of it stays within the memory for lists being read until the plan is dropped.

use tokio::{task::yield_now, time::Instant};

use super::{
    admission::{Draft, DraftError},
    budget::Share,
    service::{Resends, SealError},
};
use crate::{
    dispatch::{CallCount, LOOK_UPS, Refused, Seen, View},
    domain::{AddressKey, ClientName, ClientTag, Entry, List, Outcome, Timestamp, UnknownReason},
    recent::Memory,
};

const WOULD_SEND: u8 = 0;
const DUPLICATE: u8 = 1;
const DUPLICATE_AT: u8 = 2;
const DOUBT: u8 = 3;

/// Most bytes an address takes beside the list.
const BYTES: usize = size_of::<u8>() + size_of::<u64>();

/// What would become of a list.
#[derive(Debug)]
pub struct Plan {
    /// When it was made.
    pub created_at: Timestamp,
    /// How many addresses would come to which end.
    pub counts: PlanCounts,
    /// How many upstream calls it would make.
    pub upstream_calls: u64,
    /// What dispatch looked like then.
    pub view: View,
    list: List,
    codes: Vec<u8>,
    times: Vec<u64>,
    _share: Share,
}

/// `received = would_send + duplicate + invalid + unknown`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PlanCounts {
    /// Addresses in the list.
    pub received: u64,
    /// Those that would be sent.
    pub would_send: u64,
    /// Those that were sent, are in a call, or stand in the list before.
    pub duplicate: u64,
    /// Those that are none.
    pub invalid: u64,
    /// Those that are in doubt from before.
    pub unknown: u64,
}

/// One row of a plan. No `Debug`: it holds an address.
#[derive(Clone, PartialEq, Eq)]
pub struct PlanRow<'plan> {
    /// The place in the caller's list.
    pub index: u32,
    /// What the caller wrote there.
    pub email: &'plan str,
    /// How it would end without a call; `None` when it would be sent.
    pub outcome: Option<Outcome>,
}

impl Resends {
    /// What would become of the list that `draft` has read, as far as is known now.
    ///
    /// # Errors
    /// When the body ended too early, there is no memory for the plan, the list is empty, or the gateway
    /// is shutting down.
    pub async fn plan(
        &self,
        draft: Draft,
        client: &ClientName,
        force: bool,
    ) -> Result<Result<Plan, SealError>, DraftError> {
        let (list, share) = draft.keep(BYTES)?;
        if list.is_empty() {
            return Ok(Err(SealError::Empty));
        }
        Ok(self.foretell(list, share, client.tag(), force).await.map_err(SealError::Refused))
    }

    async fn foretell(
        &self,
        list: List,
        share: Share,
        client: ClientTag,
        force: bool,
    ) -> Result<Plan, Refused> {
        if self.is_closing() {
            return Err(Refused::ShuttingDown);
        }
        let mut plan = Plan::new(list, self.view(), share);
        let mut calls = CallCount::new(plan.view.batch_size());
        let created = Instant::now();
        let mut from = 0;
        while from < plan.list.len() {
            let to = from.saturating_add(LOOK_UPS as u32).min(plan.list.len());
            let (indexes, keys) = plan.fresh(from, to);
            let seen =
                self.dispatch.look_up(&keys, created, force).await.map_err(|_| Refused::ShuttingDown)?;
            for (index, seen) in indexes.into_iter().zip(seen) {
                calls.add(seen);
                plan.take(index, seen, client);
            }
            // What a repeat repeats stands before it, so its end is known by now.
            plan.count(from, to);
            from = to;
            yield_now().await;
        }
        plan.upstream_calls = calls.calls();
        plan.view = self.view();
        Ok(plan)
    }
}

impl Plan {
    fn new(list: List, view: View, share: Share) -> Self {
        Self {
            created_at: Timestamp::now(),
            counts: PlanCounts { received: list.len().into(), ..PlanCounts::default() },
            upstream_calls: 0,
            view,
            codes: vec![WOULD_SEND; list.len() as usize],
            times: Vec::new(),
            list,
            _share: share,
        }
    }

    /// How many rows it has.
    pub fn len(&self) -> u32 {
        self.list.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The rows from `from` on, at most `limit`, in the caller's order.
    pub fn rows(&self, from: u32, limit: u32) -> impl Iterator<Item = PlanRow<'_>> {
        let end = from.saturating_add(limit).min(self.list.len());
        (from..end).map(|index| PlanRow { index, email: self.list.text(index), outcome: self.outcome(index) })
    }

    fn fresh(&self, from: u32, to: u32) -> (Vec<u32>, Vec<AddressKey>) {
        let fresh = |index| match self.list.entry(index) {
            Entry::Fresh(key) => Some((index, key)),
            Entry::Repeat | Entry::Invalid(_) => None,
        };
        (from..to).filter_map(fresh).unzip()
    }

    fn take(&mut self, index: u32, seen: Seen, client: ClientTag) {
        let code = match seen {
            Seen::Fresh | Seen::Culprit => WOULD_SEND,
            Seen::InFlight(_) => DUPLICATE,
            Seen::Known(Memory::Doubt(..)) => DOUBT,
            // When it was sent is told to whom it was sent for.
            Seen::Known(Memory::Sent(_, by)) if by != client => DUPLICATE,
            Seen::Known(Memory::Sent(at, _)) => {
                if self.times.is_empty() {
                    self.times = vec![0; self.codes.len()];
                }
                self.times[index as usize] = at.0;
                DUPLICATE_AT
            }
        };
        self.codes[index as usize] = code;
    }

    fn count(&mut self, from: u32, to: u32) {
        for index in from..to {
            match self.outcome(index) {
                None => self.counts.would_send += 1,
                Some(Outcome::Duplicate(_)) => self.counts.duplicate += 1,
                Some(Outcome::Unknown(_)) => self.counts.unknown += 1,
                Some(Outcome::Invalid(_)) => self.counts.invalid += 1,
                // Ends that only a call can bring.
                Some(Outcome::Sent | Outcome::Rejected(_) | Outcome::NotSent(_)) => {}
            }
        }
    }

    fn outcome(&self, index: u32) -> Option<Outcome> {
        match self.list.entry(index) {
            Entry::Fresh(_) => self.of_first(index),
            Entry::Invalid(reason) => Some(Outcome::Invalid(reason)),
            // A repeat shares the end of its first, and is a duplicate of one that is sent.
            Entry::Repeat => {
                let first = self.list.first_of(index).and_then(|first| self.of_first(first));
                Some(first.unwrap_or(Outcome::Duplicate(None)))
            }
        }
    }

    fn of_first(&self, index: u32) -> Option<Outcome> {
        match self.codes[index as usize] {
            DUPLICATE => Some(Outcome::Duplicate(None)),
            DUPLICATE_AT => Some(Outcome::Duplicate(Some(Timestamp(self.times[index as usize])))),
            DOUBT => Some(Outcome::Unknown(UnknownReason::EarlierDoubt)),
            _ => None,
        }
    }
}
