//! An operator's pause, as it is told to callers and kept for the next start.

use std::{fmt, sync::Arc};

/// Calls are drawn for nobody until an operator resumes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paused {
    /// Since when.
    pub since: super::Timestamp,
    /// What the operator wants callers to know.
    pub note: PauseNote,
}

impl Paused {
    /// As one text: the moment in milliseconds, and the note behind a space.
    pub fn to_text(&self) -> String {
        format!("{} {}", self.since.0, self.note.words().unwrap_or_default())
    }

    /// Reads what [`Paused::to_text`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let (since, note) = text.split_once(' ')?;
        let note = PauseNote::parse(note).ok()?;
        Some(Self { since: super::Timestamp(since.parse().ok()?), note })
    }
}

/// Words of an operator to callers: one line, at most [`PauseNote::MAX_CHARS`] characters, maybe none.
/// No `Debug` of the text: it may hold anything, so it stays out of logs.
#[derive(Clone, PartialEq, Eq)]
pub struct PauseNote(Arc<str>);

/// Why a text is no note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadNote {
    /// More than [`PauseNote::MAX_CHARS`] characters.
    TooLong,
    /// A line end or another control character.
    ControlCharacter,
}

impl PauseNote {
    /// Longest note.
    pub const MAX_CHARS: usize = 500;

    /// No words.
    pub fn none() -> Self {
        Self(Arc::from(""))
    }

    /// A note of this text, without white space around it.
    ///
    /// # Errors
    /// When it is too long, or would not stay on its line.
    pub fn parse(text: &str) -> Result<Self, BadNote> {
        let text = text.trim();
        if text.chars().any(|letter| letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}')) {
            return Err(BadNote::ControlCharacter);
        }
        if text.chars().count() > Self::MAX_CHARS {
            return Err(BadNote::TooLong);
        }
        Ok(Self(Arc::from(text)))
    }

    /// The words; `None` when there are none.
    pub fn words(&self) -> Option<&str> {
        Some(&*self.0).filter(|words| !words.is_empty())
    }
}

impl fmt::Debug for PauseNote {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PauseNote({} bytes)", self.0.len())
    }
}

impl fmt::Display for BadNote {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(formatter, "it has more than {} characters", PauseNote::MAX_CHARS),
            Self::ControlCharacter => formatter.write_str("it holds a line end or another control character"),
        }
    }
}

impl std::error::Error for BadNote {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_one_line_of_bounded_length_and_not_shown_by_debug() {
        let longest = "é".repeat(PauseNote::MAX_CHARS);

        for (text, words) in
            [("", None), (" \n ", None), (" until noon\n", Some("until noon")), (&longest, Some(&*longest))]
        {
            assert_eq!(PauseNote::parse(text).unwrap().words(), words);
        }
        assert_eq!(PauseNote::parse(&format!("{longest}e")), Err(BadNote::TooLong));
        for text in ["two\nlines", "\u{1b}[31mred", "nul\0", "line\u{2028}separator", "next\u{85}line"] {
            assert_eq!(PauseNote::parse(text), Err(BadNote::ControlCharacter), "{text:?}");
        }
        assert_eq!(format!("{:?}", PauseNote::parse("secret").unwrap()), "PauseNote(6 bytes)");
    }
}
