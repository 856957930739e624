//! Which of the resends under way are named to operators: a few with most left, and the newest.
//!
//! How much is left counts by doublings, so that lists that go on side by side do not change places with each step.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap},
    sync::Arc,
};

use crate::domain::ResendId;

/// Most that are named at once.
const NAMED: usize = 20;
/// So many of them for what is left of them.
const LARGEST: usize = 10;

/// Of resends from the oldest to the newest, each with what is left of it: those with most left, the most first,
/// then the newest of the others, the newest first. One look at each, and room for a few.
pub(super) fn named(resends: impl DoubleEndedIterator<Item = (ResendId, u32)> + Clone) -> Arc<[ResendId]> {
    let mut largest = BinaryHeap::with_capacity(LARGEST + 1);
    for (id, left) in resends.clone() {
        largest.push(Reverse((left.checked_ilog2(), id)));
        if largest.len() > LARGEST {
            largest.pop();
        }
    }
    let mut named: Vec<_> = largest.into_sorted_vec().into_iter().map(|Reverse((_, id))| id).collect();
    let known: BTreeSet<_> = named.iter().copied().collect();
    let newest = resends.rev().map(|(id, _)| id).filter(|id| !known.contains(id));
    named.extend(newest.take(NAMED - known.len()));
    named.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(lefts: &[u32]) -> Vec<u128> {
        let resends = lefts.iter().enumerate().map(|(at, left)| (ResendId(at as u128), *left));
        named(resends).iter().map(|id| id.0).collect()
    }

    #[test]
    fn a_large_list_stands_before_any_number_of_small_ones_that_came_later() {
        let mut lefts = vec![1_000_000, 40_000];
        lefts.extend([3; 25]);

        let named = ids(&lefts);

        assert_eq!((named.len(), &named[..3]), (NAMED, &[0, 1, 26][..]));
        assert_eq!(named[10..], [18, 17, 16, 15, 14, 13, 12, 11, 10, 9]);
    }

    #[test]
    fn lists_that_go_on_side_by_side_keep_their_places() {
        assert_eq!(ids(&[900, 901, 2, 0]), [1, 0, 2, 3]);
        assert_eq!(ids(&[899, 890, 2, 0]), [1, 0, 2, 3]);
    }

    #[test]
    fn few_are_all_named_and_none_is_none() {
        assert_eq!(ids(&[1; 5]), [4, 3, 2, 1, 0]);
        assert!(ids(&[]).is_empty());
    }
}
