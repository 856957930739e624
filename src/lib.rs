//! faxplus-gateway: resends fax.plus member invitations for other services. Any list in, calls of ten
//! out, one true outcome for each address.
//!
//! # The life of an address
//!
//! [`api`] reads a body as a stream and feeds it to [`intake`], which makes addresses of bytes, finds
//! repeats and hashes each into a key. Once the whole body was good, [`resends`] keeps it as a record in
//! [`store`] and hands it to [`dispatch`]: one thread that draws calls in fair turns, looks into
//! [`recent`] before each send, paces, holds, and launches. [`upstream`] sends one PATCH through
//! [`outbound`] and says what the answer means. Dispatch settles the verdict: outcomes into the record,
//! sends and doubts into `recent`; whoever waits is woken once.
//!
//! # The rooms
//!
//! | row | rooms | |
//! |---|---|---|
//! | 7 | [`cli`], [`startup`], [`shutdown`] | composition |
//! | 6 | [`api`] | actix-web |
//! | 5 | [`resends`] | what callers were promised |
//! | 4 | [`dispatch`] | decisions; channels and time |
//! | 3 | [`upstream`], [`recent`], [`store`], [`intake`] | edges |
//! | 2 | [`outbound`], [`telemetry`], [`clients`] | awc, prometheus, who may call |
//! | 1 | [`config`] | settings |
//! | 0 | [`domain`] | the words of the contract as types |
//!
//! A room imports only from rows below it. [`sandbox`], the simulated fax.plus, stands apart.

pub mod api;
pub mod cli;
pub mod clients;
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
