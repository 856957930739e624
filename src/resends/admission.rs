//! The memory for lists that are being read.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use thiserror::Error;
use tokio::time::{Instant, sleep};

use super::spill::{Spill, SpillError};

use crate::{
    domain::{List, ResendId},
    intake::{BodyHasher, BodyReader, Encoding, Format, IntakeError, ListBuilder},
    store::{Keyed, Shape, file::Store},
};

/// All lists being read together would take more memory than they may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the lists being read take all of the {limit} bytes there are for them")]
pub struct BudgetFull {
    /// Bytes that all lists being read may take.
    pub limit: usize,
    /// Whether this list alone takes all of them.
    pub alone: bool,
}

/// Bytes that all lists being read may take together.
#[derive(Debug)]
pub struct MemoryBudget {
    used: AtomicUsize,
    limit: usize,
}

impl MemoryBudget {
    /// A budget of `limit` bytes.
    pub fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { used: AtomicUsize::new(0), limit })
    }

    /// Bytes in use.
    pub fn used(&self) -> usize {
        self.used.load(Ordering::Acquire)
    }
}

/// A list in RAM of this size goes to the store, where there is one.
const SPILL_AT: usize = 1 << 20;
/// So much of a list that goes to the store is gathered before it is written.
const FLUSH_AT: usize = 256 << 10;
/// How long a list waits for others to make room.
const PATIENCE: Duration = Duration::from_secs(20);

/// A list being read, with its share of the budget. Dropping it gives the share back.
pub struct Draft {
    reader: BodyReader<ListBuilder>,
    share: Share,
    store: Option<Store>,
    spill: Option<Spill>,
    /// The hash of the key that it was posted under, if any.
    key: Option<[u8; 16]>,
}

/// What is to be done after a part of a body was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The next part is needed.
    Done,
    /// There is more of this one.
    More,
    /// [`Draft::flush`] comes first; then there may be more of this one.
    Full,
}

/// A body that was whole and good.
pub(super) enum Whole {
    /// All of it is in RAM.
    Resident(List),
    /// Its rows are in the store, under this id.
    Stored(ResendId, Shape),
}

/// What one list takes of the budget. Dropping it gives that back.
#[derive(Debug)]
pub(super) struct Share {
    budget: Arc<MemoryBudget>,
    bytes: usize,
}

