//! Launches calls: as many as upstream's condition, the slots and the pace allow.

use bytes::Bytes;
use futures_util::FutureExt as _;
use tokio::time::Instant;

use super::{
    call::{Call, Member, Origin},
    dispatcher::Dispatcher,
    draw::Drawn,
    health::Gate,
    ledger::Prepared,
    message::Event,
};
use crate::{domain::TraceContext, outbound::Written, store::file::CallEnd};

impl Dispatcher {
    /// Launches what may be launched. Says whether there is more to look at right away.
    pub(super) fn launch_calls(&mut self, now: Instant) -> bool {
        self.note_departures();
        let mut held_back = 0;
        let more = loop {
            let (lone, slots) = match self.health.gate(now, self.options.max_in_flight) {
                Gate::Closed(_) | Gate::Shut => break false,
                Gate::Lone | Gate::Newcomer(_) if !self.calls.is_empty() => break false,
                Gate::Newcomer(_) if !self.has_newcomer() => break false,
                Gate::Newcomer(_) if self.pace.next_permit(now) <= now => {
                    match self.draw_newcomer(now) {
                        Some((members, origin)) => self.launch(members, origin, now),
                        None => break self.has_newcomer(),
                    }
                    continue;
                }
                Gate::Newcomer(_) => break false,
                Gate::Lone => (true, 1),
                Gate::Open(slots) if self.calls.len() >= slots => break false,
                Gate::Open(slots) => (false, slots),
            };
            if self.pace.next_permit(now) > now {
                held_back = if self.queue.is_empty() { 0 } else { slots - self.calls.len() };
                break false;
            }
            match self.draw(lone, now) {
                Drawn::Call(members, origin) => self.launch(members, origin, now),
                Drawn::Looked => break true,
                Drawn::Nothing => break false,
            }
        };
        self.pace.hold_back(held_back);
        more
    }

    /// Tells the pace which calls have left since: that is later than their launch.
    fn note_departures(&mut self) {
        let (calls, pace) = (&self.calls, &mut self.pace);
        self.leaving.retain(|id| match calls.get(id).and_then(|call| call.written.at()) {
            Some(at) => {
                pace.left(at);
                false
            }
            None => true,
        });
    }

    /// A call is over: it will not leave any more, if it has not.
    pub(super) fn has_departed(&mut self, id: u64, call: &Call) {
        let Some(place) = self.leaving.iter().position(|leaving| *leaving == id) else { return };
        self.leaving.swap_remove(place);
        match call.written.at() {
            Some(at) => self.pace.left(at),
            None => self.pace.stayed(),
        }
    }

    fn launch(&mut self, members: Vec<Member>, origin: Origin, now: Instant) {
        let permit = self.pace.take(now);
        let trace = self.trace_of(&members);
        let id = self.next_call;
        self.next_call += 1;
        let resends = &self.resends;
        let with_resends =
            members.iter().filter_map(|member| resends.get(&member.resend).map(|active| (member, active)));
        let prepared = self.ledger.prepare(id, with_resends);
        for member in &members {
            if let Some(active) = self.resends.get_mut(&member.resend) {
                active.calling += 1;
            }
        }
        let written = Written::default();
        self.leaving.push(id);
        self.calls.insert(id, Call { members, origin, permit, launched: now, trace, written, made: false });
        self.metrics.set_upstream_in_flight(self.calls.len());
        match prepared {
            Prepared::Ready(body) => self.make_call(id, body, now),
            Prepared::Later => {}
        }
    }

    /// Makes a call whose mark is written, unless upstream may no longer be called: then it dissolves.
    pub(super) fn make_marked_call(&mut self, id: u64, body: Bytes, now: Instant) {
        if !matches!(self.health.gate(now, self.options.max_in_flight), Gate::Closed(_) | Gate::Shut) {
            return self.make_call(id, body, now);
        }
        self.call_off(id);
    }

    /// Gives up a call that was not made.
    pub(super) fn call_off(&mut self, id: u64) {
        if let Some(call) = self.calls.remove(&id) {
            self.has_departed(id, &call);
            self.metrics.set_upstream_in_flight(self.calls.len());
            self.ledger.call_ended(id, CallEnd::NotSent);
            self.leave_call(&call, false);
            let ids = call.resends();
            self.dissolve(call);
            for id in ids {
                self.finish_if_done(id);
            }
        }
    }

    fn make_call(&mut self, id: u64, body: Bytes, now: Instant) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.launched = now;
        call.made = true;
        let (written, traceparent) = (call.written.clone(), call.trace.traceparent(fastrand::u64(..)));
        for member in &call.members {
            if let Some(active) = self.resends.get_mut(&member.resend)
                && !std::mem::replace(&mut active.called, true)
                && !active.record.is_again()
            {
                self.metrics.resend_first_call(now.saturating_duration_since(active.record.created));
            }
        }
        let upstream = self.upstream.clone();
        self.spawn(async move { Event::CallEnded(id, upstream.resend(body, written, &traceparent).await) });
    }

    fn trace_of(&self, members: &[Member]) -> TraceContext {
        let first = members.first().and_then(|member| self.resends.get(&member.resend));
        first.map_or_else(|| TraceContext::new(fastrand::u128(..)), |active| active.record.trace)
    }

    /// Runs a job of this thread; what it finds comes back as an event.
    pub(super) fn spawn(&self, job: impl Future<Output = Event> + 'static) {
        self.jobs.push(job.boxed_local());
    }
}
