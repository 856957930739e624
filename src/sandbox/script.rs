//! What a fate puts on the wire, step by step.
//!
//! Pure: turns a fate and the true answer into a script; `wire.rs` plays it.

use std::time::Duration;

use super::answer::{Answer, Connection, reason};
use super::carriage::{Asked, Carried, carry};
use super::faults::{Fate, Page, StatusAnswer, Target};
use super::pages;

const GARBAGE: &[u8] = b"\x16\x03\x01\x00\x2a\xff\xfe this is not HTTP \x00\r\n\r\n";
const HALF_A_HEAD: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-ty";
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
    pub(super) fn of(fate: &Fate, truth: &Answer, asked: Asked) -> Self {
        let connection = asked.connection;
        match fate {
            Fate::AsUsual(delivery) => Self::carried(carry(truth.clone(), delivery, asked)),
            Fate::Delay { .. } => Self::answer(truth, connection),
            Fate::Status(wanted) => {
                Self::carried(carry(answer_of(wanted, asked.target), &wanted.delivery, asked))
            }
            Fate::Foreign(wanted) => Self::carried(carry(pages::foreign(wanted), &wanted.delivery, asked)),
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
            Fate::Html200 { .. } => Self::answer(&pages::page(Page::Login, 200), connection),
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

    fn carried(answer: Carried) -> Self {
        Self::written(Some(answer.status), answer.bytes, end_of(answer.connection))
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

/// A status in the words of fax.plus, or with a body of choice.
fn answer_of(wanted: &StatusAnswer, target: Target) -> Answer {
    let content_type = wanted.content_type.as_deref();
    let mut answer = match wanted.body.as_deref() {
        Some("") => Answer::empty(wanted.status),
        Some(body) => Answer::new(wanted.status, content_type.unwrap_or("application/json"), body),
        None => {
            let (error, description) = super::answer::words(wanted.status);
            let error = wanted.error.as_deref().unwrap_or(error);
            let description = wanted.description.as_deref().unwrap_or(description);
            let words = match target {
                Target::Token => Answer::oauth_error(wanted.status, error, description),
                Target::Patch | Target::Probe | Target::Elsewhere => {
                    Answer::error(wanted.status, error, description)
                }
            };
            match content_type {
                Some(content_type) => Answer::new(wanted.status, content_type, words.body),
                None => words,
            }
        }
    };
    if let Some(retry_after) = &wanted.retry_after {
        answer = answer.with_header("retry-after", retry_after.as_str());
    }
    answer
}
