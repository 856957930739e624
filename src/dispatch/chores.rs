//! What dispatch does besides calls: probes of a failing upstream, cleaning, and showing others what
//! stands here. The credential is tended in a file of its own.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    breaker::BreakerState,
    dispatcher::Dispatcher,
    forecast::Forecast,
    health::Gate,
    message::Event,
    named::named,
    pace::Outlook,
    said::{told, told_pause},
    view::View,
};
use crate::{domain::NotSentReason, telemetry::metrics, upstream::Probe};

/// How often others get a new view while nothing else happens.
const VIEW_INTERVAL: Duration = Duration::from_millis(250);
/// How often the credential's files are looked at.
const REREAD_INTERVAL: Duration = Duration::from_secs(5);
/// How often old entries are dropped.
const CLEAN_INTERVAL: Duration = Duration::from_secs(30);

/// When the regular chores are due.
pub(super) struct Chores {
    pub(super) view: Instant,
    reread: Instant,
    clean: Instant,
}

impl Chores {
    pub(super) fn new(now: Instant) -> Self {
        Self { view: now, reread: now + REREAD_INTERVAL, clean: now + CLEAN_INTERVAL }
    }

    /// When the next one is due.
    pub(super) fn next(&self) -> Instant {
        self.view.min(self.reread).min(self.clean)
    }
}

impl Dispatcher {
    /// Takes what a job of this thread found.
    pub(super) fn happen(&mut self, event: Event) {
        let now = Instant::now();
        match event {
            Event::CallEnded(id, report) => {
                if let Some(call) = self.calls.remove(&id) {
                    self.has_departed(id, &call);
                    self.call_ended(id, call, report, now);
                    self.metrics.set_upstream_in_flight(self.calls.len());
                }
            }
            Event::Probed(found) => {
                self.probing = false;
                match found {
                    // A lone call decides.
                    Probe::Alive | Probe::Refused => self.health.probe_answered(),
                    Probe::Failing(..) if found.is_refused() => self.health.probe_answered(),
                    Probe::Failing(seen, told) => self.health.probe_failed(seen, told, now),
                }
            }
            Event::CredentialProved(proof) => self.credential_proved(proof, now),
            Event::CredentialRenewed(renewed) => self.credential_renewed(renewed, now),
            Event::CredentialReread(found) => self.credential_reread(found, now),
            Event::Loaded(loading) => self.loaded(loading, now),
        }
    }

    /// Does what is due.
    pub(super) fn do_chores(&mut self, now: Instant) {
        self.tend_credential(now);
        let may_probe = !self.probing && !self.tending.is_keeping() && !self.draws_no_more();
        if may_probe && self.health.wants_probe(now) && !self.resends.is_empty() {
            self.probing = true;
            let upstream = self.upstream.clone();
            self.spawn(async move { Event::Probed(upstream.probe().await) });
        }
        if now >= self.chores.reread {
            self.chores.reread = now + REREAD_INTERVAL;
            let upstream = self.upstream.clone();
            self.spawn(async move { Event::CredentialReread(upstream.reread_credential().await) });
        }
        if now >= self.chores.clean {
            self.chores.clean = now + CLEAN_INTERVAL;
            self.clean(now);
        }
        if now >= self.chores.view {
            self.chores.view = now + VIEW_INTERVAL;
            self.expire(now);
            self.keep_pace(now);
            self.publish(now);
        }
    }

    fn forecast(&self, now: Instant) -> Forecast {
        let slots = self.options.max_in_flight;
        let Outlook { rate, growth, highest } = self.pace.outlook();
        let proven = self.health.gate(now, slots) == Gate::Open(slots);
        Forecast { rate, growth, highest, slots, proven, latency: self.latency.mean() }
    }

    fn clean(&mut self, now: Instant) {
        self.registry.forget_old();
        let oldest = self.registry.oldest_unfinished().map_or(now, |created| created.min(now));
        let entries = self.ledger.clean(oldest);
        self.metrics.set_dedupe_entries(entries);
    }

    /// Shows others what stands here now.
    pub(super) fn publish(&mut self, now: Instant) {
        let mut troubles = self.health.troubles();
        // A wait that is over holds nothing once no work is left to prove it over.
        troubles.retain(|trouble| !self.resends.is_empty() || trouble.next_attempt > now);
        let paused = self.health.paused().map(told_pause);
        let holds: Vec<_> =
            paused.into_iter().chain(troubles.iter().map(|trouble| told(trouble, now))).collect();
        let held = !holds.is_empty();
        if held && !self.last_held {
            // While calls are held, leading duplicates are still told at once.
            self.to_strip = self.resends.keys().copied().collect();
        }
        self.last_held = held;
        if !self.health.tries_lone_addresses() {
            self.newcomers.clear();
        }
        for reason in NotSentReason::ALL {
            self.metrics.set_hold(*reason, holds.iter().any(|hold| hold.reason == *reason));
        }
        self.queued.each(|client, waiting| self.metrics.set_queued(client, waiting));
        let oldest = self.resends.values().map(|active| now - active.record.since).max().unwrap_or_default();
        self.metrics.set_queue_oldest(oldest);
        self.metrics.set_resends_active(self.resends.len() as u64);
        self.metrics.set_rate(self.pace.rate());
        if self.ledger.books().is_none() {
            self.metrics.set_store_bytes(self.registry.bytes() as u64);
        }
        self.metrics.set_breaker(match self.health.breaker() {
            BreakerState::Closed => metrics::BreakerState::Closed,
            BreakerState::HalfOpen => metrics::BreakerState::HalfOpen,
            BreakerState::Open(_) => metrics::BreakerState::Open,
        });
        self.view.send_replace(View {
            holds,
            paused: self.health.paused().cloned(),
            forecast: self.forecast(now),
            queued: self.queued.all(),
            active: self.resends.len(),
            shares: self.shares(),
            named: named(self.resends.iter().map(|(id, active)| (*id, active.unsettled))),
            token_ends_at: self.token_to_be_replaced(),
            in_flight: self.calls.len(),
        });
    }
}
