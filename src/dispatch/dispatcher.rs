//! The dispatch loop: one thread, one runtime, plain data, no locks.
//!
//! Owns the fair queue, the claims, the calls in flight, the pace, upstream's condition. Each turn takes
//! what has come in, draws what may be drawn, and sleeps until something happens. It never waits for
//! anybody to take what it has to say.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use futures_util::{FutureExt as _, StreamExt as _, future::LocalBoxFuture, stream::FuturesUnordered};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep_until},
};

use super::{
    active::Active,
    backoff::Backoff,
    breaker::Breaker,
    call::{Call, Member},
    chores::Chores,
    credential::Tending,
    drain::Drain,
    facts::KeptPace,
    fair_queue::FairQueue,
    feed::Feed,
    health::Health,
    latency::Latency,
    ledger::Ledger,
    message::{Because, Event, Message},
    pace::Pace,
    promise::Promise,
    queued::Queued,
    split::Culprits,
    view::View,
};
use crate::{
    clients::Directory,
    config::{OnUnknown, Settings},
    domain::{AddressKey, NotSentReason, Outcome, ResendId},
    store::{Record, Registry},
    telemetry::Metrics,
    upstream::Upstream,
};

/// Most messages taken in one turn, so that a flood of them does not keep calls waiting.
const MESSAGES: usize = 256;

/// The settings that dispatch works by.
#[derive(Debug, Clone)]
pub(super) struct Options {
    pub(super) batch_size: usize,
    pub(super) max_in_flight: usize,
    pub(super) on_unknown: OnUnknown,
    pub(super) max_attempts: u32,
    pub(super) isolate_rejected: bool,
    pub(super) max_hold: Duration,
}

/// An address that waits for the call that holds the same one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Follower {
    pub(super) resend: ResendId,
    pub(super) index: u32,
}

/// All state of the dispatch thread.
pub(super) struct Dispatcher {
    pub(super) options: Options,
    pub(super) resends: BTreeMap<ResendId, Active>,
    pub(super) queue: FairQueue,
    pub(super) to_strip: VecDeque<ResendId>,
    /// Resends that came while only lone addresses were tried, and were not tried yet.
    pub(super) newcomers: VecDeque<ResendId>,
    /// Addresses that were denied alone, the longest ago first. They hold no claims.
    pub(super) suspects: VecDeque<Member>,
    pub(super) claims: HashMap<AddressKey, Vec<Follower>>,
    pub(super) calls: HashMap<u64, Call>,
    /// Calls of which nothing had left when it was looked last.
    pub(super) leaving: Vec<u64>,
    pub(super) settled: Vec<(ResendId, u32, Outcome)>,
    pub(super) culprits: Culprits,
    /// Addresses that something else than fax.plus kept answering for.
    pub(super) given_up: Culprits,
    pub(super) pace: Pace,
    pub(super) kept_pace: KeptPace,
    pub(super) health: Health,
    pub(super) latency: Latency,
    pub(super) ledger: Ledger,
    pub(super) upstream: Upstream,
    pub(super) metrics: Arc<Metrics>,
    pub(super) drain: Option<Drain>,
    pub(super) registry: Arc<Registry>,
    pub(super) clients: Option<Directory>,
    pub(super) queued: Arc<Queued>,
    pub(super) view: watch::Sender<View>,
    pub(super) jobs: FuturesUnordered<LocalBoxFuture<'static, Event>>,
    pub(super) next_call: u64,
    /// Whether a probe of a failing upstream is under way.
    pub(super) probing: bool,
    pub(super) tending: Tending,
    pub(super) feed: Feed,
    pub(super) chores: Chores,
    pub(super) last_held: bool,
}

/// What the loop is made of.
pub(super) struct Parts {
    pub(super) ledger: Ledger,
    pub(super) upstream: Upstream,
    pub(super) metrics: Arc<Metrics>,
    pub(super) registry: Arc<Registry>,
    pub(super) clients: Option<Directory>,
    pub(super) queued: Arc<Queued>,
    pub(super) view: watch::Sender<View>,
}

