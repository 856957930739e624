//! Header values that are lists: of elements between commas, of parameters between semicolons.
//!
//! A quoted string (RFC 9110, 5.6.4) is one piece, whatever stands in it; one that is never closed lasts to the end
//! of the value. Knows no header by name.

use std::borrow::Cow;

/// The pieces of a value between the separators that stand outside of quoted strings, without the white space
/// around them. Empty ones are left out.
pub(super) fn split(value: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let is_border = move |letter: char| {
        if is_escaped {
            is_escaped = false;
        } else if is_quoted && letter == '\\' {
            is_escaped = true;
        } else if letter == '"' {
            is_quoted = !is_quoted;
        } else {
            return letter == separator && !is_quoted;
        }
        false
    };
    value.split(is_border).map(|piece| piece.trim_matches([' ', '\t'])).filter(|piece| !piece.is_empty())
}

/// A parameter as name and value; the value of one without `=` is empty. Quotes around it are taken away.
pub(super) fn parameter(piece: &str) -> (&str, Cow<'_, str>) {
    let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
    (name.trim_matches([' ', '\t']), unquote(value.trim_matches([' ', '\t'])))
}

fn unquote(value: &str) -> Cow<'_, str> {
    let Some(quoted) = value.strip_prefix('"') else { return value.into() };
    let quoted = quoted.strip_suffix('"').unwrap_or(quoted);
    if !quoted.contains('\\') {
        return quoted.into();
    }
    let mut letters = quoted.chars();
    let mut text = String::with_capacity(quoted.len());
    while let Some(letter) = letters.next() {
        text.extend(if letter == '\\' { letters.next() } else { Some(letter) });
    }
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_in_quoted_strings_separate_nothing() {
        for (value, pieces) in [
            ("a, b;c=d ,,", vec!["a", "b;c=d"]),
            (r#"foo="a, wait=7""#, vec![r#"foo="a, wait=7""#]),
            (r#"foo="a\", wait=7", b"#, vec![r#"foo="a\", wait=7""#, "b"]),
            (r#"foo="a\\", wait=7"#, vec![r#"foo="a\\""#, "wait=7"]),
            (r#"foo="a, wait=7"#, vec![r#"foo="a, wait=7"#]),
            (r"a\, b", vec![r"a\", "b"]),
            ("", vec![]),
        ] {
            assert_eq!(split(value, ',').collect::<Vec<_>>(), pieces, "{value}");
        }
    }

    #[test]
    fn a_parameter_is_read_with_or_without_quotes() {
        for (piece, name, value) in [
            ("wait=7", "wait", "7"),
            ("wait = 7", "wait", "7"),
            (r#"wait="7""#, "wait", "7"),
            (r#"a="b\"c\\d""#, "a", r#"b"c\d"#),
            ("respond-async", "respond-async", ""),
            (r#"a="b"#, "a", "b"),
        ] {
            assert_eq!(parameter(piece), (name, value.into()), "{piece}");
        }
    }
}
