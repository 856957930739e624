//! Who stands in the fair queue, and how much waits.

use std::num::NonZeroU32;

use super::dispatcher::Dispatcher;
use crate::domain::ResendId;

impl Dispatcher {
    /// Puts a resend into the fair queue if it has something to give and is not there.
    pub(super) fn requeue(&mut self, id: ResendId) {
        if let Some(active) = self.resends.get_mut(&id)
            && !active.queued
            && active.stop.is_none()
            && active.has_more()
        {
            active.queued = true;
            let client = &active.record.client;
            // One that is no longer in the clients file is still owed its turns.
            let known = self.clients.as_ref().and_then(|clients| clients.client(client));
            let weight = known.map_or(NonZeroU32::MIN, |known| known.weight);
            self.queue.push(client, weight, id);
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
            self.queue.end_turn(&active.record.client, id);
        }
    }

    pub(super) fn queue_shrank(&mut self, id: ResendId, addresses: u64) {
        if let Some(active) = self.resends.get(&id) {
            self.queued.remove(&active.record.client, addresses);
        }
    }
}