impl Dispatcher {
    pub(super) fn new(settings: &Settings, parts: Parts) -> Self {
        let upstream = &settings.upstream;
        let now = Instant::now();
        let backoff = Backoff {
            min: upstream.min_backoff,
            max: upstream.max_backoff,
            max_told: upstream.max_retry_after,
        };
        let breaker = Breaker::new(upstream.breaker_failures, upstream.breaker_cooldown);
        let Parts { ledger, upstream: client, metrics, registry, clients, queued, view } = parts;
        metrics.set_rate_ceiling(upstream.max_calls_per_second);
        metrics.set_credential_valid(true);
        let mut health = Health::new(backoff, breaker);
        if !client.has_token() {
            health.credential_missing(now);
        }
        Self {
            options: Options {
                batch_size: upstream.batch_size.clamp(1, super::call::MAX_MEMBERS),
                max_in_flight: upstream.max_in_flight,
                on_unknown: upstream.on_unknown,
                max_attempts: upstream.max_attempts,
                isolate_rejected: upstream.isolate_rejected,
                max_hold: settings.dispatch.max_hold,
            },
            resends: BTreeMap::new(),
            queue: FairQueue::default(),
            to_strip: VecDeque::new(),
            newcomers: VecDeque::new(),
            suspects: VecDeque::new(),
            claims: HashMap::new(),
            calls: HashMap::new(),
            leaving: Vec::new(),
            settled: Vec::new(),
            culprits: Culprits::default(),
            given_up: Culprits::default(),
            pace: Pace::new(upstream.max_calls_per_second, now),
            kept_pace: KeptPace::default(),
            health,
            latency: Latency::default(),
            ledger,
            upstream: client,
            metrics,
            drain: None,
            registry,
            clients,
            queued,
            view,
            jobs: FuturesUnordered::new(),
            next_call: 0,
            probing: false,
            tending: Tending::default(),
            feed: Feed::default(),
            chores: Chores::new(now),
            last_held: false,
        }
    }

    /// Works until drained.
    pub(super) async fn run(mut self, mut inbox: mpsc::Receiver<Message>) {
        // Whether the inbox is closed, and whether no place in it is kept by a caller any more.
        let (mut ending, mut inbox_is_over) = (false, false);
        self.tell_expiry();
        loop {
            for _ in 0..MESSAGES {
                let Ok(message) = inbox.try_recv() else { break };
                self.take(message);
            }
            while let Some(Some(event)) = self.jobs.next().now_or_never() {
                self.happen(event);
            }
            let now = Instant::now();
            self.go_on(now);
            self.do_chores(now);
            let more = !self.rests() && (self.strip(now) | self.launch_calls(now));
            // After the draws: they say whose rows are wanted next.
            self.feed(now);
            self.drain_if_asked(now);
            self.hand_in();
            if self.is_drained(now) {
                // Whoever kept a place in the inbox before may still use it; the end waits for them.
                ending = true;
                inbox.close();
                if let Some(drain) = &mut self.drain {
                    drain.is_last = true;
                }
                match inbox.recv().await {
                    Some(message) => self.take(message),
                    None => return self.publish(now),
                }
                continue;
            }
            if more {
                tokio::task::yield_now().await;
                continue;
            }
            let wake = self.next_wake(now);
            tokio::select! {
                biased;
                Some(event) = self.jobs.next(), if !self.jobs.is_empty() => self.happen(event),
                () = self.ledger.store_changed() => {}
                message = inbox.recv(), if !inbox_is_over => match message {
                    Some(message) => self.take(message),
                    None if ending => inbox_is_over = true,
                    // Nobody is left who could ask for anything.
                    None => return,
                },
                () = sleep_until(wake) => {}
            }
        }
    }

    /// Whether nothing is looked at or drawn now: the gateway ends, or too much waits to be written.
    pub(super) fn rests(&mut self) -> bool {
        self.draws_no_more() || self.ledger.books().is_some_and(|books| books.is_crowded())
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Submit(record, unsettled) => self.begin(record, unsettled),
            Message::Stop(id, because) => {
                let reason = match because {
                    Because::Cancelled => NotSentReason::Cancelled,
                    Because::WaitOver if self.draws_no_more() => NotSentReason::Shutdown,
                    Because::WaitOver => self.health.held_by().unwrap_or(NotSentReason::Cancelled),
                };
                self.stop(id, reason);
            }
            Message::LookUp(question) => self.answer(question),
            Message::Promise(id, reply) => self.promise(id, reply),
            Message::Operate(order) => self.obey(order),
            Message::Drain { stop_drawing, deadline, done } => {
                self.drain = Some(Drain::new(stop_drawing, deadline, done));
            }
        }
    }

    /// Begins, or goes on, with a resend of which so many addresses have no outcome.
    pub(super) fn begin(&mut self, record: Arc<Record>, unsettled: u32) {
        let id = record.id;
        // The view that the caller's answer is made of, too.
        let estimate = self.view.borrow().estimate(id, record.client.tag(), u64::from(unsettled));
        let promise = estimate.map(|lasts| Promise::new(lasts, Instant::now()));
        self.resends.insert(id, Active::new(record, unsettled, promise));
        self.requeue(id);
        self.to_strip.push_back(id);
        self.may_be_hungry(id);
        if self.health.tries_lone_addresses() {
            self.newcomers.push_back(id);
        }
        self.finish_if_done(id);
    }

    /// Forgets every job: nothing more of them will be written.
    pub(super) fn drop_jobs(&mut self) {
        self.jobs.clear();
    }
}
