//! A resend as JSON, and the status code that sums it up.

use std::time::SystemTime;

use actix_web::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::openapi::words;
use crate::{
    dispatch::View,
    domain::{Counts, Hold, Outcome, OutcomeKind, Status, Timestamp},
    intake::hint,
    resends::{PlanRow, Resend},
    store::{Row, Snapshot},
};

/// A resend, without its results.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Resend)]
pub(super) struct ResendBody<'a> {
    #[schema(format = "uuid")]
    id: String,
    #[schema(schema_with = words::status)]
    status: &'static str,
    /// Whose it is: the name of a client, or `anonymous` where callers have no tokens.
    client: &'a str,
    #[schema(format = DateTime)]
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime, nullable = false)]
    finished_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime, nullable = false)]
    estimated_finish_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    hold: Option<HoldBody>,
    counts: CountsBody,
    /// Calls that held at least one of its addresses.
    upstream_calls: u64,
    /// There, and true, when fax.plus is simulated.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    sandbox: bool,
}

/// A page of resends.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ResendList)]
pub(super) struct ListBody<'a> {
    pub(super) resends: Vec<ResendBody<'a>>,
    /// The `cursor` of the next page; null on the last one.
    #[schema(format = "uuid", required = true)]
    pub(super) next_cursor: Option<String>,
}

/// How many addresses came to which end. `received` is the sum of all others.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Counts)]
pub(super) struct CountsBody {
    received: u64,
    sent: u64,
    duplicate: u64,
    invalid: u64,
    rejected: u64,
    not_sent: u64,
    unknown: u64,
    pending: u64,
}

/// What makes work wait. Nothing held is lost.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Hold)]
pub(super) struct HoldBody {
    #[schema(schema_with = words::not_sent)]
    reason: &'static str,
    #[schema(format = DateTime)]
    since: String,
    /// When the gateway tries again by itself; null when it waits for a person.
    #[schema(format = DateTime, required = true)]
    next_attempt_at: Option<String>,
    detail: String,
}

/// What became of one address.
#[derive(Serialize, ToSchema)]
#[schema(as = Row)]
pub(super) struct RowBody<'a> {
    /// Its place in the list, from 0.
    pub(super) index: u32,
    /// As the caller wrote it, cut after 1,024 bytes.
    pub(super) email: &'a str,
    #[schema(schema_with = words::row_outcome)]
    pub(super) outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    /// A closed word; of a `rejected` address the code of fax.plus.
    #[schema(nullable = false)]
    pub(super) reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    /// What fax.plus said about a `rejected` address, or what an `invalid` one seems to hold besides.
    #[schema(nullable = false)]
    pub(super) detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    /// When a `duplicate` was sent, if that is known and was for the same client.
    #[schema(format = DateTime, nullable = false)]
    pub(super) sent_at: Option<String>,
}

/// The resend without its results.
pub(super) fn resend<'a>(
    resend: &'a Resend,
    snapshot: &Snapshot,
    view: &View,
    sandbox: bool,
) -> ResendBody<'a> {
    let pending = snapshot.counts.pending();
    let unfinished = !snapshot.status.is_final();
    let estimate = view.estimate(resend.id(), resend.client().tag(), pending).filter(|_| unfinished);
    let hold = view.holds.first().filter(|_| unfinished && pending > 0);
    ResendBody {
        id: resend.id().to_string(),
        status: snapshot.status.as_str(),
        client: resend.client().as_str(),
        created_at: time(resend.created_at()),
        finished_at: snapshot.finished_at.map(time),
        estimated_finish_at: estimate.map(|estimate| time(Timestamp::now().plus(estimate))),
        hold: hold.map(|hold| held(hold, pending)),
        counts: counts(&snapshot.counts),
        upstream_calls: snapshot.upstream_calls,
        sandbox,
    }
}

/// One result.
pub(super) fn row<'a>(row: &'a Row<'_>) -> RowBody<'a> {
    row_body(row.index, row.email, row.outcome.as_ref(), "pending")
}

/// One result of a dry run.
pub(super) fn plan_row<'a>(row: &'a PlanRow<'_>) -> RowBody<'a> {
    row_body(row.index, row.email, row.outcome.as_ref(), "would_send")
}

fn row_body<'a>(
    index: u32,
    email: &'a str,
    outcome: Option<&'a Outcome>,
    without: &'static str,
) -> RowBody<'a> {
    let (outcome, reason, detail, sent_at) = match outcome {
        None => (without, None, None, None),
        Some(outcome) => {
            let (reason, detail, sent_at) = match outcome {
                Outcome::Sent => (None, None, None),
                Outcome::Duplicate(at) => (None, None, at.map(time)),
                Outcome::Invalid(reason) => (Some(reason.as_str()), hint(email, *reason), None),
                Outcome::Rejected(refusal) => (Some(refusal.code.as_str()), refusal.detail.as_deref(), None),
                Outcome::NotSent(reason) => (Some(reason.as_str()), None, None),
                Outcome::Unknown(reason) => (Some(reason.as_str()), None, None),
            };
            (outcome.kind().as_str(), reason, detail, sent_at)
        }
    };
    RowBody { index, email, outcome, reason, detail, sent_at }
}

