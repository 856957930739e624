//! Lists that are posted under an `Idempotency-Key`: the first request begins a resend, later ones meet it.
//!
//! A key is used up by nothing but a resend that was taken. With a store file that resend and its key are
//! written for good before anything of it is sent; so the key answers as long as the resend is kept, also
//! after a crash.

use std::sync::Arc;

use super::{
    admission::{Draft, DraftError, Whole},
    budget::Share,
    key_claims::KeyClaim,
    service::{Resends, SealError},
    stow::Unclaimed,
};
use crate::{
    clients::Caller,
    dispatch::Refused,
    domain::{ClientName, OutcomeKind, ResendId, Timestamp, TraceContext},
    intake::{Encoding, Format},
    store::{
        Body, Keyed, Record,
        file::{Fault, IdempotencyRow, ResendRow, Store, Write, read},
    },
};

/// A whole list that was posted under a key.
struct Posted {
    id: ResendId,
    body: Body,
    rows: Unclaimed,
    share: Share,
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
        let Whole { rows, share } = draft.finish().await?;
        let (id, body, rows) = self.unpack(rows);
        let posted = Posted { id, body, rows, share, keyed, caller: caller.clone(), force, trace };
        let this = self.clone();
        // A caller that goes away must not leave this half done.
        let sealing = tokio::spawn(async move { this.meet_or_begin(posted, claim).await });
        Ok(sealing.await.unwrap_or(Err(SealError::Refused(Refused::ShuttingDown))))
    }

    /// `_claim` is held until the end: the next request with the key meets what comes of this one.
    async fn meet_or_begin(&self, posted: Posted, _claim: KeyClaim) -> Result<Arc<Record>, SealError> {
        let (keyed, force) = (posted.keyed, posted.force);
        if let Some(known) = self.known(posted.caller.name(), keyed.key).await? {
            if known.body != keyed.body || known.force != force {
                return Err(SealError::KeyReused);
            }
            if let Some(record) = self.meet(known.resend, keyed, &posted.caller).await? {
                record.is_met();
                return Ok(record);
            }
        }
        self.begin_keyed(posted).await
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
        // The share is held until the registry counts the list.
        let Posted { id, body, mut rows, share: _share, keyed, caller, force, trace } = posted;
        if body.is_empty() {
            return Err(SealError::Empty);
        }
        let place = self.reserve(&caller, body.fresh()).await?;
        let mut record = Record::new(id, caller.name().clone(), force, trace, body);
        record.keyed = Some(keyed);
        let room = self.registry.hold(&record)?;
        if let Some(store) = &self.store {
            rows.add(Some(store), id);
            write_keyed(store, &record, keyed).await.inspect_err(|fault| {
                tracing::error!(%fault, "A list under a key can't be promised; it is not taken.");
            })?;
        }
        let record = room.fill(record);
        rows.claim();
        self.begin(&record, place);
        Ok(record)
    }
}

/// Writes a resend for good, with its rows and its key. Until the last batch a crash forgets it.
async fn write_keyed(store: &Store, record: &Record, keyed: Keyed) -> Result<(), Fault> {
    let mut parts = store.parts();
    parts.add(record.row(None)).await?;
    for rows in record.write_rows() {
        parts.add(rows).await?;
    }
    record.promise();
    let key = Write::Idempotency(Box::new(IdempotencyRow {
        client: record.client.clone(),
        key: keyed.key,
        body: keyed.body,
        force: record.force,
        resend: record.id,
    }));
    parts.end_hard_with([record.row(None), key]).await
}
