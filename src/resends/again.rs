//! Runs what was not sent of an ended resend again, in the same resend.
//!
//! With a store file it is written down first that the resend is under way again: from there on a crash
//! goes on with it. What runs again is judged as ever: by when the resend was created.

use std::sync::Arc;

use super::service::{Resends, SealError};
use crate::{
    clients::Caller,
    dispatch::{Dispatch, Reservation},
    domain::{OutcomeKind, ResendId, Status},
    store::{
        Keyed, Record, Restored,
        file::{Batch, Fault, ResendRow, Stage, Store, Write, read},
        not_sent_in,
    },
};

impl Resends {
    /// Runs what was not sent of an ended resend in RAM. `None` when it has just been forgotten.
    pub(super) async fn run_again(
        &self,
        record: &Record,
        caller: &Caller,
    ) -> Result<Option<Arc<Record>>, SealError> {
        let not_sent = record.snapshot().counts.of(OutcomeKind::NotSent);
        let reservation = self.reserve_again(caller, not_sent as u32).await?;
        let restored = match &self.store {
            None => Some(record.again()),
            Some(store) => match row_of(store, record.id).await? {
                Some(row) => self.reopen(store, row).await?,
                None => None,
            },
        };
        let Some(mut restored) = restored else { return Ok(None) };
        restored.record.keyed = record.keyed;
        self.go_on(restored, reservation).map(Some)
    }

    /// Room in the queue for what was taken before: its client paid for it then.
    async fn reserve_again(&self, caller: &Caller, addresses: u32) -> Result<Reservation, SealError> {
        let most = caller.client().limits.queued_addresses;
        Ok(self.dispatch.reserve(addresses, caller.name(), most).await?)
    }

    /// The answer of a resend that is only in the file, or what goes on of it. `None` when it is being forgotten.
    pub(super) async fn run_again_from_file(
        &self,
        row: ResendRow,
        keyed: Keyed,
        caller: &Caller,
    ) -> Result<Option<Arc<Record>>, SealError> {
        let Some(store) = &self.store else { return Err(SealError::Store(Fault::Closed)) };
        let [.., not_sent, _] = row.counts;
        let (row, restored, reservation) = match row.stage {
            Stage::Reading => return Ok(None),
            Stage::Ended if not_sent == 0 => (row.clone(), Some(restore(store, row).await?), None),
            Stage::Ended => {
                let reservation = self.reserve_again(caller, not_sent as u32).await?;
                (row.clone(), self.reopen(store, row).await?, Some(reservation))
            }
            // It found no room when the gateway started.
            Stage::UnderWay => {
                let reservation = self.reserve_again(caller, row.received as u32).await?;
                (row.clone(), Some(restore(store, row).await?), Some(reservation))
            }
        };
        let Some(mut restored) = restored else { return Ok(None) };
        restored.record.keyed = Some(keyed);
        match reservation {
            None => Ok(Some(Arc::new(restored.record.ended(&row)))),
            Some(reservation) => self.go_on(restored, reservation).map(Some),
        }
    }

    /// Writes that an ended resend is under way again, and gives it as it begins; `None` when it is being
    /// forgotten.
    async fn reopen(&self, store: &Store, row: ResendRow) -> Result<Option<Restored>, Fault> {
        let id = row.id;
        let mut row = ResendRow {
            stage: Stage::UnderWay,
            status: Status::Running.as_str().to_owned(),
            finished_at: None,
            rest: None,
            ..row
        };
        row.counts[OutcomeKind::NotSent as usize] = 0;
        let reopening = vec![Write::Reopen(Box::new(row.clone()))];
        if !store.write(Batch { writes: reopening, hard: true, ..Batch::default() }).await? {
            return Ok(None);
        }
        let mut parts = store.hard_parts();
        // Rows that are left out by a crash in between stay as they ended.
        for number in 0.. {
            let ends = store.read(move |db| read::ends(db, id, number)).await?;
            if ends.is_empty() {
                break;
            }
            let ends = not_sent_in(&ends);
            if !ends.is_empty() {
                parts.add(Write::Ends { resend: id, number, ends }).await?;
            }
        }
        parts.end().await?;
        let restored = restore(store, row).await?;
        Ok(Some(Restored { record: restored.record.taken_up(), ..restored }))
    }

    fn go_on(&self, restored: Restored, reservation: Reservation) -> Result<Arc<Record>, SealError> {
        let Restored { record, unsettled } = restored;
        let record = self.registry.insert(record)?;
        tracing::info!(
            resend = %record.id,
            trace_id = %record.trace.id(),
            client = record.client.as_str(),
            addresses = unsettled,
            "Resend runs again."
        );
        Dispatch::submit_again(Arc::clone(&record), unsettled, reservation);
        Ok(record)
    }
}

async fn row_of(store: &Store, id: ResendId) -> Result<Option<ResendRow>, Fault> {
    store.read(move |db| read::resend(db, id)).await
}

async fn restore(store: &Store, row: ResendRow) -> Result<Restored, Fault> {
    store.read(move |db| Record::restore(db, &row)).await?.ok_or(Fault::Damaged)
}
