//! What a fate puts on the wire, step by step.
//!
//! Pure: turns a fate and the true answer into a script; `wire.rs` plays it.

use std::time::Duration;

use super::answer::{Answer, Connection, reason};
use super::faults::{Fate, StatusAnswer};

const GARBAGE: &[u8] = b"\x16\x03\x01\x00\x2a\xff\xfe this is not HTTP \x00\r\n\r\n";
const HALF_A_HEAD: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-ty";
const HTML: &str =
    "<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please sign in.</body></html>";
const SLOW_PIECES: u32 = 10;

/// What is written, and how it ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Script {
    /// The status the client gets to see, if any.
    pub(super) status: Option<u16>,
    pub(super) steps: Vec<Step>,
    pub(super) end: End,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    Write(Vec<u8>),
    Wait(Duration),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The next request may come.
    KeepOpen,
    /// Orderly close.
    Close,
    /// Reset.
    Reset,
    /// Nothing more until the client leaves.
    Silence,
}

impl Script {
    /// An answer as it should be.
    pub(super) fn answer(answer: &Answer, connection: Connection) -> Self {
        Self::written(Some(answer.status), answer.render(connection), end_of(connection))
    }

    /// Nothing more to write: the answer is out already.
    pub(super) fn written_already(connection: Connection) -> Self {
        Self::nothing(end_of(connection))
    }

    /// What `fate` makes of the true answer.
    pub(super) fn of(fate: &Fate, truth: &Answer, connection: Connection) -> Self {
        match fate {
            Fate::Delay { .. } => Self::answer(truth, connection),
            Fate::Status(wanted) => Self::answer(&answer_of(wanted), connection),
            Fate::AcceptThen500 => Self::answer(&Answer::refusal(500), connection),
            Fate::AcceptThenHangUp | Fate::HangUpAfterReading => Self::nothing(End::Close),
            Fate::HangUpBeforeReading => Self::nothing(End::Reset),
            Fate::HangUpInsideAnswer { .. } => {
                let mut bytes = truth.render_head(connection);
                bytes.extend_from_slice(&truth.body[..truth.body.len() / 2]);
                Self::written(Some(truth.status), bytes, End::Close)
            }
            Fate::HalfAHead { .. } => Self::written(None, HALF_A_HEAD.to_vec(), End::Close),
            Fate::Garbage { .. } => Self::written(None, GARBAGE.to_vec(), End::Close),
            Fate::Stray1xx { status, gap_ms } => Self::stray(*status, *gap_ms, truth, connection),
            Fate::NeverAnswer { .. } => Self::nothing(End::Silence),
            Fate::Redirect { status, location } => {
                let answer = Answer::empty(*status).with_header("location", location.as_str());
                Self::answer(&answer, connection)
            }
            Fate::TokenExpired => Self::answer(&Answer::refusal(401), connection),
            Fate::Html200 { .. } => Self::answer(&Answer::new(200, "text/html", HTML), connection),
            Fate::WrongJson200 { body, .. } => {
                Self::answer(&Answer::new(200, "application/json", body.as_str()), connection)
            }
            Fate::SlowBody { ms } => Self::slow(Duration::from_millis(*ms), truth, connection),
            Fate::CloseAfterAnswer => {
                Self::written(Some(truth.status), truth.render(Connection::Keep), End::Close)
            }
        }
    }

    fn written(status: Option<u16>, bytes: Vec<u8>, end: End) -> Self {
        Self { status, steps: vec![Step::Write(bytes)], end }
    }

    fn nothing(end: End) -> Self {
        Self { status: None, steps: Vec::new(), end }
    }

    fn stray(status: u16, gap_ms: u64, truth: &Answer, connection: Connection) -> Self {
        let interim = format!("HTTP/1.1 {status} {}\r\n\r\n", reason(status)).into_bytes();
        let mut script = Self::answer(truth, connection);
        if gap_ms > 0 {
            script.steps.splice(0..0, [Step::Write(interim), Step::Wait(Duration::from_millis(gap_ms))]);
        } else {
            script.steps = vec![Step::Write([interim, truth.render(connection)].concat())];
        }
        script
    }

    fn slow(duration: Duration, truth: &Answer, connection: Connection) -> Self {
        let mut script = Self::answer(truth, connection);
        script.steps = vec![Step::Write(truth.render_head(connection))];
        let piece = truth.body.len().div_ceil(SLOW_PIECES as usize).max(1);
        let pieces = u32::try_from(truth.body.chunks(piece).len()).unwrap_or(SLOW_PIECES).max(1);
        for bytes in truth.body.chunks(piece) {
            script.steps.push(Step::Wait(duration / pieces));
            script.steps.push(Step::Write(bytes.to_vec()));
        }
        script
    }
}

fn end_of(connection: Connection) -> End {
    match connection {
        Connection::Keep => End::KeepOpen,
        Connection::Close => End::Close,
    }
}

fn answer_of(wanted: &StatusAnswer) -> Answer {
    let mut answer = match wanted.body.as_deref() {
        Some("") => Answer::empty(wanted.status),
        Some(body) => {
            Answer::new(wanted.status, wanted.content_type.as_deref().unwrap_or("application/json"), body)
        }
        None => {
            let (error, description) = super::answer::words(wanted.status);
            let error = wanted.error.as_deref().unwrap_or(error);
            let mut answer =
                Answer::error(wanted.status, error, wanted.description.as_deref().unwrap_or(description));
            if let Some(content_type) = &wanted.content_type {
                answer.headers = vec![("content-type", content_type.clone())];
            }
            answer
        }
    };
    if let Some(retry_after) = &wanted.retry_after {
        answer = answer.with_header("retry-after", retry_after.as_str());
    }
    answer
}