/// Why reading stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DraftError {
    /// The body can't be used.
    #[error(transparent)]
    Intake(#[from] IntakeError),
    /// There is no memory for it.
    #[error(transparent)]
    Budget(#[from] BudgetFull),
    /// It can't go to the store.
    #[error(transparent)]
    Spill(#[from] SpillError),
}

impl Draft {
    pub(super) fn new(
        format: Format,
        encoding: Encoding,
        max_bytes: Option<u64>,
        list: ListBuilder,
        budget: Arc<MemoryBudget>,
        store: Option<Store>,
    ) -> Self {
        let reader = BodyReader::new(format, encoding, max_bytes, list);
        Self { reader, share: Share { budget, bytes: 0 }, store, spill: None, key: None }
    }

    /// Posts it under a key: its body is hashed while it is read.
    pub(super) fn under(mut self, key: [u8; 16], hasher: BodyHasher) -> Self {
        self.key = Some(key);
        self.reader.hash_with(hasher);
        self
    }

    /// The key that it was posted under, with the hash of the body so far.
    pub(super) fn keyed(&self) -> Option<Keyed> {
        Some(Keyed { key: self.key?, body: self.reader.hash()? })
    }

    /// Reads some of `piece`, a bounded part, and takes that away from it. Whoever reads many lists on one
    /// thread lets others go first when there is more to do.
    ///
    /// # Errors
    /// When the body can't be used or there is no memory for it; the draft is of no use then.
    pub fn step(&mut self, piece: &mut &[u8]) -> Result<Step, DraftError> {
        let more = self.reader.step(piece)?;
        let bytes = self.bytes();
        let most = if self.spill.is_some() { FLUSH_AT } else { SPILL_AT };
        match self.share.grow_to(bytes) {
            Err(full) if self.store.is_none() => Err(full.into()),
            Err(_) => Ok(Step::Full),
            Ok(()) if self.store.is_some() && self.reader.sink().bytes() > most => Ok(Step::Full),
            Ok(()) if more => Ok(Step::More),
            Ok(()) => Ok(Step::Done),
        }
    }

    /// Writes what was read so far to the store. When others take all of the memory it waits for them.
    ///
    /// # Errors
    /// When it can't be written, or there is no room even then.
    pub async fn flush(&mut self) -> Result<(), DraftError> {
        let Some(store) = &self.store else { return Ok(()) };
        if let Some(lack) = store.lack() {
            return Err(SpillError::NoRoom(lack).into());
        }
        let is_short = self.share.is_over();
        match &mut self.spill {
            None => self.spill = Some(Spill::begin(store, self.reader.sink_mut()).await?),
            Some(spill) => spill.drain(self.reader.sink_mut(), is_short).await?,
        }
        self.share.shrink_to(self.bytes());
        let deadline = Instant::now() + PATIENCE;
        while self.share.is_over() {
            if Instant::now() >= deadline {
                return Err(BudgetFull { limit: self.share.budget.limit, alone: false }.into());
            }
            sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        self.reader.sink().bytes() + self.spill.as_ref().map_or(0, Spill::bytes)
    }

    /// The body is over.
    ///
    /// # Errors
    /// When it ended too early, or the rest of it can't be written.
    pub(super) async fn finish(self) -> Result<Whole, DraftError> {
        let mut list = self.reader.finish()?;
        match self.spill {
            None => Ok(Whole::Resident(list.finish())),
            Some(spill) => {
                let (id, shape) = spill.finish(&mut list).await?;
                Ok(Whole::Stored(id, shape))
            }
        }
    }

    /// The body is over: the list, which keeps its share of the budget, and `more` bytes an address.
    ///
    /// # Errors
    /// When it ended too early, or there is no memory for that.
    pub(super) fn keep(self, more: usize) -> Result<(List, Share), DraftError> {
        let Self { reader, mut share, .. } = self;
        let list = reader.finish()?.finish();
        share.grow_to(list.bytes() + list.len() as usize * more)?;
        Ok((list, share))
    }
}

impl Share {
    fn grow_to(&mut self, bytes: usize) -> Result<(), BudgetFull> {
        if bytes <= self.bytes {
            return Ok(());
        }
        let more = bytes - self.bytes;
        let used = self.budget.used.fetch_add(more, Ordering::AcqRel);
        self.bytes = bytes;
        if used + more > self.budget.limit {
            return Err(BudgetFull { limit: self.budget.limit, alone: bytes > self.budget.limit });
        }
        Ok(())
    }
}

impl Share {
    fn shrink_to(&mut self, bytes: usize) {
        let less = self.bytes.saturating_sub(bytes);
        self.budget.used.fetch_sub(less, Ordering::AcqRel);
        self.bytes -= less;
    }

    /// Whether all lists together take more than they may.
    fn is_over(&self) -> bool {
        self.budget.used() > self.budget.limit
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(budget: &Arc<MemoryBudget>) -> Share {
        Share { budget: Arc::clone(budget), bytes: 0 }
    }

    #[test]
    fn the_budget_is_shared_and_given_back() {
        let budget = MemoryBudget::new(100);
        let mut first = share(&budget);
        let mut second = share(&budget);
        first.grow_to(60).unwrap();
        second.grow_to(40).unwrap();

        assert_eq!(second.grow_to(41), Err(BudgetFull { limit: 100, alone: false }));
        drop(first);
        second.grow_to(100).unwrap();
        assert_eq!(second.grow_to(101), Err(BudgetFull { limit: 100, alone: true }));
        drop(second);

        assert_eq!(budget.used(), 0);
    }
}
