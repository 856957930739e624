//! Takes lists in, finds resends, waits for them, stops them.

use std::{sync::Arc, time::Duration};

use thiserror::Error;
use tokio::time::timeout;
use uuid::Uuid;

use super::{
    admission::{Draft, DraftError, MemoryBudget, Whole},
    all_or_none::InvalidElements,
    key_claims::KeyClaims,
};
use crate::{
    config::Settings,
    dispatch::{Because, Dispatch, Ended, Refused, View},
    domain::{ClientName, PauseNote, ResendId, Status, TraceContext},
    intake::{Encoding, Format, KeyHasher, ListBuilder},
    store::{
        Body, Full, Page, Record, Registry,
        file::{Fault, Store},
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
    /// Its key has led to another list, or to the same one with another `force`.
    #[error("this key was used for another list, or with another force; nothing was sent")]
    KeyReused,
    /// It was posted under a key, so it has to be written, and can't be.
    #[error("the list can't be kept: {0}")]
    Store(#[from] Fault),
    /// There is no room to keep it.
    #[error("there is no room to keep the resend: {0}")]
    NoRoom(#[from] Full),
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

    /// Takes the list that `draft` has read, posted in `trace`: from here on each of its addresses gets one
    /// outcome. One that is posted under a key may meet the resend that the key has led to before.
    ///
    /// # Errors
    /// When the body ended too early, the list is empty, or there is no room; nothing is sent then.
    pub async fn seal(
        &self,
        draft: Draft,
        client: &ClientName,
        force: bool,
        trace: TraceContext,
    ) -> Result<Result<Arc<Record>, SealError>, DraftError> {
        if let Some(keyed) = draft.keyed() {
            return self.seal_keyed(draft, keyed, client, force, trace).await;
        }
        let whole = draft.finish().await?;
        Ok(self.accept(whole, client, force, trace).await)
    }

    pub(super) async fn accept(
        &self,
        whole: Whole,
        client: &ClientName,
        force: bool,
        trace: TraceContext,
    ) -> Result<Arc<Record>, SealError> {
        let (id, body) = match whole {
            Whole::Resident(list) => (Self::new_id(), Body::Resident(list)),
            Whole::Stored(id, shape) => (id, Body::Stored(shape)),
        };
        if body.is_empty() {
            return Err(SealError::Empty);
        }
        // What can wait or fail comes first: a caller that goes away at the await leaves nothing behind.
        let reservation = self.dispatch.reserve(body.fresh()).await?;
        let record = self.registry.insert(Record::new(id, client.clone(), force, trace, body))?;
        self.metrics.addresses_received(client, record.body.len().into());
        record.tell_invalid(|outcome, addresses| self.metrics.outcome(client, outcome, addresses));
        Dispatch::submit(Arc::clone(&record), reservation);
        Ok(record)
    }

    /// An id that sorts by time.
    pub(super) fn new_id() -> ResendId {
        ResendId(Uuid::now_v7().as_u128())
    }

    /// The resend with this id, if `client` may see it.
    pub fn get(&self, id: ResendId, client: &ClientName) -> Option<Arc<Record>> {
        self.registry.get(id).filter(|record| record.client == *client)
    }

    /// A page of the resends that `client` may see, newest first.
    pub fn page(
        &self,
        client: &ClientName,
        status: Option<Status>,
        cursor: Option<ResendId>,
        limit: usize,
    ) -> Page {
        self.registry.page(Some(client), status, cursor, limit)
    }

    /// Waits for the end of a resend, at most so long; no longer than this process works on it.
    pub async fn wait(&self, record: &Record, at_most: Duration) {
        if !record.snapshot().status.is_final() {
            // Which of them it was shows in the state.
            drop(timeout(at_most, record.finished()).await);
        }
    }

    /// The same for a caller that is owed the end: as soon as this process draws nothing more of it, the
    /// rest is to be promised. Says whether the end came.
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

    /// Draws nothing more, of anybody's, until resumed. Lists are taken all the same. Gives what stands then.
    ///
    /// # Errors
    /// When dispatch has ended.
    pub async fn pause(&self, note: Option<PauseNote>) -> Result<View, Ended> {
        self.dispatch.pause(note).await
    }

    /// Draws again. Gives what stands then.
    ///
    /// # Errors
    /// When dispatch has ended.
    pub async fn resume(&self) -> Result<View, Ended> {
        self.dispatch.resume().await
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
