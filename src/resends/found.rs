//! A resend, wherever it is: under way or lately ended in RAM, or kept in the store; and its rows, read a few
//! at a time, so that a reader of any speed costs little memory and no connection to the store.

use std::{sync::Arc, time::Duration};

use thiserror::Error;
use tokio::time::timeout;

use super::service::Resends;
use crate::{
    dispatch::Because,
    domain::{ClientName, ResendId, Timestamp},
    store::{
        Kept, KeptRows, Record, Row, Snapshot, Starts,
        file::{Fault, Store, read},
    },
};

/// Rows in RAM looked at at once.
const PAGE: u32 = 1000;

/// A resend.
#[derive(Debug, Clone)]
pub enum Resend {
    /// In RAM.
    Live(Arc<Record>),
    /// In the store alone.
    Kept(Arc<Kept>),
}

/// Why rows can't be read to their end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ReadError {
    /// The store does not work.
    #[error(transparent)]
    Store(#[from] Fault),
    /// They were erased meanwhile, or are not as they were written.
    #[error("the rows are not in the store any more")]
    Gone,
}

impl Resend {
    /// Its id.
    pub fn id(&self) -> ResendId {
        match self {
            Self::Live(record) => record.id,
            Self::Kept(kept) => kept.id(),
        }
    }

    /// Who posted it.
    pub fn client(&self) -> &ClientName {
        match self {
            Self::Live(record) => &record.client,
            Self::Kept(kept) => kept.client(),
        }
    }

    /// When its body was whole.
    pub fn created_at(&self) -> Timestamp {
        match self {
            Self::Live(record) => record.created_at,
            Self::Kept(kept) => kept.created_at(),
        }
    }

    /// The state now.
    pub fn snapshot(&self) -> Snapshot {
        match self {
            Self::Live(record) => record.snapshot(),
            Self::Kept(kept) => kept.snapshot(),
        }
    }

    /// Returns once it is finished or cancelled, or this process has done with it.
    pub async fn finished(&self) {
        match self {
            Self::Live(record) => record.finished().await,
            Self::Kept(_) => {}
        }
    }

    /// Whether this process has done with it.
    pub fn is_over(&self) -> bool {
        match self {
            Self::Live(record) => record.is_over(),
            Self::Kept(_) => true,
        }
    }

    /// Waits for its end, at most so long; no longer than this process works on it.
    pub async fn wait(&self, at_most: Duration) {
        if !self.is_over() {
            // Which of them it was shows in the state.
            drop(timeout(at_most, self.finished()).await);
        }
    }

    fn len(&self) -> u32 {
        match self {
            Self::Live(record) => record.body.len(),
            Self::Kept(kept) => kept.len(),
        }
    }
}

impl Resends {
    /// The resend with this id, if `client` may see it; `None` may see all.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn get(&self, id: ResendId, client: Option<&ClientName>) -> Result<Option<Resend>, Fault> {
        let live = self.registry.get(id).map(Resend::Live);
        let found = match (live, &self.store) {
            (Some(live), _) => Some(live),
            (None, None) => None,
            (None, Some(store)) => {
                let row = store.read(move |db| read::resend(db, id)).await?;
                row.and_then(Kept::of).map(|kept| Resend::Kept(Arc::new(kept)))
            }
        };
        Ok(found.filter(|resend| client.is_none_or(|client| resend.client() == client)))
    }

    /// The resend with this id, if it is in RAM, as each is that is under way.
    pub fn live(&self, id: ResendId) -> Option<Resend> {
        self.registry.get(id).map(Resend::Live)
    }

    /// Cancels a resend and waits until its calls in flight have ended. One that has ended stays as it is.
    pub async fn cancel(&self, resend: &Resend) {
        match resend {
            Resend::Live(record) => self.stop(record, Because::Cancelled).await,
            Resend::Kept(_) => {}
        }
    }

    /// Reads the rows of a resend from the first on.
    pub fn reader(&self, resend: Resend) -> Reader {
        Reader { resend, store: self.store.clone(), next: 0, number: 0, starts: None }
    }
}

/// Goes over the rows of a resend once, in the caller's order.
pub struct Reader {
    resend: Resend,
    store: Option<Store>,
    /// The index of the next row, and the chunk where it stands.
    next: u32,
    number: u32,
    starts: Option<Starts>,
}

impl Reader {
    /// How many rows there are.
    pub fn len(&self) -> u32 {
        self.resend.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Hands over the next rows. Says whether more follow.
    ///
    /// # Errors
    /// When they can't be read; it can be tried again.
    pub async fn read(&mut self, take: &mut dyn FnMut(&Row<'_>)) -> Result<bool, ReadError> {
        if let Resend::Live(record) = &self.resend
            && record.body.list().is_some()
        {
            record.rows(self.next, PAGE).iter().for_each(take);
            self.next = self.next.saturating_add(PAGE).min(self.len());
        } else if self.next < self.len() {
            let page = self.read_chunk().await?;
            for row in page.rows() {
                self.next = row.index.saturating_add(1);
                take(&row);
            }
            self.number += 1;
        }
        Ok(self.next < self.len())
    }

    async fn read_chunk(&mut self) -> Result<KeptRows, ReadError> {
        let Some(store) = &self.store else { return Err(ReadError::Gone) };
        let rest = match &self.resend {
            Resend::Live(record) => record.rest(),
            Resend::Kept(kept) => kept.rest(),
        };
        let (id, number, mut starts) = (self.resend.id(), self.number, self.starts.take());
        let read = store.read(move |db| {
            let rows = KeptRows::read(db, id, number, rest.as_ref(), &mut starts)?;
            Ok((rows, starts))
        });
        let (rows, starts) = read.await?;
        self.starts = starts;
        rows.filter(|rows| rows.first() == self.next && !rows.is_empty()).ok_or(ReadError::Gone)
    }
}
