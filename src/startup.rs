//! Settings in, a running gateway out: the only place that sees everything.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};

use actix_web::{
    App, HttpServer,
    dev::{Server, ServerHandle},
    web::{Data, ServiceConfig},
};
use thiserror::Error;
use uuid::Uuid;

use crate::{
    api::{ApiState, Door, ROUTES, Readiness, ReadinessState, StatusSource, admin_routes, main_routes},
    clients::{self, Caller, ClientsError, Directory},
    config::{AuthMode, CredentialChoice, Settings, StorePath},
    dispatch::{Dispatch, StartError},
    domain::ClientName,
    intake::KeyHasher,
    outbound::install_crypto_provider,
    resends::Resends,
    shutdown,
    store::{
        Registry,
        file::{OpenError, Store},
    },
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
    admin: Server,
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
    /// Builds a gateway: binds its listeners and starts its dispatch thread. `sandbox` says that
    /// upstream is simulated. Must run inside an actix `System`.
    ///
    /// # Errors
    /// When a part of it can't be had; nothing is left running then but the dispatch thread's last turn.
    pub fn build(settings: &Settings, sandbox: bool) -> Result<Self, StartupError> {
        install_crypto_provider();
        let credential = settings.credentials.choice().ok_or(StartupError::NoCredential)?;
        let listener = listen("server.listen", settings.server.listen)?;
        let admin_listener = listen("server.admin_listen", settings.server.admin_listen)?;
        let (address, admin_address) = (bound(&listener)?, bound(&admin_listener)?);
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
        let (resends, dispatch, thread, store) = services(settings, credential, clients.clone(), &metrics)?;
        let readiness = Readiness::of(resends.store_watch());
        let history = History::default();
        let status = Data::new(StatusSource::new(
            resends.clone(),
            readiness.clone(),
            Arc::clone(&metrics),
            history.clone(),
            sandbox,
        ));
        let history = (history, Arc::clone(&metrics));
        let state = Data::new(ApiState::new(resends, &settings.server, &settings.compat, door, sandbox));
        let data = Data::from(metrics);
        let main = {
            let (data, readiness) = (data.clone(), Data::new(readiness.clone()));
            serve(settings, settings.server.workers, listener, move |config| {
                config.app_data(state.clone()).app_data(readiness.clone()).app_data(data.clone());
                main_routes(config);
            })?
        };
        let admin = {
            let readiness = Data::new(readiness.clone());
            serve(settings, 1, admin_listener, move |config| {
                config.app_data(readiness.clone()).app_data(data.clone()).app_data(status.clone());
                admin_routes(config);
            })?
        };
        let running = Running {
            main: main.handle(),
            admin: admin.handle(),
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
        let main = actix_web::rt::spawn(self.main);
        let admin = actix_web::rt::spawn(self.admin);
        let (history, metrics) = self.history;
        let watch = self.clients.map(|clients| {
            let metrics = Arc::clone(&metrics);
            actix_web::rt::spawn(clients::watch(clients, move |came| metrics.add_clients(came)))
        });
        let keeping = actix_web::rt::spawn(history.keep(metrics));
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

fn services(
    settings: &Settings,
    credential: CredentialChoice,
    clients: Option<Directory>,
    metrics: &Arc<Metrics>,
) -> Result<(Resends, Dispatch, JoinHandle<()>, Option<Store>), StartupError> {
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
    Ok((resends, dispatch, thread, kept))
}

fn serve(
    settings: &Settings,
    workers: usize,
    listener: TcpListener,
    routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
) -> Result<Server, StartupError> {
    let ends_after = settings.server.drain_timeout + shutdown::LAST_WORDS;
    // actix counts connections per worker; all of them together must not have more than the limit.
    let workers = workers.min(settings.server.max_connections);
    let connections = settings.server.max_connections / workers;
    let server = HttpServer::new(move || App::new().configure(routes.clone()))
        .workers(workers)
        .max_connections(connections)
        .shutdown_timeout(ends_after.as_secs())
        .disable_signals()
        .listen(listener)
        .map_err(StartupError::Server)?
        .run();
    Ok(server)
}

fn listen(key: &'static str, address: SocketAddr) -> Result<TcpListener, StartupError> {
    let wrong = |cause| StartupError::Listen { key, address, cause };
    let listener = TcpListener::bind(address).map_err(wrong)?;
    listener.set_nonblocking(true).map_err(wrong)?;
    Ok(listener)
}

fn bound(listener: &TcpListener) -> Result<SocketAddr, StartupError> {
    listener.local_addr().map_err(StartupError::Server)
}
