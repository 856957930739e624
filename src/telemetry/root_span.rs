//! The span around a request, and the one line about it.
//!
//! Owns what a log may say of a request: id, trace, method, matched pattern, status, duration. Refuses path,
//! query, headers, client address, user agent and the texts of errors: they can hold addresses.
//! A request whose caller went away before the answer has no line.

use actix_web::{
    Error, HttpMessage,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::Method,
};
use tokio::time::Instant;
use tracing::{Level, Span, field::Empty};
use tracing_actix_web::RootSpanBuilder;

use super::{
    request_id::{REQUEST_ID_HEADER, RequestId},
    trace::trace_of,
};

/// What stands for the pattern when a request meets no route.
pub const UNMATCHED: &str = "unmatched";
/// Routes that a machine asks all day.
const QUIET_ROUTES: [&str; 3] = ["/livez", "/readyz", "/metrics"];

/// The span with its closed set of fields, at a level that must be a constant.
macro_rules! request_span {
    ($level:expr, $id:ident, $trace:ident, $method:ident, $route:ident) => {
        tracing::span!(
            $level,
            "request",
            request_id = $id.as_str(),
            trace_id = %$trace.id(),
            method = $method,
            route = $route,
            status = Empty,
            duration_ms = Empty,
        )
    };
}

/// The span builder for `TracingLogger`; it also puts the [`RequestId`] and the
/// [`TraceContext`](crate::domain::TraceContext) into the request's extensions.
#[derive(Debug, Clone, Copy)]
pub struct WithoutAddresses;

/// When the request came.
#[derive(Clone, Copy)]
struct StartedAt(Instant);

/// The method as a word of a closed set: the name of a standard method, else `OTHER`.
pub fn method_word(method: &Method) -> &'static str {
    const KNOWN: [&str; 8] = ["GET", "POST", "PATCH", "DELETE", "HEAD", "OPTIONS", "PUT", "TRACE"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("OTHER")
}

impl RootSpanBuilder for WithoutAddresses {
    fn on_request_start(request: &ServiceRequest) -> Span {
        let id = RequestId::from_header(request.headers().get(&REQUEST_ID_HEADER));
        let trace = trace_of(request.headers());
        let pattern = request.match_pattern();
        let route = pattern.as_deref().unwrap_or(UNMATCHED);
        let method = method_word(request.method());
        let span = if QUIET_ROUTES.contains(&route) {
            request_span!(Level::DEBUG, id, trace, method, route)
        } else {
            request_span!(Level::INFO, id, trace, method, route)
        };
        request.extensions_mut().insert(id);
        request.extensions_mut().insert(trace);
        request.extensions_mut().insert(StartedAt(Instant::now()));
        span
    }

    /// Runs when the head of the answer is ready; a streamed body goes on after it.
    fn on_request_end<B: MessageBody>(span: Span, outcome: &Result<ServiceResponse<B>, Error>) {
        let (status, started) = match outcome {
            Ok(response) => (response.status(), response.request().extensions().get::<StartedAt>().copied()),
            Err(error) => (error.as_response_error().status_code(), None),
        };
        span.record("status", status.as_u16());
        if let Some(StartedAt(started)) = started {
            span.record("duration_ms", started.elapsed().as_micros() as f64 / 1000.0);
        }
        if span.metadata().is_some_and(|metadata| *metadata.level() == Level::INFO) {
            tracing::info!(parent: &span, "Answered a request.");
        } else {
            tracing::debug!(parent: &span, "Answered a request.");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use actix_web::{App, HttpRequest, HttpResponse, test, web};
    use serde_json::Value;
    use tracing_actix_web::TracingLogger;

    use super::*;
    use crate::{
        config::{LogFormat, LogLevel},
        telemetry::logging::subscriber,
    };

    async fn echo_id(request: HttpRequest) -> HttpResponse {
        let id = request.extensions().get::<RequestId>().cloned();
        tracing::warn!("inside");
        HttpResponse::Accepted().body(id.map_or_else(String::new, |id| id.0))
    }

    /// The body of the answer, and the lines that were logged meanwhile.
    async fn ask(level: LogLevel, request: test::TestRequest) -> (String, Vec<Value>) {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let writer = Arc::clone(&lines);
        let logs = tracing::subscriber::set_default(subscriber(LogFormat::Json, level, move || {
            Tap(Arc::clone(&writer))
        }));
        let app = App::new()
            .wrap(TracingLogger::<WithoutAddresses>::new())
            .route("/livez", web::get().to(HttpResponse::Ok))
            .route("/v1/resends/{id}", web::get().to(echo_id));
        let service = test::init_service(app).await;
        let body = test::call_and_read_body(&service, request.to_request()).await;
        drop(logs);
        let text = String::from_utf8(lines.lock().unwrap().clone()).unwrap();
        let parsed = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        (String::from_utf8(body.to_vec()).unwrap(), parsed)
    }

    struct Tap(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Tap {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[actix_web::test]
    async fn a_request_has_one_line_with_its_id_pattern_and_status() {
        let request =
            test::TestRequest::get().uri("/v1/resends/7?q=1").insert_header(("X-Request-Id", "r-1"));
        let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
        let request = request.insert_header(("Traceparent", traceparent));

        let (body, lines) = ask(LogLevel::Info, request).await;

        assert_eq!(body, "r-1");
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert_eq!(lines[0]["request_id"], "r-1");
        assert_eq!(lines[0]["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
        let line = &lines[1];
        assert_eq!(line["message"], "Answered a request.");
        assert_eq!((&line["request_id"], &line["method"]), (&"r-1".into(), &"GET".into()));
        assert_eq!((&line["route"], &line["status"]), (&"/v1/resends/{id}".into(), &202.into()));
        assert!(line["duration_ms"].as_f64().unwrap() >= 0.0);
    }

    #[actix_web::test]
    async fn nothing_a_caller_wrote_but_a_fit_id_is_logged_at_trace() {
        let request = test::TestRequest::get()
            .uri("/v1/resends/ann@example.com?email=ann@example.com")
            .insert_header(("User-Agent", "ann@example.com"))
            .insert_header(("Authorization", "Bearer ann@example.com"))
            .insert_header(("X-Forwarded-For", "ann@example.com"))
            .insert_header(("X-Request-Id", "ann@example.com"))
            .insert_header(("Traceparent", "ann@example.com"))
            .insert_header(("Tracestate", "ann=ann@example.com"));

        let (id, lines) = ask(LogLevel::Trace, request).await;

        assert!(!format!("{lines:?}").contains("ann"), "{lines:?}");
        assert!(uuid::Uuid::parse_str(&id).is_ok(), "{id}");
    }

    #[actix_web::test]
    async fn a_path_without_route_and_a_method_without_name_are_told_as_such() {
        let method = Method::from_bytes(b"ANN").unwrap();
        let request = test::TestRequest::default().method(method).uri("/ann@example.com");

        let (_, lines) = ask(LogLevel::Info, request).await;

        assert_eq!((&lines[0]["route"], &lines[0]["method"]), (&UNMATCHED.into(), &"OTHER".into()));
        assert_eq!(lines[0]["status"], 404);
    }

    #[actix_web::test]
    async fn probes_are_quiet() {
        let probe = || test::TestRequest::get().uri("/livez");

        assert_eq!(ask(LogLevel::Info, probe()).await.1.len(), 0);
        assert_eq!(ask(LogLevel::Debug, probe()).await.1.len(), 1);
    }
}
