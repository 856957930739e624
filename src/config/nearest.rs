//! Finds the key somebody probably meant.

/// The known key nearest to `wrong`, when one is near enough to be meant: at most three edits, and not
/// more than a third of the name. The same name in another section counts as near.
pub(super) fn nearest<'known>(
    wrong: &str,
    known: impl Iterator<Item = &'known String>,
) -> Option<&'known str> {
    let wrong = wrong.to_lowercase();
    let name = |key: &str| key.rsplit_once('.').map_or(key.to_owned(), |(_, name)| name.to_owned());
    let rank = |key: &str| if name(key) == name(&wrong) { 1 } else { distance(&wrong, key) };
    let (near, edits) = known.map(|key| (key.as_str(), rank(key))).min_by_key(|(_, edits)| *edits)?;
    (edits <= 3 && edits * 3 <= wrong.len()).then_some(near)
}

/// How many letters to insert, remove or replace.
pub(super) fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (at, letter) in from.chars().enumerate() {
        let mut diagonal = at;
        row[0] = at + 1;
        for column in 0..to.len() {
            let replaced = diagonal + usize::from(letter != to[column]);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_the_key_and_nonsense_does_not() {
        let known = ["server.workers", "upstream.base_url", "store.path"].map(str::to_owned);

        assert_eq!(nearest("server.worker", known.iter()), Some("server.workers"));
        assert_eq!(nearest("Upstream.BaseUrl", known.iter()), Some("upstream.base_url"));
        assert_eq!(nearest("server.base_url", known.iter()), Some("upstream.base_url"));
        assert_eq!(nearest("cluster.redis_url", known.iter()), None);
        assert_eq!(nearest("", known.iter()), None);
    }
}
