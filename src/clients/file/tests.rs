//! What is read of the file, and what is told of one that can't be used.

use std::fmt::Write as _;

use super::*;
use crate::clients::{Limits, Rights};

const HASH: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const OTHER: &str = "sha256:ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb";
/// Stands where no token belongs; in every form that a token may have.
const TOKEN: &str = "fxg_3UnjHush";

fn refusal(text: &str) -> ClientsError {
    parse("clients.toml", text).err().unwrap_or_else(|| panic!("{text}"))
}

/// What is told, without the head.
fn told(text: &str) -> Vec<String> {
    refusal(text).to_string().lines().skip(1).map(|line| line.trim_start().to_owned()).collect()
}

#[test]
fn clients_are_read_with_their_rights_and_limits() {
    let text = format!(
        "[crm]\ntokens = [\"sha256:{}\"]\noperator = true\nsees_all = true\naddresses_per_minute = 600\n\
         queued_addresses = 1000\n[billing]\ntokens = [\"{HASH}\", \"{OTHER}\"]\nweight = 3\nforce = true",
        "0".repeat(64)
    );

    let entries = parse("clients.toml", &text).unwrap();

    let [billing, crm] = &entries[..] else { panic!("{}", entries.len()) };
    assert_eq!((billing.client.name.as_str(), billing.client.weight.get()), ("billing", 3));
    assert_eq!(billing.client.rights, Rights { force: true, ..Rights::default() });
    assert_eq!(billing.client.limits, Limits::default());
    assert_eq!((billing.tokens.len(), crm.tokens.len()), (2, 1));
    assert_eq!(crm.client.rights, Rights { force: false, operator: true, sees_all: true });
    assert_eq!(crm.client.limits.addresses_per_minute.unwrap().get(), 600);
    assert_eq!(crm.client.limits.queued_addresses, Some(1000));
}

#[test]
fn every_mistake_is_told_with_its_line_its_client_and_what_is_allowed() {
    let text = format!(
        "z = {{ weight = 0, queued_addresses = 0 }}\n\"b c\" = {{ tokens = [\"{HASH}\"], force = 1 }}\n\
         [crm]\ntokens = [\"{HASH}\"]\naddresses_per_minute = -1\noperator = \"yes\"\nwieght = 2\n"
    );

    assert_eq!(
        told(&text),
        [
            "line 1, client z: queued_addresses must be a whole number, 1 to 4294967295, or be left out for no \
             limit",
            "line 1, client z: weight must be a whole number, 1 to 100",
            "line 1, client z: tokens is missing, and without it nobody is this client",
            "line 2: the name of a client has 1 to 64 of a-z, A-Z, 0-9, - and _",
            "line 2: force must be true or false",
            "line 3, client crm: the client of line 2 has the same token",
            "line 5, client crm: addresses_per_minute must be a whole number, 1 to 4294967295, or be left out \
             for no limit",
            "line 6, client crm: operator must be true or false",
            "line 7, client crm: a client has no such field, but tokens, weight, force, operator, sees_all, \
             addresses_per_minute and queued_addresses",
        ]
    );
    let line = refusal(&text).in_one_line();
    assert!(!line.contains('\n') && line.matches("; ").count() == 8, "{line}");
}

#[test]
fn mistakes_are_told_up_to_a_bound_and_the_others_counted() {
    let mut text = String::new();
    for number in 0..201 {
        writeln!(text, "c{number} = {{ weight = 0 }}").unwrap();
    }

    let told = told(&text);

    assert_eq!((told.len(), told[20].as_str()), (21, "and 381 more"));
    // A line each, and more clients than there may be: the one that is too many says so.
    let mut good = String::new();
    for number in 0..201 {
        writeln!(good, "c{number} = {{ tokens = [\"{}\"] }}", TokenHash::of(&number.to_string())).unwrap();
    }
    assert!(self::told(&good)[0].starts_with("line 201: there are 201 clients, and 200 may be"));
}

