//! Decides what is an e-mail address: a plain one, as people type it, and nothing else.
//!
//! Refuses quoted local parts, display names, comments, address literals and single-label domains.
//! The reasons are looked for in this order, so that each text has exactly one:
//!
//! 1. `too_long`: over 1,024 bytes; `empty`: nothing that shows; `too_long`: over 254 bytes trimmed
//! 2. `bad_character`: a control character, wherever it stands
//! 3. `no_at_sign`
//! 4. `bad_character`: an invisible character inside (but joiners in a domain, which IDNA judges), `"`, `,`, `;`, `<`, `>` or a second `@`
//! 5. `bad_local_part`: no ASCII dot-atom of 1 to 64 bytes
//! 6. `bad_domain`: not ASCII, and IDNA (UTS 46) makes no ASCII of it; `too_long`: over 254 bytes by that
//! 7. `bad_domain`: no host name of at least two labels, the last not all digits

use std::{borrow::Cow, fmt};

use crate::domain::InvalidReason;

use super::invisible::{is_invisible, trim};
use super::sink::ELEMENT_BYTES;

/// Most bytes of an address (RFC 5321: a path of 256 bytes less its angle brackets).
pub(super) const ADDRESS_BYTES: usize = 254;
const LOCAL_PART_BYTES: usize = 64;
const LABEL_BYTES: usize = 63;

/// Classes of bytes, as bits.
const CONTROL: u8 = 1;
const SEPARATOR: u8 = 2;
const NOT_ASCII: u8 = 4;
const ATOM: u8 = 8;
const LETTER_OR_DIGIT: u8 = 16;
const CLASSES: [u8; 256] = classes();

/// A valid e-mail address in the form it is sent in: trimmed, the domain in lower-case ASCII, the local
/// part as the caller wrote it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Address {
    text: String,
    at: usize,
}

/// The two sides of a valid address, borrowed; the case of an ASCII domain is still the caller's.
pub(super) struct Parts<'text> {
    pub(super) local: &'text str,
    pub(super) domain: Cow<'text, str>,
}

impl Address {
    /// Reads an address, with or without invisible characters around it.
    ///
    /// # Errors
    /// The one reason why `text` is no address.
    pub fn parse(text: &str) -> Result<Self, InvalidReason> {
        let parts = Parts::scan(text)?;
        let at = parts.local.len();
        let mut text = String::with_capacity(at + 1 + parts.domain.len());
        text.push_str(parts.local);
        text.push('@');
        text.push_str(&parts.domain);
        text[at..].make_ascii_lowercase();
        Ok(Self { text, at })
    }

    /// Reads an address that was judged when its list came in. Earlier versions let invisible characters
    /// stand inside a domain, and sent it without them: what they promised is sent as they did.
    ///
    /// # Errors
    /// The one reason why `text` never was an address.
    pub fn parse_accepted(text: &str) -> Result<Self, InvalidReason> {
        Self::parse(text).or_else(|reason| {
            let visible: String = text.chars().filter(|character| !is_invisible(*character)).collect();
            if text.is_ascii() { Err(reason) } else { Self::parse(&visible) }
        })
    }

    /// The whole address.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What stands before the `@`.
    pub fn local_part(&self) -> &str {
        &self.text[..self.at]
    }

    /// What stands behind the `@`.
    pub fn domain(&self) -> &str {
        &self.text[self.at + 1..]
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Address(..)")
    }
}

impl<'text> Parts<'text> {
    /// Finds the two sides of an address, without a copy when it is ASCII.
    pub(super) fn scan(text: &'text str) -> Result<Self, InvalidReason> {
        if text.len() > ELEMENT_BYTES {
            return Err(InvalidReason::TooLong);
        }
        let text = trim(text);
        if text.is_empty() {
            return Err(InvalidReason::Empty);
        }
        if text.len() > ADDRESS_BYTES {
            return Err(InvalidReason::TooLong);
        }
        let at = find_at_sign(text)?;
        let (local, domain) = (&text[..at], &text[at + 1..]);
        if !is_dot_atom(local.as_bytes()) {
            return Err(InvalidReason::BadLocalPart);
        }
        let domain = to_ascii(domain)?;
        if local.len() + 1 + domain.len() > ADDRESS_BYTES {
            return Err(InvalidReason::TooLong);
        }
        if !is_host_name(domain.as_bytes()) {
            return Err(InvalidReason::BadDomain);
        }
        Ok(Self { local, domain })
    }
}

/// Where the only `@` stands in a text without characters that no address has.
fn find_at_sign(text: &str) -> Result<usize, InvalidReason> {
    let (mut seen, mut at_signs, mut at) = (0, 0_u32, 0);
    for (position, byte) in text.bytes().enumerate() {
        seen |= CLASSES[usize::from(byte)];
        if byte == b'@' {
            at_signs += 1;
            at = position;
        }
    }
    let wide = seen & NOT_ASCII != 0;
    if seen & CONTROL != 0 || (wide && text.chars().any(char::is_control)) {
        return Err(InvalidReason::BadCharacter);
    }
    if at_signs == 0 {
        return Err(InvalidReason::NoAtSign);
    }
    if seen & SEPARATOR != 0 || at_signs > 1 || (wide && has_invisible(text, at)) {
        return Err(InvalidReason::BadCharacter);
    }
    Ok(at)
}

/// Whether an invisible character stands where none may. In a domain IDNA judges the two joiners.
fn has_invisible(text: &str, at: usize) -> bool {
    let (local, domain) = text.split_at(at);
    let is_misplaced = |one: char| is_invisible(one) && !matches!(one, '\u{200c}' | '\u{200d}');
    local.chars().any(is_invisible) || domain.chars().any(is_misplaced)
}

fn is_dot_atom(local: &[u8]) -> bool {
    let mut before = b'.';
    for &byte in local {
        let fits = if byte == b'.' { before != b'.' } else { CLASSES[usize::from(byte)] & ATOM != 0 };
        if !fits {
            return false;
        }
        before = byte;
    }
    before != b'.' && local.len() <= LOCAL_PART_BYTES
}

fn to_ascii(domain: &str) -> Result<Cow<'_, str>, InvalidReason> {
    if domain.is_ascii() {
        return Ok(Cow::Borrowed(domain));
    }
    idna::domain_to_ascii_cow(domain.as_bytes(), idna::AsciiDenyList::STD3)
        .map_err(|_| InvalidReason::BadDomain)
}

fn is_host_name(domain: &[u8]) -> bool {
    let (mut labels, mut last_is_number) = (0, false);
    for label in domain.split(|byte| *byte == b'.') {
        if !is_label(label) {
            return false;
        }
        labels += 1;
        last_is_number = label.iter().all(u8::is_ascii_digit);
    }
    labels >= 2 && !last_is_number
}

fn is_label(label: &[u8]) -> bool {
    let ([first, .., last] | [first @ last]) = label else {
        return false;
    };
    *first != b'-'
        && *last != b'-'
        && label.len() <= LABEL_BYTES
        && label.iter().all(|byte| *byte == b'-' || CLASSES[usize::from(*byte)] & LETTER_OR_DIGIT != 0)
}

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            0..0x20 | 0x7f => CONTROL,
            b' ' | b'"' | b',' | b';' | b'<' | b'>' => SEPARATOR,
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => LETTER_OR_DIGIT | ATOM,
            b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'/' | b'=' | b'?' | b'^'..=b'`' | b'{'..=b'~' => ATOM,
            0x80.. => NOT_ASCII,
            b'(' | b')' | b'.' | b':' | b'@' | b'[' | b'\\' | b']' => 0,
        };
        byte += 1;
    }
    table
}
