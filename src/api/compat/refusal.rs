//! A problem in the shape of fax.plus, and the one that only its callers meet. Which problem has which code is
//! decided where problems are made.

use actix_web::{HttpResponse, http::StatusCode};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{api::problem::Problem, resends::InvalidElements};

/// Elements that a description names.
const NAMED_IN_WORDS: usize = 5;

#[derive(Serialize)]
struct Body<'a> {
    error: String,
    description: &'a str,
    #[serde(flatten)]
    members: &'a Map<String, Value>,
}

/// Writes a problem as fax.plus writes its errors. fax.plus knows no 422; what is wrong with a list is 400.
pub(in crate::api) fn refuse(problem: &Problem) -> HttpResponse {
    let (status, body) = told(problem);
    problem.answer(status, "application/json", &body)
}

/// What [`refuse`] answers.
pub(in crate::api) fn told(problem: &Problem) -> (StatusCode, impl Serialize + '_) {
    let status = match problem.status() {
        StatusCode::UNPROCESSABLE_ENTITY => StatusCode::BAD_REQUEST,
        other => other,
    };
    let (word, description, members) = problem.parts();
    (status, Body { error: word.replace('-', "_"), description, members })
}

impl Problem {
    /// 400: elements of a list that must hold addresses only. Says where they stand, not what they are.
    pub(in crate::api) fn invalid_elements(error: &InvalidElements) -> Self {
        let named = error.named.iter().take(NAMED_IN_WORDS);
        let places: Vec<_> = named.map(|(at, why)| format!("element {at} ({})", why.as_str())).collect();
        let more = if error.count as usize > places.len() { ", …" } else { "" };
        let detail = format!("{error}: {}{more}; nothing was sent", places.join(", "));
        let invalid: Vec<_> =
            error.named.iter().map(|(at, why)| json!({"index": at, "reason": why.as_str()})).collect();
        Self::new(StatusCode::BAD_REQUEST, "invalid-addresses", "The list holds what is no address", detail)
            .with("invalid", invalid)
    }
}
