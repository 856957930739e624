//! Which names a column of addresses may have.

use super::invisible::{is_invisible, trim};

/// The name that wins when several columns could hold the addresses.
const EXACT: &str = "email";
/// The names without the spaces, underscores and hyphens in them.
const NAMES: [&[u8]; 3] = [b"email", b"emailaddress", b"mail"];
const LONGEST: usize = 12;

/// Whether a column with this name holds the addresses: `email`, `e-mail`, `email address`, `e-mail address`
/// or `mail`, in any case, with spaces, `_` and `-` alike or left out.
pub(super) fn is_email_column(name: &str) -> bool {
    let (mut word, mut length) = ([0; LONGEST], 0);
    for character in name.chars() {
        if is_invisible(character) || matches!(character, '_' | '-' | '\u{2010}'..='\u{2015}') {
            continue;
        }
        if !character.is_ascii() || length == LONGEST {
            return false;
        }
        word[length] = character.to_ascii_lowercase() as u8;
        length += 1;
    }
    NAMES.contains(&&word[..length])
}

/// Whether it is called `email` and nothing else, in any case.
pub(super) fn is_exact(name: &str) -> bool {
    trim(name).eq_ignore_ascii_case(EXACT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_the_contract_are_known_in_any_dress() {
        for name in [
            "email",
            "EMail",
            "e-mail",
            "E_Mail",
            "e mail",
            "Email Address",
            "email_address",
            "E-mail Address",
            "e-mail-address",
            "EmailAddress",
            "mail",
            "MAIL",
            "\u{a0}email\u{a0}",
            "\u{feff}e\u{2011}mail",
            "E\u{a0}Mail",
        ] {
            assert!(is_email_column(name), "{name:?}");
        }
        for name in ["", "-", "emails", "mailbox", "email 2", "address", "é-mail", "email addresses", "mail@"]
        {
            assert!(!is_email_column(name), "{name:?}");
        }
        assert!(is_exact(" EMAIL\u{a0}") && !is_exact("e-mail"));
    }
}
