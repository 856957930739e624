//! The sections, letter by letter.

use std::{collections::BTreeMap, time::Duration};

use super::*;
use crate::{cli::demo::caller::Row, sandbox::Stats};

fn rows(rows: &[(&str, &str, Option<&str>, Option<&str>)]) -> Vec<Row> {
    let rows = rows.iter().enumerate().map(|(index, (email, outcome, reason, detail))| Row {
        index,
        email: (*email).to_owned(),
        outcome: (*outcome).to_owned(),
        reason: reason.map(str::to_owned),
        detail: detail.map(str::to_owned),
    });
    rows.collect()
}

fn mixed() -> Tally {
    Tally::of(&rows(&[
        ("ann@example.com", "sent", None, None),
        ("Ann@example.com", "duplicate", None, None),
        ("", "invalid", Some("empty"), None),
        ("nobody", "invalid", Some("no_at_sign"), Some("an address has an @")),
        ("n/a", "invalid", Some("no_at_sign"), None),
        ("nobody", "invalid", Some("no_at_sign"), None),
        ("bob@left.example", "rejected", Some("not_invited"), Some("No pending invitation.")),
        ("eve@example.com", "unknown", Some("server_error"), None),
    ]))
}

fn act(tally: Tally, calls: u64, accepted: u64) -> Act {
    let calls_by_status =
        [("200", 109), ("400", 52), ("429", 3), ("500", 1)].map(|(status, calls)| (status.to_owned(), calls));
    let seen = Stats {
        calls: 165,
        calls_by_status: BTreeMap::from(calls_by_status),
        addresses_accepted: accepted,
        largest_batch: 10,
        most_in_flight: 7,
        ..Stats::default()
    };
    Act { tally, calls, took: Duration::from_millis(5_321), pace: 41.6, seen }
}

fn balanced() -> Reconciliation {
    Reconciliation {
        rows: 1_236,
        repeats: Compared { told: 100, accepted: 0 },
        sent: Compared { told: 1_090, accepted: 1_090 },
        invalid: Compared { told: 24, accepted: 0 },
        rejected: Compared { told: 12, accepted: 0 },
        not_sent: Compared::default(),
        unknown: Compared { told: 10, accepted: 10 },
        accepted: 1_100,
        differences: Vec::new(),
    }
}

#[test]
fn every_outcome_is_shown_with_its_reasons_and_samples() {
    let expected = r#"What the caller was told
      1  sent         fax.plus accepted a call that held it
      1  duplicate    the same person again in this list; mailed once
      4  invalid      no address; it never left the gateway
            3 no_at_sign     nobody, n/a
                             "an address has an @"
            1 empty          ""
      1  rejected     fax.plus refused it; its neighbours were sent
            1 not_invited    bob@left.example
                             fax.plus: "No pending invitation."
      0  not_sent     certainly not sent; safe to post again
      1  unknown      may have been sent; never repeated on its own
            1 server_error   eve@example.com
      8  rows         each with exactly one outcome
"#;

    assert_eq!(outcomes(&mixed(), Paint::PLAIN), expected);
}

#[test]
fn long_samples_never_break_the_line() {
    let long = "x".repeat(300);
    let email = |letter: char| format!("{letter}{long}@example.com");
    let (a, b, c) = (email('a'), email('b'), email('c'));
    let reason = Some("upstream_unavailable");
    let tally = Tally::of(&rows(&[
        (&a, "not_sent", reason, Some(&long)),
        (&b, "not_sent", reason, None),
        (&c, "not_sent", reason, None),
        ("short", "not_sent", reason, None),
    ]));

    let text = outcomes(&tally, Paint::PLAIN);

    assert!(text.contains("3 upstream_unavailable a") || text.contains("4 upstream_unavailable a"), "{text}");
    assert!(text.contains("…, short\n"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
}

#[test]
fn upstreams_side_and_the_second_post_are_told_in_numbers() {
    let (first, second) = (act(mixed(), 165, 1_100), act(mixed(), 12, 1_100));

    let told = upstream(&first, Paint::PLAIN) + &again(&first, &second, Paint::PLAIN);

    let expected = "
What fax.plus saw
    165  calls        in 5.3 s: 109 x 200, 52 x 400, 3 x 429, 1 x 500
     42  calls/s      learned from 3 answers 429; the limit is 40
     10  largest      addresses in one call; fax.plus takes no more than 10
      7  at once      calls in flight at one moment
  1,100  accepted     addresses: 1 told sent, 1,099 whose call got the 500

The same list, posted again
      8  rows         1 sent, 1 duplicate, 4 invalid, 1 rejected, 1 unknown
     12  calls        with the refused ones, which go alone from now on
      0  accepted     more: nobody is mailed twice
";
    assert_eq!(told, expected);
}

#[test]
fn a_balanced_account_ends_in_the_balance() {
    let expected = "
Told against seen, address by address
  1,090  sent           1,090  accepted, each exactly once
    100  repeats            0  accepted a second time
     24  invalid            0  accepted
     12  rejected           0  accepted
      0  not_sent           0  accepted
     10  unknown           10  accepted, which the error 500 did not say
  1,236  rows           1,100  accepted in all

balanced: 1,090 sent + 10 unknown = 1,100 accepted
";

    assert_eq!(reconciliation(&balanced(), Paint::PLAIN), expected);
}

#[test]
fn differences_take_the_place_of_the_balance_and_their_number_is_bounded() {
    let email = || "ann@example.com".to_owned();
    let mut differences = vec![
        Difference::Untold { index: 7, email: email() },
        Difference::NotSeen(email()),
        Difference::SeenTwice(email(), 2),
        Difference::ToldTwice(email(), 3),
        Difference::SeenAgainst(email(), OutcomeKind::Rejected),
        Difference::DuplicateOfNothing(email()),
        Difference::Unposted(email()),
    ];
    differences.resize(DIFFERENCES + 2, Difference::NotSeen(email()));
    let sum = Reconciliation { accepted: 1_099, differences, ..balanced() };

    let text = reconciliation(&sum, Paint::PLAIN);

    let start = text.find("NOT balanced").unwrap();
    let lines: Vec<_> = text[start..].lines().collect();
    let expected = [
        "NOT balanced: 1,090 sent + 10 unknown against 1,099 accepted",
        "  row 7 (ann@example.com): not exactly one outcome",
        "  ann@example.com: told sent, never accepted",
        "  ann@example.com: accepted 2 times",
        "  ann@example.com: told sent 3 times",
        "  ann@example.com: told rejected, but accepted",
        "  ann@example.com: told duplicate, but never told sent",
        "  ann@example.com: accepted, but never told of",
    ];
    assert_eq!(lines[..expected.len()], expected);
    assert_eq!(*lines.last().unwrap(), "  and 2 more");
    assert!(!text.contains("\nbalanced:"));
}
