//! What a grammar hands to the parser around it, which knows how to tell it to the caller.

use super::error::{IntakeError, ParseError, ParseErrorKind};
use super::sink::Full;

/// Why a grammar stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stop {
    /// The text breaks the grammar.
    Fault(Fault),
    /// The sink takes no more.
    Full(Full),
}

/// What breaks the grammar, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) kind: ParseErrorKind,
    /// Bytes of the decoded body before it.
    pub(super) offset: u64,
    /// The line it is on, when that is not the line the grammar is at.
    pub(super) line: Option<u64>,
}

impl Fault {
    pub(super) fn new(kind: ParseErrorKind, offset: u64) -> Self {
        Self { kind, offset, line: None }
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Full> for Stop {
    fn from(full: Full) -> Self {
        Self::Full(full)
    }
}

impl Stop {
    /// What the caller is told, by a grammar that stands at `index` and `line`.
    pub(super) fn at(self, index: u64, line: Option<u64>) -> IntakeError {
        match self {
            Self::Fault(fault) => IntakeError::Malformed(ParseError {
                kind: fault.kind,
                offset: fault.offset,
                index,
                line: fault.line.or(line),
            }),
            Self::Full(full) => IntakeError::Full(full),
        }
    }
}
