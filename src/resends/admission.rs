//! The memory for lists that are being read.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use thiserror::Error;

use crate::{
    domain::List,
    intake::{BodyReader, Encoding, Format, IntakeError, ListBuilder},
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

/// A list being read, with its share of the budget. Dropping it gives the share back.
pub struct Draft {
    reader: BodyReader<ListBuilder>,
    share: Share,
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
}

impl Draft {
    pub(super) fn new(
        format: Format,
        encoding: Encoding,
        max_bytes: Option<u64>,
        list: ListBuilder,
        budget: Arc<MemoryBudget>,
    ) -> Self {
        Self { reader: BodyReader::new(format, encoding, max_bytes, list), share: Share { budget, bytes: 0 } }
    }

    /// Reads some of `piece`, a bounded part, and takes that away from it. True when there is more to do:
    /// whoever reads many lists on one thread lets others go first then.
    ///
    /// # Errors
    /// When the body can't be used or there is no memory for it; the draft is of no use then.
    pub fn step(&mut self, piece: &mut &[u8]) -> Result<bool, DraftError> {
        let more = self.reader.step(piece)?;
        self.share.grow_to(self.reader.sink().bytes())?;
        Ok(more)
    }

    /// The body is over.
    ///
    /// # Errors
    /// When it ended too early.
    pub fn finish(self) -> Result<ListBuilder, DraftError> {
        Ok(self.reader.finish()?)
    }

    /// The body is over: the list, which keeps its share of the budget, and `more` bytes an address.
    ///
    /// # Errors
    /// When it ended too early, or there is no memory for that.
    pub(super) fn keep(self, more: usize) -> Result<(List, Share), DraftError> {
        let Self { reader, mut share } = self;
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
