//! `/v1/resends`: post a list, look at resends, cancel them.

use std::time::Duration;

use actix_web::{
    HttpMessage as _, HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{HeaderName, LOCATION, RETRY_AFTER},
    },
    web::{Data, Path, Payload, ReqData},
};

use super::{
    auth::{self, check_force},
    body, dry_run, idempotency, media,
    pages::Pages,
    prefer::{Patience, patience},
    problem::Problem,
    query::{OnTimeout, Query, Results},
    render,
    results::{Told, wanted},
    routes::ApiState,
};
use crate::{
    clients::{Caller, Client},
    dispatch::{Because, Promised},
    domain::{ResendId, TraceContext},
    resends::Resend,
    store::{Caller as Waiting, Record, Snapshot},
    telemetry::trace_of,
};

const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");
const DEFAULT_PAGE: u64 = 50;
const MAX_PAGE: u64 = 500;

/// What the query and the headers of a post ask for.
pub(super) struct Wishes {
    pub(super) force: bool,
    dry_run: bool,
    pub(super) results: Results,
    on_timeout: OnTimeout,
    patience: Patience,
}

/// `POST /v1/resends`
pub(super) async fn post(
    request: HttpRequest,
    payload: Payload,
    state: Data<ApiState>,
    caller: ReqData<Caller>,
) -> Result<HttpResponse, Problem> {
    let wishes = wishes(&request, &state)?;
    check_force(caller.client(), wishes.force)?;
    let format = media::format(request.headers())?;
    let encoding = media::encoding(request.headers())?;
    let key = idempotency::key(request.headers())?;
    if state.resends.is_closing() {
        return Err(Problem::shutting_down());
    }
    if !wishes.dry_run {
        check_store(&state)?;
        // What a key has begun before may go on or be told; it was paid for then.
        if key.is_none() {
            caller.check().map_err(|over| Problem::over_limit(&over))?;
        }
    }
    let mut draft = match key {
        // Nothing is kept of it that could be met again.
        _ if wishes.dry_run => state.resends.draft_in_memory(format, encoding),
        Some(key) => state.resends.draft_under(&key, format, encoding),
        None => state.resends.draft(format, encoding),
    };
    body::read(payload, &mut draft, state.body_pace, || state.resends.retry_after()).await?;
    let caller = auth::admit(&request, &state)?;
    check_force(caller.client(), wishes.force)?;
    if wishes.dry_run {
        return dry_run::answer(&state, &caller, draft, &wishes).await;
    }
    let trace = trace(&request);
    let sealed = state.resends.seal(draft, &caller, wishes.force, trace).await;
    let record = sealed
        .map_err(|error| Problem::draft(&error, state.resends.retry_after()))?
        .map_err(|error| Problem::seal(&error, state.resends.retry_after()))?;
    let _waiting = Waiting::of(&record);
    if !state.resends.wait_as_caller(&record, wishes.patience.wait).await {
        go_on_or_stop(&state, &record, wishes.on_timeout).await;
    }
    let (snapshot, resend) = (record.snapshot(), Resend::Live(record));
    if snapshot.status.is_final() {
        finished(&state, resend, &snapshot, &wishes).await
    } else {
        Ok(accepted(&state, &resend, &snapshot, &wishes))
    }
}

/// `GET /v1/resends/{id}`
pub(super) async fn get(
    request: HttpRequest,
    state: Data<ApiState>,
    caller: ReqData<Caller>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let query = Query::parse(request.query_string(), &["wait"])?;
    let wait =
        query.number("wait", u64::MAX)?.map_or(Duration::ZERO, Duration::from_secs).min(state.max_wait);
    let resend = find(&state, &caller, &id).await?;
    resend.wait(wait).await;
    Ok(one(&state, &resend))
}

/// `DELETE /v1/resends/{id}`
pub(super) async fn delete(
    request: HttpRequest,
    state: Data<ApiState>,
    caller: ReqData<Caller>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    Query::parse(request.query_string(), &[])?;
    let resend = find(&state, &caller, &id).await?;
    check_cancel(caller.client(), &resend)?;
    state.resends.cancel(&resend).await;
    Ok(one(&state, &resend))
}

/// `GET /v1/resends`
pub(super) async fn list(
    request: HttpRequest,
    state: Data<ApiState>,
    caller: ReqData<Caller>,
) -> Result<HttpResponse, Problem> {
    let query = Query::parse(request.query_string(), &["status", "limit", "cursor"])?;
    let limit = query.number("limit", MAX_PAGE)?.unwrap_or(DEFAULT_PAGE).max(1);
    let page =
        state.resends.page(caller.client().sees(), query.status()?, query.cursor()?, limit as usize).await;
    let page = page.map_err(Problem::store_failing)?;
    let view = state.resends.view();
    let resends: Vec<_> = page
        .resends
        .iter()
        .map(|resend| render::resend(resend, &resend.snapshot(), &view, state.sandbox))
        .collect();
    Ok(HttpResponse::Ok().json(render::ListBody { resends, next_cursor: page.next.map(|id| id.to_string()) }))
}

