//! Cuts a refused call in two, and remembers who was refused alone.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use tokio::time::Instant;

use super::call::{Member, Part};
use crate::domain::{AddressKey, ClientName};

const REMEMBERED: usize = 100_000;
const MEMORY: Duration = Duration::from_secs(24 * 3600);

/// The two parts of a refused call of two members or more.
///
/// Callers are parted first, so that one caller's bad address costs another as little as can be; then
/// resends; then the middle is cut. Among several boundaries the one nearest the middle is taken.
pub(super) fn split(mut members: Part, client: impl Fn(&Member) -> ClientName) -> (Part, Part) {
    // Members come in the order of their turns; those of one caller may stand apart.
    members.sort_by_cached_key(|member| (client(member), member.resend));
    let middle = members.len() / 2;
    let nearest = |differ: &dyn Fn(&Member, &Member) -> bool| {
        (1..members.len())
            .filter(|at| differ(&members[at - 1], &members[*at]))
            .min_by_key(|at| at.abs_diff(middle))
    };
    let at = nearest(&|a, b| client(a) != client(b))
        .or_else(|| nearest(&|a, b| a.resend != b.resend))
        .unwrap_or(middle);
    let rest = members.split_off(at);
    (members, rest)
}

/// Addresses that upstream refused alone; they are sent alone from then on, for a day.
#[derive(Debug, Default)]
pub(super) struct Culprits {
    known: HashMap<AddressKey, Instant>,
    order: VecDeque<(AddressKey, Instant)>,
}

impl Culprits {
    /// Adds one; gives those that are forgotten for it.
    pub(super) fn add(&mut self, key: AddressKey, now: Instant) -> Vec<AddressKey> {
        let mut forgotten = Vec::new();
        while let Some((oldest, since)) = self.order.front().copied() {
            if self.order.len() < REMEMBERED && now.duration_since(since) < MEMORY {
                break;
            }
            self.order.pop_front();
            if self.known.get(&oldest) == Some(&since) {
                self.known.remove(&oldest);
                forgotten.push(oldest);
            }
        }
        if self.known.insert(key, now).is_none_or(|before| before != now) {
            self.order.push_back((key, now));
        }
        forgotten
    }

    /// It was accepted after all. Says whether it was one.
    pub(super) fn forgive(&mut self, key: AddressKey) -> bool {
        self.known.remove(&key).is_some()
    }

    pub(super) fn contains(&self, key: AddressKey, now: Instant) -> bool {
        self.known.get(&key).is_some_and(|since| now.duration_since(*since) < MEMORY)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::ResendId;

    fn members(owners: &[u128]) -> Part {
        owners
            .iter()
            .enumerate()
            .map(|(index, owner)| Member::new(ResendId(*owner), index as u32, AddressKey(index as u128)))
            .collect()
    }

    /// Resends 0 to 9 are of one client, 10 to 19 of the next, and so on.
    fn owner(member: &Member) -> ClientName {
        ClientName::new(&(member.resend.0 / 10).to_string())
    }

    fn split_owners(owners: &[u128]) -> (Vec<u128>, Vec<u128>) {
        let (first, second) = split(members(owners), owner);
        let ids = |part: Part| part.into_iter().map(|member| member.resend.0).collect();
        (ids(first), ids(second))
    }

    #[test]
    fn callers_are_parted_before_resends_and_resends_before_halves() {
        assert_eq!(split_owners(&[1, 2, 2, 3, 11]), (vec![1, 2, 2, 3], vec![11]));
        assert_eq!(split_owners(&[1, 2, 2, 2]), (vec![1], vec![2, 2, 2]));
        assert_eq!(split_owners(&[1, 1, 1, 1]), (vec![1, 1], vec![1, 1]));
        assert_eq!(split_owners(&[1, 11, 2, 12]), (vec![1, 2], vec![11, 12]));
    }

    proptest! {
        #[test]
        fn nobody_is_lost_and_both_parts_hold_somebody(owners in prop::collection::vec(0_u128..40, 2..=10)) {
            let (first, second) = split(members(&owners), owner);

            prop_assert!(!first.is_empty() && !second.is_empty());
            let mut indexes: Vec<_> = first.iter().chain(&second).map(|member| member.index).collect();
            indexes.sort_unstable();
            prop_assert_eq!(indexes, (0..owners.len() as u32).collect::<Vec<_>>());
        }
    }

    #[test]
    fn culprits_are_forgotten_after_a_day_and_their_number_is_bounded() {
        let mut culprits = Culprits::default();
        let now = Instant::now();
        culprits.add(AddressKey(1), now);
        culprits.add(AddressKey(2), now);
        culprits.forgive(AddressKey(2));
        assert!(culprits.contains(AddressKey(1), now));
        assert!(!culprits.contains(AddressKey(2), now));
        assert!(!culprits.contains(AddressKey(1), now + MEMORY));

        for key in 0..REMEMBERED as u128 + 10 {
            culprits.add(AddressKey(key), now);
        }

        assert!(culprits.known.len() <= REMEMBERED);
        assert!(culprits.contains(AddressKey(REMEMBERED as u128 + 9), now));
    }
}
