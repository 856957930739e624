//! Erases what nobody can ask for any more: ended resends after the retention, calls that are held against no
//! list, and addresses that were refused alone long ago.

use std::{thread, time::Duration};

use tokio::time::Instant;

use super::{LEAST_REST, LOOK, REST, Work};
use crate::{
    domain::{ResendId, Timestamp},
    store::file::{Fault, Write, read},
};

/// So long after the retention a resend stays: a key that met it at the last moment has begun it again by then,
/// and what is under way must not be erased.
const GRACE: Duration = Duration::from_secs(60);
/// Resends looked up at once.
const RESENDS: u32 = 100;
/// Calls erased in one transaction.
const CALLS: i64 = 1000;
/// How long an address that was refused alone is remembered.
const CULPRITS: Duration = Duration::from_secs(24 * 3600);

impl Work {
    /// Erases what is old at `now`.
    pub(super) fn sweep(&self, now: Timestamp) -> Result<(), Fault> {
        self.registry.forget_old();
        self.erase_resends(before(now, self.keeping.retention + GRACE))?;
        self.erase_calls(before(self.oldest_asker(now), self.keeping.window))?;
        self.gently(Write::EraseCulprits(before(now, CULPRITS))).map(drop)
    }

    fn erase_resends(&self, end: Timestamp) -> Result<(), Fault> {
        loop {
            let ids = self.store.read_now(|db| read::ended_before(db, end, RESENDS))?;
            let old: Vec<_> = ids.into_iter().filter(|id| !self.is_under_way(*id)).collect();
            for id in &old {
                self.erase_resend(*id, end)?;
            }
            if old.is_empty() {
                return Ok(());
            }
        }
    }

    /// Not one that has gone on since it was looked up.
    pub(super) fn erase_resend(&self, id: ResendId, end: Timestamp) -> Result<(), Fault> {
        if self.gently(Write::Expire(id, end))? {
            while self.gently(Write::Erase(id))? {}
        }
        Ok(())
    }

    /// One that ended may have been taken up again.
    fn is_under_way(&self, id: ResendId) -> bool {
        self.registry.get(id).is_some_and(|record| !record.snapshot().status.is_final())
    }

    fn erase_calls(&self, end: Timestamp) -> Result<(), Fault> {
        let Some((first, last)) = self.store.read_now(|db| read::calls_before(db, end))? else {
            return Ok(());
        };
        let mut next = first;
        while next < last {
            next = next.saturating_add(CALLS).min(last);
            self.gently(Write::EraseCalls { before: next, ended: end })?;
        }
        Ok(())
    }

    /// When the oldest list was posted that may still ask what happened before it.
    fn oldest_asker(&self, now: Timestamp) -> Timestamp {
        let age = self.registry.oldest_unfinished().map_or(Duration::ZERO, |created| created.elapsed());
        before(now, age)
    }

    /// Writes, and rests.
    fn gently(&self, write: Write) -> Result<bool, Fault> {
        let started = Instant::now();
        let again = self.write(vec![write])?;
        thread::park_timeout((started.elapsed() * REST).clamp(LEAST_REST / 20, LOOK));
        Ok(again)
    }
}

fn before(moment: Timestamp, by: Duration) -> Timestamp {
    Timestamp(moment.0.saturating_sub(u64::try_from(by.as_millis()).unwrap_or(u64::MAX)))
}
