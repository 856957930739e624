//! Colours for a terminal, and how a text from a list is shown.
//!
//! Knows the four styles of the demo and when there are none: no terminal, `NO_COLOR`, a dumb terminal.

use std::{env, ffi::OsStr};

/// Puts words into colour, or leaves them as they are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint {
    on: bool,
}

impl Paint {
    /// No colours.
    #[cfg(test)]
    pub(super) const PLAIN: Self = Self { on: false };

    /// Colours when the output `is_terminal` and the user did not ask for none (<https://no-color.org>).
    pub(super) fn new(is_terminal: bool) -> Self {
        let refused = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = env::var_os("TERM").is_some_and(|term| term == OsStr::new("dumb"));
        Self { on: is_terminal && !refused && !dumb }
    }

    /// Whether there are colours.
    pub(super) fn is_on(self) -> bool {
        self.on
    }

    pub(super) fn bold(self, text: &str) -> String {
        self.style("1", text)
    }

    pub(super) fn dim(self, text: &str) -> String {
        self.style("2", text)
    }

    pub(super) fn red(self, text: &str) -> String {
        self.style("31", text)
    }

    pub(super) fn green(self, text: &str) -> String {
        self.style("32", text)
    }

    pub(super) fn yellow(self, text: &str) -> String {
        self.style("33", text)
    }

    fn style(self, code: &str, text: &str) -> String {
        if self.on { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// A text from a list on at most `width` columns; quoted when it could be overlooked or misread.
pub(super) fn shown(text: &str, width: usize) -> String {
    let plain = !text.is_empty() && text.chars().all(|letter| letter.is_ascii_graphic());
    let text = if plain { text.to_owned() } else { format!("{text:?}") };
    if text.chars().count() <= width {
        return text;
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_be_overlooked_is_quoted_and_what_is_long_is_cut() {
        assert_eq!(shown("a@example.com", 20), "a@example.com");
        assert_eq!(shown("", 20), "\"\"");
        assert_eq!(shown("a b\u{7}", 20), "\"a b\\u{7}\"");
        assert_eq!(shown("a@example.com", 6), "a@exa…");
    }

    #[test]
    fn without_colours_words_stay_as_they_are() {
        assert_eq!(Paint::PLAIN.red("no"), "no");
        assert_eq!(Paint { on: true }.red("no"), "\x1b[31mno\x1b[0m");
    }
}