#[test]
fn each_mistake_has_words_of_its_own() {
    let of_nothing = TokenHash::of("");
    for (text, expected) in [
        (String::new(), "no client stands in it"),
        ("a = 7".to_owned(), "line 1, client a: a client is a table"),
        ("a = { tokens = [] }".to_owned(), "client a: tokens holds one hash, or two"),
        (
            format!("a = {{ tokens = [\"{HASH}\", \"{OTHER}\", \"sha256:{}\"] }}", "0".repeat(64)),
            "tokens holds one hash, or two",
        ),
        (format!("a = {{ tokens = [\"{TOKEN}\"] }}"), "client a: a token stands in tokens as sha256: and 64"),
        (format!("a = {{ tokens = \"{TOKEN}\" }}"), "line 1, client a: tokens must be a list"),
        (
            format!("a = {{ tokens = [\"{HASH}\", \"{HASH}\"] }}"),
            "client a: tokens holds the same hash twice",
        ),
        (format!("a = {{ tokens = [\"{of_nothing}\"] }}"), "client a: tokens holds the hash of nothing"),
        (format!("anonymous = {{ tokens = [\"{HASH}\"] }}"), "line 1: this name is for callers without"),
        (format!("a = {{ tokens = [\"{HASH}\"], weight = 2.0 }}"), "weight must be a whole number, 1 to 100"),
        (format!("a = {{ tokens = [\"{HASH}\"], weight = 101 }}"), "weight must be a whole number, 1 to 100"),
        (
            format!("a = {{ tokens = [\"{HASH}\"] }}\nb = {{ tokens = [\"{HASH}\"] }}"),
            "line 2, client b: the client of line 1 has the same token",
        ),
    ] {
        let told = told(&text);

        assert!(told.len() == 1 && told[0].contains(expected), "{text}: {told:?}");
    }
}

#[test]
fn a_token_in_the_wrong_place_is_not_repeated() {
    for (text, expected) in [
        (format!("{TOKEN} = {{ tokens = [\"{HASH}\"] }}"), "line 1: the name of a client holds no fxg_"),
        (format!("x-{TOKEN} = {{ tokens = [\"{HASH}\"] }}"), "line 1: the name of a client holds no fxg_"),
        (format!("[{TOKEN}]\n"), "line 1: the name of a client holds no fxg_"),
        (format!("a = {{ {TOKEN} = 1 }}"), "line 1, client a: a client has no such field"),
        (format!("a.{TOKEN}.b = 1"), "line 1, client a: a client has no such field"),
        (format!("a = {{ tokens = [\"{HASH}\"], \"x\\\"{TOKEN}\" = 1 }}"), "a client has no such field"),
        (format!("a = {{ tokens = [\"x\\\"{TOKEN}\"] }}"), "a token stands in tokens as sha256:"),
        (format!("a = {{ tokens = {{ {TOKEN} = 1 }} }}"), "tokens must be a list"),
        (format!("a = {{ tokens = [\"{HASH}\"], weight = \"{TOKEN}\" }}"), "weight must be a whole number"),
        (format!("a = {{ tokens = [\"{HASH}\"], force = '{TOKEN}' }}"), "force must be true or false"),
        (format!("a = {{ tokens = [{TOKEN}] }}"), "line 1: this is not TOML: perhaps a text has no quotes"),
        (format!("\na = {TOKEN}"), "line 2: this is not TOML"),
        (TOKEN.to_owned(), "line 1: this is not TOML"),
        (format!("a = {{ tokens = [\"{TOKEN}] }}"), "line 1: this is not TOML"),
        (
            format!("{TOKEN} = 1\n{TOKEN} = 2"),
            "line 2: this is not TOML: perhaps a text has no quotes, or a name",
        ),
    ] {
        let refused = refusal(&text);

        for told in [refused.to_string(), refused.in_one_line(), format!("{refused:?}")] {
            assert!(!told.contains("3Unj"), "{text}: {told}");
        }
        assert!(refused.to_string().contains(expected), "{text}: {refused}");
    }
}

#[test]
fn what_is_not_toml_hides_the_mistakes_of_its_own_client_alone() {
    let text = format!(
        "a = {{ tokens = [{TOKEN}], weight = 0 }}\nb = {{ tokens = [\"{HASH}\"], weight = 0 }}\n[c]\n\
         tokens = [{TOKEN}]\nweight = 0\n[d]\nweight = 0\n"
    );

    let told = told(&text);

    assert_eq!(told.len(), 5, "{told:?}");
    for (line, beginning) in told.iter().zip([
        "line 1: this",
        "line 2, client b: w",
        "line 4: this",
        "line 6, client d: t",
        "line 7",
    ]) {
        assert!(line.starts_with(beginning), "{told:?}");
    }
}
