//! Looks one address up: was it sent lately, is it in doubt?

use tokio::time::Instant;

use super::service::Resends;
use crate::{
    dispatch::{Ended, Seen},
    domain::{ClientName, Timestamp},
    intake::Address,
    recent::Memory,
};

/// What is remembered of one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recalled {
    /// Nothing: a list with it would send it now.
    Nothing,
    /// Upstream accepted it.
    Sent {
        /// When.
        at: Timestamp,
        /// Until when it is not sent again.
        until: Timestamp,
    },
    /// Upstream accepted it, in a list of another client.
    SentForOthers,
    /// Its last call ended unknown.
    Doubt {
        /// When.
        since: Timestamp,
    },
    /// Its last call, in a list of another client, ended unknown.
    DoubtForOthers,
}

impl Resends {
    /// What is remembered of `address` that `client` may know, in whatever case and form it was sent. A call
    /// that is in flight is not yet remembered.
    ///
    /// # Errors
    /// When dispatch has ended.
    pub async fn recall(&self, address: &Address, client: &ClientName) -> Result<Recalled, Ended> {
        let key = self.hasher.key(address);
        let seen = self.dispatch.look_up(&[key], Instant::now(), false).await?;
        let memory = seen.into_iter().find_map(|seen| match seen {
            Seen::Known(memory) => Some(memory),
            Seen::InFlight(memory) => memory,
            Seen::Fresh | Seen::Culprit => None,
        });
        Ok(match memory {
            None => Recalled::Nothing,
            Some(Memory::Sent(_, by)) if by != client.tag() => Recalled::SentForOthers,
            Some(Memory::Sent(at, _)) => Recalled::Sent { at, until: at.plus(self.window) },
            Some(Memory::Doubt(_, by)) if by != client.tag() => Recalled::DoubtForOthers,
            Some(Memory::Doubt(since, _)) => Recalled::Doubt { since },
        })
    }
}
