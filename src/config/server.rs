//! `[server]`: the two listeners, waiting, slow bodies, draining.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use super::{read::Reader, render::Rendering};

const LISTEN: &str = "server.listen";
const ADMIN_LISTEN: &str = "server.admin_listen";
const DEFAULT_WAIT: &str = "server.default_wait_seconds";
const MAX_WAIT: &str = "server.max_wait_seconds";

/// The settings of both listeners.
#[derive(Debug, Clone)]
pub struct ServerSettings {
    /// Where the API listens; port 0 takes any free one.
    pub listen: SocketAddr,
    /// Where probes, metrics and status listen; port 0 takes any free one.
    pub admin_listen: SocketAddr,
    /// Threads that serve HTTP, at least one.
    pub workers: usize,
    /// How long a caller waits who does not say.
    pub default_wait: Duration,
    /// The longest wait a caller can ask for; not below `default_wait`.
    pub max_wait: Duration,
    /// The longest pause inside a body.
    pub body_idle_timeout: Duration,
    /// The slowest a body may come, in bytes per second.
    pub min_body_bytes_per_second: u64,
    /// How long a connection is kept open without a request.
    pub keep_alive: Duration,
    /// Most open connections on the API, all workers together.
    pub max_connections: usize,
    /// From "not ready" to the end of accepting.
    pub drain_delay: Duration,
    /// What work in progress gets after that.
    pub drain_timeout: Duration,
}

impl ServerSettings {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let server = Self {
            listen: listener(reader, LISTEN),
            admin_listen: listener(reader, ADMIN_LISTEN),
            workers: reader.integer("server.workers", 1..=64),
            default_wait: reader.seconds(DEFAULT_WAIT, 0..=3600),
            max_wait: reader.seconds(MAX_WAIT, 1..=3600),
            body_idle_timeout: reader.seconds("server.body_idle_timeout_seconds", 1..=3600),
            min_body_bytes_per_second: reader.integer("server.min_body_bytes_per_second", 1..=1 << 30),
            keep_alive: reader.seconds("server.keep_alive_seconds", 1..=86_400),
            max_connections: reader.integer("server.max_connections", 1..=65_536),
            drain_delay: reader.seconds("server.drain_delay_seconds", 0..=300),
            drain_timeout: reader.seconds("server.drain_timeout_seconds", 1..=3600),
        };
        if reader.all_well(&[LISTEN, ADMIN_LISTEN]) && overlap(server.listen, server.admin_listen) {
            reader.refuse(ADMIN_LISTEN, "must be another address or port than server.listen");
        }
        if reader.all_well(&[DEFAULT_WAIT, MAX_WAIT]) && server.default_wait > server.max_wait {
            reader.refuse(DEFAULT_WAIT, "must not be longer than server.max_wait_seconds");
        }
        server
    }

    pub(super) fn render(&self, out: &mut Rendering) {
        out.section("server");
        out.text("listen", &self.listen.to_string());
        out.text("admin_listen", &self.admin_listen.to_string());
        out.plain("workers", self.workers);
        out.seconds("default_wait_seconds", self.default_wait);
        out.seconds("max_wait_seconds", self.max_wait);
        out.seconds("body_idle_timeout_seconds", self.body_idle_timeout);
        out.plain("min_body_bytes_per_second", self.min_body_bytes_per_second);
        out.seconds("keep_alive_seconds", self.keep_alive);
        out.plain("max_connections", self.max_connections);
        out.seconds("drain_delay_seconds", self.drain_delay);
        out.seconds("drain_timeout_seconds", self.drain_timeout);
    }
}

fn listener(reader: &mut Reader, key: &'static str) -> SocketAddr {
    let stand_in = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let expected = "an IP address with a port, such as 127.0.0.1:8080 or [::1]:8080";
    reader.parsed(key, expected, stand_in, |text| text.parse().ok())
}

/// Whether the second listener could not bind beside the first.
fn overlap(one: SocketAddr, other: SocketAddr) -> bool {
    let same_host = one.ip() == other.ip() || one.ip().is_unspecified() || other.ip().is_unspecified();
    one.port() != 0 && one.port() == other.port() && same_host
}
