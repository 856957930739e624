//! Matching an address against a pattern with `*`.
//!
//! Works on lower-cased text, without backtracking over more than one star: a client cannot make it slow.

/// Whether `text` has the form of `pattern`, where each `*` stands for any text, the empty one included.
/// Both must be lower-cased already.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut left) = text.strip_prefix(start) else {
        return false;
    };
    let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
    for piece in middle.split('*') {
        let Some(at) = left.find(piece) else {
            return false;
        };
        left = &left[at + piece.len()..];
    }
    left.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_pattern_without_a_star_is_the_whole_address() {
        assert!(matches("a@b.example", "a@b.example"));
        assert!(!matches("a@b.example", "aa@b.example"));
        assert!(!matches("a@b.example", "a@b.example.org"));
        assert!(!matches("", "a"));
    }

    #[test]
    fn stars_stand_for_any_text() {
        for pattern in ["*", "**", "*@b.example", "a*", "a*e", "*@*.example", "a@b.example*", "*a*@*b*"] {
            assert!(matches(pattern, "a@b.example"), "{pattern}");
        }
        for pattern in ["*@c.example", "b*", "*x", "a*z*e", "*b*@*", "a@b.example*e"] {
            assert!(!matches(pattern, "a@b.example"), "{pattern}");
        }
    }

    #[test]
    fn the_pieces_of_a_pattern_never_share_a_letter() {
        assert!(!matches("ab*ba", "aba"));
        assert!(!matches("*ab*ba*", "aba"));
        assert!(matches("ab*ba", "abba"));
    }
}
