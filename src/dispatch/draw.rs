//! Draws calls: whose turn it is gives up to ten addresses, others fill what is left.
//!
//! Looking at an address settles it when it needs no call: it was sent lately, it is in doubt, or it is
//! in a call right now (then it follows that call). So leading duplicates cost no permit, and a list of
//! nothing else is done even while calls are held. A turn looks at most at [`LOOKS`] addresses; one that
//! could not fill its call by then goes on looking before it calls.

use tokio::time::Instant;

use super::{
    active::Active,
    call::{Member, Origin},
    dispatcher::{Dispatcher, Follower},
};
use crate::{
    domain::{Outcome, ResendId, UnknownReason},
    recent::Memory,
    telemetry::metrics::DedupeHit,
};

/// Most addresses that one turn looks at.
const LOOKS: usize = 256;
/// Most resends that one call is filled from.
const CANDIDATES: usize = 64;

/// What a turn found.
pub(super) enum Drawn {
    /// A call.
    Call(Vec<Member>, Origin),
    /// The turn is over without a call; there may be more to look at.
    Looked,
    /// Nobody has anything to give.
    Nothing,
}

/// What one resend gives for a call.
struct Given {
    members: Vec<Member>,
    origin: Origin,
    /// Whether addresses of others may join it.
    shares: bool,
}

enum Look {
    Sendable(Member),
    /// Settled, following, put aside, or nothing to settle.
    Passed,
    /// Nothing left to look at.
    End,
}

impl Dispatcher {
    /// Draws the next call; of one address when only a `lone` one may go.
    pub(super) fn draw(&mut self, lone: bool, now: Instant) -> Drawn {
        let mut looks = LOOKS;
        // One of them at a time: most are denied again, and others are to go beside them in full calls.
        if !lone
            && !self.suspects.is_empty()
            && !self.is_trying_suspect()
            && let Some(call) = self.draw_suspect(true, &mut looks, now)
        {
            return call;
        }
        for id in self.queue.order(CANDIDATES) {
            let drawn = self.draw_from(id, lone, &mut looks, now);
            self.flush();
            if let Some(Given { mut members, origin, shares }) = drawn {
                if shares && !lone && self.resends.get(&id).is_some_and(|active| active.shares) {
                    self.fill(id, &mut members, &mut looks, now);
                }
                self.end_turn(id);
                return Drawn::Call(members, origin);
            }
            self.end_turn(id);
            if looks == 0 {
                return Drawn::Looked;
            }
        }
        if !self.queue.is_empty() {
            return Drawn::Looked;
        }
        match self.draw_suspect(false, &mut looks, now) {
            Some(call) => call,
            None if self.suspects.is_empty() => Drawn::Nothing,
            None => Drawn::Looked,
        }
    }

    fn is_trying_suspect(&self) -> bool {
        self.calls.values().any(|call| call.members.iter().any(|member| member.denied.is_some()))
    }

    /// Draws an address that was denied alone: one `after_success` of another, or, when no other is left, the one
    /// that was denied the longest ago.
    fn draw_suspect(&mut self, after_success: bool, looks: &mut usize, now: Instant) -> Option<Drawn> {
        let mut drawn = None;
        while drawn.is_none() && *looks > 0 {
            let Some(denied) = self.suspects.front().and_then(|suspect| suspect.denied) else { break };
            if after_success && !self.health.succeeded_since(denied.at) {
                break;
            }
            *looks -= 1;
            let Some(suspect) = self.suspects.pop_front() else { break };
            if !self.is_given_up(&suspect) {
                drawn = self.draw_alone(suspect).map(|given| Drawn::Call(given.members, given.origin));
            } else if let Look::Sendable(suspect) = self.judge(&suspect) {
                self.give_up(&suspect, now);
            }
        }
        self.flush();
        drawn
    }

    /// Draws one address of a resend that came to a gateway that tries lone addresses only, and was not tried.
    pub(super) fn draw_newcomer(&mut self, now: Instant) -> Option<(Vec<Member>, Origin)> {
        for _ in 0..self.newcomers.len() {
            let id = self.newcomers.pop_front()?;
            let Some(active) = self.resends.get(&id).filter(|active| !active.called) else { continue };
            if !active.has_more() {
                // Its rows are being read.
                if active.has_untried() {
                    self.newcomers.push_back(id);
                }
                continue;
            }
            let mut looks = LOOKS;
            let drawn = self.draw_from(id, true, &mut looks, now);
            self.flush();
            self.leave_queue_if_empty(id);
            if let Some(Given { members, origin, .. }) = drawn {
                return Some((members, if origin == Origin::Fresh { Origin::Newcomer } else { origin }));
            }
            if self.resends.get(&id).is_some_and(Active::has_untried) {
                self.newcomers.push_back(id);
            }
        }
        None
    }

    /// Whether a newcomer can be drawn now.
    pub(super) fn has_newcomer(&self) -> bool {
        let is_ready = |active: &Active| !active.called && active.has_more();
        self.newcomers.iter().any(|id| self.resends.get(id).is_some_and(is_ready))
    }

