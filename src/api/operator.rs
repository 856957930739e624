//! `/v1/operator`: pause, resume, and how it stands. Refused to whoever may not operate the gateway, before
//! anything of the request is read.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Payload, ReqData},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use utoipa::ToSchema;

use super::{auth::Door, body, media, problem::Problem, query::Query, render::time, routes::ApiState};
use crate::{clients::Caller, dispatch::View, domain::PauseNote};

/// More than the longest note and its JSON have, each character escaped.
const MAX_BODY: usize = 8192;
const EXPECTED: &str = r#"{"note": "..."}, {} or no body"#;
const EXPECTED_NOTHING: &str = "{} or no body";

/// An order to pause.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = Pause)]
#[serde(deny_unknown_fields)]
pub(super) struct Pausing {
    /// What callers are told, on one line; empty takes it away.
    #[schema(max_length = 500, pattern = "^[^\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029]*$")]
    note: Option<String>,
}

/// An order to go on.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = Resume)]
#[serde(deny_unknown_fields)]
pub(super) struct Resuming {}

/// How the gateway stands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Operator)]
pub(super) struct OperatorBody<'a> {
    paused: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime, nullable = false)]
    since: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    note: Option<&'a str>,
    calls_in_flight: usize,
    queued_addresses: u64,
    active_resends: usize,
}

/// `GET /v1/operator`
pub(super) async fn get(
    request: HttpRequest,
    state: Data<ApiState>,
    caller: ReqData<Caller>,
) -> Result<HttpResponse, Problem> {
    admit(&request, &state, &caller)?;
    Ok(answer(&state.resends.view()))
}

/// `POST /v1/operator/pause`
///
/// Who pauses again may change the note, and keeps it by not giving any; an empty one takes it away.
pub(super) async fn pause(
    request: HttpRequest,
    payload: Payload,
    state: Data<ApiState>,
    caller: ReqData<Caller>,
) -> Result<HttpResponse, Problem> {
    admit(&request, &state, &caller)?;
    let order: Pausing = read(&request, payload, &state, EXPECTED).await?;
    let note = order.note.as_deref().map(PauseNote::parse).transpose().map_err(Problem::bad_note)?;
    let view = state.resends.pause(caller.name(), note).await.map_err(|_| Problem::shutting_down())?;
    Ok(answer(&view))
}

/// `POST /v1/operator/resume`
pub(super) async fn resume(
    request: HttpRequest,
    payload: Payload,
    state: Data<ApiState>,
    caller: ReqData<Caller>,
) -> Result<HttpResponse, Problem> {
    admit(&request, &state, &caller)?;
    let Resuming {} = read(&request, payload, &state, EXPECTED_NOTHING).await?;
    let view = state.resends.resume(caller.name()).await.map_err(|_| Problem::shutting_down())?;
    Ok(answer(&view))
}

fn admit(request: &HttpRequest, state: &ApiState, caller: &Caller) -> Result<(), Problem> {
    match &state.door {
        Door::Tokens(_) if !caller.client().rights.operator => Err(Problem::lacks_right(
            "operator",
            "this client may not operate the gateway; have operator = true in the clients file",
        )),
        Door::Open(_) if !state.may_operate => Err(Problem::not_allowed(
            "callers are not authenticated here, so the gateway is operated only where server.listen is a \
             loopback address",
        )),
        Door::Tokens(_) | Door::Open(_) => Query::parse(request.query_string(), &[]).map(drop),
    }
}

/// What the body says; what it would say by default when there is none, whatever its type.
async fn read<T: Default + DeserializeOwned>(
    request: &HttpRequest,
    payload: Payload,
    state: &ApiState,
    expected: &str,
) -> Result<T, Problem> {
    let body = body::read_short(payload, state.body_pace, MAX_BODY).await?;
    if body.is_empty() {
        return Ok(T::default());
    }
    media::plain_json(request.headers())?;
    body::object(&body, expected)
}

fn answer(view: &View) -> HttpResponse {
    let paused = view.paused.as_ref();
    HttpResponse::Ok().json(OperatorBody {
        paused: paused.is_some(),
        since: paused.map(|paused| time(paused.since)),
        note: paused.and_then(|paused| paused.note.words()),
        calls_in_flight: view.in_flight,
        queued_addresses: view.queued,
        active_resends: view.active,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_note_fits_in_any_form() {
        let escaped = "\\ud83d\\ude00".repeat(PauseNote::MAX_CHARS);
        let body = format!("{{\"note\": \"{escaped}\"}}");

        let order: Pausing = body::object(body.as_bytes(), EXPECTED).unwrap();

        assert!(body.len() < MAX_BODY && PauseNote::parse(&order.note.unwrap()).is_ok());
    }

    #[test]
    fn an_order_has_its_members_and_no_others() {
        let note = |body: &str| body::object::<Pausing>(body.as_bytes(), EXPECTED).map(|order| order.note);

        assert_eq!(note(r#"{"note": "a"}"#).unwrap().as_deref(), Some("a"));
        assert_eq!(note("{}").unwrap(), None);
        assert_eq!(note(r#"{"note": null}"#).unwrap(), None);
        for body in ["[]", r#"["a"]"#, r#"{"note": 7}"#, r#"{"note": "a", "note": "b"}"#, r#"{"notes": "a"}"#]
        {
            assert_eq!(note(body).unwrap_err().status(), 400, "{body}");
        }
        assert!(body::object::<Resuming>(b"{}", EXPECTED).is_ok());
        assert!(body::object::<Resuming>(b"[]", EXPECTED).is_err());
        assert!(body::object::<Resuming>(br#"{"note": "a"}"#, EXPECTED).is_err());
    }
}