/// Refuses what would have to be kept in a store that fails or is full.
pub(super) fn check_store(state: &ApiState) -> Result<(), Problem> {
    state.resends.check_store().map_err(|trouble| Problem::store(trouble, state.resends.retry_after()))
}

/// What happens to a list whose caller waits no longer. It goes on only if it can be promised to outlast the
/// process, so far as there is a store for that.
pub(super) async fn go_on_or_stop(state: &ApiState, record: &Record, on_timeout: OnTimeout) {
    if on_timeout == OnTimeout::Continue {
        tokio::select! {
            biased;
            // Nothing is left to promise, however long the store takes for it. First: rows that were written for
            // the promise after those of the ended list would wipe out what became of them.
            () = record.finished() => return,
            promised = state.resends.promise(record) => match promised {
                Ok(Promised::Kept | Promised::Ended) => return,
                Err(fault) => tracing::error!(%fault, "A list can't be promised; it is stopped instead."),
            },
        }
    }
    state.resends.stop(record, Because::WaitOver).await;
}

/// The resend that a path names, if this client may see it.
pub(super) async fn find(state: &ApiState, caller: &Caller, id: &str) -> Result<Resend, Problem> {
    let id: ResendId = id.parse().map_err(|()| Problem::no_such_resend())?;
    let found = state.resends.get(id, caller.client().sees()).await.map_err(Problem::store_failing)?;
    found.ok_or_else(Problem::no_such_resend)
}

/// The trace that the span of the request took over or made.
pub(super) fn trace(request: &HttpRequest) -> TraceContext {
    let trace = request.extensions().get::<TraceContext>().copied();
    trace.unwrap_or_else(|| trace_of(request.headers()))
}

/// Refuses to cancel the resend of another client to who is no operator.
fn check_cancel(client: &Client, resend: &Resend) -> Result<(), Problem> {
    if resend.client() == &client.name {
        return Ok(());
    }
    if !client.rights.operator {
        let detail = "this client may see the resends of others, not cancel them";
        return Err(Problem::lacks_right("operator", detail));
    }
    let (client, of) = (client.name.as_str(), resend.client().as_str());
    tracing::info!(client, of, resend = %resend.id(), "An operator cancels the resend of another client.");
    Ok(())
}

fn wishes(request: &HttpRequest, state: &ApiState) -> Result<Wishes, Problem> {
    let query = Query::parse(request.query_string(), &["force", "dry_run", "results", "on_timeout"])?;
    let wishes = Wishes {
        force: query.flag("force")?,
        dry_run: query.flag("dry_run")?,
        results: query.results()?,
        on_timeout: query.on_timeout()?,
        patience: patience(request.headers(), state.default_wait, state.max_wait)?,
    };
    if wishes.on_timeout == OnTimeout::Cancel && wishes.patience.wait.is_zero() {
        return Err(Problem::query(
            "on_timeout",
            "cancel needs a wait: say how long with Prefer: wait=N, and leave out respond-async",
        ));
    }
    Ok(wishes)
}

fn one(state: &ApiState, resend: &Resend) -> HttpResponse {
    let body = render::resend(resend, &resend.snapshot(), &state.resends.view(), state.sandbox);
    HttpResponse::Ok().json(body)
}

fn accepted(state: &ApiState, resend: &Resend, snapshot: &Snapshot, wishes: &Wishes) -> HttpResponse {
    let view = state.resends.view();
    let look_again = view.look_again(resend.id(), resend.client().tag(), snapshot.counts.pending());
    let look_again = look_again.as_secs_f64().ceil().max(1.0);
    let mut response = HttpResponse::Accepted();
    response.insert_header((LOCATION, format!("/v1/resends/{}", resend.id())));
    response.insert_header((RETRY_AFTER, look_again as u64));
    tell_preference(&mut response, wishes);
    response.json(render::resend(resend, snapshot, &view, state.sandbox))
}

/// The whole answer; with many results it is streamed.
async fn finished(
    state: &ApiState,
    resend: Resend,
    snapshot: &Snapshot,
    wishes: &Wishes,
) -> Result<HttpResponse, Problem> {
    let mut response = HttpResponse::build(match render::summary(snapshot) {
        StatusCode::ACCEPTED => StatusCode::OK,
        code => code,
    });
    tell_preference(&mut response, wishes);
    let body = render::resend(&resend, snapshot, &state.resends.view(), state.sandbox);
    match wanted(wishes.results) {
        None => Ok(response.json(body)),
        Some(wanted) => {
            let rows = Told { reader: state.resends.reader(resend.clone()), wanted };
            Pages::answer_in(rows, &body, response).await
        }
    }
}

fn tell_preference(response: &mut actix_web::HttpResponseBuilder, wishes: &Wishes) {
    if let Some(applied) = &wishes.patience.applied {
        response.insert_header((PREFERENCE_APPLIED, applied.as_str()));
    }
}
