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
use crate::telemetry::{Metrics, metrics::TEXT_FORMAT};

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
#[derive(Debug, Clone, Default)]
pub struct Readiness(Arc<AtomicU8>);

impl Readiness {
    /// Says so from now on.
    pub fn set(&self, state: ReadinessState) {
        self.0.store(state as u8, Ordering::Release);
    }

    /// What was said last.
    pub fn get(&self) -> ReadinessState {
        match self.0.load(Ordering::Acquire) {
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

/// `GET /readyz`: 503 while starting and draining. Upstream trouble is no unreadiness: the work is held.
pub(super) async fn readyz(
    request: HttpRequest,
    readiness: Data<Readiness>,
) -> Result<HttpResponse, Problem> {
    let verbose =
        request.query_string().split('&').any(|pair| pair == "verbose" || pair.starts_with("verbose="));
    if !verbose {
        Query::parse(request.query_string(), &[])?;
    }
    let state = readiness.get();
    let (mut response, word) = match state {
        ReadinessState::Starting => (HttpResponse::ServiceUnavailable(), "starting"),
        ReadinessState::Ready => (HttpResponse::Ok(), "ready"),
        ReadinessState::Draining => (HttpResponse::ServiceUnavailable(), "draining"),
    };
    let text = if verbose {
        let mark = |good: bool| if good { "[+]" } else { "[-]" };
        format!(
            "{} started\n{} not draining\n{word}\n",
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
