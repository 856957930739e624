//! The admin listener: liveness, readiness, metrics. Read-only.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CONTENT_TYPE, HeaderValue},
    web::Data,
};

use super::{problem::Problem, query::Query};
use crate::{
    store::file::{Fault, Watch},
    telemetry::{Metrics, metrics::TEXT_FORMAT},
};

/// Whether new work should be sent here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadinessState {
    /// Not yet.
    Starting,
    /// Yes.
    Ready,
    /// No longer.
    Draining,
}

/// The readiness of this process. Clones share it.
#[derive(Clone, Default)]
pub struct Readiness {
    state: Arc<AtomicU8>,
    store: Option<Watch>,
}

impl Readiness {
    /// Of a process whose store is watched, if it has one.
    pub fn of(store: Option<Watch>) -> Self {
        Self { state: Arc::default(), store }
    }

    /// Why the store fails, while it does.
    fn store_fault(&self) -> Option<Fault> {
        self.store.as_ref().and_then(Watch::fault)
    }

    /// Says so from now on.
    pub fn set(&self, state: ReadinessState) {
        self.state.store(state as u8, Ordering::Release);
    }

    /// What was said last.
    pub fn get(&self) -> ReadinessState {
        match self.state.load(Ordering::Acquire) {
            0 => ReadinessState::Starting,
            1 => ReadinessState::Ready,
            _ => ReadinessState::Draining,
        }
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
    let (state, fault) = (readiness.get(), readiness.store_fault());
    let (mut response, word) = match (state, fault) {
        (ReadinessState::Starting, _) => (HttpResponse::ServiceUnavailable(), "starting"),
        (ReadinessState::Ready, None) => (HttpResponse::Ok(), "ready"),
        (ReadinessState::Ready, Some(_)) => (HttpResponse::ServiceUnavailable(), "store failing"),
        (ReadinessState::Draining, _) => (HttpResponse::ServiceUnavailable(), "draining"),
    };
    let text = if verbose {
        let mark = |good: bool| if good { "[+]" } else { "[-]" };
        let store = match (&readiness.store, fault) {
            (None, _) => String::new(),
            (Some(_), None) => "[+] store\n".to_owned(),
            (Some(_), Some(fault)) => format!("[-] store: {fault}\n"),
        };
        format!(
            "{} started\n{} not draining\n{store}{word}\n",
            mark(state != ReadinessState::Starting),
            mark(state != ReadinessState::Draining)
        )
    } else {
        format!("{word}\n")
    };
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
