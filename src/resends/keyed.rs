//! Lists that are posted under an `Idempotency-Key`: the first request begins a resend, later ones meet it.
//!
//! A key is used up by nothing but a resend that was taken. With a store file that resend and its key are
//! written for good before anything of it is sent; so the key answers as long as the resend is kept, also
//! after a crash.

use std::sync::Arc;

use super::{
    admission::{Draft, DraftError, Rows, Whole},
    key_claims::KeyClaim,
    service::{Resends, SealError},
};
use crate::{
    clients::Caller,
    dispatch::{Dispatch, Refused},
    domain::{ClientName, OutcomeKind, ResendId, Timestamp, TraceContext},
    intake::{Encoding, Format},
    store::{
        Body, Keyed, Record,
        file::{Batch, Fault, IdempotencyRow, ResendRow, Store, Write, read},
    },
};

/// Changes written at once: dispatch must not wait for long.
const AT_ONCE: usize = 8;

/// A whole list that was posted under a key.
struct Posted {
    whole: Whole,
    keyed: Keyed,
    caller: Caller,
    force: bool,
    trace: TraceContext,
}

/// What a key has led to before.
struct Known {
    body: [u8; 16],
    force: bool,
    resend: Met,
}

/// Where a resend was found.
pub(super) enum Met {
    InRam(Arc<Record>),
    /// Only in the file.
    InFile(ResendRow),
}

impl Resends {
    /// Begins to read a list that is posted under this key.
    pub fn draft_under(&self, key: &str, format: Format, encoding: Encoding) -> Draft {
        self.draft(format, encoding).under(self.hasher.word(key), self.hasher.body(format))
    }

    /// As [`Resends::seal`], for a list that is posted under a key.
    pub(super) async fn seal_keyed(
        &self,
        draft: Draft,
        keyed: Keyed,
        caller: &Caller,
        force: bool,
        trace: TraceContext,
    ) -> Result<Result<Arc<Record>, SealError>, DraftError> {
        // The list keeps its share of the memory while it waits for its turn.
        let claim = self.key_claims.claim(caller.name(), keyed.key).await;
        let whole = draft.finish().await?;
        let posted = Posted { whole, keyed, caller: caller.clone(), force, trace };
        let this = self.clone();
        // A caller that goes away must not leave this half done.
        let sealing = tokio::spawn(async move { this.meet_or_begin(posted, claim).await });
        Ok(sealing.await.unwrap_or(Err(SealError::Refused(Refused::ShuttingDown))))
    }

    async fn meet_or_begin(&self, posted: Posted, claim: KeyClaim) -> Result<Arc<Record>, SealError> {
        let stored = match posted.whole.rows {
            Rows::Resident(_) => None,
            Rows::Stored(id, _) => Some(id),
        };
        let (keyed, force) = (posted.keyed, posted.force);
        let result = match self.known(posted.caller.name(), keyed.key).await {
            Ok(None) => return self.begin_keyed(posted).await,
            Ok(Some(known)) if known.body != keyed.body || known.force != force => Err(SealError::KeyReused),
            Ok(Some(known)) => match self.meet(known.resend, keyed, &posted.caller).await {
                Ok(None) => return self.begin_keyed(posted).await,
                Ok(Some(record)) => {
                    record.is_met();
                    Ok(record)
                }
                Err(error) => Err(error),
            },
            Err(fault) => Err(SealError::Store(fault)),
        };
        self.discard(stored);
        drop(claim);
        result
    }

    /// What this key has led to, if anything.
    async fn known(&self, client: &ClientName, key: [u8; 16]) -> Result<Option<Known>, Fault> {
        if let Some(record) = self.registry.keyed(client, key)
            && let Some(Keyed { body, .. }) = record.keyed
        {
            let (force, resend) = (record.force, Met::InRam(record));
            return Ok((!self.is_past(&resend)).then_some(Known { body, force, resend }));
        }
        let Some(store) = &self.store else { return Ok(None) };
        let client = client.clone();
        let Some(row) = store.read(move |db| read::idempotency(db, &client, key)).await? else {
            return Ok(None);
        };
        let IdempotencyRow { body, force, resend: id, .. } = row;
        let resend = match self.registry.get(id) {
            Some(record) => Some(Met::InRam(record)),
            None => store.read(move |db| read::resend(db, id)).await?.map(Met::InFile),
        };
        let resend = resend.filter(|resend| !self.is_past(resend));
        Ok(resend.map(|resend| Known { body, force, resend }))
    }

