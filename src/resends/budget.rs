//! The memory for lists that are being read: one budget, of which each list holds a share.
//!
//! It may be exceeded by the last step of each list that was in the middle of one. Lists that can go to the
//! store do so then, and nobody reads on before there is room again.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use thiserror::Error;
use tokio::sync::{Notify, Semaphore, SemaphorePermit};

/// Lists whose repeats are sorted out at once: that takes up to 768 KiB of each, whatever its length.
const SORTS: usize = 8;

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
    /// Wakes when the limit is crossed, up or down.
    crossed: Notify,
    sorts: Semaphore,
}

impl MemoryBudget {
    /// A budget of `limit` bytes.
    pub fn new(limit: usize) -> Arc<Self> {
        let (used, crossed, sorts) = (AtomicUsize::new(0), Notify::new(), Semaphore::new(SORTS));
        Arc::new(Self { used, limit, crossed, sorts })
    }

    /// Bytes in use.
    #[cfg(test)]
    pub(super) fn used(&self) -> usize {
        self.used.load(Ordering::Acquire)
    }

    /// Bytes there are.
    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// Whether all lists together take more than they may.
    pub(super) fn is_over(&self) -> bool {
        self.used.load(Ordering::Acquire) > self.limit
    }

    /// Returns as soon as they do.
    pub(super) async fn until_over(&self) {
        self.until(true).await;
    }

    /// Returns as soon as they don't.
    pub(super) async fn until_room(&self) {
        self.until(false).await;
    }

    /// Waits for memory to sort out the repeats of a list; it is given back with what this gives.
    pub(super) async fn sort_place(&self) -> Option<SemaphorePermit<'_>> {
        // Never closed.
        self.sorts.acquire().await.ok()
    }

    async fn until(&self, over: bool) {
        loop {
            // Wakes for what happens from here on, before it is looked at.
            let crossed = self.crossed.notified();
            if self.is_over() == over {
                return;
            }
            crossed.await;
        }
    }

    fn add(&self, more: usize) -> bool {
        let before = self.used.fetch_add(more, Ordering::AcqRel);
        self.tell_crossed(before, before + more);
        before + more <= self.limit
    }

    fn take(&self, less: usize) {
        let before = self.used.fetch_sub(less, Ordering::AcqRel);
        self.tell_crossed(before, before - less);
    }

    fn tell_crossed(&self, before: usize, after: usize) {
        if (before > self.limit) != (after > self.limit) {
            self.crossed.notify_waiters();
        }
    }
}

/// What one list takes of the budget. Dropping it gives that back.
#[derive(Debug)]
pub(super) struct Share {
    budget: Arc<MemoryBudget>,
    bytes: usize,
}

impl Share {
    pub(super) fn none_of(budget: Arc<MemoryBudget>) -> Self {
        Self { budget, bytes: 0 }
    }

    pub(super) fn budget(&self) -> &MemoryBudget {
        &self.budget
    }

    /// Takes so much in all. What was taken stays so when the budget has no room, until it is given back.
    ///
    /// # Errors
    /// When the budget has no room for it.
    pub(super) fn grow_to(&mut self, bytes: usize) -> Result<(), BudgetFull> {
        if bytes <= self.bytes {
            return Ok(());
        }
        let more = bytes - self.bytes;
        self.bytes = bytes;
        let limit = self.budget.limit;
        if self.budget.add(more) { Ok(()) } else { Err(BudgetFull { limit, alone: bytes > limit }) }
    }

    /// Gives back all beyond so much.
    pub(super) fn shrink_to(&mut self, bytes: usize) {
        let less = self.bytes.saturating_sub(bytes);
        self.bytes -= less;
        self.budget.take(less);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.take(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn the_budget_is_shared_and_given_back() {
        let budget = MemoryBudget::new(100);
        let mut first = Share::none_of(Arc::clone(&budget));
        let mut second = Share::none_of(Arc::clone(&budget));
        first.grow_to(60).unwrap();
        second.grow_to(40).unwrap();

        assert_eq!(second.grow_to(41), Err(BudgetFull { limit: 100, alone: false }));
        drop(first);
        second.grow_to(100).unwrap();
        assert_eq!(second.grow_to(101), Err(BudgetFull { limit: 100, alone: true }));
        drop(second);

        assert_eq!(budget.used(), 0);
    }

    #[tokio::test]
    async fn who_waits_hears_when_the_limit_is_crossed() {
        let budget = MemoryBudget::new(100);
        let mut share = Share::none_of(Arc::clone(&budget));
        let over = budget.until_over();
        tokio::pin!(over);
        assert!(over.as_mut().now_or_never().is_none());

        assert!(share.grow_to(101).is_err());

        over.await;
        let room = budget.until_room();
        tokio::pin!(room);
        assert!(room.as_mut().now_or_never().is_none());
        share.shrink_to(100);
        room.await;
    }
}
