//! Log lines on stderr: JSON for machines, coloured text for people.
//!
//! Owns the filter. `log.level` is for the gateway's own lines; the libraries below it never say less
//! than a warning, because at `trace` they write the bytes they carry, addresses and tokens among
//! them. What actix calls an error of a connection is a caller's doing (HTTPS on the plain port, a malformed head);
//! the gateway says it in words of its own, at `debug`. Records of the `log` crate go nowhere: no library here needs them. Spans of the gateway stay
//! on at every level, so that a warning keeps the id of its request.

mod json;
#[cfg(test)]
mod tests;

use std::io::{self, IsTerminal};

use tracing::{
    Metadata, Subscriber,
    level_filters::LevelFilter,
    subscriber::{SetGlobalDefaultError, set_global_default},
};
use tracing_subscriber::{
    Layer, Registry,
    filter::FilterFn,
    fmt::{self, MakeWriter, format::JsonFields},
    layer::SubscriberExt,
};

use self::json::FlatJson;
use crate::config::{LogFormat, LogLevel, LogSettings};

/// The target of every line of the gateway, library and binary.
const OWN_TARGET: &str = "faxplus_gateway";
/// Where actix calls it an error when a caller speaks no HTTP.
const CONNECTION_TARGET: &str = "actix_http::h1::dispatcher";

/// Starts logging to stderr, once in a process.
///
/// # Errors
/// When something else in this process logs already.
pub fn init(settings: &LogSettings) -> Result<(), SetGlobalDefaultError> {
    let format = match settings.format {
        LogFormat::Auto if io::stderr().is_terminal() => LogFormat::Pretty,
        LogFormat::Auto | LogFormat::Json => LogFormat::Json,
        LogFormat::Pretty => LogFormat::Pretty,
    };
    set_global_default(subscriber(format, settings.level, io::stderr))
}

/// What writes lines to `writer`; `Auto` is JSON, because nobody knows what a writer is.
pub fn subscriber<W>(format: LogFormat, level: LogLevel, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let layer = match format {
        LogFormat::Auto | LogFormat::Json => {
            fmt::layer().fmt_fields(JsonFields::new()).event_format(FlatJson).with_writer(writer).boxed()
        }
        LogFormat::Pretty => fmt::layer().with_ansi(io::stderr().is_terminal()).with_writer(writer).boxed(),
    };
    let level = filter_of(level);
    let filter = FilterFn::new(move |metadata| is_wanted(metadata, level));
    Registry::default().with(layer.with_filter(filter.with_max_level_hint(level.max(LevelFilter::INFO))))
}

fn is_wanted(metadata: &Metadata<'_>, level: LevelFilter) -> bool {
    if metadata.target() == CONNECTION_TARGET {
        return false;
    }
    let own = metadata.target().split("::").next() == Some(OWN_TARGET);
    let least = match (own, metadata.is_span()) {
        (true, true) => level.max(LevelFilter::INFO),
        (true, false) => level,
        (false, _) => level.min(LevelFilter::WARN),
    };
    *metadata.level() <= least
}

fn filter_of(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    }
}
