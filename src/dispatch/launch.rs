//! Launches calls: as many as upstream's condition, the slots and the pace allow.

use futures_util::FutureExt as _;
use tokio::time::Instant;

use super::{
    call::{Call, Member, Origin},
    dispatcher::{Dispatcher, Event},
    draw::Drawn,
    health::Gate,
};
use crate::{domain::TraceContext, outbound::Written};

impl Dispatcher {
    /// Launches what may be launched. Says whether there is more to look at right away.
    pub(super) fn launch_calls(&mut self, now: Instant) -> bool {
        loop {
            let lone = match self.health.gate(now, self.options.max_in_flight) {
                Gate::Closed(_) | Gate::Shut => return false,
                Gate::Lone | Gate::Newcomer(_) if !self.calls.is_empty() => return false,
                Gate::Newcomer(_) if self.newcomers.is_empty() => return false,
                Gate::Newcomer(_) if self.pace.next_permit(now) <= now => {
                    match self.draw_newcomer(now) {
                        Some((members, origin)) => self.launch(members, origin, now),
                        None => return !self.newcomers.is_empty(),
                    }
                    continue;
                }
                Gate::Newcomer(_) => return false,
                Gate::Lone => true,
                Gate::Open(slots) if self.calls.len() >= slots => return false,
                Gate::Open(_) => false,
            };
            if self.pace.next_permit(now) > now {
                return false;
            }
            match self.draw(lone, now) {
                Drawn::Call(members, origin) => self.launch(members, origin, now),
                Drawn::Looked => return true,
                Drawn::Nothing => return false,
            }
        }
    }

    fn launch(&mut self, members: Vec<Member>, origin: Origin, now: Instant) {
        let permit = self.pace.take(now);
        let resends = &self.resends;
        let with_records = members
            .iter()
            .filter_map(|member| resends.get(&member.resend).map(|active| (member, active.record.as_ref())));
        let prepared = self.ledger.prepare(with_records);
        let trace = self.trace_of(&members);
        let traceparent = trace.traceparent(fastrand::u64(..));
        for member in &members {
            if let Some(active) = self.resends.get_mut(&member.resend) {
                active.calling += 1;
                if !std::mem::replace(&mut active.called, true) {
                    self.metrics.resend_first_call(now.saturating_duration_since(active.record.created));
                }
            }
        }
        let written = Written::default();
        let id = self.next_call;
        self.next_call += 1;
        self.calls
            .insert(id, Call { members, origin, permit, launched: now, trace, written: written.clone() });
        self.metrics.set_upstream_in_flight(self.calls.len());
        let upstream = self.upstream.clone();
        self.spawn(async move {
            Event::CallEnded(id, upstream.resend(prepared.body, written, &traceparent).await)
        });
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
