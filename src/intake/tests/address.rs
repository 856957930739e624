//! Addresses against a table of the contract's reasons and against a plain reading of the rules.

use std::collections::HashSet;

use proptest::prelude::*;

use crate::domain::InvalidReason::{self, *};
use crate::intake::{Address, invisible::is_invisible};

#[rustfmt::skip]
const TABLE: [(InvalidReason, &[&str]); 5] = [
    (Empty, &["", " ", "\t\r\n\u{c} ", "\u{a0}", "\u{b}\u{85}", "\u{feff}\u{200b}\u{2060} \u{3000}"]),
    (NoAtSign, &["nobody", "not an address", "\"", "a.example.com", "a＠example.com"]),
    (BadLocalPart, &[
        "@", "@example.com", ".a@example.com", "a.@example.com", "a..b@example.com", "ü@example.com", "@.",
        "a(b)@example.com", "a\\b@example.com", "a:b@example.com", "a[b]@example.com",
    ]),
    (BadDomain, &[
        "a@", "a@localhost", "a@.com", "a@example.", "a@example..com", "a@-x.com", "a@x-.com", "a@x_y.com",
        "a@127.0.0.1", "a@example.123", "a@[127.0.0.1]", "a@exa(mple).com", "a@exam\\ple.com", "a@example.com:25",
        "a@ex\u{2024}ample\u{ff0f}.com", "a@xn--ü.com", "a@ü", "a@ü.1", "a@ü.com。", "a@ü_.com",
    ]),
    (BadCharacter, &[
        "a\0@example.com", "\u{0}", "a\nb", "a@example.com\u{7f}", "a@exam\rple.com", "a\u{85}@example.com",
        "a b@example.com", "a@exam ple.com", "a@b@example.com", "@@", "Ann <a@example.com>", "\"a\"@example.com",
        "a@example.com,b@example.com", "a@example.com;", "ann@exam\u{200b}ple.com", "a\u{a0}b@example.com",
        "a\u{feff}@example.com", "a@\u{202e}.com", "a@exam\u{ad}ple.com", "a@exam\u{2028}ple.com", "a@exam\u{fe0f}ple.com", "a\u{200d}@example.com",
        "a@ä\u{fe0f}mple.com", "a@i❤\u{fe0f}.example", "a@exam\u{2800}ple.com", "a@exam\u{1d159}ple.com", "a@exam\u{16fe4}ple.com",
    ]),
];

#[test]
fn each_text_has_the_one_reason_of_the_contract() {
    for (reason, texts) in TABLE {
        for text in texts {
            assert_eq!(Address::parse(text).map(|_| ()), Err(reason), "{text:?}");
        }
    }
}

#[test]
fn every_part_has_its_longest_length() {
    let (local, label) = (|length| "a".repeat(length), |length| "b".repeat(length));
    let domain = |last| format!("{0}.{0}.{1}", label(63), label(last));
    let table = [
        (" ".repeat(1025), Err(TooLong)),
        (" ".repeat(1024), Err(Empty)),
        (" ".repeat(1019) + "a@b.c", Ok(())),
        (" ".repeat(1020) + "a@b.c", Err(TooLong)),
        (format!("{}@example.com", local(64)), Ok(())),
        (format!("{}@example.com", local(65)), Err(BadLocalPart)),
        (format!("a@{}.com", label(63)), Ok(())),
        (format!("a@{}.com", label(64)), Err(BadDomain)),
        (format!(" {}@{} ", local(64), domain(61)), Ok(())),
        (format!(" {}@{} ", local(64), domain(62)), Err(TooLong)),
        (local(254), Err(NoAtSign)),
        (local(255), Err(TooLong)),
    ];
    for (text, answer) in table {
        assert_eq!(Address::parse(&text).map(|_| ()), answer, "{text:?}");
    }
}

