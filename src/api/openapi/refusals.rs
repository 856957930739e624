//! Refusals as they are made, to be shown in the document: which of them a path knows, by what it does.

use std::{num::NonZeroU32, time::Duration};

use crate::{
    api::problem::Problem,
    clients::OverLimit,
    dispatch::Refused,
    domain::{AuthFailure, BadNote, InvalidReason},
    intake::{Found, Full, GzipFault, IntakeError, ParseError, ParseErrorKind},
    resends::{BudgetFull, DraftError, InvalidElement, InvalidElements, SealError, StoreTrouble},
    store::file::{Fault, Lack},
};

/// How long a refused caller waits in the examples.
const LATER: Duration = Duration::from_secs(5);

/// At the door: no token, or a page of another site.
pub(super) fn door() -> Vec<Problem> {
    vec![Problem::not_admitted(AuthFailure::Missing), cross_site()]
}

/// A page of another site.
pub(super) fn cross_site() -> Problem {
    Problem::cross_site()
}

/// A query that can't be used.
pub(super) fn query() -> Problem {
    Problem::query("dryrun", "this parameter is unknown here; known: force, dry_run, results, on_timeout")
}

/// A header that can't be used.
pub(super) fn header() -> Problem {
    Problem::header("Prefer", "wait takes a whole number of seconds, as in Prefer: wait=10")
}

/// What a client may not do without this right.
pub(super) fn not_allowed(right: &'static str) -> Problem {
    Problem::lacks_right(right, "this client may not do that; have the right in the clients file")
}

/// Looking for one resend.
pub(super) fn find() -> Vec<Problem> {
    vec![Problem::no_such_resend(), Problem::store_failing(Fault::Io)]
}

/// Reading any body, with what is said of a media type that is not served there.
fn body(media_type: &str) -> Vec<Problem> {
    vec![
        Problem::broken_body(),
        Problem::slow_body("no byte came for 30 seconds; nothing was sent"),
        Problem::media_type(media_type),
    ]
}

/// Reading a short body.
pub(super) fn short_body() -> Vec<Problem> {
    let mut all =
        body("no Content-Type was received; this path takes application/json in UTF-8, not compressed");
    all.extend([Problem::long_body(4096), Problem::json_body(r#"{"email": "..."}"#, 1, 1)]);
    all
}

/// Dispatch that answers no more.
pub(super) fn shutting_down() -> Problem {
    Problem::shutting_down()
}

/// What an operator may not say.
pub(super) fn bad_note() -> Problem {
    Problem::bad_note(BadNote::ControlCharacter)
}

/// What should be an address.
pub(super) fn not_an_address() -> Problem {
    Problem::not_an_address("nobody", InvalidReason::NoAtSign)
}

/// No form of results that is wanted.
pub(super) fn not_acceptable() -> Problem {
    Problem::not_acceptable("application/json, application/x-ndjson, text/plain or text/csv")
}

/// Nothing under this path.
pub(super) fn no_such_path() -> Problem {
    Problem::no_such_path()
}

/// Another method than those of the path.
pub(super) fn method() -> Problem {
    Problem::method("GET, HEAD, POST")
}

/// A bug.
pub(super) fn internal() -> Problem {
    Problem::internal()
}

/// Reading a list and taking it.
pub(super) fn list() -> Vec<Problem> {
    list_of(
        "no Content-Type was received; send -H 'Content-Type: ...' with application/json, \
         application/x-ndjson, text/plain or text/csv; nothing was sent",
        Some(1),
    )
}

/// Reading a list as fax.plus takes it, and taking it: JSON has no lines.
pub(super) fn array() -> Vec<Problem> {
    list_of(
        "received text/csv; the list is taken as application/json in UTF-8: send -H 'Content-Type: \
         application/json'; nothing was sent",
        None,
    )
}

fn list_of(media_type: &str, line: Option<u64>) -> Vec<Problem> {
    let kind = ParseErrorKind::NotAString(Found::Number);
    let malformed = ParseError { kind, offset: 20, index: 1, line };
    let draft = |error| Problem::draft(&DraftError::Intake(error), LATER);
    let seal = |error| Problem::seal(&error, LATER);
    let over = OverLimit { per_minute: NonZeroU32::MIN.saturating_add(999), retry_after: LATER };
    let max = 10_000_000;
    let mut all = body(media_type);
    all.extend([
        draft(IntakeError::Malformed(malformed)),
        draft(IntakeError::Gzip { fault: GzipFault::Corrupt }),
        draft(IntakeError::Full(Full::TooManyAddresses { limit: max })),
        Problem::draft(&DraftError::Budget(BudgetFull { limit: 32 << 20, alone: false }), LATER),
        seal(SealError::Empty),
        Problem::over_limit(&over),
        seal(SealError::Refused(Refused::OwnQueueFull {
            more: 20,
            queued: 4990,
            max: 5000,
            retry_after: LATER,
        })),
        seal(SealError::Refused(Refused::QueueFull { more: 20, queued: max, max })),
        Problem::store(StoreTrouble::Failing(Fault::Io), LATER),
        Problem::store(StoreTrouble::Full(Lack::Allowed { max_bytes: 1 << 30 }), LATER),
        Problem::shutting_down(),
    ]);
    all
}

/// A key of another list.
pub(super) fn key_reused() -> Problem {
    Problem::seal(&SealError::KeyReused, LATER)
}

/// A list that must hold addresses only.
pub(super) fn invalid_elements() -> Problem {
    let named = vec![InvalidElement { index: 1, reason: InvalidReason::NoAtSign, hint: None }];
    Problem::invalid_elements(&InvalidElements { received: 3, count: 1, named })
}

/// All of them, for the members they have.
pub(super) fn every() -> Vec<Problem> {
    let mut all = [door(), find(), short_body(), list()].concat();
    all.extend([query(), header(), not_allowed("operator"), bad_note(), not_an_address(), key_reused()]);
    all.extend([invalid_elements(), not_acceptable(), no_such_path(), method(), internal()]);
    all
}
