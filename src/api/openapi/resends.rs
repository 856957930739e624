//! `/v1/resends` and what is under it, as operations of the document.

use serde_json::{Value, json};

use super::{
    bodies::{self, counts, finished, json_of, reference, rows},
    operation::{Entry, Operation, shared},
    parameters::{flag, query},
    refusals,
};
use crate::domain::{OutcomeKind, Status};

const TAG: &str = "resends";
const ONE: &str = "/v1/resends/{id}";

pub(super) fn operations() -> Vec<Entry> {
    vec![
        ("/v1/resends", "post", post()),
        ("/v1/resends", "get", list()),
        (ONE, "get", get()),
        (ONE, "delete", delete()),
        ("/v1/resends/{id}/results", "get", results()),
        ("/v1/resends/{id}/events", "get", events()),
    ]
}

fn post() -> Operation {
    let words = |words: &[&str]| json!({"type": "string", "enum": words, "default": words[0]});
    let description = "Sends to every address of the list that was not sent to inside the window, and waits for the \
        end, 20 seconds unless `Prefer` or the settings say otherwise. The status code sums up what became of the \
        list; 422 is also the answer to one whose addresses are all `invalid` or `rejected`.";
    let operation = Operation::new("postResend", TAG, "Post a list", description)
        .parameter(flag("force", "Send even what was sent, or is in doubt, from before this request"))
        .parameter(flag("dry_run", "Send nothing; say what would happen"))
        .parameter(query(
            "results",
            "Which results the answer carries; `problems` are all but `sent` and `duplicate`",
            &words(&["all", "problems", "none"]),
            "problems",
        ))
        .parameter(query(
            "on_timeout",
            "What happens when the wait is over; `cancel` without a wait is refused",
            &words(&["continue", "cancel"]),
            "cancel",
        ))
        .parameter(shared("prefer"))
        .parameter(shared("idempotency_key"))
        .parameter(shared("content_encoding"))
        .body(bodies::list());
    let mut problems = [refusals::door(), refusals::list()].concat();
    problems.extend([
        refusals::query(),
        refusals::header(),
        refusals::not_allowed("force"),
        refusals::key_reused(),
    ]);
    ends(operation).problems(&problems)
}

/// The answers to lists that were taken.
fn ends(operation: Operation) -> Operation {
    let one = |outcome: &str| json!([{"index": 0, "email": "ann@example.com", "outcome": outcome}]);
    let with_reason = |outcome: &str, reason: &str| json!([{"index": 0, "email": "ann@example.com", "outcome": outcome, "reason": reason}]);
    let told = |example: &Value| json_of("ResendWithResults", example);
    let fine = json!({"application/json": {
        "schema": {"oneOf": [reference("ResendWithResults"), reference("PlanWithResults")]},
        "examples": {
            "finished": {"value": finished(&[("sent", 1)], &one("sent"))},
            "dry_run": {"value": bodies::plan()},
        },
    }});
    let mixed = finished(&[("sent", 1), ("invalid", 1)], &rows());
    let faulty = finished(&[("invalid", 1)], &with_reason("invalid", "no_at_sign"));
    let unsent = finished(&[("not_sent", 1)], &with_reason("not_sent", "upstream_unavailable"));
    let running = bodies::resend("running", &counts(&[("sent", 10), ("pending", 90)]));
    let applied = &["Preference-Applied"];
    operation
        .answer(200, "Finished, every address `sent` or `duplicate`; or a dry run", applied, fine)
        .answer(
            202,
            "The wait is over, and the work goes on",
            &["Location", "Retry-After", "Preference-Applied"],
            json_of("Resend", &running),
        )
        .answer(207, "Finished or cancelled with any other mix: read the results", applied, told(&mixed))
        .answer(422, "Finished, every address `invalid` or `rejected` (a resend)", applied, told(&faulty))
        .answer(
            502,
            "Something is `not_sent`, and nothing `sent`, `duplicate` or `unknown`: safe to post again",
            applied,
            told(&unsent),
        )
}

