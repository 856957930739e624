//! Requests of callers, by route.

use std::time::Duration;

use prometheus::{Histogram, HistogramVec, IntCounter, IntCounterVec, IntGauge, Result};

use super::{Metrics, register::Register};
use crate::{domain::AuthFailure, telemetry::root_span::UNMATCHED};

/// Up to the longest wait that callers usually ask for.
const SECONDS: &[f64] =
    &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0];
/// The method of a request that meets no route.
const OTHER: &str = "OTHER";

/// A route that is served, and the statuses it answers with.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// The pattern, such as `/v1/resends/{id}`.
    pub pattern: &'static str,
    /// The method in upper case.
    pub method: &'static str,
    /// Every status that its handler and the middleware before it can answer with.
    pub statuses: &'static [u16],
}

/// What a request that meets no route is counted as.
const NO_ROUTE: Route = Route { pattern: UNMATCHED, method: OTHER, statuses: &[400, 401, 403, 404, 405] };

#[derive(Debug)]
pub(super) struct HttpSeries {
    requests: IntCounterVec,
    routes: Vec<RouteSeries>,
    no_route: RouteSeries,
    in_flight: IntGauge,
    auth_failures: Vec<IntCounter>,
}

#[derive(Debug)]
struct RouteSeries {
    route: Route,
    duration: Histogram,
    by_status: Vec<(u16, IntCounter)>,
}

impl HttpSeries {
    pub(super) fn new(register: &Register<'_>, routes: &[Route]) -> Result<Self> {
        let requests = register.counters(
            "http_requests_total",
            "Requests answered. A route is a pattern, never a path; what meets none is \"unmatched\". HEAD counts as GET.",
            &["route", "method", "status"],
        )?;
        let durations = register.histograms(
            "http_request_duration_seconds",
            "Time from the head of a request to the head of its answer, waiting included.",
            &["route", "method"],
            SECONDS,
        )?;
        let in_flight =
            register.gauge("http_requests_in_flight", "Requests that were begun and not yet answered.")?;

        let failures = register.counters(
            "auth_failures_total",
            "Requests of nobody: without the token of a client.",
            &["reason"],
        )?;
        let auth_failures = AuthFailure::ALL
            .iter()
            .map(|failure| failures.get_metric_with_label_values(&[failure.as_str()]))
            .collect::<Result<_>>()?;
        let series = |route: &Route| RouteSeries::new(*route, &requests, &durations);
        let no_route = series(&NO_ROUTE)?;
        let routes = routes.iter().map(series).collect::<Result<_>>()?;
        Ok(Self { routes, no_route, requests, in_flight, auth_failures })
    }

    fn of(&self, route: &str, method: &str) -> &RouteSeries {
        let is_it = |known: &&RouteSeries| known.route.pattern == route && known.route.method == method;
        self.routes.iter().find(is_it).unwrap_or(&self.no_route)
    }
}

impl RouteSeries {
    fn new(route: Route, requests: &IntCounterVec, durations: &HistogramVec) -> Result<Self> {
        let duration = durations.get_metric_with_label_values(&[route.pattern, route.method])?;
        let counter = |status: &u16| {
            let labels = [route.pattern, route.method, &status.to_string()];
            Ok((*status, requests.get_metric_with_label_values(&labels)?))
        };
        Ok(Self { route, duration, by_status: route.statuses.iter().map(counter).collect::<Result<_>>()? })
    }
}

impl Metrics {
    /// Counts a request of nobody.
    pub fn auth_failed(&self, failure: AuthFailure) {
        self.http.auth_failures[failure as usize].inc();
    }

    /// Counts a request as in flight until the guard is dropped, however it ends.
    #[must_use = "the request is in flight while this lives"]
    pub fn http_in_flight(&self) -> HttpInFlight {
        self.http.in_flight.inc();
        HttpInFlight(self.http.in_flight.clone())
    }

    /// Counts an answer. A route and method that were not named at the start count as `unmatched`; a
    /// status that was not named for the route gets its series now.
    pub fn http_finished(&self, route: &str, method: &str, status: u16, duration: Duration) {
        let series = self.http.of(route, method);
        series.duration.observe(duration.as_secs_f64());
        match series.by_status.iter().find(|(known, _)| *known == status) {
            Some((_, counter)) => counter.inc(),
            None => {
                let labels = [series.route.pattern, series.route.method, &status.to_string()];
                self.http.requests.with_label_values(&labels).inc();
            }
        }
    }
}

/// One request in flight; dropping it ends that.
#[derive(Debug)]
pub struct HttpInFlight(IntGauge);

impl Drop for HttpInFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}
