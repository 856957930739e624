//! What can happen to a call instead of the plain truth: the closed list of fates.
//!
//! Pure data. What each fate puts on the wire is written in `script.rs`; how JSON becomes one, in `parse.rs`.

use serde::Serialize;

use super::{Delivery, ForeignAnswer, Page};

/// What becomes of a call that a rule picked. In JSON: `"fate"` names it, its fields stand beside it.
///
/// A fate that *accepts* first handles the call as usual. A call that would be refused anyway (wrong token,
/// eleven addresses, full ledger) gets that refusal and the fate does not show: no fate makes the ledger lie.
/// A fate that does not accept is played whatever the call holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "fate", rename_all = "snake_case")]
pub enum Fate {
    /// The true answer, whatever it is, carried in another way. Without any other way: an exception from later rules.
    AsUsual(Delivery),
    /// Waits, then handles the call as usual.
    Delay {
        /// Milliseconds before the call is handled, thus also before it is accepted.
        ms: u64,
    },
    /// Answers a status of choice in the words of fax.plus.
    Status(StatusAnswer),
    /// Answers what fax.plus did not write.
    Foreign(ForeignAnswer),
    /// Accepts, then answers the documented 500.
    #[serde(rename = "accept_then_500")]
    AcceptThen500,
    /// Accepts, then closes without a byte.
    AcceptThenHangUp,
    /// Resets the connection once the head is read; the body is left unread. Not accepted.
    ///
    /// Its rules are judged before all others and cannot look at addresses.
    HangUpBeforeReading,
    /// Reads everything, then closes without a byte. Not accepted.
    HangUpAfterReading,
    /// Sends the head of a 200 and half of its body, then closes.
    HangUpInsideAnswer {
        /// Whether the call was accepted. Default in JSON: true.
        accept: bool,
    },
    /// Sends a part of a status line and header, then closes.
    HalfAHead {
        /// Whether the call was accepted. Default in JSON: false.
        accept: bool,
    },
    /// Sends bytes that are not HTTP, then closes.
    Garbage {
        /// Whether the call was accepted. Default in JSON: false.
        accept: bool,
    },
    /// Accepts, and sends an interim answer before the true one.
    #[serde(rename = "stray_1xx")]
    Stray1xx {
        /// 100, 102 or 103. Default in JSON: 103.
        status: u16,
        /// Milliseconds between the two; 0 sends both in one write. Default in JSON: 0.
        gap_ms: u64,
    },
    /// Never answers; the connection stays open until the client leaves.
    NeverAnswer {
        /// Whether the call was accepted. Default in JSON: false.
        accept: bool,
    },
    /// Sends the caller elsewhere. Not accepted.
    Redirect {
        /// 300 to 399. Default in JSON: 307.
        status: u16,
        /// The `Location` header.
        location: String,
    },
    /// Answers the documented 401. Not accepted.
    TokenExpired,
    /// Answers 200 with an HTML page, as captive portals and edge proxies do.
    #[serde(rename = "html_200")]
    Html200 {
        /// Whether the call was accepted. Default in JSON: false.
        accept: bool,
    },
    /// Answers 200 with JSON that is no object.
    #[serde(rename = "wrong_json_200")]
    WrongJson200 {
        /// The body. Default in JSON: `[]`.
        body: String,
        /// Whether the call was accepted. Default in JSON: false.
        accept: bool,
    },
    /// Accepts; the true answer's head comes at once, its body in pieces.
    SlowBody {
        /// Milliseconds from the head to the last byte.
        ms: u64,
    },
    /// Accepts and answers as usual, then closes although the answer did not say so.
    CloseAfterAnswer,
}

/// A status of choice, and everything that might come with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct StatusAnswer {
    /// The status, 200 to 599.
    pub status: u16,
    /// `Retry-After`, sent as it stands: seconds, a date, or nonsense.
    pub retry_after: Option<String>,
    /// The `error` word; by default the documented one, or one made from the status.
    pub error: Option<String>,
    /// The `description`; by default the documented one, or one made from the status.
    pub description: Option<String>,
    /// The whole body as it stands, in place of the JSON; `""` is an answer without any.
    pub body: Option<String>,
    /// The `Content-Type`; by default `application/json`.
    pub content_type: Option<String>,
    /// Whether the call was accepted. Default in JSON: false.
    pub accept: bool,
    /// How it travels.
    #[serde(flatten)]
    pub delivery: Delivery,
}

impl Fate {
    /// Answers `status` with its usual words. Not accepted.
    pub fn status(status: u16) -> Self {
        Self::Status(StatusAnswer { status, ..StatusAnswer::default() })
    }

    /// Answers `status` with its usual words and this `Retry-After`. Not accepted.
    pub fn status_with_retry_after(status: u16, retry_after: &str) -> Self {
        let retry_after = Some(retry_after.to_owned());
        Self::Status(StatusAnswer { status, retry_after, ..StatusAnswer::default() })
    }

    /// Answers this page with its usual status. Not accepted.
    pub fn foreign(page: Page) -> Self {
        Self::Foreign(ForeignAnswer::new(page))
    }

    /// The word in JSON and in the log of calls.
    pub fn name(&self) -> &'static str {
        match self {
            Self::AsUsual(_) => "as_usual",
            Self::Delay { .. } => "delay",
            Self::Status(_) => "status",
            Self::Foreign(_) => "foreign",
            Self::AcceptThen500 => "accept_then_500",
            Self::AcceptThenHangUp => "accept_then_hang_up",
            Self::HangUpBeforeReading => "hang_up_before_reading",
            Self::HangUpAfterReading => "hang_up_after_reading",
            Self::HangUpInsideAnswer { .. } => "hang_up_inside_answer",
            Self::HalfAHead { .. } => "half_a_head",
            Self::Garbage { .. } => "garbage",
            Self::Stray1xx { .. } => "stray_1xx",
            Self::NeverAnswer { .. } => "never_answer",
            Self::Redirect { .. } => "redirect",
            Self::TokenExpired => "token_expired",
            Self::Html200 { .. } => "html_200",
            Self::WrongJson200 { .. } => "wrong_json_200",
            Self::SlowBody { .. } => "slow_body",
            Self::CloseAfterAnswer => "close_after_answer",
        }
    }

    /// Whether the call is handled as usual before the fate shows.
    pub fn accepts(&self) -> bool {
        match self {
            Self::AsUsual(_)
            | Self::Delay { .. }
            | Self::AcceptThen500
            | Self::AcceptThenHangUp
            | Self::Stray1xx { .. }
            | Self::SlowBody { .. }
            | Self::CloseAfterAnswer => true,
            Self::HangUpBeforeReading
            | Self::HangUpAfterReading
            | Self::Redirect { .. }
            | Self::TokenExpired => false,
            Self::Status(StatusAnswer { accept, .. })
            | Self::Foreign(ForeignAnswer { accept, .. })
            | Self::HangUpInsideAnswer { accept }
            | Self::HalfAHead { accept }
            | Self::Garbage { accept }
            | Self::NeverAnswer { accept }
            | Self::Html200 { accept }
            | Self::WrongJson200 { accept, .. } => *accept,
        }
    }
}
