//! Where the elements of a body go, one after the other, in the caller's order.

use thiserror::Error;

/// Most bytes of an element that are kept; what is longer is cut here and is no address.
pub const ELEMENT_BYTES: usize = 1024;

/// Takes the elements of a body as the parser finds them.
///
/// The parser may still find a fault after any number of elements: nothing may be acted upon before
/// the whole body was read.
pub trait Sink {
    /// Takes the next element: the text as the caller wrote it, or with `too_long` its first
    /// [`ELEMENT_BYTES`], cut between two characters.
    ///
    /// # Errors
    /// [`Full`] stops the parser for good.
    fn element(&mut self, text: &str, too_long: bool) -> Result<(), Full>;
}

/// Why a sink takes no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Full {
    /// The list holds more addresses than may be posted at once.
    #[error("the list holds more than {limit} addresses")]
    TooManyAddresses {
        /// The most that is taken.
        limit: u64,
    },
    /// The memory set aside for lists is used up.
    #[error("no memory is left for this list")]
    Memory,
}

/// The part of an element that is kept, and whether that is not all of it.
pub(super) fn cut(text: &str) -> (&str, bool) {
    if text.len() <= ELEMENT_BYTES { (text, false) } else { (prefix(text, ELEMENT_BYTES), true) }
}

/// The longest prefix of whole characters with at most `bytes` bytes.
pub(super) fn prefix(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_two_characters() {
        let text = format!("{}é", "x".repeat(ELEMENT_BYTES - 1));

        assert_eq!(cut(&text), (&text[..ELEMENT_BYTES - 1], true));
    }

    #[test]
    fn a_text_that_just_fits_is_whole() {
        let text = format!("{}é", "x".repeat(ELEMENT_BYTES - 2));

        assert_eq!(cut(&text), (text.as_str(), false));
    }
}
