//! Why a list was not taken, as a problem: each error of reading and of sealing has its status and word here.

use std::time::Duration;

use actix_web::http::StatusCode;
use serde_json::json;

use super::Problem;
use crate::{
    clients::OverLimit,
    dispatch::Refused,
    intake::{Full as ListFull, GzipFault, IntakeError, ParseError},
    resends::{BudgetFull, DraftError, SealError, SpillError},
};

impl Problem {
    /// Why a list could not be read. `retry_after` is told when the fault is the gateway's.
    pub fn draft(error: &DraftError, retry_after: Duration) -> Self {
        match error {
            DraftError::Intake(error) => Self::intake(error, retry_after),
            DraftError::Budget(error) => Self::budget(error, retry_after),
            DraftError::Spill(SpillError::NoRoom(lack)) => Self::store((*lack).into(), retry_after),
            DraftError::Spill(error @ (SpillError::Store(_) | SpillError::Repeats)) => {
                let detail = format!("{error}; nothing was sent");
                Self::no_room("store-failing", "The store fails", detail).after(retry_after)
            }
        }
    }

    fn intake(error: &IntakeError, retry_after: Duration) -> Self {
        match error {
            IntakeError::Malformed(error) => Self::malformed(error),
            IntakeError::Gzip { fault } => Self::gzip(*fault),
            IntakeError::TooManyBytes { limit } => {
                Self::too_large(error.to_string(), "max_body_bytes", *limit)
            }
            IntakeError::Full(ListFull::TooManyAddresses { limit }) => {
                Self::too_large(error.to_string(), "max_addresses", *limit)
            }
            IntakeError::Full(ListFull::Memory) => {
                Self::no_room("no-memory", "No memory for this list", error.to_string()).after(retry_after)
            }
        }
    }

    fn malformed(error: &ParseError) -> Self {
        let detail = format!("{error}; nothing was sent");
        let problem = Self::new(StatusCode::BAD_REQUEST, "malformed-body", "The body is malformed", detail)
            .with("offset", error.offset)
            .with("index", error.index);
        match error.line {
            Some(line) => problem.with("line", line),
            None => problem,
        }
    }

    fn gzip(fault: GzipFault) -> Self {
        let detail = format!("{fault}; nothing was sent");
        Self::new(StatusCode::BAD_REQUEST, "malformed-gzip", "The body is no whole gzip stream", detail)
    }

    fn too_large(detail: String, limit_name: &str, limit: u64) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "The list is too large", detail)
            .with("limit", json!({ limit_name: limit }))
    }

    fn budget(error: &BudgetFull, retry_after: Duration) -> Self {
        let detail = if error.alone {
            format!("this list alone is larger than intake.memory_bytes ({}); post it in parts", error.limit)
        } else {
            format!("{error}; post it again later")
        };
        Self::no_room("no-memory", "No memory for this list", detail).after(retry_after)
    }

    /// 429: a client has sent as much as it may for now.
    pub(in crate::api) fn over_limit(over: &OverLimit) -> Self {
        Self::too_much("rate-limit", "The client's limit is used up", format!("{over}; nothing was sent"))
            .exactly_after(over.retry_after)
    }

    fn too_much(word: &'static str, title: &'static str, detail: String) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, word, title, detail)
    }

    /// Why a whole, good list was not taken.
    pub fn seal(error: &SealError, retry_after: Duration) -> Self {
        let detail = error.to_string();
        match error {
            SealError::Empty => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "empty-list", "The list is empty", detail)
            }
            SealError::Invalid(error) => Self::invalid_elements(error),
            SealError::KeyReused => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency-key-reused",
                "The idempotency key was used for something else",
                detail,
            ),
            SealError::Store(fault) => Self::store((*fault).into(), retry_after),
            SealError::Refused(Refused::QueueFull { .. }) => {
                Self::no_room("queue-full", "The queue is full", format!("{detail}; nothing was sent"))
                    .after(retry_after)
            }
            SealError::Refused(Refused::OwnQueueFull { retry_after, .. }) => Self::too_much(
                "queue-limit",
                "The client's queue is full",
                format!("{detail}; nothing was sent"),
            )
            .exactly_after(*retry_after),
            SealError::Refused(Refused::LongerThanOwnQueue { limit }) => {
                Self::too_large(format!("{detail}; nothing was sent"), "queued_addresses", *limit)
            }
            SealError::OverLimit(over) => Self::over_limit(over),
            SealError::Refused(Refused::ShuttingDown) => Self::shutting_down(),
            SealError::NoRoom(_) => {
                Self::no_room("store-full", "There is no room for this resend", detail).after(retry_after)
            }
        }
    }
}
