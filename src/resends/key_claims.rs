//! One request at a time for each key: who comes meanwhile waits, and then finds what the first has made.
//!
//! Holds no more entries than there are requests being served.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;

use crate::domain::ClientName;

/// A key of a client, as its hash.
type Name = (ClientName, [u8; 16]);

/// The keys that somebody works on.
#[derive(Debug, Default)]
pub(super) struct KeyClaims {
    held: Mutex<HashMap<Name, watch::Sender<()>>>,
}

/// The right to work on a key, until it is dropped.
#[derive(Debug)]
pub(super) struct KeyClaim {
    claims: Arc<KeyClaims>,
    name: Name,
}

impl KeyClaims {
    /// Returns once nobody else works on this key.
    pub(super) async fn claim(self: &Arc<Self>, client: &ClientName, key: [u8; 16]) -> KeyClaim {
        let name = (client.clone(), key);
        loop {
            let mut released = {
                let mut held = self.held();
                match held.get(&name) {
                    Some(sender) => sender.subscribe(),
                    None => {
                        held.insert(name.clone(), watch::Sender::new(()));
                        return KeyClaim { claims: Arc::clone(self), name };
                    }
                }
            };
            // Nothing is ever sent: the sender goes, and that is the word.
            drop(released.changed().await);
        }
    }

    fn held(&self) -> MutexGuard<'_, HashMap<Name, watch::Sender<()>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for KeyClaim {
    fn drop(&mut self) {
        self.claims.held().remove(&self.name);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn a_key_is_worked_on_by_one_at_a_time_and_leaves_nothing_behind() {
        let claims = Arc::new(KeyClaims::default());
        let (ann, bob) = (ClientName::new("ann"), ClientName::new("bob"));
        let first = claims.claim(&ann, [1; 16]).await;
        let mut second = Box::pin(claims.claim(&ann, [1; 16]));

        assert!((&mut second).now_or_never().is_none());
        drop(claims.claim(&ann, [2; 16]).await);
        drop(claims.claim(&bob, [1; 16]).await);
        drop(first);
        drop(second.await);

        assert!(claims.held().is_empty());
    }
}
