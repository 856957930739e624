//! HTTP: what callers say and hear. The only room with actix-web handlers.
//!
//! Thin: reads a request into types, asks `resends`, writes the answer. Every refusal is a
//! [`problem::Problem`], written in one place.

mod accept;
mod admin;
mod auth;
mod body;
mod compat;
mod connection;
mod dry_run;
mod events;
mod forms;
mod header_list;
mod idempotency;
mod media;
mod middleware;
mod openapi;
mod operator;
mod origin;
mod pages;
mod prefer;
mod problem;
mod query;
mod recent_sends;
mod render;
mod resends;
mod results;
mod routes;
mod status;

pub use admin::{Readiness, ReadinessState};
pub use auth::Door;
pub use connection::Connections;
pub use openapi::document as openapi;
pub use problem::Problem;
pub use routes::{ApiState, ROUTES, admin_routes, main_routes};
pub use status::{StatusSlot, StatusSource};
