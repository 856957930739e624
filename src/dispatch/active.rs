//! A resend under way: what of it is still to be drawn, and what is out.

use std::{collections::VecDeque, sync::Arc};

use super::{
    call::{Member, Part},
    promise::Promise,
    rows::{At, Rows},
};
use crate::{
    domain::{AddressKey, NotSentReason, Outcome, Status, Timestamp},
    store::{Record, Settled},
};

/// Known culprits that are put aside before the rest of a list is looked at.
pub(super) const MAX_ASIDE: usize = 64;

/// How a resend ends.
#[derive(Debug, Clone)]
pub(super) struct End {
    pub(super) status: Status,
    /// What becomes of addresses that have no outcome then.
    pub(super) rest: Option<Outcome>,
    pub(super) at: Timestamp,
}

/// A resend under way.
#[derive(Debug)]
pub(super) struct Active {
    pub(super) record: Arc<Record>,
    /// The estimate that it was accepted with, if there was one.
    pub(super) promise: Option<Promise>,
    /// Its rows, as far as they are at hand.
    pub(super) rows: Rows,
    /// The first index that was never looked at.
    next: u32,
    /// Looked at, and back at the head, in the order of their turns.
    returned: VecDeque<u32>,
    /// To be sent alone: known culprits, and members of a call that fax.plus denied.
    alone: VecDeque<Member>,
    parts: VecDeque<Part>,
    /// Whether an earlier process has settled some of it.
    was_left: bool,
    /// Fresh addresses without an outcome.
    pub(super) unsettled: u32,
    /// Outcomes that are being written and were not told yet.
    pub(super) untold: u32,
    /// Whether it was promised, and that is not yet written.
    pub(super) promising: bool,
    /// How it ends, while that is being written.
    pub(super) ending: Option<End>,
    /// Addresses in calls that were launched.
    pub(super) calling: u32,
    /// Why nothing more of it is drawn.
    pub(super) stop: Option<NotSentReason>,
    /// Whether its addresses may share calls with those of others: not while it gets refused.
    pub(super) shares: bool,
    /// Whether it stands in the fair queue.
    pub(super) queued: bool,
    /// Whether a call of it was launched.
    pub(super) called: bool,
}

impl Active {
    pub(super) fn new(record: Arc<Record>, unsettled: u32, promise: Option<Promise>) -> Self {
        Self {
            unsettled,
            was_left: unsettled < record.body.fresh(),
            record,
            promise,
            rows: Rows::default(),
            next: 0,
            returned: VecDeque::new(),
            alone: VecDeque::new(),
            parts: VecDeque::new(),
            untold: 0,
            promising: false,
            ending: None,
            calling: 0,
            stop: None,
            shares: true,
            queued: false,
            called: false,
        }
    }

    /// How it ends: as was decided, or as it would now.
    pub(super) fn end(&self) -> End {
        if let Some(end) = &self.ending {
            return end.clone();
        }
        let status = match self.stop {
            Some(NotSentReason::Cancelled) => Status::Cancelled,
            Some(_) if self.unsettled > 0 => Status::Cancelled,
            Some(_) | None => Status::Finished,
        };
        End { status, rest: self.stop.map(Outcome::NotSent), at: Timestamp::now() }
    }

    /// Whether anything of it is at hand to draw or to look at.
    pub(super) fn has_more(&self) -> bool {
        self.has_rows() || !self.parts.is_empty() || !self.alone.is_empty()
    }

    /// Whether any address of it waits that was not denied alone.
    pub(super) fn has_untried(&self) -> bool {
        let has_unread = self.stop.is_none() && self.next < self.record.body.len();
        has_unread || !self.returned.is_empty() || !self.parts.is_empty() || !self.alone.is_empty()
    }

    /// Whether anything of it has its turn before fresh addresses.
    pub(super) fn has_parts(&self) -> bool {
        !self.parts.is_empty() || !self.alone.is_empty()
    }

