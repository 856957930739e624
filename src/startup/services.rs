//! What does the work behind the listeners: the store, dispatch, the resends.

use std::{
    io,
    panic::resume_unwind,
    sync::Arc,
    thread::{self, JoinHandle},
};

use tokio::sync::oneshot;
use uuid::Uuid;

use super::StartupError;
use crate::{
    clients::Directory,
    config::{CredentialChoice, Settings, StorePath},
    dispatch::Dispatch,
    intake::KeyHasher,
    resends::Resends,
    store::{Registry, file::Store},
    telemetry::Metrics,
};

/// Starts what does the work on a thread of its own: a store is opened, checked and read meanwhile. Nobody waits
/// for that thread when the process ends, as somebody would for one of the runtime's.
pub(super) async fn start(
    settings: &Settings,
    credential: CredentialChoice,
    clients: Option<Directory>,
    metrics: &Arc<Metrics>,
) -> Result<Services, StartupError> {
    let (settings, metrics) = (settings.clone(), Arc::clone(metrics));
    let (done, started) = oneshot::channel();
    let thread = thread::Builder::new()
        .name("start".to_owned())
        .spawn(move || {
            // Nobody is there to hear it once the process is ending.
            drop(done.send(start_here(&settings, credential, clients, &metrics)));
        })
        .map_err(StartupError::Thread)?;
    match (started.await, thread.join()) {
        (Ok(started), _) => started,
        (Err(_), Err(panic)) => resume_unwind(panic),
        (Err(_), Ok(())) => Err(StartupError::Thread(io::Error::other("it ended without a word"))),
    }
}

/// What does the work.
pub(super) struct Services {
    pub(super) resends: Resends,
    pub(super) dispatch: Dispatch,
    pub(super) thread: JoinHandle<()>,
    pub(super) store: Option<Store>,
}

fn start_here(
    settings: &Settings,
    credential: CredentialChoice,
    clients: Option<Directory>,
    metrics: &Arc<Metrics>,
) -> Result<Services, StartupError> {
    let retention = settings.store.retention;
    let registry = Arc::new(match &settings.store.path {
        StorePath::Memory => {
            Registry::new(usize::try_from(settings.store.memory_bytes()).unwrap_or(usize::MAX), retention)
        }
        StorePath::File(_) => Registry::beside_store(retention),
    });
    let new_key = Uuid::new_v4().into_bytes();
    let store = match &settings.store.path {
        StorePath::Memory => None,
        StorePath::File(path) => Some(Store::open(path, new_key, Arc::clone(metrics))?),
    };
    let kept = store.clone();
    let key = store.as_ref().map_or(new_key, Store::key);
    let hasher = KeyHasher::new(key, settings.dedupe.ignore_local_part_case);
    let (dispatch, thread) = Dispatch::start(
        settings,
        credential,
        Arc::clone(&registry),
        store.clone(),
        Arc::clone(metrics),
        clients,
        None,
    )?;
    let resends = Resends::new(settings, dispatch.clone(), registry, store, Arc::clone(metrics), hasher);
    Ok(Services { resends, dispatch, thread, store: kept })
}
