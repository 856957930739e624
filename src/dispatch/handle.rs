//! The handle to the dispatch thread, and the thread's start.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use thiserror::Error;
use tokio::{
    runtime,
    sync::{Semaphore, mpsc, oneshot, watch},
    task::LocalSet,
    time::Instant,
};

use super::{
    books::{Books, Promised},
    dispatcher::{Dispatcher, Parts},
    ledger::Ledger,
    look_up::QUESTIONS,
    message::{Because, Message},
    queued::{NoRoom, Queued, Room},
    recover::recover,
    refused::Refused,
    view::View,
};
use crate::{
    clients::Directory,
    config::{CredentialChoice, Settings, StoreSettings},
    domain::{ClientName, Paused, ResendId},
    recent::{Eviction, Recent},
    store::{
        Keeper, Keeping, Record, Registry,
        file::{Fault, Limits, Store},
    },
    telemetry::{
        AbortOnPanic,
        metrics::{EvictionCause, Metrics},
    },
    upstream::{Credential, CredentialError, Upstream, UpstreamError},
};

/// Most messages that wait for the thread; whoever sends one more waits.
const INBOX: usize = 1024;

/// Why dispatch did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// No credential.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// Upstream can't be set up.
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    /// The store can't be read.
    #[error("store.path: {0}")]
    Store(#[from] Fault),
    /// No thread or no runtime.
    #[error("the dispatch thread can't be started: {0}")]
    Thread(#[from] std::io::Error),
    /// The thread ended before it was ready.
    #[error("the dispatch thread ended while starting")]
    Ended,
}

/// The way to the dispatch thread. Cheap to clone.
#[derive(Clone)]
pub struct Dispatch {
    pub(super) inbox: mpsc::Sender<Message>,
    view: watch::Receiver<View>,
    queued: Arc<Queued>,
    max_queued: u64,
    closing: Arc<AtomicBool>,
    pub(super) questions: Arc<Semaphore>,
}

impl Dispatch {
    /// Starts the thread, `paused` if an operator has left it so. It runs until drained; if it panics, the
    /// process ends, because nobody could say any more who was mailed.
    ///
    /// # Errors
    /// When the credential, the trusted authorities or the thread can't be had.
    pub fn start(
        settings: &Settings,
        credential: CredentialChoice,
        registry: Arc<Registry>,
        store: Option<Store>,
        metrics: Arc<Metrics>,
        clients: Option<Directory>,
        paused: Option<Paused>,
    ) -> Result<(Self, JoinHandle<()>), StartError> {
        let (inbox, messages) = mpsc::channel(INBOX);
        let (view, watcher) = watch::channel(View::default());
        let queued = Arc::new(Queued::default());
        let (ready, started) = std::sync::mpsc::sync_channel::<Result<(), StartError>>(1);
        let thread = {
            let settings = settings.clone();
            let queued = Arc::clone(&queued);
            let start = move || -> Result<_, StartError> {
                let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
                let recent = recent(&settings, &metrics);
                let on_unknown = settings.upstream.on_unknown;
                let recovered = store.as_ref().map(|store| recover(store, &recent, on_unknown, &metrics));
                let recovered = recovered.transpose()?;
                let mut credential = Credential::load(credential)?;
                if let Some(kept) = recovered.as_ref().and_then(|recovered| recovered.rotation.as_ref()) {
                    credential.restore_rotation(kept);
                }
                let upstream = Upstream::new(&settings.upstream, credential)?;
                let ledger = match store {
                    None => Ledger::Memory(recent),
                    Some(store) => {
                        let keeper = Keeper::start(store.clone(), Arc::clone(&registry), keeping(&settings))?;
                        Ledger::File(recent, Box::new(Books::new(store, keeper)))
                    }
                };
                let parts = Parts { ledger, upstream, metrics, registry, clients, queued, view };
                let mut dispatcher = Dispatcher::new(&settings, parts);
                if let Some(recovered) = recovered {
                    dispatcher.take_over(recovered);
                }
                if let Some(paused) = paused {
                    dispatcher.start_paused(paused, Instant::now());
                }
                Ok((runtime, dispatcher))
            };
            thread::Builder::new().name("dispatch".to_owned()).spawn(move || {
                let guard = AbortOnPanic { thread: "dispatch" };
                match start() {
                    Ok((runtime, dispatcher)) => {
                        drop(ready.send(Ok(())));
                        LocalSet::new().block_on(&runtime, dispatcher.run(messages));
                    }
                    Err(error) => drop(ready.send(Err(error))),
                }
                drop(guard);
            })?
        };
        started.recv().map_err(|_| StartError::Ended)??;
        let dispatch = Self {
            inbox,
            view: watcher,
            queued,
            max_queued: settings.dispatch.max_queued_addresses,
            closing: Arc::default(),
            questions: Arc::new(Semaphore::new(QUESTIONS)),
        };
        Ok((dispatch, thread))
    }

    /// Keeps room in the queue for `addresses` of `client`, which may have `own` there, and a place in the
    /// thread's inbox, until submitted or given back.
    ///
    /// # Errors
    /// When the queue is full or the gateway is stopping.
    pub async fn reserve(
        &self,
        addresses: u32,
        client: &ClientName,
        own: Option<u64>,
    ) -> Result<Reservation, Refused> {
        let refused = |error| match error {
            NoRoom::LongerThanOwn { limit } => Refused::LongerThanOwnQueue { limit },
            NoRoom::Own { queued, max } => {
                let missing = (queued + u64::from(addresses)).saturating_sub(max);
                let retry_after = self.view().own_room_after(client.tag(), missing);
                Refused::OwnQueueFull { more: addresses, queued, max, retry_after }
            }
            NoRoom::All { queued, max } => Refused::QueueFull { more: addresses, queued, max },
        };
        let room = self.queued.reserve(client, addresses.into(), self.max_queued, own).map_err(refused)?;
        let place = self.inbox.clone().reserve_owned().await.map_err(|_| Refused::ShuttingDown)?;
        if self.is_closing() {
            return Err(Refused::ShuttingDown);
        }
        Ok(Reservation { place, room })
    }

    /// Hands a resend over. From here on it is dispatch that ends it.
    pub fn submit(record: Arc<Record>, reservation: Reservation) {
        let fresh = record.body.fresh();
        Self::submit_again(record, fresh, reservation);
    }

    /// Hands a resend over of which so many addresses have no outcome: no more than were reserved.
    pub fn submit_again(record: Arc<Record>, unsettled: u32, reservation: Reservation) {
        reservation.place.send(Message::Submit(record, unsettled));
        reservation.room.keep(unsettled);
    }

    /// Promises a resend whose rows are written; returns once the promise is. `None` when dispatch has ended.
    pub async fn promise(&self, id: ResendId) -> Option<Promised> {
        let (reply, promised) = oneshot::channel();
        self.inbox.send(Message::Promise(id, reply)).await.ok()?;
        promised.await.ok()
    }

    /// Draws nothing more of a resend. Nothing happens to one that has ended.
    pub async fn stop(&self, id: ResendId, because: Because) {
        // A thread that has ended has ended every resend, too.
        drop(self.inbox.send(Message::Stop(id, because)).await);
    }

    /// What dispatch looked like a moment ago.
    pub fn view(&self) -> View {
        self.view.borrow().clone()
    }

    /// Takes nothing new from now on.
    pub fn close(&self) {
        self.closing.store(true, Ordering::Release);
    }

    /// Whether nothing new is taken.
    pub fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    /// Works on until `stop_drawing`, hands back what was not drawn, and abandons what is in flight at
    /// `deadline`. Returns when everything has its outcome and the thread is about to end.
    pub async fn drain(&self, stop_drawing: Instant, deadline: Instant) {
        self.close();
        let (done, drained) = oneshot::channel();
        if self.inbox.send(Message::Drain { stop_drawing, deadline, done }).await.is_ok() {
            // The sender is dropped without a word only if the thread ended; then nothing is left.
            drop(drained.await);
        }
    }

    /// How long a caller should wait before it posts again.
    pub fn retry_after(&self) -> Duration {
        let view = self.view();
        view.room_after(view.queued / 4).clamp(Duration::from_secs(1), Duration::from_secs(600))
    }
}

/// Room in the queue and a place in the inbox. Given back when dropped.
pub struct Reservation {
    place: mpsc::OwnedPermit<Message>,
    room: Room,
}

fn keeping(settings: &Settings) -> Keeping {
    let StoreSettings { max_bytes, reserve_bytes, retention, .. } = settings.store;
    Keeping {
        retention,
        window: settings.dedupe.window.unwrap_or_default(),
        limits: Limits { max_bytes, reserve_bytes },
    }
}

fn recent(settings: &Settings, metrics: &Arc<Metrics>) -> Recent {
    let metrics = Arc::clone(metrics);
    let window = settings.dedupe.window.unwrap_or_default();
    Recent::new(window, settings.dedupe.max_entries, move |eviction| {
        metrics.eviction(match eviction {
            Eviction::Expired => EvictionCause::Expired,
            Eviction::Size => EvictionCause::Size,
        });
    })
}
