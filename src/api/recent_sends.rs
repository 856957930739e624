//! `POST /v1/recent-sends/lookup`: was this address sent lately? The address stands in the body, where no
//! access log finds it, and is not told again.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Payload, ReqData},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{body, media, problem::Problem, query::Query, render::time, routes::ApiState};
use crate::{clients::Caller, intake::Address, resends::Recalled};

/// Far more than an address and its JSON have.
const MAX_BODY: usize = 4096;
const EXPECTED: &str = r#"{"email": "..."}"#;

/// The address that is asked about.
#[derive(Deserialize, ToSchema)]
#[schema(as = Lookup)]
#[serde(deny_unknown_fields)]
pub(super) struct Question {
    #[schema(format = "email")]
    email: String,
}

/// Whether an address was sent inside the window; times only of the same client's sends.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = LookupAnswer)]
pub(super) struct Answer {
    recent: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime, nullable = false)]
    sent_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime, nullable = false)]
    expires_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    /// Its last call ended `unknown`.
    #[schema(format = DateTime, nullable = false)]
    doubt_since: Option<String>,
    /// Its last call ended `unknown`; it was made for another client.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    in_doubt: bool,
}

/// `POST /v1/recent-sends/lookup`
pub(super) async fn look_up(
    request: HttpRequest,
    payload: Payload,
    state: Data<ApiState>,
    caller: ReqData<Caller>,
) -> Result<HttpResponse, Problem> {
    Query::parse(request.query_string(), &[])?;
    media::plain_json(request.headers())?;
    let body = body::read_short(payload, state.body_pace, MAX_BODY).await?;
    let email = body::object::<Question>(&body, EXPECTED)?.email;
    let address = Address::parse(&email).map_err(|reason| Problem::not_an_address(&email, reason))?;
    let recalled =
        state.resends.recall(&address, caller.name()).await.map_err(|_| Problem::shutting_down())?;
    Ok(HttpResponse::Ok().json(match recalled {
        Recalled::Nothing => Answer::default(),
        Recalled::SentForOthers => Answer { recent: true, ..Answer::default() },
        Recalled::Sent { at, until } => Answer {
            recent: true,
            sent_at: Some(time(at)),
            expires_at: Some(time(until)),
            ..Answer::default()
        },
        Recalled::Doubt { since } => Answer { doubt_since: Some(time(since)), ..Answer::default() },
        Recalled::DoubtForOthers => Answer { in_doubt: true, ..Answer::default() },
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(body: &[u8]) -> Result<Question, Problem> {
        body::object(body, EXPECTED)
    }

    #[test]
    fn one_member_is_read_and_nothing_beside_it() {
        for body in [" {\"email\": \"a@example.com\"}\n", "\u{feff}{\"email\": \"a@example.com\"}"] {
            assert_eq!(question(body.as_bytes()).unwrap().email, "a@example.com");
        }
        for body in [
            "",
            "[\"a@example.com\"]",
            "\"a@example.com\"",
            "{}",
            "{\"email\": 7}",
            "{\"email\": null}",
            "{\"email\": \"a@example.com\", \"force\": true}",
            "{\"email\": \"a@example.com\", \"email\": \"b@example.com\"}",
            "{\"email\": \"a@example.com\"} x",
            "{\"email\": \"a@example.com\"",
        ] {
            let problem = question(body.as_bytes()).err().unwrap();

            assert_eq!(problem.status(), 400, "{body}");
        }
        assert!(question(b"{\"email\": \"\xff\"}").is_err());
    }
}
