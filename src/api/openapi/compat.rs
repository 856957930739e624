//! The path of fax.plus as an operation of the document. The path with a doubled slash does the same and is told in
//! words: both are one route.

use serde_json::{Value, json};

use super::{
    bodies::{counts, json_of, reference},
    operation::{Entry, Operation, shared},
    refusals,
};
use crate::api::compat::{End, PATHS};

pub(super) fn operations() -> Vec<Entry> {
    vec![(PATHS[0], "patch", patch())]
}

fn patch() -> Operation {
    let example = json!(["ann@example.com", "bob@example.com"]);
    let body = json!({"required": true, "content": json_of("Addresses", &example)});
    let ends = End::ERRORS.map(|end| (end.status().as_u16(), taken(end), example_of(end)));
    let mut problems = [refusals::door(), refusals::array()].concat();
    problems.push(refusals::invalid_elements());
    let description = "The endpoint of fax.plus without its limit of ten, in its own shapes: existing clients change \
        their base URL and nothing else. `/v3//accounts/self/member-invitations` is the same path, as clients write it \
        whose base URL ends in a slash. 200 is said only when every \
        address ended `sent` or `duplicate`; if any is invalid, nothing is sent. Query strings are passed over.";
    let mut operation =
        Operation::new("patchMemberInvitations", "fax.plus", "Resend as fax.plus does", description)
            .parameter(shared("content_encoding"))
            .body(body)
            .answer(
                200,
                "Every address ended `sent` or `duplicate`",
                &[],
                json_of("CompatDone", &json!({"message": "Invitations resent successfully"})),
            )
            .compat_problems(&problems, &ends);
    // Ends that share their status with no refusal.
    for (status, words, headers) in [
        (500, "`outcome_unknown`: at least one address may have been sent", &[][..]),
        (504, "`still_sending`: not finished in time; the work goes on", &["Retry-After"]),
    ] {
        for (_, schema, example) in ends.iter().filter(|(other, _, _)| *other == status) {
            let content = json!({"application/json": {"schema": schema, "example": example}});
            operation = operation.answer(status, words, headers, content);
        }
    }
    operation
}

fn taken(end: End) -> Value {
    json!({"allOf": [reference("CompatEnd"), {"type": "object", "properties": {"error": {"const": end.word()}}}]})
}

fn example_of(end: End) -> Value {
    let (word, list) = match end {
        End::StillSending => ("pending", ""),
        End::OutcomeUnknown => ("unknown", "unknown"),
        End::NotSent => ("not_sent", "retry"),
        End::Rejected => ("rejected", "rejected"),
        End::Done => ("sent", ""),
    };
    let mut told = json!({
        "error": end.word(), "description": format!("1 received: 1 {word}"),
        "resend_id": "01a2080c-1bde-7729-9bf7-d3526cb5556d", "counts": counts(&[(word, 1)]),
        "retry": [], "unknown": [], "rejected": [],
    });
    if !list.is_empty() {
        told[list] = json!(["ann@example.com"]);
    }
    told
}
