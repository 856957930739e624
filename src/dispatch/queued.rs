//! How many addresses wait, of everybody and of each client: counted when a list is about to be taken, so that
//! no two lists take the same room, and until its addresses have their outcomes.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::domain::ClientName;

/// The counts. Clients are those of the clients file, so there are few.
#[derive(Debug, Default)]
pub(super) struct Queued {
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    all: u64,
    by_client: BTreeMap<ClientName, u64>,
}

/// Why there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoRoom {
    /// Never, for a list of this length of this client.
    LongerThanOwn { limit: u64 },
    /// Too many addresses wait.
    All { queued: u64, max: u64 },
    /// Too many of this client do.
    Own { queued: u64, max: u64 },
}

/// Room for addresses of a client. Given back when dropped.
#[derive(Debug)]
pub(super) struct Room {
    queued: Arc<Queued>,
    client: ClientName,
    addresses: u64,
}

impl Queued {
    /// Takes room for so many addresses of `client`, if all together stay below `max` and its own below `own`.
    pub(super) fn reserve(
        self: &Arc<Self>,
        client: &ClientName,
        addresses: u64,
        max: u64,
        own: Option<u64>,
    ) -> Result<Room, NoRoom> {
        if let Some(limit) = own.filter(|limit| addresses > *limit) {
            return Err(NoRoom::LongerThanOwn { limit });
        }
        let mut counts = self.counts();
        let (all, queued) = (counts.all, counts.by_client.get(client).copied().unwrap_or_default());
        if let Some(max) = own.filter(|max| queued + addresses > *max) {
            return Err(NoRoom::Own { queued, max });
        }
        if all + addresses > max {
            return Err(NoRoom::All { queued: all, max });
        }
        counts.add(client, addresses);
        Ok(Room { queued: Arc::clone(self), client: client.clone(), addresses })
    }

    /// Counts addresses that wait whatever the limits say: they were promised by a process before.
    pub(super) fn add(&self, client: &ClientName, addresses: u64) {
        self.counts().add(client, addresses);
    }

    /// Addresses that wait no longer.
    pub(super) fn remove(&self, client: &ClientName, addresses: u64) {
        let mut counts = self.counts();
        counts.all = counts.all.saturating_sub(addresses);
        if let Some(own) = counts.by_client.get_mut(client) {
            *own = own.saturating_sub(addresses);
        }
    }

    /// How many wait.
    pub(super) fn all(&self) -> u64 {
        self.counts().all
    }

    /// How many wait of each client that ever had some.
    pub(super) fn each(&self, mut tell: impl FnMut(&ClientName, u64)) {
        for (client, addresses) in &self.counts().by_client {
            tell(client, *addresses);
        }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    fn add(&mut self, client: &ClientName, addresses: u64) {
        self.all += addresses;
        *self.by_client.entry(client.clone()).or_default() += addresses;
    }
}

impl Room {
    /// Leaves so many to those that wait from now on, and gives the rest back.
    pub(super) fn keep(mut self, addresses: u32) {
        self.addresses = self.addresses.saturating_sub(addresses.into());
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.queued.remove(&self.client, self.addresses);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_counted_for_all_and_for_each() {
        let queued = Arc::new(Queued::default());
        let (ann, bob) = (ClientName::new("ann"), ClientName::new("bob"));
        let first = queued.reserve(&ann, 60, 100, Some(70)).unwrap();

        let own = queued.reserve(&ann, 11, 100, Some(70)).unwrap_err();
        assert_eq!(own, NoRoom::Own { queued: 60, max: 70 });
        let never = queued.reserve(&ann, 71, 100, Some(70)).unwrap_err();
        assert_eq!(never, NoRoom::LongerThanOwn { limit: 70 });
        let full = queued.reserve(&bob, 41, 100, None).unwrap_err();
        assert_eq!(full, NoRoom::All { queued: 60, max: 100 });

        first.keep(50);
        assert_eq!(queued.all(), 50);
        drop(queued.reserve(&ann, 20, 100, Some(70)).unwrap());
        queued.remove(&ann, 50);
        assert_eq!(queued.all(), 0);
        queued.each(|client, addresses| assert_eq!((client, addresses), (&ann, 0)));
    }
}
