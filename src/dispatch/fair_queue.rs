//! Whose turn it is.
//!
//! Two rings: clients, and in each the client's resends that have something to give. A turn goes to
//! the next client's next resend. A turn is one upstream call, whether it is a fresh one or a part of a
//! refused one, so a bad list pays for its own splitting. A client of weight 3 has three turns in a row, in each
//! round.

use std::{collections::VecDeque, num::NonZeroU32};

use crate::domain::{ClientName, ResendId};

/// The resends that have something to give, in the order of their turns.
#[derive(Debug, Default)]
pub(super) struct FairQueue {
    lanes: VecDeque<Lane>,
}

#[derive(Debug)]
struct Lane {
    client: ClientName,
    weight: NonZeroU32,
    /// Turns left before the others' come.
    left: u32,
    resends: VecDeque<ResendId>,
}

impl FairQueue {
    /// Adds a resend behind its client's others. The caller adds none twice.
    pub(super) fn push(&mut self, client: &ClientName, weight: NonZeroU32, id: ResendId) {
        match self.lanes.iter_mut().find(|lane| lane.client == *client) {
            Some(lane) => {
                lane.weight = weight;
                lane.resends.push_back(id);
            }
            None => {
                let resends = VecDeque::from([id]);
                self.lanes.push_back(Lane { client: client.clone(), weight, left: weight.get(), resends });
            }
        }
    }

    /// Takes a resend out.
    pub(super) fn remove(&mut self, client: &ClientName, id: ResendId) {
        let Some(at) = self.lanes.iter().position(|lane| lane.client == *client) else { return };
        let resends = &mut self.lanes[at].resends;
        // What leaves has mostly just had its turn: it stands near the front.
        if let Some(place) = resends.iter().position(|other| *other == id) {
            resends.remove(place);
        }
        if resends.is_empty() {
            self.lanes.remove(at);
        }
    }

    /// The next `limit` resends in order: each client's next, then each client's second, and so on.
    pub(super) fn order(&self, limit: usize) -> Vec<ResendId> {
        let mut order = Vec::with_capacity(limit.min(64));
        for depth in 0.. {
            let before = order.len();
            for lane in &self.lanes {
                if order.len() == limit {
                    return order;
                }
                order.extend(lane.resends.get(depth));
            }
            if order.len() == before {
                return order;
            }
        }
        order
    }

    /// Ends the turn of this resend: it goes behind its client's others, and the client behind the others once
    /// it has had its turns of this round, by its weight of now.
    pub(super) fn end_turn(&mut self, client: &ClientName, weight: NonZeroU32, id: ResendId) {
        let Some(at) = self.lanes.iter().position(|lane| lane.client == *client) else { return };
        let Some(mut lane) = self.lanes.remove(at) else { return };
        lane.weight = weight;
        if let Some(place) = lane.resends.iter().position(|other| *other == id) {
            lane.resends.remove(place);
            lane.resends.push_back(id);
        }
        lane.left = lane.left.saturating_sub(1).min(lane.weight.get());
        if lane.left > 0 {
            self.lanes.insert(at, lane);
        } else {
            lane.left = lane.weight.get();
            self.lanes.push_back(lane);
        }
    }

    /// Whether nobody has anything to give.
    pub(super) fn is_empty(&self) -> bool {
        self.lanes.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn client(name: usize) -> ClientName {
        ClientName::new(&name.to_string())
    }

    fn next(queue: &FairQueue) -> u128 {
        queue.order(1)[0].0
    }

    #[test]
    fn turns_go_around_clients_first_then_around_the_resends_of_each() {
        let mut queue = FairQueue::default();
        for (owner, id) in [(0, 1), (0, 2), (0, 3), (1, 4)] {
            queue.push(&client(owner), NonZeroU32::MIN, ResendId(id));
        }

        let turns: Vec<_> = (0..6)
            .map(|_| {
                let id = next(&queue);
                queue.end_turn(&client(usize::from(id == 4)), NonZeroU32::MIN, ResendId(id));
                id
            })
            .collect();

        assert_eq!(turns, [1, 4, 2, 4, 3, 4]);
    }

    #[test]
    fn the_order_names_each_clients_next_before_anybodys_second() {
        let mut queue = FairQueue::default();
        for (owner, id) in [(0, 1), (0, 2), (0, 3), (1, 4), (1, 5)] {
            queue.push(&client(owner), NonZeroU32::MIN, ResendId(id));
        }

        assert_eq!(queue.order(9), [1, 4, 2, 5, 3].map(ResendId));
        assert_eq!(queue.order(2), [1, 4].map(ResendId));
    }

    #[test]
    fn a_client_of_weight_three_has_three_turns_in_each_round() {
        let mut queue = FairQueue::default();
        for (owner, weight, id) in [(0, 3, 1), (1, 1, 2), (2, 1, 3)] {
            queue.push(&client(owner), NonZeroU32::new(weight).unwrap(), ResendId(id));
        }

        let turns: Vec<_> = (0..10)
            .map(|_| {
                let id = next(&queue);
                let weight = NonZeroU32::new(if id == 1 { 3 } else { 1 }).unwrap();
                queue.end_turn(&client(id as usize - 1), weight, ResendId(id));
                id
            })
            .collect();

        assert_eq!(turns, [1, 1, 1, 2, 3, 1, 1, 1, 2, 3]);
    }

    proptest! {
        #[test]
        fn nobody_waits_longer_than_one_turn_of_each_other(
            owners in prop::collection::vec(0_usize..4, 1..12),
            gone in any::<prop::sample::Index>(),
        ) {
            let mut queue = FairQueue::default();
            for (id, owner) in owners.iter().enumerate() {
                queue.push(&client(*owner), NonZeroU32::MIN, ResendId(id as u128));
            }
            let gone = gone.index(owners.len());
            queue.remove(&client(owners[gone]), ResendId(gone as u128));
            let mut turns = vec![0_usize; owners.len()];

            for _ in 0..120 {
                let Some(id) = queue.order(1).first().copied() else { break };
                turns[id.0 as usize] += 1;
                queue.end_turn(&client(owners[id.0 as usize]), NonZeroU32::MIN, id);
            }

            prop_assert_eq!(turns[gone], 0);
            for (a, owner_a) in owners.iter().enumerate().filter(|(id, _)| *id != gone) {
                for (b, _) in owners.iter().enumerate().filter(|(id, owner)| *id != gone && *owner == owner_a) {
                    prop_assert!(turns[a].abs_diff(turns[b]) <= 1, "{:?}", turns);
                }
            }
        }
    }
}
