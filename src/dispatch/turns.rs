//! Who stands in the fair queue, and how much waits.

use std::{collections::BTreeMap, num::NonZeroU32};

use super::{
    dispatcher::Dispatcher,
    shares::{Lane, Left, Shares},
    view::TOLD,
};
use crate::domain::{ClientName, ClientTag, ResendId};

impl Dispatcher {
    /// Puts a resend into the fair queue if it has something to give and is not there.
    pub(super) fn requeue(&mut self, id: ResendId) {
        if let Some(active) = self.resends.get_mut(&id)
            && !active.queued
            && active.stop.is_none()
            && active.has_more()
        {
            active.queued = true;
            let client = active.record.client.clone();
            self.queue.push(&client, self.weight_of(&client), id);
        }
    }

    /// One that is no longer in the clients file is still owed its turns.
    fn weight_of(&self, client: &ClientName) -> NonZeroU32 {
        let known = self.clients.as_ref().and_then(|clients| clients.client(client));
        known.map_or(NonZeroU32::MIN, |known| known.weight)
    }

    /// Who shares the calls, for estimates.
    pub(super) fn shares(&self) -> Shares {
        let known = self.clients.as_ref().map_or_else(Vec::new, |clients| clients.weights());
        let empty = |client, weight| Lane { client, weight, addresses: 0, resends: 0 };
        let mut lanes: BTreeMap<ClientTag, Lane> =
            known.into_iter().map(|(client, weight)| (client, empty(client, weight))).collect();
        self.queued.each(|client, waiting| {
            let client = client.tag();
            lanes.entry(client).or_insert(empty(client, NonZeroU32::MIN)).addresses = waiting;
        });
        let mut left = Vec::with_capacity(self.resends.len().min(TOLD));
        for (id, active) in &self.resends {
            let client = active.record.client.tag();
            lanes.entry(client).or_insert(empty(client, NonZeroU32::MIN)).resends += 1;
            if left.len() < TOLD {
                left.push(Left { id: *id, client, addresses: active.unsettled.into() });
            }
        }
        Shares {
            lanes: lanes.into_values().collect(),
            left: left.into(),
            batch_size: self.options.batch_size,
        }
    }

    pub(super) fn leave_queue_if_empty(&mut self, id: ResendId) {
        self.may_be_hungry(id);
        if let Some(active) = self.resends.get_mut(&id)
            && active.queued
            && !active.has_more()
        {
            active.queued = false;
            self.queue.remove(&active.record.client, id);
        }
    }

    pub(super) fn end_turn(&mut self, id: ResendId) {
        self.leave_queue_if_empty(id);
        if let Some(active) = self.resends.get(&id).filter(|active| active.queued) {
            let client = active.record.client.clone();
            self.queue.end_turn(&client, self.weight_of(&client), id);
        }
    }

    pub(super) fn queue_shrank(&mut self, id: ResendId, addresses: u64) {
        if let Some(active) = self.resends.get(&id) {
            self.queued.remove(&active.record.client, addresses);
        }
    }
}
