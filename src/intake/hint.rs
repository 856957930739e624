//! What an element that is no address holds besides: a few words for its caller, found again whenever they are
//! shown, so that a long list keeps none of them.

use crate::domain::InvalidReason;

use super::address::Parts;
use super::invisible::{is_invisible, trim};

const SEVERAL: &str = "several addresses stand here; list each of them by itself";
const NAMED: &str = "a name and an address stand here; give the address alone";
const QUOTED: &str = "quotes stand around the address; leave them out";
const BESIDE: &str = "something stands beside the address; give the address alone";
const JOINED: &str = "several @ stand here: were line ends lost (curl: use --data-binary)?";
const INVISIBLE: &str = "an invisible character stands inside; type it anew";
const MAILTO: &str = "leave out `mailto:`";

/// What `text`, which is no address for this reason, seems to hold; `None` when the reason says it all.
pub fn hint(text: &str, reason: InvalidReason) -> Option<&'static str> {
    match reason {
        InvalidReason::Empty | InvalidReason::NoAtSign => None,
        InvalidReason::TooLong
        | InvalidReason::BadLocalPart
        | InvalidReason::BadDomain
        | InvalidReason::BadCharacter => {
            let text = trim(text);
            quoted(text)
                .or_else(|| beside(text))
                .or_else(|| joined(text))
                .or_else(|| mailto(text))
                .or_else(|| hidden(text))
        }
    }
}

fn quoted(text: &str) -> Option<&'static str> {
    let bare = text.trim_matches(|one| matches!(one, '"' | '\'' | '“' | '”' | '„' | '‘' | '’'));
    (bare != text && is_address(bare)).then_some(QUOTED)
}

/// Something that stands beside an address.
fn beside(text: &str) -> Option<&'static str> {
    let parts = || text.split(is_between).filter(|part| part.contains('@'));
    let address = parts().find(|part| is_address(part))?;
    if parts().count() > 1 {
        Some(SEVERAL)
    } else if text.contains('<') {
        Some(NAMED)
    } else {
        (text != address).then(|| hidden(text).unwrap_or(BESIDE))
    }
}

fn is_between(character: char) -> bool {
    character.is_whitespace()
        || matches!(character, ',' | ';' | '|' | '<' | '>' | '(' | ')' | '"' | '“' | '”' | '„')
}

/// Addresses with nothing between them: a domain stands before each further `@`.
fn joined(text: &str) -> Option<&'static str> {
    let mut domains = text.split('@').skip(1).peekable();
    let mut found = false;
    while let Some(domain) = domains.next() {
        if domains.peek().is_none() {
            break;
        }
        if !domain.contains('.') {
            return None;
        }
        found = true;
    }
    found.then_some(JOINED)
}

fn mailto(text: &str) -> Option<&'static str> {
    let (scheme, address) = text.split_at_checked("mailto:".len())?;
    (scheme.eq_ignore_ascii_case("mailto:") && is_address(address)).then_some(MAILTO)
}

/// What the caller can't see.
fn hidden(text: &str) -> Option<&'static str> {
    text.chars().any(|character| !character.is_ascii() && is_invisible(character)).then_some(INVISIBLE)
}

fn is_address(text: &str) -> bool {
    Parts::scan(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::Address;

    fn hint_of(text: &str) -> Option<&'static str> {
        hint(text, Address::parse(text).unwrap_err())
    }

    #[test]
    fn what_stands_beside_an_address_is_named() {
        for (text, expected) in [
            ("a@example.com; b@example.com", SEVERAL),
            ("a@example.com, b@example.com", SEVERAL),
            ("a@example.com b@example.com", SEVERAL),
            ("a@example.com\nb@example.com", SEVERAL),
            ("a@example.com;b@", SEVERAL),
            ("Ann <a@example.com>, Bob <b@example.com>", SEVERAL),
            ("Ann <a@example.com>", NAMED),
            ("<a@example.com>", NAMED),
            ("\"Lee, Ann\" <a@example.com>", NAMED),
            ("\"a@example.com\"", QUOTED),
            ("“a@example.com”", QUOTED),
            ("'a@example.com'", QUOTED),
            ("a@example.com;", BESIDE),
            ("a@example.com;Ann", BESIDE),
            ("a@example.com (Ann)", BESIDE),
            ("ann b@example.com", BESIDE),
            ("a@example.comb@example.com", JOINED),
            ("MailTo:a@example.com", MAILTO),
            ("ann@exam\u{200b}ple.com", INVISIBLE),
            ("an\u{a0}n@example.com", INVISIBLE),
        ] {
            assert_eq!(hint_of(text), Some(expected), "{text:?}");
        }
    }

    #[test]
    fn a_reason_that_says_it_all_needs_no_more_words() {
        for text in ["", "nobody", "a@", "a@@example.com", "a@b@example.com", "a\0@example.com"] {
            assert_eq!(hint_of(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_line_of_many_addresses_has_its_hint_though_it_was_cut() {
        let line = vec!["a@example.com"; 90].join(";");

        assert_eq!(hint(&line[..1024], InvalidReason::TooLong), Some(SEVERAL));
    }
}
