//! The status page: how the gateway does, for people. Read-only, and without a token, because it shows counts and
//! ids, and never an address.

mod body;
mod events;
mod health;
mod page;
mod past;

use std::sync::{Arc, OnceLock};

use actix_web::{HttpRequest, HttpResponse, web::Data};

use self::{body::StatusBody, page::Page};
use super::{admin::Readiness, problem::Problem, query::Query};
use crate::{
    domain::Timestamp,
    resends::Resends,
    telemetry::{History, Metrics},
};

pub(super) use events::get as events;
pub(super) use page::get as page;

/// Where the status page has what it shows from.
#[derive(Clone)]
pub struct StatusSource {
    resends: Resends,
    readiness: Readiness,
    metrics: Arc<Metrics>,
    history: History,
    sandbox: bool,
    started_at: Timestamp,
    page: Page,
}

impl StatusSource {
    /// Of this gateway, which starts now; `sandbox` when upstream is simulated.
    pub fn new(
        resends: Resends,
        readiness: Readiness,
        metrics: Arc<Metrics>,
        history: History,
        sandbox: bool,
    ) -> Self {
        let (started_at, page) = (Timestamp::now(), Page::build());
        Self { resends, readiness, metrics, history, sandbox, started_at, page }
    }
}

/// Where the source will be once the gateway has started. Clones share it.
#[derive(Clone, Default)]
pub struct StatusSlot {
    source: Arc<OnceLock<StatusSource>>,
}

impl StatusSlot {
    /// The gateway has started. Said once.
    pub fn fill(&self, source: StatusSource) {
        self.source.get_or_init(|| source);
    }

    /// The source.
    ///
    /// # Errors
    /// While the gateway starts.
    fn get(&self) -> Result<&StatusSource, Problem> {
        self.source.get().ok_or_else(Problem::starting)
    }
}

/// `GET /status`: what the page shows, as JSON.
pub(super) async fn get(request: HttpRequest, slot: Data<StatusSlot>) -> Result<HttpResponse, Problem> {
    Query::parse(request.query_string(), &[])?;
    let source = slot.get()?;
    let past = source.history.after(0, &source.metrics);
    Ok(HttpResponse::Ok().json(StatusBody::of(source, &past)))
}
