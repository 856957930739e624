//! How many calls go by until some work is done: turns go around clients, by their weights, and around the
//! resends of each.
//!
//! Counts each other's calls in full. That calls are filled up from others makes it less, never more.

use std::{num::NonZeroU32, sync::Arc};

use crate::domain::{ClientTag, ResendId};

/// What waits, by client and by resend.
#[derive(Debug, Clone, Default)]
pub(super) struct Shares {
    /// Every client that has work, and those known that have none.
    pub(super) lanes: Arc<[Lane]>,
    /// What is left of resends, a bounded number of them.
    pub(super) left: Arc<[Left]>,
    /// Most addresses of one call.
    pub(super) batch_size: usize,
}

/// The work of one client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lane {
    pub(super) client: ClientTag,
    pub(super) weight: NonZeroU32,
    /// Addresses without an outcome.
    pub(super) addresses: u64,
    /// Resends under way.
    pub(super) resends: u64,
}

/// What is left of one resend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Left {
    pub(super) id: ResendId,
    pub(super) client: ClientTag,
    /// Addresses without an outcome.
    pub(super) addresses: u64,
}

impl Shares {
    /// Calls that so many addresses take.
    pub(super) fn calls_of(&self, addresses: u64) -> u64 {
        addresses.div_ceil(self.batch_size.max(1) as u64)
    }

    /// Calls until so many of one resend are made; without an id it is one that would come now. While others of
    /// its client have work, each call of this one stands beside one of theirs.
    pub(super) fn until_resend(&self, client: ClientTag, id: Option<ResendId>, calls: u64) -> u64 {
        let of_client = || self.left.iter().filter(|left| left.client == client);
        let beside: u64 = of_client()
            .filter(|left| Some(left.id) != id)
            .map(|left| self.calls_of(left.addresses).min(calls))
            .sum();
        let lane = self.lane(client);
        let untold = lane.map_or(0, |lane| lane.resends).saturating_sub(of_client().count() as u64);
        let own = calls.saturating_mul(untold + 1).saturating_add(beside);
        // Nobody waits for longer than for all that there is.
        let all = self.calls_of(lane.map_or(0, |lane| lane.addresses));
        let is_counted = of_client().any(|left| Some(left.id) == id);
        let most = if is_counted { all.max(calls) } else { calls.saturating_add(all) };
        self.until_client(client, own.min(most))
    }

    /// Calls until so many of one client are made, whichever of its resends they are of.
    pub(super) fn until_client(&self, client: ClientTag, calls: u64) -> u64 {
        let own = u64::from(self.lane(client).map_or(NonZeroU32::MIN, |lane| lane.weight).get());
        let others = self.lanes.iter().filter(|lane| lane.client != client);
        let beside = others.map(|lane| {
            let meanwhile = calls.saturating_mul(lane.weight.get().into()).div_ceil(own);
            self.calls_of(lane.addresses).min(meanwhile)
        });
        beside.fold(calls, u64::saturating_add)
    }

    fn lane(&self, client: ClientTag) -> Option<&Lane> {
        self.lanes.iter().find(|lane| lane.client == client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: ClientTag = ClientTag(1);
    const BOB: ClientTag = ClientTag(2);

    fn lane(client: ClientTag, weight: u32, left: &[u64]) -> (Lane, Vec<Left>) {
        let weight = NonZeroU32::new(weight).unwrap();
        let lane = Lane { client, weight, addresses: left.iter().sum(), resends: left.len() as u64 };
        let left = (0..).zip(left).map(|(id, addresses)| Left {
            id: ResendId(u128::from(client.0) * 10 + id),
            client,
            addresses: *addresses,
        });
        (lane, left.collect())
    }

    fn shares(lanes: &[(Lane, Vec<Left>)]) -> Shares {
        Shares {
            lanes: lanes.iter().map(|(lane, _)| *lane).collect(),
            left: lanes.iter().flat_map(|(_, left)| left.clone()).collect(),
            batch_size: 10,
        }
    }

    #[test]
    fn many_lists_of_another_client_count_as_one_in_turn() {
        let shares = shares(&[lane(ANN, 1, &[100]), lane(BOB, 1, &[1000; 10])]);

        assert_eq!(shares.until_resend(ANN, Some(ResendId(10)), 10), 20);
        assert_eq!(shares.until_resend(BOB, Some(ResendId(20)), 100), 1000 + 10);
    }

    #[test]
    fn a_client_of_weight_four_has_four_calls_beside_each_of_another() {
        let shares = shares(&[lane(ANN, 1, &[100]), lane(BOB, 4, &[1000])]);

        assert_eq!(shares.until_resend(ANN, Some(ResendId(10)), 10), 10 + 40);
        assert_eq!(shares.until_resend(BOB, Some(ResendId(20)), 100), 100 + 10);
        assert_eq!(shares.until_client(BOB, 4), 5);
        assert_eq!(shares.until_client(BOB, 5), 7);
    }

    #[test]
    fn nobody_waits_for_longer_than_for_all_that_there_is() {
        let shares = shares(&[lane(ANN, 1, &[30]), lane(BOB, 100, &[50])]);

        assert_eq!(shares.until_resend(ANN, Some(ResendId(10)), 3), 3 + 5);
        assert_eq!(shares.until_resend(ANN, None, 3), 6 + 5);
        assert_eq!(shares.until_resend(ClientTag(9), None, 3), 3 + 3 + 5);
    }
}
