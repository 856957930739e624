//! How a list that was taken is told to a client of fax.plus: one code, one word, one sentence.

use std::time::Duration;

use actix_web::{
    HttpResponse,
    http::{StatusCode, header::RETRY_AFTER},
};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::digest::{Digest, MOST_TOLD};
use crate::{
    api::{
        openapi::words,
        problem::{Problem, jittered},
        render::{self, CountsBody},
    },
    domain::{Counts, OutcomeKind},
    resends::{Resend, Resends},
    store::Snapshot,
};

/// What became of a list as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::api) enum End {
    Done,
    StillSending,
    OutcomeUnknown,
    NotSent,
    Rejected,
}

/// What became of a list that was not sent in whole, as fax.plus writes its errors.
#[derive(Serialize, ToSchema)]
#[schema(as = CompatEnd)]
pub(in crate::api) struct Body {
    #[schema(schema_with = words::compat_end)]
    error: &'static str,
    description: String,
    #[schema(format = "uuid")]
    resend_id: String,
    counts: CountsBody,
    #[serde(flatten)]
    digest: Digest,
}

/// Tells what became of a list, or that it is not finished.
pub(super) async fn write(resend: &Resend, resends: &Resends) -> Result<HttpResponse, Problem> {
    let snapshot = resend.snapshot();
    let end = End::of(&snapshot);
    if end == End::Done {
        return Ok(HttpResponse::Ok().json(json!({"message": "Invitations resent successfully"})));
    }
    let digest = Digest::of(resends.reader(resend.clone())).await.map_err(Problem::read)?;
    let mut response = HttpResponse::build(end.status());
    if let Some(wait) = end.retry_after(resend, &snapshot, resends) {
        response.insert_header((RETRY_AFTER, wait.as_secs_f64().ceil().max(1.0) as u64));
    }
    Ok(response.json(Body {
        error: end.word(),
        description: format!(
            "{}; {}",
            sum(&snapshot.counts, &digest),
            end.advice(&snapshot, resend, resends)
        ),
        resend_id: resend.id().to_string(),
        counts: render::counts(&snapshot.counts),
        digest,
    }))
}

impl End {
    /// Every end that is told as an error.
    pub(in crate::api) const ERRORS: [Self; 4] =
        [Self::StillSending, Self::OutcomeUnknown, Self::NotSent, Self::Rejected];

    fn of(snapshot: &Snapshot) -> Self {
        let any = |kind| snapshot.counts.of(kind) > 0;
        if !snapshot.status.is_final() {
            Self::StillSending
        } else if any(OutcomeKind::Unknown) {
            Self::OutcomeUnknown
        } else if any(OutcomeKind::NotSent) {
            Self::NotSent
        } else if any(OutcomeKind::Rejected) || any(OutcomeKind::Invalid) {
            Self::Rejected
        } else {
            Self::Done
        }
    }

    pub(in crate::api) fn status(self) -> StatusCode {
        match self {
            Self::Done => StatusCode::OK,
            Self::StillSending => StatusCode::GATEWAY_TIMEOUT,
            Self::OutcomeUnknown => StatusCode::INTERNAL_SERVER_ERROR,
            Self::NotSent => StatusCode::SERVICE_UNAVAILABLE,
            Self::Rejected => StatusCode::BAD_REQUEST,
        }
    }

    pub(in crate::api) fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::StillSending => "still_sending",
            Self::OutcomeUnknown => "outcome_unknown",
            Self::NotSent => "not_sent",
            Self::Rejected => "rejected_addresses",
        }
    }

    fn retry_after(self, resend: &Resend, snapshot: &Snapshot, resends: &Resends) -> Option<Duration> {
        match self {
            Self::StillSending => {
                let (id, client) = (resend.id(), resend.client().tag());
                Some(resends.view().look_again(id, client, snapshot.counts.pending()))
            }
            Self::NotSent => Some(jittered(resends.retry_after())),
            Self::Done | Self::OutcomeUnknown | Self::Rejected => None,
        }
    }

    /// What the caller had best do. Clients print it; it holds no address.
    fn advice(self, snapshot: &Snapshot, resend: &Resend, resends: &Resends) -> String {
        match self {
            Self::Done => "nothing is left to do".to_owned(),
            Self::StillSending => {
                let view = resends.view();
                let held = view.holds.first().map(|hold| format!("; {}", hold.detail)).unwrap_or_default();
                format!("the work goes on: see GET /v1/resends/{}{held}", resend.id())
            }
            Self::OutcomeUnknown => "nobody can say whether those in unknown were sent; \
                                     those in retry, if any, were not"
                .to_owned(),
            Self::NotSent if snapshot.counts.of(OutcomeKind::NotSent) > MOST_TOLD as u64 => format!(
                "those in retry, the first {MOST_TOLD} of them, were certainly not sent: post the whole list \
                 again"
            ),
            Self::NotSent => "those in retry were certainly not sent: post them again".to_owned(),
            Self::Rejected => {
                "fax.plus refused those in rejected; there is nothing to do for the others".to_owned()
            }
        }
    }
}

/// The counts that are not 0 and the reasons behind them, in one line.
fn sum(counts: &Counts, digest: &Digest) -> String {
    let parts = OutcomeKind::ALL.map(|kind| {
        let reasons = match kind {
            OutcomeKind::Rejected => digest.rejected.reasons(),
            OutcomeKind::NotSent => digest.retry.reasons(),
            OutcomeKind::Unknown => digest.unknown.reasons(),
            OutcomeKind::Sent | OutcomeKind::Duplicate | OutcomeKind::Invalid => String::new(),
        };
        let reasons = if reasons.is_empty() { reasons } else { format!(" ({reasons})") };
        (counts.of(kind), format!("{}{reasons}", kind.as_str()))
    });
    let pending = (counts.pending(), "pending".to_owned());
    let told = parts.into_iter().chain([pending]).filter(|(count, _)| *count > 0);
    let told: Vec<_> = told.map(|(count, words)| format!("{count} {words}")).collect();
    format!("{} received: {}", counts.received, told.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Status;

    fn end(status: Status, kinds: &[OutcomeKind]) -> (u16, &'static str) {
        let mut counts = Counts::new(kinds.len() as u64);
        for kind in kinds {
            counts.add(*kind, 1);
        }
        let end = End::of(&Snapshot { status, counts, upstream_calls: 0, finished_at: None });
        (end.status().as_u16(), end.word())
    }

    #[test]
    fn every_mix_has_its_code_and_its_word() {
        use OutcomeKind::{Duplicate, NotSent, Rejected, Sent, Unknown};
        for mix in 1..1 << 5_u8 {
            let has = |bit: u8| mix & 1 << bit > 0;
            let kinds = [Sent, Duplicate, Rejected, NotSent, Unknown];
            let kinds: Vec<_> = (0..).zip(kinds).filter(|(bit, _)| has(*bit)).map(|(_, kind)| kind).collect();
            let expected = match (has(4), has(3), has(2)) {
                (true, _, _) => (500, "outcome_unknown"),
                (false, true, _) => (503, "not_sent"),
                (false, false, true) => (400, "rejected_addresses"),
                (false, false, false) => (200, "done"),
            };

            for status in [Status::Finished, Status::Cancelled] {
                assert_eq!(end(status, &kinds), expected, "{kinds:?}");
            }
            for status in [Status::Queued, Status::Running] {
                assert_eq!(end(status, &kinds), (504, "still_sending"), "{kinds:?}");
            }
        }
    }
}