fn list() -> Operation {
    let example =
        json!({"resends": [bodies::resend("finished", &counts(&[("sent", 1)]))], "next_cursor": null});
    let mut problems = refusals::door();
    problems.extend([refusals::query()]);
    problems.extend(refusals::find().into_iter().filter(|problem| problem.status() != 404));
    Operation::new("listResends", TAG, "List resends", "Newest first, a page at a time.")
        .parameter(query(
            "status",
            "Only those that stand so",
            &json!({"type": "string", "enum": Status::ALL.map(Status::as_str)}),
            Status::Running.as_str(),
        ))
        .parameter(query(
            "limit",
            "Most on a page",
            &json!({"type": "integer", "minimum": 0, "maximum": 500, "default": 50}),
            20,
        ))
        .parameter(query(
            "cursor",
            "`next_cursor` of the page before",
            &json!({"type": "string", "format": "uuid"}),
            "01a2080c-1b74-7027-b650-b7d88372556f",
        ))
        .answer(200, "A page", &[], json_of("ResendList", &example))
        .problems(&problems)
}

/// An operation on one resend, with what each of them may be refused for.
fn on_one(id: &str, summary: &str, description: &str) -> Operation {
    let mut problems = [refusals::door(), refusals::find()].concat();
    problems.push(refusals::query());
    Operation::new(id, TAG, summary, description).parameter(shared("id")).problems(&problems)
}

fn get() -> Operation {
    let running = bodies::resend("running", &counts(&[("sent", 10), ("pending", 90)]));
    on_one("getResend", "Look at a resend", "The resend without its results, at once or when it has ended.")
        .parameter(query(
            "wait",
            "Seconds to wait for the end, cut to `server.max_wait_seconds`",
            &json!({"type": "integer", "minimum": 0, "maximum": u64::MAX, "default": 0}),
            30,
        ))
        .answer(200, "The resend", &[], json_of("Resend", &running))
}

fn delete() -> Operation {
    let mut ended = bodies::resend("finished", &counts(&[("sent", 10), ("not_sent", 90)]));
    ended["status"] = Status::Cancelled.as_str().into();
    let mut problems = refusals::door();
    problems.push(refusals::not_allowed("operator"));
    let description = "Sends nothing more of it. Calls in flight end with their true outcome; what was pending \
        becomes `not_sent`. Cancelling twice does no harm.";
    let operation =
        Operation::new("cancelResend", TAG, "Cancel a resend", description).parameter(shared("id"));
    problems.extend(refusals::find());
    problems.push(refusals::query());
    operation.answer(200, "The resend", &[], json_of("Resend", &ended)).problems(&problems)
}

fn results() -> Operation {
    let words: Vec<_> = OutcomeKind::ALL.map(OutcomeKind::as_str).into_iter().chain(["pending"]).collect();
    let mut outcome = query(
        "outcome",
        "Only these; without it all but `pending`",
        &json!({"type": "array", "minItems": 1, "items": {"type": "string", "enum": words}}),
        json!(["unknown", "not_sent"]),
    );
    outcome["style"] = "form".into();
    outcome["explode"] = false.into();
    on_one(
        "getResults",
        "Read results",
        "What became of each address, streamed in the order of the list, in the form that `Accept` likes best. Text \
         is the addresses alone: a list that can be posted again.",
    )
    .parameter(outcome)
    .answer(200, "The results", &[], bodies::results())
    .problems(&[refusals::not_acceptable()])
}

fn events() -> Operation {
    let resend = bodies::resend("finished", &counts(&[("sent", 1)]));
    let example = json!({"event": "finished", "id": "end-1795429600452", "data": resend.to_string()});
    // Of each event, as readers of the stream get it.
    let event = json!({"type": "object", "required": ["event", "data"], "properties": {
        "event": {"enum": ["progress", "finished"]},
        "id": {"type": "string", "description": "Only of the end"},
        "data": {"type": "string", "contentMediaType": "application/json", "contentSchema": reference("Resend")},
    }});
    let stream = json!({"text/event-stream": {"schema": event, "example": example}});
    on_one(
        "followResend",
        "Follow a resend",
        "Server-sent events: `progress` when something changed, at most four a second, then one `finished`, and the \
         stream ends. The schema is that of one event; the data of each is the resend without its results, as the schema Resend says.",
    )
    .parameter(shared("last_event_id"))
    .answer(200, "The events", &["X-Accel-Buffering"], stream)
    .answer(204, "The end was heard before: a browser asks no more", &[], json!({}))
}