/// The status code for the answer to the one who posted the list and waited.
pub(super) fn summary(snapshot: &Snapshot) -> StatusCode {
    let of = |kind| snapshot.counts.of(kind);
    let received = snapshot.counts.received;
    match snapshot.status {
        Status::Queued | Status::Running => StatusCode::ACCEPTED,
        Status::Finished | Status::Cancelled => {
            let fine = of(OutcomeKind::Sent) + of(OutcomeKind::Duplicate);
            let faulty = of(OutcomeKind::Invalid) + of(OutcomeKind::Rejected);
            if fine == received {
                StatusCode::OK
            } else if faulty == received {
                StatusCode::UNPROCESSABLE_ENTITY
            } else if of(OutcomeKind::NotSent) > 0 && fine + of(OutcomeKind::Unknown) == 0 {
                StatusCode::BAD_GATEWAY
            } else {
                StatusCode::MULTI_STATUS
            }
        }
    }
}

/// How many came to which end.
pub(super) fn counts(counts: &Counts) -> CountsBody {
    CountsBody {
        received: counts.received,
        sent: counts.of(OutcomeKind::Sent),
        duplicate: counts.of(OutcomeKind::Duplicate),
        invalid: counts.of(OutcomeKind::Invalid),
        rejected: counts.of(OutcomeKind::Rejected),
        not_sent: counts.of(OutcomeKind::NotSent),
        unknown: counts.of(OutcomeKind::Unknown),
        pending: counts.pending(),
    }
}

fn held(hold: &Hold, pending: u64) -> HoldBody {
    let safe =
        if pending == 1 { "1 address is safe".to_owned() } else { format!("{pending} addresses are safe") };
    hold_body(hold, &safe)
}

/// The hold that a list would meet of which so many addresses would be sent.
pub(super) fn would_hold(hold: &Hold, would_send: u64) -> HoldBody {
    let noun = if would_send == 1 { "address" } else { "addresses" };
    hold_body(hold, &format!("{would_send} {noun} would wait"))
}

fn hold_body(hold: &Hold, who: &str) -> HoldBody {
    HoldBody {
        reason: hold.reason.as_str(),
        since: time(hold.since),
        next_attempt_at: hold.next_attempt_at.map(time),
        detail: format!("{who}; {}", hold.detail),
    }
}

pub(super) fn time(at: Timestamp) -> String {
    humantime::format_rfc3339_millis(SystemTime::from(at)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summed_up(status: Status, ends: &[(OutcomeKind, u64)]) -> u16 {
        let mut counts = Counts::new(ends.iter().map(|(_, count)| count).sum());
        for (kind, count) in ends {
            counts.add(*kind, *count);
        }
        summary(&Snapshot { status, counts, upstream_calls: 0, finished_at: None }).as_u16()
    }

    #[test]
    fn each_mix_of_outcomes_has_its_code() {
        use OutcomeKind::{Duplicate, Invalid, NotSent, Rejected, Sent, Unknown};
        for (ends, code) in [
            (vec![(Sent, 1)], 200),
            (vec![(Sent, 1), (Duplicate, 2)], 200),
            (vec![(Duplicate, 2)], 200),
            (vec![(Sent, 1), (Invalid, 1)], 207),
            (vec![(Unknown, 1)], 207),
            (vec![(Unknown, 1), (NotSent, 1)], 207),
            (vec![(Sent, 1), (NotSent, 1)], 207),
            (vec![(Invalid, 1), (Rejected, 1)], 422),
            (vec![(NotSent, 1)], 502),
            (vec![(NotSent, 1), (Invalid, 3), (Rejected, 1)], 502),
            (vec![(Invalid, 1), (Unknown, 1)], 207),
        ] {
            assert_eq!(summed_up(Status::Finished, &ends), code, "{ends:?}");
        }
        assert_eq!(summed_up(Status::Cancelled, &[(NotSent, 1)]), 502);
        assert_eq!(summed_up(Status::Running, &[(Sent, 1)]), 202);
    }

    #[test]
    fn a_hold_says_how_many_are_safe() {
        let hold = Hold {
            reason: crate::domain::NotSentReason::CredentialsRejected,
            since: Timestamp(0),
            next_attempt_at: None,
            detail: "fax.plus refuses the access token".to_owned(),
        };

        assert_eq!(held(&hold, 30).detail, "30 addresses are safe; fax.plus refuses the access token");
        assert_eq!(held(&hold, 1).detail, "1 address is safe; fax.plus refuses the access token");
        assert_eq!(held(&hold, 1).since, "1970-01-01T00:00:00.000Z");
    }
}
