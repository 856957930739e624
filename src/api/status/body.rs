//! What the status page shows, as JSON. Every list in it is bounded.

use serde::Serialize;

use super::{
    StatusSource,
    health::judge,
    past::{HistoryBody, OutcomesBody},
};
use crate::{
    api::render::{CountsBody, counts, time},
    dispatch::View,
    domain::{Hold, Paused, Timestamp},
    resends::Resend,
    telemetry::{
        Past,
        metrics::{BreakerState, BuildInfo, Glance},
    },
};

/// Most clients whose queues are shown.
const CLIENTS: usize = 20;

#[derive(Serialize)]
pub(super) struct StatusBody {
    time: String,
    started_at: String,
    version: String,
    commit: String,
    sandbox: bool,
    health: HealthBody,
    readiness: ReadinessBody,
    queue: QueueBody,
    upstream: UpstreamBody,
    credential: CredentialBody,
    store: StoreBody,
    resends: Vec<ResendBody>,
    more_resends: usize,
    since_sample: OutcomesBody,
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<HistoryBody>,
}

#[derive(Serialize)]
struct HealthBody {
    state: &'static str,
    healthy: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    paused: Option<PausedBody>,
    holds: Vec<HoldBody>,
    words: Vec<String>,
}

#[derive(Serialize)]
struct PausedBody {
    since: String,
    note: Option<String>,
}

#[derive(Serialize)]
struct HoldBody {
    reason: &'static str,
    since: String,
    next_attempt_at: Option<String>,
    detail: String,
}

#[derive(Serialize)]
struct ReadinessBody {
    ready: bool,
    word: &'static str,
    checks: Vec<CheckBody>,
}

#[derive(Serialize)]
struct CheckBody {
    name: &'static str,
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

#[derive(Serialize)]
struct QueueBody {
    addresses: u64,
    resends: usize,
    oldest_seconds: f64,
    clients: Vec<ClientBody>,
    more_clients: usize,
}

#[derive(Serialize)]
struct ClientBody {
    client: String,
    addresses: u64,
}

#[derive(Serialize)]
struct UpstreamBody {
    calls_in_flight: usize,
    rate: f64,
    ceiling: Option<f64>,
    breaker: &'static str,
    last_success_at: Option<String>,
}

#[derive(Serialize)]
struct CredentialBody {
    valid: bool,
    expires_at: Option<String>,
    /// Whether a person has to put a new one into its place soon, or had to.
    ends_soon: bool,
}

#[derive(Serialize)]
struct StoreBody {
    kind: &'static str,
    bytes: u64,
    free_bytes: Option<u64>,
    trouble: Option<String>,
}

#[derive(Serialize)]
struct ResendBody {
    id: String,
    client: String,
    status: &'static str,
    created_at: String,
    estimated_finish_at: Option<String>,
    counts: CountsBody,
    upstream_calls: u64,
}

impl StatusBody {
    /// How it stands now, with the samples of this past.
    pub(super) fn of(source: &StatusSource, past: &Past) -> Self {
        Self { history: Some(HistoryBody::of(&past.samples)), ..Self::without_history(source, past) }
    }

    /// The same without the samples.
    pub(super) fn without_history(source: &StatusSource, past: &Past) -> Self {
        let (view, glance) = (source.resends.view(), &past.now);
        let (health, words) = judge(source, &view, glance);
        let build = BuildInfo::current();
        let live: Vec<_> = view.named.iter().filter_map(|id| source.resends.live(*id)).collect();
        let resends: Vec<_> = live.iter().filter_map(|live| ResendBody::of(live, &view)).collect();
        Self {
            time: time(Timestamp::now()),
            started_at: time(source.started_at),
            version: build.version,
            commit: build.commit,
            sandbox: source.sandbox,
            health: HealthBody {
                state: health.as_str(),
                healthy: health.is_healthy(),
                paused: view.paused.as_ref().map(PausedBody::of),
                holds: view.holds.iter().map(HoldBody::of).collect(),
                words,
            },
            readiness: ReadinessBody::of(source),
            queue: QueueBody::of(&view, glance),
            more_resends: view.active.saturating_sub(view.named.len()),
            upstream: UpstreamBody::of(&view, glance),
            credential: CredentialBody {
                valid: glance.credential_valid,
                expires_at: glance.credential_expiry.map(time),
                ends_soon: view.token_ends_soon().is_some(),
            },
            store: StoreBody::of(source, glance),
            resends,
            since_sample: OutcomesBody::of(&past.since),
            history: None,
        }
    }
}

impl ResendBody {
    /// `None` if it has ended meanwhile.
    fn of(live: &Resend, view: &View) -> Option<Self> {
        let snapshot = live.snapshot();
        let estimate = view.estimate(live.id(), live.client().tag(), snapshot.counts.pending());
        (!snapshot.status.is_final()).then(|| Self {
            id: live.id().to_string(),
            client: live.client().as_str().to_owned(),
            status: snapshot.status.as_str(),
            created_at: time(live.created_at()),
            estimated_finish_at: estimate.map(|estimate| time(Timestamp::now().plus(estimate))),
            counts: counts(&snapshot.counts),
            upstream_calls: snapshot.upstream_calls,
        })
    }
}

impl PausedBody {
    fn of(paused: &Paused) -> Self {
        Self { since: time(paused.since), note: paused.note.words().map(str::to_owned) }
    }
}

impl HoldBody {
    fn of(hold: &Hold) -> Self {
        Self {
            reason: hold.reason.as_str(),
            since: time(hold.since),
            next_attempt_at: hold.next_attempt_at.map(time),
            detail: hold.detail.clone(),
        }
    }
}

impl ReadinessBody {
    fn of(source: &StatusSource) -> Self {
        let (ready, word, checks) = source.readiness.report();
        let check = |check: crate::api::admin::Check| CheckBody {
            name: check.name,
            ok: check.failure.is_none(),
            detail: check.failure.flatten().map(|fault| fault.to_string()),
        };
        Self { ready, word, checks: checks.into_iter().map(check).collect() }
    }
}

impl QueueBody {
    fn of(view: &View, glance: &Glance) -> Self {
        let told = glance.queued.iter().take(CLIENTS);
        Self {
            addresses: view.queued,
            resends: view.active,
            oldest_seconds: glance.oldest_seconds,
            clients: told
                .map(|(client, addresses)| ClientBody { client: client.clone(), addresses: *addresses })
                .collect(),
            more_clients: glance.queued.len().saturating_sub(CLIENTS),
        }
    }
}

impl UpstreamBody {
    fn of(view: &View, glance: &Glance) -> Self {
        Self {
            calls_in_flight: view.in_flight,
            rate: glance.rate,
            ceiling: glance.ceiling,
            breaker: match glance.breaker {
                BreakerState::Closed => "closed",
                BreakerState::HalfOpen => "half_open",
                BreakerState::Open => "open",
            },
            last_success_at: glance.last_success.map(time),
        }
    }
}

impl StoreBody {
    fn of(source: &StatusSource, glance: &Glance) -> Self {
        let is_file = source.resends.store_watch().is_some();
        Self {
            kind: if is_file { "file" } else { "memory" },
            bytes: glance.store_bytes,
            free_bytes: is_file.then_some(glance.store_free_bytes),
            trouble: source.resends.check_store().err().map(|trouble| trouble.to_string()),
        }
    }
}
