//! `/v1/operator` and `/v1/recent-sends/lookup` as operations of the document.

use serde_json::{Value, json};

use super::{
    bodies::{json_of, order},
    operation::{Entry, Operation},
    refusals,
};

const TAG: &str = "operator";

pub(super) fn operations() -> Vec<Entry> {
    vec![
        ("/v1/recent-sends/lookup", "post", look_up()),
        ("/v1/operator", "get", get()),
        ("/v1/operator/pause", "post", pause()),
        ("/v1/operator/resume", "post", resume()),
    ]
}

fn look_up() -> Operation {
    let example = json!({"recent": true, "sent_at": "2026-11-23T10:55:40.708Z",
        "expires_at": "2026-11-23T11:55:40.708Z"});
    let mut problems = [refusals::door(), refusals::short_body()].concat();
    problems.extend([refusals::query(), refusals::not_an_address(), refusals::shutting_down()]);
    let description = "The address stands in the body, so that no access log holds it.";
    Operation::new("lookUp", "recent sends", "Was this address sent lately?", description)
        .body(order("Lookup", &json!({"email": "ann@example.com"}), &json!(true)))
        .answer(200, "What is known of it", &[], json_of("LookupAnswer", &example))
        .problems(&problems)
}

fn stands(paused: bool) -> Value {
    let mut told =
        json!({"paused": paused, "calls_in_flight": 0, "queued_addresses": 90, "active_resends": 1});
    if paused {
        told["since"] = "2026-11-23T10:55:41.201Z".into();
        told["note"] = "maintenance until noon".into();
    }
    told
}

fn get() -> Operation {
    let mut problems = refusals::door();
    problems.extend([refusals::not_allowed("operator"), refusals::query()]);
    operating("getOperator", "How the gateway stands", "Whether it is paused, and how much waits.", false)
        .problems(&problems)
}

fn pause() -> Operation {
    let mut problems = [refusals::door(), refusals::short_body()].concat();
    problems.extend([
        refusals::not_allowed("operator"),
        refusals::bad_note(),
        refusals::shutting_down(),
        refusals::query(),
    ]);
    let description = "Sends nothing more for anybody until it is resumed. Lists are still taken; calls in flight \
        end. Pausing again keeps `since`, and the note unless there is a new one.";
    operating("pause", "Pause", description, true)
        .body(order("Pause", &json!({"note": "maintenance until noon"}), &json!(false)))
        .problems(&problems)
}

fn resume() -> Operation {
    let mut problems = [refusals::door(), refusals::short_body()].concat();
    problems.extend([refusals::not_allowed("operator"), refusals::shutting_down(), refusals::query()]);
    operating("resume", "Resume", "Goes on for everybody.", false)
        .body(order("Resume", &json!({}), &json!(false)))
        .problems(&problems)
}

/// Only for operators.
fn operating(id: &str, summary: &str, description: &str, paused: bool) -> Operation {
    let description = format!(
        "{description} For clients with the right `operator`; without authentication only on a gateway that \
         listens on a loopback address."
    );
    Operation::new(id, TAG, summary, &description).answer(
        200,
        "How the gateway stands",
        &[],
        json_of("Operator", &stands(paused)),
    )
}
