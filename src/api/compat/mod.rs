//! `PATCH /v3/accounts/self/member-invitations`: the endpoint of fax.plus without its limit of ten, so that
//! existing clients change their base URL and nothing else.
//!
//! Such clients take any 2xx for success without reading the body, raise on everything else, print
//! `description`, and retry no PATCH by themselves. So 200 is said only when nobody needs anything more, and
//! the code says whether posting the same list again helps. The first line that fits:
//!
//! | code | `error` | when | the same list again |
//! |---|---|---|---|
//! | 504 | `still_sending` | not finished in time; the work goes on | joins what goes on |
//! | 500 | `outcome_unknown` | at least one address may have been sent | mails it no second time inside the window |
//! | 503 | `not_sent` | at least one was certainly not sent | sends what is left; `Retry-After` says when |
//! | 400 | `rejected_addresses` | fax.plus refused at least one | gets the same answer |
//! | 200 | | all are `sent` or `duplicate` | |
//!
//! 500 stands above 503 because a doubt must not hide behind an invitation to retry. Refusals come before all
//! of these, and nothing was sent then: each problem of the native API in this shape, its word in snake_case.
//! Query strings and `x-fax-clientid` are passed over: clients of fax.plus send them, and nothing depends on
//! them. Nothing redirects: the SDKs repeat a PATCH at the new place.

mod answer;
mod digest;
mod refusal;
mod request;

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Payload, ReqData},
};

use super::{
    auth, body, media,
    problem::Problem,
    query::OnTimeout,
    resends::{check_store, go_on_or_stop, trace},
    routes::ApiState,
};
use crate::{clients::Caller, intake::Format, resends::Resend, store::Caller as Waiting};

pub(super) use answer::{Body as EndBody, End};
pub(super) use refusal::{refuse, told};

/// The path, and the path as clients with a slash at the end of their base URL write it. The first names both
/// in metrics and logs.
pub(super) const PATHS: [&str; 2] =
    ["/v3/accounts/self/member-invitations", "/v3//accounts/self/member-invitations"];

/// What it answers with, for the metrics.
pub(super) const STATUSES: &[u16] = &[200, 400, 401, 403, 408, 413, 415, 429, 500, 503, 504];

/// Whether a path belongs to fax.plus, so that refusals have its shape.
pub(super) fn covers(path: &str) -> bool {
    path == "/v3" || path.starts_with("/v3/")
}

/// `PATCH /v3/accounts/self/member-invitations`
pub(super) async fn patch(
    request: HttpRequest,
    payload: Payload,
    state: Data<ApiState>,
    caller: ReqData<Caller>,
) -> Result<HttpResponse, Problem> {
    request::check_bearer(request.headers())?;
    request::check_media_type(request.headers())?;
    let encoding = media::encoding(request.headers())?;
    if state.resends.is_closing() {
        return Err(Problem::shutting_down());
    }
    check_store(&state)?;
    caller.check().map_err(|over| Problem::over_limit(&over))?;
    let mut draft = state.resends.draft(Format::JsonArray, encoding);
    body::read(payload, &mut draft, state.body_pace, || state.resends.retry_after()).await?;
    let caller = auth::admit(&request, &state)?;
    let sealed = state.resends.seal_valid(draft, &caller, trace(&request)).await;
    let record = sealed
        .map_err(|error| Problem::draft(&error, state.resends.retry_after()))?
        .map_err(|error| Problem::seal(&error, state.resends.retry_after()))?;
    let _waiting = Waiting::of(&record);
    if !state.resends.wait_as_caller(&record, state.compat_wait).await {
        go_on_or_stop(&state, &record, OnTimeout::Continue).await;
    }
    answer::write(&Resend::Live(record), &state.resends).await
}