#[test]
fn the_send_form_is_trimmed_and_its_domain_is_lower_case_ascii() {
    let labels = format!("{0}.{0}.{1}", "b".repeat(63), "c".repeat(61));
    let longest = format!("{}@{labels}", "a".repeat(64));
    assert_eq!(longest.len(), 254);
    let table = [
        ("a@b.c", "a", "b.c"),
        (" \t\r\nAnn.Lee+x@Example.COM \u{c}", "Ann.Lee+x", "example.com"),
        ("\u{feff}ann@example.com\u{a0}", "ann", "example.com"),
        ("\u{fe0f}ann@example.com\u{fe0f}", "ann", "example.com"),
        ("\u{202a}ann@example.com\u{202c}", "ann", "example.com"),
        ("\u{200b} ann@example.com\u{200d}\u{3000}", "ann", "example.com"),
        ("a@i❤.example", "a", "xn--i-7iq.example"),
        ("\u{16fe4}ann@example.com\u{2800}\u{1d159}", "ann", "example.com"),
        ("!#$%&'*+-/=?^_`{|}~@x.co", "!#$%&'*+-/=?^_`{|}~", "x.co"),
        ("o'brien@a-b.c--d.e1", "o'brien", "a-b.c--d.e1"),
        ("1@1.1a", "1", "1.1a"),
        ("A@XN--BCHER-KVA.example", "A", "xn--bcher-kva.example"),
        ("A@Bücher.Example", "A", "xn--bcher-kva.example"),
        ("a@ｅxample。com", "a", "example.com"),
        ("a@faß.de", "a", "xn--fa-hia.de"),
        ("a@例え.テスト", "a", "xn--r8jz45g.xn--zckzah"),
        (longest.as_str(), &longest[..64], labels.as_str()),
    ];
    for (text, local, domain) in table {
        let address = Address::parse(text).unwrap();

        assert_eq!((address.local_part(), address.domain()), (local, domain));
        assert_eq!(address.as_str(), format!("{local}@{domain}"));
        assert_eq!(Address::parse(address.as_str()), Ok(address), "the send form is an address");
    }
}

#[test]
fn an_address_that_idna_makes_too_long_is_too_long() {
    let text = |labels: usize| format!("{}@{}.com", "a".repeat(42), vec!["ü"; labels].join("."));

    assert_eq!(Address::parse(&text(26)).map(|address| address.as_str().len()), Ok(254));
    assert_eq!(Address::parse(&("a".to_owned() + &text(26))), Err(TooLong));
    assert_eq!(Address::parse(&text(60)), Err(TooLong));
}

#[test]
fn an_address_that_was_accepted_before_is_sent_as_it_was_then() {
    for text in ["ann@exam\u{200b}ple.com", "ann@example.com\u{ad}", "ann@example.com"] {
        assert_eq!(Address::parse_accepted(text).unwrap().as_str(), "ann@example.com", "{text:?}");
    }
    assert_eq!(Address::parse_accepted("a b@example.com"), Err(BadCharacter));
}

#[test]
fn an_address_does_not_show_itself() {
    assert_eq!(format!("{:?}", Address::parse("secret@example.com").unwrap()), "Address(..)");
}

