//! What comes out, what stays in, and in which form.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use serde_json::Value;
use tracing::{debug, error, info, info_span, subscriber::with_default, trace, warn};

use super::*;

/// A writer that tests can read.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn written(format: LogFormat, level: LogLevel, work: impl FnOnce()) -> String {
    let lines = Lines::default();
    let writer = lines.clone();
    with_default(subscriber(format, level, move || writer.clone()), work);
    String::from_utf8(lines.0.lock().unwrap().clone()).unwrap()
}

fn json_lines(level: LogLevel, work: impl FnOnce()) -> Vec<Value> {
    written(LogFormat::Json, level, work).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_line_is_one_flat_object_with_the_fields_of_its_spans() {
    let text = written(LogFormat::Json, LogLevel::Info, || {
        let outer = info_span!("request", request_id = "r1", attempt = 1, status = tracing::field::Empty);
        outer.record("status", 202);
        let _outer = outer.entered();
        let _inner = info_span!("call", batch.len = 10).entered();
        warn!(attempt = 2, target = "x", ok = true, rate = 0.5, "Upstream refused a \"batch\";\nretrying.");
    });

    assert!(text.starts_with("{\"timestamp\":\""), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
    let line: Value = serde_json::from_str(&text).unwrap();
    assert!(humantime::parse_rfc3339(line["timestamp"].as_str().unwrap()).is_ok());
    assert_eq!(line["level"], "WARN");
    assert_eq!(line["message"], "Upstream refused a \"batch\";\nretrying.");
    assert_eq!(line["target"], "faxplus_gateway::telemetry::logging::tests");
    assert_eq!(line["request_id"], "r1");
    assert_eq!(line["status"], 202);
    assert_eq!(line["batch.len"], 10);
    assert_eq!(line["attempt"], 2);
    assert_eq!((&line["ok"], &line["rate"]), (&Value::Bool(true), &Value::from(0.5)));
}

#[test]
fn libraries_say_warnings_and_errors_only_whatever_the_level() {
    let lines = json_lines(LogLevel::Trace, || {
        trace!(target: "awc::client", "ann@example.com");
        debug!(target: "actix_http::h1::dispatcher", "ann@example.com");
        info!(target: "rustls::client", "ann@example.com");
        debug!(target: "h2", "ann@example.com");
        trace!(target: "mio::poll", "ann@example.com");
        debug!(target: "faxplus_gateway_impostor", "ann@example.com");
        let _span = tracing::trace_span!(target: "hyper", "ann", address = "ann@example.com").entered();
        error!(target: "actix_http::h1::dispatcher", "a caller's doing");
        warn!(target: "actix_server", "kept");
        trace!("kept");
    });

    assert_eq!(lines.iter().map(|line| &line["message"]).collect::<Vec<_>>(), ["kept", "kept"]);
    assert!(lines.iter().all(|line| line.get("address").is_none()), "{lines:?}");
}

#[test]
fn the_level_is_for_our_own_lines() {
    for (level, expected) in [
        (LogLevel::Error, 2),
        (LogLevel::Warn, 4),
        (LogLevel::Info, 5),
        (LogLevel::Debug, 6),
        (LogLevel::Trace, 7),
    ] {
        let lines = json_lines(level, || {
            error!(target: "awc", "1");
            error!("2");
            warn!(target: "awc", "3");
            warn!("4");
            info!("5");
            debug!("6");
            trace!("7");
        });

        assert_eq!(lines.len(), expected, "{level:?}");
    }
}

#[test]
fn a_warning_keeps_the_id_of_its_request_when_information_is_off() {
    let lines = json_lines(LogLevel::Error, || {
        let _span = info_span!("request", request_id = "r1").entered();
        error!("broken");
    });

    assert_eq!(lines[0]["request_id"], "r1");
}

#[test]
fn the_pretty_form_is_for_people() {
    let text = written(LogFormat::Pretty, LogLevel::Info, || info!(port = 8080, "Listening."));

    assert!(text.contains("INFO") && text.contains("Listening. port=8080"), "{text}");
}
