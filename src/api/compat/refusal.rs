//! A problem in the shape of fax.plus, and the one that only its callers meet. Which problem has which code is
//! decided where problems are made.

use actix_web::{HttpResponse, http::StatusCode};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    api::problem::Problem,
    resends::{InvalidElement, InvalidElements},
};

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
        let places: Vec<_> = error.named.iter().take(NAMED_IN_WORDS).map(in_words).collect();
        let more = if error.count as usize > places.len() { ", …" } else { "" };
        let detail = format!("{error}: {}{more}; nothing was sent", places.join(", "));
        let invalid: Vec<_> = error.named.iter().map(member).collect();
        Self::new(StatusCode::BAD_REQUEST, "invalid-addresses", "The list holds what is no address", detail)
            .with("invalid", invalid)
    }
}

fn in_words(element: &InvalidElement) -> String {
    let (at, why) = (element.index, element.reason.as_str());
    match element.hint {
        Some(hint) => format!("element {at} ({why}: {hint})"),
        None => format!("element {at} ({why})"),
    }
}

fn member(element: &InvalidElement) -> Value {
    let mut member = json!({"index": element.index, "reason": element.reason.as_str()});
    if let Some(hint) = element.hint {
        member["detail"] = hint.into();
    }
    member
}
