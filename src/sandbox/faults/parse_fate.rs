//! The fate of a rule, and the fields that belong to it.
//!
//! Refuses fates that do not exist and values out of range; the fields of another fate are left for
//! `Fields::finish` to refuse.

use super::fields::{FaultError, Fields};
use super::{Delivery, Fate, ForeignAnswer, StatusAnswer};

/// Every fate, as JSON names it.
pub(super) const FATES: [&str; 19] = [
    "as_usual",
    "delay",
    "status",
    "foreign",
    "accept_then_500",
    "accept_then_hang_up",
    "hang_up_before_reading",
    "hang_up_after_reading",
    "hang_up_inside_answer",
    "half_a_head",
    "garbage",
    "stray_1xx",
    "never_answer",
    "redirect",
    "token_expired",
    "html_200",
    "wrong_json_200",
    "slow_body",
    "close_after_answer",
];

/// Takes the fields of the fate called `name` out of a rule.
pub(super) fn fate(name: &str, fields: &mut Fields) -> Result<Fate, FaultError> {
    Ok(match name {
        "as_usual" => Fate::AsUsual(Delivery::take(fields)?),
        "delay" => Fate::Delay { ms: fields.milliseconds("ms")? },
        "status" => Fate::Status(StatusAnswer::take(fields)?),
        "foreign" => Fate::Foreign(ForeignAnswer::take(fields)?),
        "accept_then_500" => Fate::AcceptThen500,
        "accept_then_hang_up" => Fate::AcceptThenHangUp,
        "hang_up_before_reading" => Fate::HangUpBeforeReading,
        "hang_up_after_reading" => Fate::HangUpAfterReading,
        "hang_up_inside_answer" => Fate::HangUpInsideAnswer { accept: fields.accept(true)? },
        "half_a_head" => Fate::HalfAHead { accept: fields.accept(false)? },
        "garbage" => Fate::Garbage { accept: fields.accept(false)? },
        "stray_1xx" => {
            let status = fields.optional("status")?.unwrap_or(103);
            if ![100, 102, 103].contains(&status) {
                return Err(fields.wrong("status", "must be 100, 102 or 103"));
            }
            Fate::Stray1xx { status, gap_ms: fields.optional_milliseconds("gap_ms")?.unwrap_or(0) }
        }
        "never_answer" => Fate::NeverAnswer { accept: fields.accept(false)? },
        "redirect" => Fate::Redirect {
            status: fields.status(Some(307), 300..=399)?,
            location: fields.header("location")?.ok_or_else(|| fields.wrong("location", "is missing"))?,
        },
        "token_expired" => Fate::TokenExpired,
        "html_200" => Fate::Html200 { accept: fields.accept(false)? },
        "wrong_json_200" => Fate::WrongJson200 {
            body: fields.optional("body")?.unwrap_or_else(|| "[]".to_owned()),
            accept: fields.accept(false)?,
        },
        "slow_body" => Fate::SlowBody { ms: fields.milliseconds("ms")? },
        "close_after_answer" => Fate::CloseAfterAnswer,
        unknown => {
            let why = format!("there is no fate `{unknown}`; there are {}", FATES.join(", "));
            return Err(fields.wrong("fate", &why));
        }
    })
}

impl StatusAnswer {
    /// Takes its fields out of a rule.
    fn take(fields: &mut Fields) -> Result<Self, FaultError> {
        let retry_after = fields.header("retry_after")?;
        Ok(Self {
            status: fields.status(None, 200..=599)?,
            error: fields.optional("error")?,
            description: fields.optional("description")?,
            body: fields.optional("body")?,
            content_type: fields.header("content_type")?,
            accept: fields.accept(false)?,
            delivery: Delivery::take(fields)?.with_one_retry_after(retry_after.as_ref(), fields)?,
            retry_after,
        })
    }
}
