//! Every number the gateway publishes, behind methods in the words of the house.
//!
//! Owns one registry, so two gateways in one process do not meet. Every series exists from the start,
//! at zero. Labels are closed sets: enums, the routes handed in, and names of clients. Handles are
//! resolved once; only a client or a status that was not named at the start is looked up by its text.

mod dedupe;
mod dispatch;
mod glance;
mod http;
mod labels;
mod process;
mod register;
mod resends;
mod resources;
mod store;
#[cfg(test)]
mod tests;
mod upstream;

use std::sync::Arc;

use prometheus::{Registry, TextEncoder};

use self::{
    dedupe::DedupeSeries, dispatch::DispatchSeries, http::HttpSeries, process::ProcessSeries,
    register::Register, resends::ResendSeries, resources::ResourceSeries, store::StoreSeries,
    upstream::UpstreamSeries,
};
use crate::domain::ClientName;

pub use glance::Glance;
pub use http::{HttpInFlight, Route};
pub use labels::{BreakerState, DedupeHit, EvictionCause, RetryReason, StoreOperation};
pub use process::BuildInfo;

/// The media type of [`Metrics::render`].
pub const TEXT_FORMAT: &str = prometheus::TEXT_FORMAT;

/// All metrics of one gateway.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    http: HttpSeries,
    resends: ResendSeries,
    store: StoreSeries,
    dispatch: DispatchSeries,
    upstream: UpstreamSeries,
    dedupe: DedupeSeries,
    process: ProcessSeries,
    resources: ResourceSeries,
}

impl Metrics {
    /// Registers everything and creates every series for the given clients and routes.
    ///
    /// # Errors
    /// When two metrics have one name, which is a mistake in this room.
    pub fn new(
        build: BuildInfo,
        clients: &[ClientName],
        routes: &[Route],
    ) -> Result<Arc<Self>, prometheus::Error> {
        let registry = Registry::new();
        let register = Register::new(&registry);
        Ok(Arc::new(Self {
            http: HttpSeries::new(&register, routes)?,
            resends: ResendSeries::new(&register, clients)?,
            store: StoreSeries::new(&register)?,
            dispatch: DispatchSeries::new(&register, clients)?,
            upstream: UpstreamSeries::new(&register)?,
            dedupe: DedupeSeries::new(&register)?,
            process: ProcessSeries::new(&register, build)?,
            resources: ResourceSeries::new(&register)?,
            registry,
        }))
    }

    /// Gives clients that were not named at the start their series, at zero. Those that are there stay as they are.
    pub fn add_clients(&self, clients: &[ClientName]) {
        for client in clients {
            self.resends.add(client);
            self.dispatch.add(client);
        }
    }

    /// Everything in the text format 0.0.4.
    ///
    /// # Errors
    /// When the encoder fails, which it has no known reason to.
    pub fn render(&self) -> Result<String, prometheus::Error> {
        self.resources.read();
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}
