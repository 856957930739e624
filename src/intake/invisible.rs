//! Characters that show nothing, and the text without them at its ends.
//!
//! The set is `White_Space` (PropList.txt) and `Default_Ignorable_Code_Point` (DerivedCoreProperties.txt) of
//! Unicode 17: white space, zero-width characters, byte order marks, marks of writing direction, fillers,
//! tags, variation selectors. Added are the marks of interlinear annotations, and characters whose picture is
//! blank: of Braille, Egyptian hieroglyphs, the Khitan script and music.

/// Whether a character shows nothing by itself.
pub(super) fn is_invisible(character: char) -> bool {
    match character {
        '!'..='~' => false,
        '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'..='\u{1160}'
        | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{2800}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{13441}'..='\u{13442}'
        | '\u{16fe4}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d159}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}' => true,
        other => other.is_whitespace(),
    }
}

/// The text from its first to its last character that shows.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches(is_invisible)
}

/// Whether a text shows nothing: it is empty, or made of invisible characters alone.
pub fn is_blank(text: &str) -> bool {
    text.chars().all(is_invisible)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shows_nothing_is_trimmed_at_both_ends_and_kept_inside() {
        for hidden in [
            ' ',
            '\t',
            '\n',
            '\u{b}',
            '\r',
            '\u{85}',
            '\u{a0}',
            '\u{ad}',
            '\u{61c}',
            '\u{1680}',
            '\u{180e}',
            '\u{2003}',
            '\u{200b}',
            '\u{200c}',
            '\u{200d}',
            '\u{200e}',
            '\u{200f}',
            '\u{2028}',
            '\u{202a}',
            '\u{202c}',
            '\u{202f}',
            '\u{205f}',
            '\u{2060}',
            '\u{2066}',
            '\u{2069}',
            '\u{3000}',
            '\u{feff}',
            '\u{fe0f}',
            '\u{fff9}',
            '\u{e0020}',
            '\u{e0100}',
            '\u{180b}',
            '\u{180f}',
            '\u{2800}',
            '\u{13441}',
            '\u{16fe4}',
            '\u{1d159}',
        ] {
            assert_eq!(
                trim(&format!("{hidden}{hidden}a{hidden}b{hidden}")),
                format!("a{hidden}b"),
                "{hidden:?}"
            );
            assert!(is_blank(&format!("{hidden} {hidden}")), "{hidden:?}");
        }
    }

    #[test]
    fn what_shows_is_kept() {
        for shown in ['!', '~', '\0', '\u{1f}', '\u{7f}', 'é', '\u{300}', '\u{600}', '\u{2010}', '中'] {
            assert!(!is_invisible(shown), "{shown:?}");
        }
    }
}
