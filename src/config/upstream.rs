//! `[upstream]`: where fax.plus is, how fast to call it, what to do when it does not answer well.

use std::{fs, path::PathBuf, time::Duration};

use super::{base_url::BaseUrl, read::Reader, render::Rendering};

const BASE_URL: &str = "upstream.base_url";
const CA_FILE: &str = "upstream.ca_file";
const MIN_BACKOFF: &str = "upstream.min_backoff_ms";
const MAX_BACKOFF: &str = "upstream.max_backoff_ms";

/// What happens to an address that may have been sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnUnknown {
    /// It ends `unknown`, and the caller decides.
    Report,
    /// It is sent again, at the risk of mailing somebody twice.
    Resend,
}

/// The settings of the one upstream.
#[derive(Debug, Clone)]
pub struct UpstreamSettings {
    /// `http` or `https`, host, perhaps a port and a path; no slash at its end.
    pub base_url: String,
    /// Most addresses of a call, 1 to 10.
    pub batch_size: usize,
    /// Most calls in flight, at least one.
    pub max_in_flight: usize,
    /// Ceiling of the learned rate; `None` = no ceiling.
    pub max_calls_per_second: Option<f64>,
    /// For one call, from the connection to the end of the answer.
    pub request_timeout: Duration,
    /// For a new connection, TLS included.
    pub connect_timeout: Duration,
    /// A longer `Retry-After` is cut to this.
    pub max_retry_after: Duration,
    /// Certificate authorities to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// What happens to an address that may have been sent.
    pub on_unknown: OnUnknown,
    /// With [`OnUnknown::Resend`]: most written calls an address may be part of.
    pub max_attempts: u32,
    /// Whether a refused call is split until the refused address stands alone.
    pub isolate_rejected: bool,
    /// The shortest wait between attempts.
    pub min_backoff: Duration,
    /// The longest wait between attempts; not below `min_backoff`.
    pub max_backoff: Duration,
    /// So many failures in a row open the breaker.
    pub breaker_failures: u32,
    /// How long an open breaker stays so the first time.
    pub breaker_cooldown: Duration,
}

impl OnUnknown {
    const ALL: [Self; 2] = [Self::Report, Self::Resend];

    /// The word in the settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::Resend => "resend",
        }
    }
}

impl UpstreamSettings {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let on_unknown = |word: &str| OnUnknown::ALL.into_iter().find(|choice| choice.as_str() == word);
        let upstream = Self {
            base_url: base_url(reader),
            batch_size: reader.integer("upstream.batch_size", 1..=10),
            max_in_flight: reader.integer("upstream.max_in_flight", 1..=1000),
            max_calls_per_second: reader
                .decimal_unless_zero("upstream.max_calls_per_second", 0.001..=100_000.0),
            request_timeout: reader.seconds("upstream.request_timeout_seconds", 1..=600),
            connect_timeout: reader.seconds("upstream.connect_timeout_seconds", 1..=120),
            max_retry_after: reader.seconds("upstream.max_retry_after_seconds", 1..=86_400),
            ca_file: ca_file(reader),
            on_unknown: reader.parsed(
                "upstream.on_unknown",
                "\"report\" or \"resend\"",
                OnUnknown::Report,
                on_unknown,
            ),
            max_attempts: reader.integer("upstream.max_attempts", 1..=20),
            isolate_rejected: reader.flag("upstream.isolate_rejected"),
            min_backoff: reader.millis(MIN_BACKOFF, 1..=60_000),
            max_backoff: reader.millis(MAX_BACKOFF, 1..=3_600_000),
            breaker_failures: reader.integer("upstream.breaker_failures", 1..=1000),
            breaker_cooldown: reader.seconds("upstream.breaker_cooldown_seconds", 1..=300),
        };
        if reader.all_well(&[MIN_BACKOFF, MAX_BACKOFF]) && upstream.min_backoff > upstream.max_backoff {
            reader.refuse(MIN_BACKOFF, "must not be longer than upstream.max_backoff_ms");
        }
        upstream
    }

    pub(super) fn render(&self, out: &mut Rendering) {
        out.section("upstream");
        out.text("base_url", &self.base_url);
        out.plain("batch_size", self.batch_size);
        out.plain("max_in_flight", self.max_in_flight);
        out.plain("max_calls_per_second", self.max_calls_per_second.unwrap_or(0.0));
        out.seconds("request_timeout_seconds", self.request_timeout);
        out.seconds("connect_timeout_seconds", self.connect_timeout);
        out.seconds("max_retry_after_seconds", self.max_retry_after);
        out.path("ca_file", self.ca_file.as_deref());
        out.text("on_unknown", self.on_unknown.as_str());
        out.plain("max_attempts", self.max_attempts);
        out.plain("isolate_rejected", self.isolate_rejected);
        out.plain("min_backoff_ms", self.min_backoff.as_millis());
        out.plain("max_backoff_ms", self.max_backoff.as_millis());
        out.plain("breaker_failures", self.breaker_failures);
        out.seconds("breaker_cooldown_seconds", self.breaker_cooldown);
    }
}

fn base_url(reader: &mut Reader) -> String {
    let text = reader.text(BASE_URL);
    if !reader.all_well(&[BASE_URL]) {
        return String::new();
    }
    match BaseUrl::parse(&text) {
        Ok(url) if url.holds_the_endpoint() => {
            let why = "must end before /accounts/self/member-invitations, which the gateway puts behind it itself; \
                       that of fax.plus is https://restapi.fax.plus/v3";
            reader.refuse(BASE_URL, why);
            String::new()
        }
        Ok(url) => url.text.to_owned(),
        Err(why) => {
            reader.refuse(BASE_URL, why);
            String::new()
        }
    }
}

fn ca_file(reader: &mut Reader) -> Option<PathBuf> {
    let path = reader.path(CA_FILE)?;
    match fs::metadata(&path).map(|metadata| metadata.is_file()) {
        Ok(true) => return Some(path),
        Ok(false) => reader.refuse(CA_FILE, format!("{} is not a regular file", path.display())),
        Err(error) => reader.refuse(CA_FILE, format!("{} cannot be read: {error}", path.display())),
    }
    None
}
