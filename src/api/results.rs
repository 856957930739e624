//! `/v1/resends/{id}/results`: what became of each address.

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::CONTENT_TYPE,
    web::{Data, Path},
};

use super::{
    media::result_form,
    pages::{Pages, Rows},
    problem::Problem,
    query::{Query, Results, Wanted},
    render::{self, RowBody},
    resends::find,
    routes::ApiState,
};
use crate::{domain::OutcomeKind, store::Record};

/// `GET /v1/resends/{id}/results`
pub(super) async fn get(
    request: HttpRequest,
    state: Data<ApiState>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let wanted = Query::parse(request.query_string(), &["outcome"])?.wanted()?;
    let form = result_form(request.headers())?;
    let record = find(&state, &id)?;
    let pages = Pages::new(Told { record, wanted }, form);
    Ok(HttpResponse::Ok().insert_header((CONTENT_TYPE, form.content_type())).streaming(pages.into_stream()))
}

/// The results that belong into the answer of a finished resend.
pub(super) fn wanted(results: Results) -> Option<Wanted> {
    match results {
        Results::None => None,
        Results::All => Some(Wanted { kinds: OutcomeKind::ALL.to_vec(), pending: false }),
        Results::Problems => {
            let kinds = OutcomeKind::ALL.into_iter();
            let kinds = kinds.filter(|kind| !matches!(kind, OutcomeKind::Sent | OutcomeKind::Duplicate));
            Some(Wanted { kinds: kinds.collect(), pending: false })
        }
    }
}

/// The results of a resend that are wanted.
pub(super) struct Told {
    pub(super) record: Arc<Record>,
    pub(super) wanted: Wanted,
}

impl Rows for Told {
    fn len(&self) -> u32 {
        self.record.body.len()
    }

    fn read(&self, from: u32, limit: u32, take: &mut dyn FnMut(&RowBody<'_>)) {
        for row in self.record.rows(from, limit) {
            let is_wanted = match &row.outcome {
                None => self.wanted.pending,
                Some(outcome) => self.wanted.kinds.contains(&outcome.kind()),
            };
            if is_wanted {
                take(&render::row(&row));
            }
        }
    }
}
