//! What may be answered to any request, and so belongs to no operation: no such path, not this method, a bug, and
//! what HTTP itself refuses before there is a request. In words, and as `components/responses`.
//!
//! They do not stand among the answers of each operation: whoever asks for an operation meets none of the first two,
//! and a document that allowed everything everywhere would say nothing.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{operation::Operation, refusals};
use crate::api::problem::Problem;

const BEFORE: &str = "What HTTP refuses before there is a request has no body and no `X-Request-Id`: 400 for what can't be \
    read, 431 for a head that is too long, 408 for one that does not come. All other answers name their request in \
    `X-Request-Id`.";

/// Each problem that is so, with the name of its component and that of its form for clients of fax.plus.
fn all() -> [(&'static str, &'static str, Problem); 3] {
    [
        ("NoSuchPath", "CompatNoSuchPath", refusals::no_such_path()),
        ("Method", "CompatMethod", refusals::method()),
        ("Internal", "CompatInternal", refusals::internal()),
    ]
}

/// What stands in no operation, and every type of problem.
pub(super) fn description() -> String {
    let every: BTreeMap<_, _> = refusals::every()
        .into_iter()
        .map(|problem| ((problem.status().as_u16(), problem.parts().0), problem))
        .collect();
    let rows: String = every
        .iter()
        .map(|((status, word), problem)| {
            let document = json!(problem.document(""));
            let title = document["title"].as_str().unwrap_or_default();
            format!("| {status} | `urn:faxplus-gateway:problem:{word}` | {title} |\n")
        })
        .collect();
    let words: Vec<_> = all().iter().map(|(name, _, problem)| told(name, problem)).collect();
    format!(
        "Any request may be answered with {}; under `/v3` in the shape of fax.plus (`Compat…`), their words in \
         snake_case: `no_such_path`, `method`, `internal`. They stand under `components/responses` and not with each \
         operation.\n\n{BEFORE}\n\nThe problems, `invalid-addresses` only under `/v3`:\n\n| status | type | title |\n|---|---|---|\n{rows}",
        words.join(", ")
    )
}

fn told(name: &str, problem: &Problem) -> String {
    format!("{} `{}` (`{name}`)", problem.status().as_u16(), problem.parts().0)
}

/// The same as they are answered.
pub(super) fn responses() -> Value {
    let operation = || Operation::new("", "", "", "");
    let mut told = Map::new();
    for (name, compat_name, problem) in all() {
        let problem = [problem];
        let answers = operation().problems(&problem).into_answers();
        let compat = operation().compat_problems(&problem, &[]).into_answers();
        told.extend(answers.into_iter().map(|answer| (name.to_owned(), answer)));
        told.extend(compat.into_iter().map(|answer| (compat_name.to_owned(), answer)));
    }
    told.into()
}
