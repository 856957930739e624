//! How far the life of a resend in this process is, and who waits for what of it.

use std::sync::{Arc, atomic::Ordering};

use super::record::Record;

/// Nothing ever goes back to a word before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Life {
    /// Dispatch works on it.
    #[default]
    UnderWay,
    /// The gateway ends: nothing more of it is drawn in this process.
    Suspended,
    /// Dispatch has done with it: it has ended, or the next process goes on with it.
    Over,
}

/// A request that was told neither the end of a resend nor that it goes on. The one that made the resend
/// counts from the start, and one that meets it by [`Record::is_met`].
#[derive(Debug)]
pub struct Caller(Arc<Record>);

impl Caller {
    /// Of a request that made the resend, or met it: once for each.
    pub fn of(record: &Arc<Record>) -> Self {
        Self(Arc::clone(record))
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        // One that joined was never counted.
        let fewer = |callers: u32| Some(callers.saturating_sub(1));
        let before = self.0.callers.fetch_update(Ordering::AcqRel, Ordering::Acquire, fewer);
        debug_assert!(before.is_ok(), "there is always a number to put");
    }
}

impl Record {
    /// Says that the gateway ends, and the resend goes on in the next process if somebody is promised that.
    pub fn suspend(&self) {
        self.live_on(Life::Suspended);
    }

    /// Says that dispatch has done with it, and the next process goes on.
    pub fn leave(&self) {
        self.live_on(Life::Over);
    }

    /// Counts a request that meets it.
    pub fn is_met(&self) {
        self.callers.fetch_add(1, Ordering::AcqRel);
    }

    /// Whether a request is still to be told of it.
    pub fn has_caller(&self) -> bool {
        self.callers.load(Ordering::Acquire) > 0
    }

    /// Returns once the resend is finished or cancelled, or is left to the next process.
    pub async fn finished(&self) {
        self.reached(Life::Over).await;
    }

    /// The same, but also when it is clear that this process draws nothing more of it.
    pub async fn finished_or_suspended(&self) {
        self.reached(Life::Suspended).await;
    }

    async fn reached(&self, wanted: Life) {
        let mut life = self.life.subscribe();
        // The sender lives as long as `self`, so waiting can't fail.
        let waited = life.wait_for(|life| *life >= wanted).await;
        drop(waited);
    }

    /// Whether dispatch has done with it.
    pub fn is_over(&self) -> bool {
        *self.life.borrow() == Life::Over
    }

    pub(super) fn live_on(&self, to: Life) {
        self.life.send_if_modified(|life| std::mem::replace(life, to.max(*life)) != *life);
    }
}
