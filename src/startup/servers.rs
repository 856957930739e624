//! The two listeners and who serves them.

use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
};

use actix_web::{
    App, HttpServer,
    dev::Server,
    web::{Data, ServiceConfig},
};

use super::StartupError;
use crate::{
    api::{ApiState, Connections, Readiness, StatusSlot, admin_routes, main_routes},
    config::Settings,
    shutdown,
    telemetry::Metrics,
};

/// Connections that may wait to be accepted; the kernel has a limit of its own (`net.core.somaxconn`).
const BACKLOG: i32 = 4096;

/// The server of the admin listener. It serves before there is a status to show.
pub(super) fn admin_server(
    settings: &Settings,
    listener: TcpListener,
    metrics: &Arc<Metrics>,
    readiness: &Readiness,
    status: &StatusSlot,
) -> Result<Server, StartupError> {
    let metrics = Data::from(Arc::clone(metrics));
    let (readiness, status) = (Data::new(readiness.clone()), Data::new(status.clone()));
    serve(settings, 1, listener, move |config| {
        config.app_data(readiness.clone()).app_data(metrics.clone()).app_data(status.clone());
        admin_routes(config);
    })
}

/// The server of the main listener.
pub(super) fn main_server(
    settings: &Settings,
    listener: TcpListener,
    state: ApiState,
    metrics: &Arc<Metrics>,
    readiness: &Readiness,
) -> Result<Server, StartupError> {
    let metrics = Data::from(Arc::clone(metrics));
    let (state, readiness) = (Data::new(state), Data::new(readiness.clone()));
    serve(settings, settings.server.workers, listener, move |config| {
        config.app_data(state.clone()).app_data(readiness.clone()).app_data(metrics.clone());
        main_routes(config);
    })
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
    let open = Connections::at_most(settings.server.max_connections);
    let server = HttpServer::new(move || App::new().configure(routes.clone()))
        .on_connect(move |stream, data| open.count(stream, data))
        .keep_alive(settings.server.keep_alive)
        .client_request_timeout(settings.server.body_idle_timeout)
        .workers(workers)
        .max_connections(connections)
        .shutdown_timeout(ends_after.as_secs())
        .disable_signals()
        .listen(listener)
        .map_err(StartupError::Server)?
        .run();
    Ok(server)
}

pub(super) fn listen(key: &'static str, address: SocketAddr) -> Result<TcpListener, StartupError> {
    let wrong = |cause| StartupError::Listen { key, address, cause };
    let listener = TcpListener::bind(address).map_err(wrong)?;
    // The standard library allows 128; of a thousand callers at once the others would have to try again.
    rustix::net::listen(&listener, BACKLOG).map_err(|cause| wrong(cause.into()))?;
    listener.set_nonblocking(true).map_err(wrong)?;
    Ok(listener)
}

pub(super) fn bound(listener: &TcpListener) -> Result<SocketAddr, StartupError> {
    listener.local_addr().map_err(StartupError::Server)
}
