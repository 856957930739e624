//! faxplus-gateway: resends fax.plus member invitations for other services.

pub mod api;
pub mod cli;
pub mod config;
pub mod dispatch;
pub mod domain;
pub mod intake;
pub mod outbound;
pub mod recent;
pub mod resends;
pub mod sandbox;
pub mod shutdown;
pub mod startup;
pub mod store;
pub mod telemetry;
pub mod upstream;
