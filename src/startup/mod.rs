//! Settings in, a running gateway out: the only place that sees everything.

mod servers;
mod services;

use std::{io, net::SocketAddr, sync::Arc, thread::JoinHandle, time::Duration};

use actix_web::{
    dev::{Server, ServerHandle},
    rt::spawn,
};
use thiserror::Error;
use tokio::task::JoinHandle as Task;

use self::services::Services;
use crate::{
    api::{ApiState, Door, ROUTES, Readiness, ReadinessState, StatusSlot, StatusSource},
    clients::{self, Caller, ClientsError, Directory},
    config::{AuthMode, Settings},
    dispatch::{Dispatch, StartError},
    domain::ClientName,
    outbound::install_crypto_provider,
    shutdown,
    store::file::{OpenError, Store},
    telemetry::{History, Metrics, metrics::BuildInfo},
};

/// Why the gateway did not start.
#[derive(Debug, Error)]
pub enum StartupError {
    /// No whole credential in the settings.
    #[error("credentials: no credential is set")]
    NoCredential,
    /// A listener can't be bound.
    #[error("{key}: can't listen on {address}: {cause}")]
    Listen {
        /// The setting.
        key: &'static str,
        /// What it says.
        address: SocketAddr,
        /// Why not.
        cause: io::Error,
    },
    /// A server can't be started.
    #[error("the HTTP server can't be started: {0}")]
    Server(io::Error),
    /// The clients file can't be used.
    #[error(transparent)]
    Clients(#[from] ClientsError),
    /// The store can't be used.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The thread that opens the store can't be started.
    #[error("the thread that opens the store can't be started: {0}")]
    Thread(io::Error),
    /// The dispatch thread can't be started.
    #[error(transparent)]
    Dispatch(#[from] StartError),
    /// The metrics can't be set up.
    #[error("the metrics can't be set up: {0}")]
    Metrics(String),
}

/// A gateway that is built and bound, but not yet running.
pub struct Application {
    address: SocketAddr,
    admin_address: SocketAddr,
    main: Server,
    admin: Task<io::Result<()>>,
    store: Option<Store>,
    clients: Option<Directory>,
    history: (History, Arc<Metrics>),
    pub(crate) running: Running,
}

/// What is stopped in order when the gateway stops.
pub(crate) struct Running {
    pub(crate) main: ServerHandle,
    pub(crate) admin: ServerHandle,
    pub(crate) dispatch: Dispatch,
    pub(crate) thread: JoinHandle<()>,
    pub(crate) readiness: Readiness,
    pub(crate) drain_delay: Duration,
    pub(crate) drain_timeout: Duration,
    pub(crate) request_timeout: Duration,
}

impl Application {
    /// Builds a gateway: binds its listeners, answers probes, opens the store, which may take long, and starts
    /// its dispatch thread. `sandbox` says that upstream is simulated. Must run inside an actix `System`.
    ///
    /// # Errors
    /// When a part of it can't be had; nothing is left running then but the dispatch thread's last turn.
    pub async fn build(settings: &Settings, sandbox: bool) -> Result<Self, StartupError> {
        install_crypto_provider();
        let credential = settings.credentials.choice().ok_or(StartupError::NoCredential)?;
        let listener = servers::listen("server.listen", settings.server.listen)?;
        let admin_listener = servers::listen("server.admin_listen", settings.server.admin_listen)?;
        let (address, admin_address) = (servers::bound(&listener)?, servers::bound(&admin_listener)?);
        let door = door(settings)?;
        let names = match &door {
            Door::Open(_) => vec![ClientName::anonymous()],
            Door::Tokens(clients) => clients.names(),
        };
        let metrics = Metrics::new(BuildInfo::current(), &names, ROUTES)
            .map_err(|error| StartupError::Metrics(error.to_string()))?;
        metrics.set_sandbox(sandbox);
        let clients = match &door {
            Door::Open(_) => None,
            Door::Tokens(clients) => Some(clients.clone()),
        };
        let (readiness, status) = (Readiness::default(), StatusSlot::default());
        let admin = servers::admin_server(settings, admin_listener, &metrics, &readiness, &status)?;
        let (admin_handle, admin) = (admin.handle(), spawn(admin));
        // A long store is read whole before anything else: whoever waits should see that it does.
        tracing::info!(admin = %admin_address, "The gateway starts: probes are answered, the store is opened.");
        let Services { resends, dispatch, thread, store } =
            match services::start(settings, credential, clients.clone(), &metrics).await {
                Ok(services) => services,
                Err(error) => {
                    admin_handle.stop(false).await;
                    return Err(error);
                }
            };
        readiness.watch(resends.store_watch());
        let history = History::default();
        let (measured, past) = (Arc::clone(&metrics), history.clone());
        status.fill(StatusSource::new(resends.clone(), readiness.clone(), measured, past, sandbox));
        let state = ApiState::new(resends, &settings.server, &settings.compat, door, sandbox);
        let main = servers::main_server(settings, listener, state, &metrics, &readiness)?;
        let history = (history, metrics);
        let running = Running {
            main: main.handle(),
            admin: admin_handle,
            dispatch,
            thread,
            readiness,
            drain_delay: settings.server.drain_delay,
            drain_timeout: settings.server.drain_timeout,
            request_timeout: settings.upstream.request_timeout,
        };
        Ok(Self { address, admin_address, main, admin, store, clients, history, running })
    }

    /// Where lists are posted.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where probes and metrics are.
    pub fn admin_address(&self) -> SocketAddr {
        self.admin_address
    }

    /// Serves until `stop` is ready, then drains and ends.
    ///
    /// # Errors
    /// When a server failed.
    pub async fn run_until_stopped(self, stop: impl Future<Output = ()>) -> io::Result<()> {
        let (main, admin) = (spawn(self.main), self.admin);
        let (history, metrics) = self.history;
        let watch = self.clients.map(|clients| {
            let metrics = Arc::clone(&metrics);
            spawn(clients::watch(clients, move |came| metrics.add_clients(came)))
        });
        let keeping = spawn(history.keep(metrics));
        self.running.readiness.set(ReadinessState::Ready);
        tracing::info!(address = %self.address, admin = %self.admin_address, "The gateway is ready.");
        stop.await;
        let closed = shutdown::shut_down(self.running).await;
        for (server, is_closed) in [(main, closed.main), (admin, closed.admin)] {
            if is_closed {
                server.await.map_err(io::Error::other)??;
            }
        }
        keeping.abort();
        if let Some(watch) = watch {
            watch.abort();
        }
        if let Some(store) = self.store {
            store.close();
        }
        tracing::info!("The gateway has stopped.");
        Ok(())
    }
}

fn door(settings: &Settings) -> Result<Door, StartupError> {
    match (settings.auth.mode, &settings.auth.clients_file) {
        (AuthMode::Tokens, Some(file)) => Ok(Door::Tokens(Directory::open(file)?)),
        (AuthMode::Tokens, None) | (AuthMode::None, _) => Ok(Door::Open(Caller::anonymous())),
    }
}
