//! Takes lists in, finds resends, waits for them, stops them.

use std::{sync::Arc, time::Duration};

use thiserror::Error;
use tokio::time::timeout;
use uuid::Uuid;

use super::{
    admission::{Draft, DraftError, Rows, Whole},
    all_or_none::InvalidElements,
    budget::MemoryBudget,
    key_claims::KeyClaims,
    stow::Unclaimed,
};
use crate::{
    clients::{Caller, Charge, OverLimit},
    config::Settings,
    dispatch::{Because, Dispatch, Ended, Refused, Reservation, View},
    domain::{ClientName, PauseNote, ResendId, TraceContext},
    intake::{Encoding, Format, KeyHasher, ListBuilder},
    store::{
        Body, Full, Record, Registry,
        file::{Fault, Lack, Store, Watch},
    },
    telemetry::Metrics,
};

/// Why a whole, good list was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SealError {
    /// It holds nothing.
    #[error("the list is empty")]
    Empty,
    /// It holds what is no address, and was to be taken only without.
    #[error(transparent)]
    Invalid(#[from] InvalidElements),
    /// Dispatch takes no more.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Its client has sent as much as it may for now.
    #[error(transparent)]
    OverLimit(#[from] OverLimit),
    /// Its key has led to another list, or to the same one with another `force`.
    #[error("this key was used for another list, or with another force; nothing was sent")]
    KeyReused,
    /// It has to be written before it is taken, and can't be.
    #[error("the list can't be kept: {0}")]
    Store(#[from] Fault),
    /// There is no room to keep it.
    #[error("there is no room to keep the resend: {0}")]
    NoRoom(#[from] Full),
}

/// Why the store lets no list be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum StoreTrouble {
    /// It does not work.
    #[error(transparent)]
    Failing(#[from] Fault),
    /// It has no room.
    #[error(transparent)]
    Full(#[from] Lack),
}

/// What a new list needs before it is taken. Dropping it gives all of that back.
pub(super) struct Place {
    reservation: Reservation,
    charge: Charge,
}

/// All resends of this gateway. Cheap to clone.
#[derive(Clone)]
pub struct Resends {
    pub(super) dispatch: Dispatch,
    pub(super) registry: Arc<Registry>,
    pub(super) store: Option<Store>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) hasher: KeyHasher,
    pub(super) window: Duration,
    pub(super) retention: Duration,
    pub(super) key_claims: Arc<KeyClaims>,
    budget: Arc<MemoryBudget>,
    max_body_bytes: Option<u64>,
    max_addresses: u64,
}

impl Resends {
    /// The service over `dispatch`, which shares `registry`.
    pub fn new(
        settings: &Settings,
        dispatch: Dispatch,
        registry: Arc<Registry>,
        store: Option<Store>,
        metrics: Arc<Metrics>,
        hasher: KeyHasher,
    ) -> Self {
        Self {
            dispatch,
            registry,
            store,
            metrics,
            hasher,
            window: settings.dedupe.window.unwrap_or_default(),
            retention: settings.store.retention,
            key_claims: Arc::default(),
            budget: MemoryBudget::new(settings.intake.memory_bytes),
            max_body_bytes: settings.intake.max_body_bytes,
            max_addresses: settings.intake.max_addresses.map_or(0, u64::from),
        }
    }

    /// Begins to read a list.
    pub fn draft(&self, format: Format, encoding: Encoding) -> Draft {
        self.draft_with(format, encoding, self.store.clone())
    }

    /// The same for a list that is only looked at: it never goes to the store.
    pub fn draft_in_memory(&self, format: Format, encoding: Encoding) -> Draft {
        self.draft_with(format, encoding, None)
    }

    fn draft_with(&self, format: Format, encoding: Encoding, store: Option<Store>) -> Draft {
        let list = ListBuilder::new(self.hasher.clone(), self.max_addresses);
        Draft::new(format, encoding, self.max_body_bytes, list, Arc::clone(&self.budget), store)
    }

    /// Tells how the store does, if there is one.
    pub fn store_watch(&self) -> Option<Watch> {
        self.store.as_ref().map(Store::watch)
    }

    /// Whether the store lets lists be taken.
    ///
    /// # Errors
    /// When it fails or has no room for more.
    pub fn check_store(&self) -> Result<(), StoreTrouble> {
        let Some(store) = &self.store else { return Ok(()) };
        if let Some(fault) = store.fault() {
            return Err(fault.into());
        }
        store.lack().map_or(Ok(()), |lack| Err(lack.into()))
    }

    /// Takes the list that `draft` has read, posted in `trace`: from here on each of its addresses gets one
    /// outcome. One that is posted under a key may meet the resend that the key has led to before.
    ///
    /// # Errors
    /// When the body ended too early, the list is empty, or there is no room; nothing is sent then.
    pub async fn seal(
        &self,
        draft: Draft,
        caller: &Caller,
        force: bool,
        trace: TraceContext,
    ) -> Result<Result<Arc<Record>, SealError>, DraftError> {
        if let Some(keyed) = draft.keyed() {
            return self.seal_keyed(draft, keyed, caller, force, trace).await;
        }
        let whole = draft.finish().await?;
        Ok(self.accept(whole, caller, force, trace).await)
    }

    pub(super) async fn accept(
        &self,
        whole: Whole,
        caller: &Caller,
        force: bool,
        trace: TraceContext,
    ) -> Result<Arc<Record>, SealError> {
        // The share is held until the registry counts the list.
        let Whole { rows, share: _share } = whole;
        let (id, body, mut rows) = self.unpack(rows);
        if body.is_empty() {
            return Err(SealError::Empty);
        }
        // What can wait or fail comes first: a caller that goes away at the await leaves nothing behind.
        let place = self.reserve(caller, body.fresh()).await?;
        let record = self.stow(Record::new(id, caller.name().clone(), force, trace, body), &mut rows).await?;
        let record = self.registry.insert(record)?;
        rows.claim();
        self.begin(&record, place);
        Ok(record)
    }

    /// The id of a list that is whole, what it is, and its rows in the store, which nobody has taken over yet.
    pub(super) fn unpack(&self, rows: Rows) -> (ResendId, Body, Unclaimed) {
        match rows {
            Rows::Resident(list) => (Self::new_id(), Body::Resident(list), Unclaimed::default()),
            Rows::Stored(id, shape) => {
                let mut rows = Unclaimed::default();
                rows.add(self.store.as_ref(), id);
                (id, Body::Stored(shape), rows)
            }
        }
    }

    /// Sends what the registry has taken.
    pub(super) fn begin(&self, record: &Arc<Record>, place: Place) {
        let Place { reservation, charge } = place;
        charge.keep();
        let client = &record.client;
        self.metrics.addresses_received(client, record.body.len().into());
        record.tell_invalid(|outcome, addresses| self.metrics.outcome(client, outcome, addresses));
        Dispatch::submit(Arc::clone(record), reservation);
    }

    /// Room in the queue for a new list of so many addresses, within the limits of who posts it.
    pub(super) async fn reserve(&self, caller: &Caller, addresses: u32) -> Result<Place, SealError> {
        let most = caller.client().limits.queued_addresses;
        let reservation = self.dispatch.reserve(addresses, caller.name(), most).await?;
        let charge = caller.charge(addresses)?;
        Ok(Place { reservation, charge })
    }

    /// An id that sorts by time.
    fn new_id() -> ResendId {
        ResendId(Uuid::now_v7().as_u128())
    }

    /// Waits for the end of a resend, at most so long, for a caller that is owed the end: as soon as this
    /// process draws nothing more of it, the rest is to be promised. Says whether the end came.
    pub async fn wait_as_caller(&self, record: &Record, at_most: Duration) -> bool {
        if !record.snapshot().status.is_final() {
            drop(timeout(at_most, record.finished_or_suspended()).await);
        }
        record.snapshot().status.is_final()
    }

    /// Draws nothing more of a resend and waits until its calls in flight have ended. Bounded by the
    /// request timeout of the calls. When the gateway ends, what was promised may go on all the same.
    pub async fn stop(&self, record: &Record, because: Because) {
        if !record.snapshot().status.is_final() {
            self.dispatch.stop(record.id, because).await;
            record.finished().await;
        }
    }

    /// Draws nothing more, of anybody's, until resumed, as this client orders. Lists are taken all the same. Gives what stands then.
    ///
    /// # Errors
    /// When dispatch has ended.
    pub async fn pause(&self, by: &ClientName, note: Option<PauseNote>) -> Result<View, Ended> {
        self.dispatch.pause(by, note).await
    }

    /// Draws again, as this client orders. Gives what stands then.
    ///
    /// # Errors
    /// When dispatch has ended.
    pub async fn resume(&self, by: &ClientName) -> Result<View, Ended> {
        self.dispatch.resume(by).await
    }

    /// What dispatch looked like a moment ago.
    pub fn view(&self) -> View {
        self.dispatch.view()
    }

    /// Whether nothing new is taken.
    pub fn is_closing(&self) -> bool {
        self.dispatch.is_closing()
    }

    /// How long a caller that found no room should wait.
    pub fn retry_after(&self) -> Duration {
        self.dispatch.retry_after()
    }
}
