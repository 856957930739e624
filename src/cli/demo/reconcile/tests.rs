//! True accounts balance; each kind of difference is found.

use super::*;

/// Rows of one post, as `address outcome`.
fn told(rows: &[(&str, &str)]) -> Told {
    let mut told = Told::default();
    enter(&mut told, rows);
    told
}

fn enter(told: &mut Told, rows: &[(&str, &str)]) {
    let list: Vec<_> = rows.iter().map(|(email, _)| (*email).to_owned()).collect();
    let rows = rows.iter().enumerate().map(|(index, (email, outcome))| Row {
        index,
        email: (*email).to_owned(),
        outcome: (*outcome).to_owned(),
        reason: None,
        detail: None,
    });
    told.enter(&list, &rows.collect::<Vec<_>>());
}

fn ledger(seen: &[(&str, u64)]) -> BTreeMap<String, u64> {
    seen.iter().map(|(address, times)| ((*address).to_owned(), *times)).collect()
}

fn differences(rows: &[(&str, &str)], seen: &[(&str, u64)]) -> Vec<Difference> {
    let sum = told(rows).against(&ledger(seen));
    assert_eq!(sum.is_balanced(), sum.differences.is_empty());
    sum.differences
}

#[test]
fn a_true_account_balances_over_two_posts() {
    let mut told = told(&[
        ("a@x.example", "sent"),
        (" A@X.example ", "duplicate"),
        ("b@x.example", "unknown"),
        ("c@x.example", "unknown"),
        ("d@x.example", "rejected"),
        ("e@x.example", "not_sent"),
        ("nobody", "invalid"),
    ]);
    enter(&mut told, &[("a@x.example", "duplicate"), ("b@x.example", "unknown"), ("e@x.example", "sent")]);

    let sum = told.against(&ledger(&[("a@x.example", 1), ("b@x.example", 1), ("e@x.example", 1)]));

    let expected = Reconciliation {
        rows: 7,
        repeats: Compared { told: 1, accepted: 0 },
        sent: Compared { told: 2, accepted: 2 },
        invalid: Compared { told: 1, accepted: 0 },
        rejected: Compared { told: 1, accepted: 0 },
        not_sent: Compared::default(),
        unknown: Compared { told: 2, accepted: 1 },
        accepted: 3,
        differences: Vec::new(),
    };
    assert_eq!(sum, expected);
    assert!(sum.is_balanced());
}

#[test]
fn every_kind_of_difference_is_found() {
    let a = || "a@x.example".to_owned();
    for (rows, seen, expected) in [
        (vec![("a@x.example", "sent")], vec![], Difference::NotSeen(a())),
        (vec![("a@x.example", "sent")], vec![("a@x.example", 2)], Difference::SeenTwice(a(), 2)),
        (vec![("a@x.example", "unknown")], vec![("a@x.example", 2)], Difference::SeenTwice(a(), 2)),
        (
            vec![("a@x.example", "sent"), ("A@x.example", "sent")],
            vec![("a@x.example", 1)],
            Difference::ToldTwice(a(), 2),
        ),
        (vec![("a@x.example", "duplicate")], vec![("a@x.example", 1)], Difference::DuplicateOfNothing(a())),
        (vec![("a@x.example", "duplicate")], vec![], Difference::DuplicateOfNothing(a())),
        (vec![], vec![("a@x.example", 1)], Difference::Unposted(a())),
        (vec![("a@x.example", "pending")], vec![], Difference::Untold { index: 0, email: a() }),
    ] {
        assert_eq!(differences(&rows, &seen), [expected], "{rows:?} {seen:?}");
    }
}

#[test]
fn an_accepted_address_must_not_be_told_otherwise() {
    use OutcomeKind::{Invalid, NotSent, Rejected};
    for kind in [Rejected, NotSent, Invalid] {
        let found = differences(&[("a@x.example", kind.as_str())], &[("a@x.example", 1)]);

        assert_eq!(found, [Difference::SeenAgainst("a@x.example".to_owned(), kind)]);
    }
}

#[test]
fn a_row_without_an_outcome_is_found_by_its_place() {
    let list = ["a@x.example".to_owned(), "b@x.example".to_owned()];
    let row =
        Row { index: 1, email: list[1].clone(), outcome: "invalid".to_owned(), reason: None, detail: None };
    let mut told = Told::default();

    told.enter(&list, &[row]);

    let expected = Difference::Untold { index: 0, email: "a@x.example".to_owned() };
    assert_eq!(told.against(&BTreeMap::new()).differences, [expected]);
}
