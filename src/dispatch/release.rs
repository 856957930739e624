//! Gives members back: to the heads of their resends, or together for a call of their own. And writes
//! what a turn has settled.

use std::sync::Arc;

use tokio::time::Instant;

use super::{
    books::After,
    call::{Call, Member, Origin},
    dispatcher::Dispatcher,
};
use crate::{
    domain::{Outcome, ResendId, Timestamp},
    store::Settled,
};

impl Dispatcher {
    /// Gives a call that was not sent back to the heads of its resends.
    pub(super) fn dissolve(&mut self, call: Call) {
        match call.origin {
            Origin::Part => self.keep_part(call.members),
            Origin::Fresh | Origin::Newcomer => {
                for member in call.members.into_iter().rev() {
                    // An address that was denied alone before goes alone again.
                    if member.denied.is_some() {
                        self.set_aside(member);
                    } else {
                        self.release(member);
                    }
                }
            }
        }
    }

    /// Keeps members together, with their claims, for a call of their own.
    pub(super) fn keep_part(&mut self, mut members: Vec<Member>) {
        let stopped: Vec<_> = members.extract_if(.., |member| self.is_stopped(member.resend)).collect();
        for member in stopped {
            self.release(member);
        }
        let Some(owner) = members.first().map(|member| member.resend) else { return };
        if let Some(active) = self.resends.get_mut(&owner) {
            active.put_part(members);
        }
        self.requeue(owner);
    }

    /// Frees an address that was certainly not sent: it goes back to the head of its resend, and so do
    /// its followers. One that is in doubt is never certainly unsent again.
    pub(super) fn release(&mut self, member: Member) {
        let stopped = self.is_stopped(member.resend);
        match member.doubt {
            Some(reason) if stopped => self.end(member, Outcome::Unknown(reason), Instant::now()),
            Some(_) => self.keep_part(vec![member]),
            None => {
                self.free_claim(&member);
                if !stopped {
                    if let Some(active) = self.resends.get_mut(&member.resend) {
                        active.put_back(member.index);
                    }
                    self.requeue(member.resend);
                }
            }
        }
    }

    /// Frees an address that must go alone next time.
    pub(super) fn set_aside(&mut self, member: Member) {
        if member.doubt.is_some() || self.is_stopped(member.resend) {
            return self.release(member);
        }
        self.free_claim(&member);
        let id = member.resend;
        if member.denied.is_some() {
            self.suspects.push_back(member);
        } else if let Some(active) = self.resends.get_mut(&id) {
            active.put_alone(member);
        }
        self.requeue(id);
    }

    fn free_claim(&mut self, member: &Member) {
        for follower in self.claims.remove(&member.key).unwrap_or_default() {
            if let Some(active) = self.resends.get_mut(&follower.resend) {
                active.put_back(follower.index);
            }
            self.requeue(follower.resend);
        }
    }

    /// Writes the outcomes found in this turn and ends the resends they complete.
    pub(super) fn flush(&mut self) {
        if self.settled.is_empty() {
            return;
        }
        let mut settled = std::mem::take(&mut self.settled);
        settled.sort_by_key(|(id, index, _)| (*id, *index));
        for of_one in settled.chunk_by(|a, b| a.0 == b.0) {
            let Some((id, ..)) = of_one.first() else { continue };
            self.write(*id, of_one);
            self.finish_if_done(*id);
        }
    }

    /// Tells outcomes, or writes them first where they are owed.
    fn write(&mut self, id: ResendId, settled: &[(ResendId, u32, Outcome)]) {
        let Some(active) = self.resends.get_mut(&id) else { return };
        let outcomes: Arc<[_]> = settled
            .iter()
            .map(|(_, index, outcome)| Settled {
                index: *index,
                repeats: active.repeats_of(*index),
                outcome: outcome.clone(),
            })
            .collect();
        let at = Timestamp::now();
        match self.ledger.books() {
            Some(books) if active.record.is_written() => {
                active.untold += outcomes.len() as u32;
                if active.record.is_promised() {
                    books.make_hard();
                }
                active.record.write_ends(&outcomes, at, |write| books.write(write));
                books.then(After::Tell(id, outcomes, at));
            }
            Some(_) | None => self.tell(id, &outcomes, at),
        }
    }

    /// Tells outcomes that fell at `at`.
    pub(super) fn tell(&mut self, id: ResendId, outcomes: &[Settled], at: Timestamp) {
        let Some(active) = self.resends.get_mut(&id) else { return };
        active.settled(outcomes);
        let (metrics, client) = (&self.metrics, &active.record.client);
        active.record.settle(outcomes, at, |outcome, addresses| metrics.outcome(client, outcome, addresses));
        let count = outcomes.len() as u32;
        active.unsettled = active.unsettled.saturating_sub(count);
        self.queue_shrank(id, u64::from(count));
    }

    /// Notes that a call is over for the resends that had a share in it.
    pub(super) fn leave_call(&mut self, call: &Call, was_written: bool) {
        for member in &call.members {
            if let Some(active) = self.resends.get_mut(&member.resend) {
                active.calling = active.calling.saturating_sub(1);
            }
        }
        if was_written {
            for id in call.resends() {
                if let Some(active) = self.resends.get(&id) {
                    active.record.count_call();
                }
            }
        }
    }

    pub(super) fn is_stopped(&self, id: ResendId) -> bool {
        self.resends.get(&id).is_none_or(|active| active.stop.is_some())
    }
}
