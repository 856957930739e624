//! Keeps the beginning of one element while the rest of it is still on its way.
//!
//! Owns at most [`KEPT_BYTES`] of text, which it shows to no log: enough to cut the element where [`Sink`] promises it, plus one
//! character to see whether it is too long. The rest is dropped, and only remembered as dropped.

use std::fmt;

use super::column_name;
use super::invisible::is_blank;
use super::sink::{ELEMENT_BYTES, Full, Sink, cut, prefix};

/// One more character shows that an element is too long.
const KEPT_BYTES: usize = ELEMENT_BYTES + 4;

/// The beginning of an element, from pieces.
#[derive(Default)]
pub(super) struct Carry {
    text: String,
    dropped: Dropped,
}

/// What stood behind the text that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Dropped {
    #[default]
    Nothing,
    Blank,
    Text,
}

/// A complete element: borrowed from the body where it stands in one piece, else from the carry.
#[derive(Clone, Copy)]
pub(super) struct Element<'text> {
    text: &'text str,
    dropped: Dropped,
}

impl Carry {
    /// Adds the next part of the element.
    pub(super) fn push(&mut self, part: &str) {
        let mut rest = part;
        if self.dropped == Dropped::Nothing {
            let kept = prefix(part, KEPT_BYTES - self.text.len());
            self.text.push_str(kept);
            rest = &part[kept.len()..];
        }
        if rest.is_empty() || self.dropped == Dropped::Text {
            return;
        }
        self.dropped = if is_blank(rest) { Dropped::Blank } else { Dropped::Text };
    }

    /// Adds one character.
    pub(super) fn push_char(&mut self, character: char) {
        self.push(character.encode_utf8(&mut [0; 4]));
    }

    /// Completes the element with its last part; without earlier parts nothing is copied.
    pub(super) fn join<'text>(&'text mut self, last: &'text str) -> Element<'text> {
        if self.text.is_empty() {
            return Element { text: last, dropped: Dropped::Nothing };
        }
        self.push(last);
        Element { text: &self.text, dropped: self.dropped }
    }

    /// Makes room for the next element.
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.dropped = Dropped::Nothing;
    }

    /// Heap bytes it holds.
    pub(super) fn bytes(&self) -> usize {
        self.text.capacity()
    }
}

impl fmt::Debug for Carry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Carry(..)")
    }
}

impl<'text> Element<'text> {
    /// Whether it is empty or shows nothing.
    pub(super) fn is_blank(self) -> bool {
        self.dropped != Dropped::Text && is_blank(self.text)
    }

    /// Whether it is this word.
    pub(super) fn is(self, word: &str) -> bool {
        self.text == word
    }

    /// Whether it is a name of the column with the addresses.
    pub(super) fn is_email_column(self) -> bool {
        self.dropped != Dropped::Text && column_name::is_email_column(self.text)
    }

    /// The part of it that is kept.
    pub(super) fn text(self) -> &'text str {
        self.text
    }

    /// Hands it to the sink, cut to what an element may have.
    pub(super) fn send(self, sink: &mut impl Sink) -> Result<(), Full> {
        let (text, too_long) = cut(self.text);
        sink.element(text, too_long)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Seen(Vec<(String, bool)>);

    impl Sink for Seen {
        fn element(&mut self, text: &str, too_long: bool) -> Result<(), Full> {
            self.0.push((text.to_owned(), too_long));
            Ok(())
        }
    }

    fn sent(parts: &[&str], last: &str) -> (String, bool) {
        let (mut carry, mut seen) = (Carry::default(), Seen(Vec::new()));
        for part in parts {
            carry.push(part);
        }
        carry.join(last).send(&mut seen).unwrap();
        seen.0.remove(0)
    }

    #[test]
    fn parts_and_whole_are_cut_alike() {
        for length in 1000..1040 {
            let text = format!("{}ééé", "x".repeat(length));
            for split in (0..=text.len()).filter(|at| text.is_char_boundary(*at)) {
                assert_eq!(sent(&[&text[..split]], &text[split..]), sent(&[], &text), "{length} {split}");
            }
        }
    }

    #[test]
    fn what_was_dropped_is_bounded_and_still_seen() {
        let (mut white, mut text) = (Carry::default(), Carry::default());
        for _ in 0..10_000 {
            white.push(" \u{a0}\u{200b}");
            text.push(" \u{a0}\u{200b}");
        }
        text.push("x");
        text.push(" ");

        assert!(white.bytes() <= 2 * KEPT_BYTES, "{}", white.bytes());
        assert!(white.join("").is_blank());
        assert!(!text.join("").is_blank());
    }
}
