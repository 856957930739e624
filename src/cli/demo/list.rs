//! The shipped list: some 1,200 rows as a careless export would have them, the same at every run.
//!
//! Persons with addresses of example.com, .org and .net; among them repeats in other spellings, rows
//! that are no address, and people at left.example, whom the simulated fax.plus refuses. Pure.

/// Persons with a good address.
pub(super) const PERSONS: usize = 1_100;
/// People whom the simulated fax.plus refuses, as a pattern of its rules.
pub(super) const REFUSED: &str = "*@left.example";
/// A person whose first call the simulated fax.plus accepts and then answers with 500.
pub(super) const DOUBTFUL: usize = 614;

const REPEAT_EVERY: usize = 11;
/// So many persons on both sides of the doubtful one stand there once: whoever shares the call that ends in a doubt
/// is one row, and so as many rows are `unknown` as addresses.
const ONCE_AROUND: usize = 20;
const INVALID_EVERY: usize = 45;
const REFUSED_EVERY: usize = 92;

const DOMAINS: [&str; 3] = ["example.com", "example.org", "example.net"];
const FIRST_NAMES: [&str; 40] = [
    "ada", "aiko", "amara", "anna", "bela", "carlos", "chidi", "chloe", "dalia", "david", "elena", "emil",
    "fatima", "felix", "grace", "hana", "hugo", "ines", "ivan", "jana", "jonas", "kofi", "lars", "leila",
    "luca", "mara", "mateo", "mei", "nadia", "noah", "olga", "omar", "priya", "rosa", "samir", "sofia",
    "tariq", "tove", "yusuf", "zoe",
];
const LAST_NAMES: [&str; 30] = [
    "adeyemi",
    "andersson",
    "bauer",
    "becker",
    "costa",
    "dubois",
    "fischer",
    "garcia",
    "haddad",
    "horvat",
    "ivanova",
    "jensen",
    "keller",
    "kim",
    "lopez",
    "martin",
    "meyer",
    "mensah",
    "moreau",
    "nakamura",
    "novak",
    "okafor",
    "patel",
    "rossi",
    "silva",
    "smith",
    "tanaka",
    "virtanen",
    "weber",
    "yilmaz",
];
const INVALID: [&str; 24] = [
    "anna.keller",
    "Ann Smith <ann.smith@example.com>",
    "",
    "hugo..martin@example.com",
    "eva@localhost",
    "n/a",
    "mei tanaka@example.com",
    "luca.rossi.example.com",
    "rosa@example..com",
    "kofi@example.com; tove@example.com",
    "-",
    "@example.org",
    "Hello team, could you please send the fax invitation again to everybody in our Berlin office? Most of them \
     can't find it any more, and the link in the first one seems to have expired over the holidays. The list \
     of names is in the other sheet. Thank you, and have a good start!",
    "unknown",
    "noah@@example.net",
    ".jonas@example.com",
    "tba",
    "samir@example",
    "???",
    "olga.novak@example,com",
    "no longer with us",
    "zoe(weber)@example.com",
    "ivan@-example.com",
    "see above",
];

/// The rows, in order.
pub(super) fn rows() -> Vec<String> {
    let mut rows = Vec::new();
    let mut invalid = INVALID.iter();
    for number in 0..PERSONS {
        rows.push(person(number));
        if number % REPEAT_EVERY == REPEAT_EVERY - 1 {
            rows.push(again(repeated(number - REPEAT_EVERY / 2)));
        }
        if number % INVALID_EVERY == INVALID_EVERY / 2 {
            rows.extend(invalid.next().map(|text| (*text).to_owned()));
        }
        if number % REFUSED_EVERY == REFUSED_EVERY / 2 {
            rows.push(REFUSED.replace('*', &name(PERSONS + number / REFUSED_EVERY)));
        }
    }
    rows
}

/// The person who is repeated in place of this one.
fn repeated(number: usize) -> usize {
    if number.abs_diff(DOUBTFUL) > ONCE_AROUND { number } else { number - 4 * REPEAT_EVERY }
}

/// The address of a person.
pub(super) fn person(number: usize) -> String {
    format!("{}@{}", name(number), DOMAINS[number % DOMAINS.len()])
}

/// A name of its own for each of 1,200 numbers.
fn name(number: usize) -> String {
    let first = number % FIRST_NAMES.len();
    let last = (number / FIRST_NAMES.len() + first) % LAST_NAMES.len();
    format!("{}.{}", FIRST_NAMES[first], LAST_NAMES[last])
}

/// The same person in one of three spellings.
fn again(number: usize) -> String {
    let address = person(number);
    match number % 3 {
        0 => address,
        1 => address.to_uppercase(),
        _ => format!(" {address} "),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{domain::InvalidReason, intake::Address};

    #[test]
    fn the_list_is_as_long_and_as_mixed_as_the_demo_says() {
        let rows = rows();

        let refused = rows.iter().filter(|row| row.ends_with(&REFUSED[1..])).count();
        let good: Vec<_> = rows.iter().filter_map(|row| Address::parse(row).ok()).collect();
        let persons: BTreeSet<_> = good.iter().map(|address| address.as_str().to_lowercase()).collect();
        assert_eq!(rows.len(), 1_236);
        assert_eq!((refused, persons.len()), (12, PERSONS + 12));
        assert_eq!(good.len(), PERSONS + 100 + 12);
    }

    #[test]
    fn rows_and_addresses_differ_by_the_repeats_alone() {
        let written = |row: &String| row.trim().to_lowercase();
        let all: BTreeSet<_> = rows().iter().map(written).collect();
        let near = DOUBTFUL - ONCE_AROUND..=DOUBTFUL + ONCE_AROUND;

        assert_eq!(all.len(), 1_236 - 100);
        for address in near.map(person) {
            assert_eq!(rows().iter().map(written).filter(|row| *row == address).count(), 1, "{address}");
        }
    }

    #[test]
    fn every_way_to_be_no_address_is_shown() {
        let shown: BTreeSet<_> =
            INVALID.iter().map(|text| Address::parse(text).unwrap_err().as_str()).collect();

        assert_eq!(shown, InvalidReason::ALL.iter().map(|reason| reason.as_str()).collect());
    }

    #[test]
    fn nobody_real_is_on_it() {
        for address in rows().iter().filter_map(|row| Address::parse(row).ok()) {
            let domain = address.domain();
            assert!(DOMAINS.contains(&domain) || domain == &REFUSED[2..], "{domain}");
        }
    }
}