    /// Settles what leads the next resend and needs no call. Says whether there is more of that.
    pub(super) fn strip(&mut self, now: Instant) -> bool {
        let Some(id) = self.to_strip.pop_front() else { return false };
        let mut looks = LOOKS;
        loop {
            match self.look(id, &mut looks, now) {
                Look::Sendable(member) => {
                    if let Some(active) = self.resends.get_mut(&id) {
                        active.put_back(member.index);
                    }
                    break;
                }
                Look::Passed if looks == 0 => {
                    self.to_strip.push_back(id);
                    break;
                }
                Look::Passed => {}
                Look::End => break,
            }
        }
        self.flush();
        self.leave_queue_if_empty(id);
        !self.to_strip.is_empty()
    }

    fn draw_from(&mut self, id: ResendId, lone: bool, looks: &mut usize, now: Instant) -> Option<Given> {
        let active = self.resends.get_mut(&id)?;
        if let Some((part, rest)) = active.take_part(lone) {
            // The rest may be of others: it goes to the owner of its own first member.
            self.keep_part(rest);
            return Some(Given { members: part, origin: Origin::Part, shares: false });
        }
        let active = self.resends.get_mut(&id)?;
        if let Some(member) = active.take_alone() {
            return self.draw_alone(member);
        }
        let room = if lone { 1 } else { self.options.batch_size };
        let mut members = Vec::with_capacity(room);
        self.take_fresh(id, room, &mut members, looks, now);
        let may_look = self.resends.get(&id).is_some_and(Active::may_look);
        if !members.is_empty() && members.len() < room && *looks == 0 && may_look {
            // Nobody knows yet whether more wait: they go back to the head and the next turn looks on.
            members.into_iter().rev().for_each(|member| self.release(member));
            return None;
        }
        if !members.is_empty() {
            return Some(Given { members, origin: Origin::Fresh, shares: true });
        }
        None
    }

    /// An address that was put aside may have been settled by another call since.
    fn draw_alone(&mut self, member: Member) -> Option<Given> {
        match self.judge(&member) {
            Look::Sendable(member) => {
                self.claims.insert(member.key, Vec::new());
                Some(Given { members: vec![member], origin: Origin::Fresh, shares: false })
            }
            Look::Passed | Look::End => None,
        }
    }

    fn fill(&mut self, first: ResendId, members: &mut Vec<Member>, looks: &mut usize, now: Instant) {
        let room = self.options.batch_size;
        for id in self.queue.order(CANDIDATES) {
            if members.len() == room || *looks == 0 {
                break;
            }
            let gives = |active: &Active| active.shares && !active.has_parts();
            if id != first && self.resends.get(&id).is_some_and(gives) {
                self.take_fresh(id, room, members, looks, now);
                self.flush();
                self.leave_queue_if_empty(id);
            }
        }
    }

    /// Moves fresh addresses of a resend into `members`, each with its claim.
    fn take_fresh(
        &mut self,
        id: ResendId,
        room: usize,
        members: &mut Vec<Member>,
        looks: &mut usize,
        now: Instant,
    ) {
        while members.len() < room && *looks > 0 {
            match self.look(id, looks, now) {
                Look::Sendable(member) => {
                    self.claims.insert(member.key, Vec::new());
                    members.push(member);
                }
                Look::Passed => {}
                Look::End => break,
            }
        }
    }

    fn look(&mut self, id: ResendId, looks: &mut usize, now: Instant) -> Look {
        let Some(active) = self.resends.get_mut(&id).filter(|active| active.may_look()) else {
            return Look::End;
        };
        *looks -= 1;
        active.record.start();
        let Some((index, key)) = active.look() else { return Look::Passed };
        let member = Member::new(id, index, key);
        match self.judge(&member) {
            Look::Sendable(member) if self.goes_alone(key, now) => {
                if let Some(active) = self.resends.get_mut(&id) {
                    active.put_alone(member);
                }
                Look::Passed
            }
            look => look,
        }
    }

    /// Settles an address that needs no call, or lets it follow the call it is in. A member that goes
    /// alone takes its claim here.
    fn judge(&mut self, member: &Member) -> Look {
        let Member { resend, index, key, .. } = *member;
        if let Some(followers) = self.claims.get_mut(&key) {
            followers.push(Follower { resend, index });
            return Look::Passed;
        }
        let Some(active) = self.resends.get(&resend) else { return Look::End };
        let (outcome, hit) = match self.ledger.find(key, &active.record) {
            None => return Look::Sendable(member.clone()),
            // When it was sent is told to whom it was sent for.
            Some(Memory::Sent(at, by)) => {
                let is_own = by == active.record.client.tag();
                (Outcome::Duplicate(is_own.then_some(at)), DedupeHit::Recent)
            }
            Some(Memory::Doubt(..)) => (Outcome::Unknown(UnknownReason::EarlierDoubt), DedupeHit::Doubt),
        };
        self.metrics.dedupe_hit(hit, 1);
        self.settled.push((resend, index, outcome));
        Look::Passed
    }
}