/// The rules of libraries.md section 9, read as plainly as possible.
fn model(text: &str) -> Result<String, InvalidReason> {
    let trimmed = text.trim_matches(is_invisible);
    if text.len() > 1024 || trimmed.len() > 254 {
        return Err(TooLong);
    }
    if trimmed.is_empty() {
        return Err(Empty);
    }
    let has = |unwanted: &dyn Fn(char) -> bool| trimmed.chars().any(unwanted);
    if has(&char::is_control) {
        return Err(BadCharacter);
    }
    let sides: Vec<&str> = trimmed.split('@').collect();
    if sides.len() == 1 {
        return Err(NoAtSign);
    }
    let is_hidden = |side: &str, but: &[char]| side.replace(but, "").chars().any(is_invisible);
    if sides.len() > 2
        || has(&|character| "\",;<>".contains(character))
        || is_hidden(sides[0], &[])
        || is_hidden(sides[1], &['\u{200c}', '\u{200d}'])
    {
        return Err(BadCharacter);
    }
    let is_atom = |atom: &str| {
        let fits = |character: char| character.is_ascii_graphic() && !"\"(),.:;<>@[\\]".contains(character);
        !atom.is_empty() && atom.chars().all(fits)
    };
    if sides[0].len() > 64 || !sides[0].split('.').all(is_atom) {
        return Err(BadLocalPart);
    }
    let domain = if sides[1].is_ascii() {
        sides[1].to_ascii_lowercase()
    } else {
        idna::domain_to_ascii(sides[1]).map_err(|_| BadDomain)?
    };
    let labels: Vec<&str> = domain.split('.').collect();
    let is_label = |label: &&str| {
        let fits = |character: char| character.is_ascii_alphanumeric() || character == '-';
        (1..64).contains(&label.len()) && label.chars().all(fits) && label.trim_matches('-') == *label
    };
    if sides[0].len() + 1 + domain.len() > 254 {
        return Err(TooLong);
    }
    let is_host = labels.len() > 1 && labels.iter().all(is_label);
    let is_number = |label: &str| label.chars().all(|character| character.is_ascii_digit());
    if !is_host || is_number(labels[labels.len() - 1]) {
        return Err(BadDomain);
    }
    Ok(format!("{}@{domain}", sides[0]))
}

fn candidate() -> impl Strategy<Value = String> {
    let part = "[aB1.+_'-]{0,5}|[a-z]{62,66}|[a-z]{1,3}\\.[a-z]{2}";
    let plain =
        (part, "@|@|@|@@| @|", "([a-cX1-]{1,3}\\.){0,3}[a-cX12-]{0,3}|([a-z]{60,64}\\.){3}[a-z]{50,64}");
    let wide = (
        "[a-c]{1,2}",
        Just("@".to_owned()),
        "[a-büß例.。ａ\u{a0}\u{ad}\u{200b}\u{200d}\u{300}-]{1,8}|[a-c]{1,2}[❤b]\u{fe0f}[a-c]{0,2}\\.(com|ü|1)",
    );
    let noise = "[ \t\n\u{c}\u{a0}\u{feff}]{0,2}[aA1.@ \"<>,;:()\\[\\]\\\\\u{0}\u{7f}\u{85}\u{a0}éü-]{0,10}[ \r\n]{0,2}";
    prop_oneof![
        4 => plain.prop_map(|(local, at, domain)| local + &at + &domain),
        2 => wide.prop_map(|(local, at, domain)| local + &at + &domain),
        2 => noise,
        1 => "[a-z]{0,4}@?[ ]{1015,1030}",
        1 => "[a-z.]{180,200}@[a-z.]{50,60}\\.com",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn a_text_is_what_the_rules_say(text in candidate()) {
        prop_assert_eq!(Address::parse(&text).map(|address| address.as_str().to_owned()), model(&text));
    }

    #[test]
    fn any_text_at_all_has_an_answer(text in any::<String>()) {
        prop_assert_eq!(Address::parse(&text).map(|address| address.as_str().to_owned()), model(&text));
    }
}

#[test]
fn every_ascii_character_stands_where_the_rules_say() {
    let mut allowed = HashSet::new();
    for byte in 0..128_u8 {
        let character = char::from(byte);
        for text in [format!("a{character}b@example.com"), format!("a@exam{character}ple.com")] {
            let answer = Address::parse(&text);
            assert_eq!(answer.clone().map(|address| address.as_str().to_owned()), model(&text), "{text:?}");
            if answer.is_ok() {
                allowed.insert((character, text.starts_with("a@")));
            }
        }
    }
    assert_eq!(allowed.iter().filter(|(_, in_domain)| *in_domain).count(), 26 * 2 + 10 + 2);
    assert_eq!(allowed.iter().filter(|(_, in_domain)| !*in_domain).count(), 26 * 2 + 10 + 20);
}
