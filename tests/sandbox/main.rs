//! The simulated fax.plus over real sockets: what it answers, byte by byte, and what its ledger says of it.

#[cfg(test)]
mod api;
#[cfg(test)]
mod carriage;
#[cfg(test)]
mod client;
#[cfg(test)]
mod command;
#[cfg(test)]
mod control;
#[cfg(test)]
mod elsewhere;
#[cfg(test)]
mod fates;
#[cfg(test)]
mod foreign;
#[cfg(test)]
mod oauth;
#[cfg(test)]
mod recipes;
#[cfg(test)]
mod throttle;
#[cfg(test)]
mod wire;
