//! `/v1/resends/{id}/results`: what became of each address.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Path, ReqData},
};

use super::{
    accept::result_form,
    pages::{Pages, Rows},
    problem::Problem,
    query::{Query, Results, Wanted},
    render::{self, RowBody},
    resends::find,
    routes::ApiState,
};
use crate::{
    clients::Caller,
    domain::OutcomeKind,
    resends::{ReadError, Reader},
    store::Row,
};

/// `GET /v1/resends/{id}/results`
pub(super) async fn get(
    request: HttpRequest,
    state: Data<ApiState>,
    caller: ReqData<Caller>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let wanted = Query::parse(request.query_string(), &["outcome"])?.wanted()?;
    let form = result_form(request.headers())?;
    let reader = state.resends.reader(find(&state, &caller, &id).await?);
    Pages::new(Told { reader, wanted }, form).answer().await
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
    pub(super) reader: Reader,
    pub(super) wanted: Wanted,
}

impl Rows for Told {
    fn len(&self) -> u32 {
        self.reader.len()
    }

    async fn read(&mut self, take: &mut dyn FnMut(&RowBody<'_>)) -> Result<bool, ReadError> {
        let Self { reader, wanted } = self;
        let mut take_wanted = |row: &Row<'_>| {
            if wanted.holds(row) {
                take(&render::row(row));
            }
        };
        reader.read(&mut take_wanted).await
    }
}

impl Wanted {
    fn holds(&self, row: &Row<'_>) -> bool {
        row.outcome.as_ref().map_or(self.pending, |outcome| self.kinds.contains(&outcome.kind()))
    }
}
