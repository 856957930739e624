//! The admin listener: liveness, readiness, metrics. Read-only. The status page has a folder of its own.

use std::sync::{Arc, OnceLock};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CONTENT_TYPE, HeaderValue},
    web::Data,
};
use tokio::sync::watch;

use super::{problem::Problem, query::Query};
use crate::{
    store::file::{Fault, Watch},
    telemetry::{Metrics, metrics::TEXT_FORMAT},
};

/// Whether new work should be sent here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReadinessState {
    /// Not yet.
    #[default]
    Starting,
    /// Yes.
    Ready,
    /// No longer.
    Draining,
    /// The work is done: whoever still listens is let go.
    Stopped,
}

/// One thing that has to hold for readiness.
pub(super) struct Check {
    pub(super) name: &'static str,
    /// Why it does not hold: with words, when there are any.
    pub(super) failure: Option<Option<Fault>>,
}

/// The readiness of this process. Clones share it.
#[derive(Clone, Default)]
pub struct Readiness {
    state: watch::Sender<ReadinessState>,
    /// Of the store, once it is open, if there is one.
    store: Arc<OnceLock<Watch>>,
}

impl Readiness {
    /// A store that fails is unreadiness from now on. Said once.
    pub fn watch(&self, store: Option<Watch>) {
        if let Some(store) = store {
            self.store.get_or_init(|| store);
        }
    }

    /// Why the store fails, while it does.
    fn store_fault(&self) -> Option<Fault> {
        self.store.get().and_then(Watch::fault)
    }

    /// Says so from now on.
    pub fn set(&self, state: ReadinessState) {
        self.state.send_replace(state);
    }

    /// What was said last.
    pub fn get(&self) -> ReadinessState {
        *self.state.borrow()
    }

    /// Whether this process takes its leave.
    pub(super) fn is_ending(&self) -> bool {
        matches!(self.get(), ReadinessState::Draining | ReadinessState::Stopped)
    }

    /// Returns once the work of this process is done.
    pub(super) async fn stopped(&self) {
        // The sender lives in `self`, so there is no other end of the wait.
        drop(self.state.subscribe().wait_for(|state| *state == ReadinessState::Stopped).await);
    }

    /// Whether all of it holds, what it comes to in a word, and each part.
    pub(super) fn report(&self) -> (bool, &'static str, Vec<Check>) {
        let (state, fault) = (self.get(), self.store_fault());
        let ending = self.is_ending();
        let check = |name, fails: bool| Check { name, failure: fails.then_some(None) };
        let mut checks =
            vec![check("started", state == ReadinessState::Starting), check("not draining", ending)];
        if self.store.get().is_some() {
            checks.push(Check { name: "store", failure: fault.map(Some) });
        }
        let word = match (state, fault) {
            (ReadinessState::Starting, _) => "starting",
            (ReadinessState::Ready, None) => "ready",
            (ReadinessState::Ready, Some(_)) => "store failing",
            (ReadinessState::Draining | ReadinessState::Stopped, _) => "draining",
        };
        (word == "ready", word, checks)
    }
}

/// `GET /livez`: the process answers. Never a dependency: a restart mends none of them.
pub(super) async fn livez() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ok\n")
}

/// `GET /readyz`: 503 while starting and draining, and while the store fails. Upstream trouble is no unreadiness:
/// the work is held.
pub(super) async fn readyz(
    request: HttpRequest,
    readiness: Data<Readiness>,
) -> Result<HttpResponse, Problem> {
    let verbose =
        request.query_string().split('&').any(|pair| pair == "verbose" || pair.starts_with("verbose="));
    if !verbose {
        Query::parse(request.query_string(), &[])?;
    }
    let (is_ready, word, checks) = readiness.report();
    let mut response = if is_ready { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    let line = |check: &Check| match check.failure {
        None => format!("[+] {}\n", check.name),
        Some(None) => format!("[-] {}\n", check.name),
        Some(Some(fault)) => format!("[-] {}: {fault}\n", check.name),
    };
    let lines: String = checks.iter().filter(|_| verbose).map(line).collect();
    let text = format!("{lines}{word}\n");
    Ok(response.content_type("text/plain; charset=utf-8").body(text))
}

/// `GET /metrics`
pub(super) async fn metrics(metrics: Data<Metrics>) -> Result<HttpResponse, Problem> {
    let text = metrics.render().map_err(|error| {
        tracing::error!(%error, "The metrics can't be written.");
        Problem::internal()
    })?;
    Ok(HttpResponse::Ok().insert_header((CONTENT_TYPE, HeaderValue::from_static(TEXT_FORMAT))).body(text))
}