    /// Whether it ended before the retention: it may be erased any moment, and must not begin again under that.
    fn is_past(&self, resend: &Met) -> bool {
        let ended = match resend {
            Met::InRam(record) => record.snapshot().finished_at,
            Met::InFile(row) => row.finished_at,
        };
        ended.is_some_and(|at| at.plus(self.retention) < Timestamp::now())
    }

    /// The resend answers as it is, or begins again where something of it was not sent. `None` when the
    /// retention is over for it just now.
    async fn meet(
        &self,
        resend: Met,
        keyed: Keyed,
        caller: &Caller,
    ) -> Result<Option<Arc<Record>>, SealError> {
        match resend {
            Met::InRam(record) => {
                let snapshot = record.snapshot();
                if !snapshot.status.is_final() || snapshot.counts.of(OutcomeKind::NotSent) == 0 {
                    return Ok(Some(record));
                }
                self.run_again(&record, caller).await
            }
            Met::InFile(row) => self.run_again_from_file(row, keyed, caller).await,
        }
    }

    async fn begin_keyed(&self, posted: Posted) -> Result<Arc<Record>, SealError> {
        let Posted { whole, keyed, caller, force, trace } = posted;
        // The share is held until the registry counts the list.
        let Whole { rows, share: _share } = whole;
        let (id, body, stored) = match rows {
            Rows::Resident(list) => (Self::new_id(), Body::Resident(list), None),
            Rows::Stored(id, shape) => (id, Body::Stored(shape), Some(id)),
        };
        if body.is_empty() {
            return Err(SealError::Empty);
        }
        let reservation = match self.reserve(&caller, body.fresh()).await {
            Ok(reservation) => reservation,
            Err(refused) => {
                self.discard(stored);
                return Err(refused);
            }
        };
        let mut record = Record::new(id, caller.name().clone(), force, trace, body);
        record.keyed = Some(keyed);
        let room = self.registry.hold(&record).inspect_err(|_| self.discard(stored))?;
        if let Some(store) = &self.store
            && let Err(fault) = write_keyed(store, &record, keyed).await
        {
            tracing::error!(%fault, "A list under a key can't be promised; it is not taken.");
            self.discard(Some(id));
            return Err(SealError::Store(fault));
        }
        let record = room.fill(record);
        self.metrics.addresses_received(&record.client, record.body.len().into());
        record.tell_invalid(|outcome, addresses| self.metrics.outcome(&record.client, outcome, addresses));
        Dispatch::submit(Arc::clone(&record), reservation);
        Ok(record)
    }

    /// Forgets rows that went to the store for nothing.
    fn discard(&self, stored: Option<ResendId>) {
        if let Some((store, id)) = self.store.as_ref().zip(stored) {
            store.erase_later(id);
        }
    }
}

/// Writes a resend for good, with its rows and its key. Until the last batch a crash forgets it.
async fn write_keyed(store: &Store, record: &Record, keyed: Keyed) -> Result<(), Fault> {
    let mut writes = vec![record.row(None)];
    for rows in record.write_rows() {
        writes.push(rows);
        if writes.len() >= AT_ONCE {
            store.write(Batch { writes: std::mem::take(&mut writes), ..Batch::default() }).await?;
        }
    }
    record.promise();
    writes.push(record.row(None));
    writes.push(Write::Idempotency(Box::new(IdempotencyRow {
        client: record.client.clone(),
        key: keyed.key,
        body: keyed.body,
        force: record.force,
        resend: record.id,
    })));
    store.write(Batch { writes, hard: true, ..Batch::default() }).await?;
    Ok(())
}