    /// Whether it may be looked at for fresh addresses: not while many culprits wait aside.
    pub(super) fn may_look(&self) -> bool {
        self.alone.len() < MAX_ASIDE && self.has_rows()
    }

    fn has_rows(&self) -> bool {
        if !self.returned.is_empty() {
            return true;
        }
        self.next < self.record.body.len()
            && (self.record.body.shape().is_none() || self.rows.has(self.record.body.place(self.next).0))
    }

    /// The chunk that has to be read before anything more can be drawn, or that will be needed soon.
    pub(super) fn wants(&self) -> Option<u32> {
        let shape = self.record.body.shape()?;
        if self.stop.is_some() || self.rows.loading.is_some() || self.next >= self.record.body.len() {
            return None;
        }
        let current = self.record.body.place(self.next).0;
        [current, current + 1].into_iter().find(|number| *number < shape.chunks() && !self.rows.has(*number))
    }

    /// The next fresh address to look at; `None` for an entry that needs no look.
    pub(super) fn look(&mut self) -> Option<(u32, AddressKey)> {
        let returned = self.returned.pop_front();
        let index = returned.unwrap_or(self.next);
        let key = match self.rows.at(&self.record, index, self.was_left) {
            At::Fresh(key) => Some(key),
            At::Nothing => None,
            // Not looked at: it is asked for, and this comes again.
            At::Missing(_) => return None,
        };
        if returned.is_none() {
            self.next += 1;
            if key.is_some() {
                self.rows.take_out(&self.record, index);
            } else {
                self.rows.drop_behind(self.next);
            }
        }
        key.map(|key| (index, key))
    }

    /// What the caller wrote at `index`, which is out.
    pub(super) fn text(&self, index: u32) -> Option<&str> {
        self.rows.text(&self.record, index)
    }

    /// How many later rows repeat the one at `index`, which is out.
    pub(super) fn repeats_of(&self, index: u32) -> u32 {
        self.rows.repeats_of(&self.record, index)
    }

    /// Notes outcomes of rows that were out.
    pub(super) fn settled(&mut self, outcomes: &[Settled]) {
        self.rows.settle(&self.record, outcomes, self.next);
    }

    /// Puts an address back to the head; it stays out until it has an outcome.
    pub(super) fn put_back(&mut self, index: u32) {
        self.returned.push_front(index);
    }

    pub(super) fn put_alone(&mut self, member: Member) {
        self.alone.push_back(member);
    }

    /// Puts a part ahead of the others.
    pub(super) fn put_part(&mut self, part: Part) {
        if !part.is_empty() {
            self.parts.push_front(part);
        }
    }

    /// The next part: whole, or its first member and the rest when only a lone address may go.
    pub(super) fn take_part(&mut self, lone: bool) -> Option<(Part, Part)> {
        let mut part = self.parts.pop_front()?;
        let rest = if lone { part.split_off(1) } else { Part::new() };
        Some((part, rest))
    }

    /// The parts that are left, when the resend itself is done: they hold members of others.
    pub(super) fn take_parts(&mut self) -> Vec<Part> {
        self.parts.drain(..).collect()
    }

    /// The next address that goes alone.
    pub(super) fn take_alone(&mut self) -> Option<Member> {
        self.alone.pop_front()
    }

    /// Gives up everything that is not in a call. Parts come back for their claims.
    pub(super) fn give_up(&mut self, reason: NotSentReason) -> Vec<Part> {
        self.stop = Some(reason);
        self.next = self.record.body.len();
        self.returned.clear();
        self.alone.clear();
        self.take_parts()
    }

    /// Takes the members of another resend out of this one's parts.
    pub(super) fn extract(&mut self, gone: impl Fn(&Member) -> bool) -> Vec<Member> {
        let mut taken = Vec::new();
        for part in &mut self.parts {
            taken.extend(part.extract_if(.., |member| gone(member)));
        }
        self.parts.retain(|part| !part.is_empty());
        taken
    }
}
