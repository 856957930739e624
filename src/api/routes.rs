//! Which path is served by what, on which listener.

use std::time::Duration;

use actix_web::{
    HttpResponse, Resource,
    middleware::from_fn,
    web::{self, ServiceConfig},
};
use tracing_actix_web::TracingLogger;

use super::{
    admin, auth::Door, body::BodyPace, compat, events, middleware, openapi, operator, problem::Problem,
    recent_sends, resends, results, status,
};
use crate::{
    config::{CompatSettings, ServerSettings},
    resends::Resends,
    telemetry::{WithoutAddresses, metrics::Route},
};

const POST_STATUSES: &[u16] = &[200, 202, 207, 400, 401, 403, 408, 413, 415, 422, 429, 502, 503];

/// The methods of a path that can only be got.
const GOT: &str = "GET, HEAD";

/// Every route with the status codes it answers with, for the metrics. Each GET answers HEAD, too, and counts it.
pub const ROUTES: &[Route] = &[
    Route { pattern: "/v1/resends", method: "POST", statuses: POST_STATUSES },
    Route { pattern: "/v1/resends", method: "GET", statuses: &[200, 400, 401, 403, 503] },
    Route { pattern: "/v1/resends/{id}", method: "GET", statuses: &[200, 400, 401, 403, 404, 503] },
    Route { pattern: "/v1/resends/{id}", method: "DELETE", statuses: &[200, 400, 401, 403, 404, 503] },
    Route {
        pattern: "/v1/resends/{id}/results",
        method: "GET",
        statuses: &[200, 400, 401, 403, 404, 406, 503],
    },
    Route {
        pattern: "/v1/resends/{id}/events",
        method: "GET",
        statuses: &[200, 204, 400, 401, 403, 404, 503],
    },
    Route { pattern: compat::PATHS[0], method: "PATCH", statuses: compat::STATUSES },
    Route {
        pattern: "/v1/recent-sends/lookup",
        method: "POST",
        statuses: &[200, 400, 401, 403, 408, 413, 415, 422, 503],
    },
    Route { pattern: "/v1/operator", method: "GET", statuses: &[200, 400, 401, 403] },
    Route {
        pattern: "/v1/operator/pause",
        method: "POST",
        statuses: &[200, 400, 401, 403, 408, 413, 415, 422, 503],
    },
    Route {
        pattern: "/v1/operator/resume",
        method: "POST",
        statuses: &[200, 400, 401, 403, 408, 413, 415, 503],
    },
    Route { pattern: openapi::DOCUMENT, method: "GET", statuses: &[200, 403] },
    Route { pattern: openapi::PAGE, method: "GET", statuses: &[200, 403] },
    Route { pattern: openapi::FILE, method: "GET", statuses: &[200, 403, 404] },
    Route { pattern: "/livez", method: "GET", statuses: &[200, 403] },
    Route { pattern: "/readyz", method: "GET", statuses: &[200, 400, 403, 503] },
    Route { pattern: "/metrics", method: "GET", statuses: &[200, 403] },
    Route { pattern: "/status", method: "GET", statuses: &[200, 400, 403, 503] },
    Route { pattern: "/status/events", method: "GET", statuses: &[200, 400, 403, 503] },
    Route { pattern: "/", method: "GET", statuses: &[200, 403, 503] },
];

/// What the handlers of the main listener share.
#[derive(Clone)]
pub struct ApiState {
    pub(super) resends: Resends,
    pub(super) sandbox: bool,
    pub(super) default_wait: Duration,
    pub(super) max_wait: Duration,
    pub(super) compat_wait: Duration,
    pub(super) body_pace: BodyPace,
    /// Whether callers without a token may operate the gateway: only those on this machine.
    pub(super) may_operate: bool,
    pub(super) door: Door,
    /// The OpenAPI document.
    pub(super) document: web::Bytes,
}

impl ApiState {
    /// The state over `resends`; `sandbox` when upstream is simulated.
    pub fn new(
        resends: Resends,
        settings: &ServerSettings,
        compat: &CompatSettings,
        door: Door,
        sandbox: bool,
    ) -> Self {
        Self {
            resends,
            sandbox,
            default_wait: settings.default_wait,
            max_wait: settings.max_wait,
            compat_wait: compat.wait,
            body_pace: BodyPace::new(settings),
            may_operate: matches!(door, Door::Open(_)) && settings.listen.ip().is_loopback(),
            door,
            document: openapi::document().to_string().into(),
        }
    }
}

/// The routes of the main listener.
pub fn main_routes(config: &mut ServiceConfig) {
    config.service(
        web::scope("")
            .wrap(from_fn(middleware::count))
            .wrap(TracingLogger::<WithoutAddresses>::new())
            .service(
                web::resource("/v1/resends")
                    .route(web::post().to(resends::post))
                    .route(web::get().to(resends::list))
                    .default_service(web::to(|| refuse(Problem::method("GET, HEAD, POST")))),
            )
            .service(
                web::resource("/v1/resends/{id}")
                    .route(web::get().to(resends::get))
                    .route(web::delete().to(resends::delete))
                    .default_service(web::to(|| refuse(Problem::method("GET, HEAD, DELETE")))),
            )
            .service(
                web::resource("/v1/resends/{id}/results")
                    .route(web::get().to(results::get))
                    .default_service(web::to(|| refuse(Problem::method(GOT)))),
            )
            .service(read_only("/v1/resends/{id}/events", web::get().to(events::get)))
            .service(
                web::resource(compat::PATHS)
                    .route(web::patch().to(compat::patch))
                    .default_service(web::to(|| refuse(Problem::method("PATCH")))),
            )
            .service(post_only("/v1/recent-sends/lookup", web::post().to(recent_sends::look_up)))
            .service(read_only("/v1/operator", web::get().to(operator::get)))
            .service(post_only("/v1/operator/pause", web::post().to(operator::pause)))
            .service(post_only("/v1/operator/resume", web::post().to(operator::resume)))
            .service(read_only(openapi::DOCUMENT, web::get().to(openapi::serve::document)))
            .service(read_only(openapi::PAGE, web::get().to(openapi::serve::page)))
            .service(read_only(openapi::FILE, web::get().to(openapi::serve::file)))
            .default_service(web::to(|| refuse(Problem::no_such_path()))),
    );
}

/// The routes of the admin listener.
pub fn admin_routes(config: &mut ServiceConfig) {
    config.service(
        web::scope("")
            .wrap(from_fn(middleware::count))
            .wrap(TracingLogger::<WithoutAddresses>::new())
            .service(read_only("/livez", web::get().to(admin::livez)))
            .service(read_only("/readyz", web::get().to(admin::readyz)))
            .service(read_only("/metrics", web::get().to(admin::metrics)))
            .service(read_only("/status", web::get().to(status::get)))
            .service(read_only("/status/events", web::get().to(status::events)))
            .service(read_only("/", web::get().to(status::page)))
            .default_service(web::to(|| refuse(Problem::no_such_admin_path()))),
    );
}

/// A path that can only be got, whole or its head.
fn read_only(path: &str, get: actix_web::Route) -> Resource {
    web::resource(path).route(get).default_service(web::to(|| refuse(Problem::method(GOT))))
}

/// A path that can only be posted to.
fn post_only(path: &str, post: actix_web::Route) -> Resource {
    web::resource(path).route(post).default_service(web::to(|| refuse(Problem::method("POST"))))
}

async fn refuse(problem: Problem) -> Result<HttpResponse, Problem> {
    Err(problem)
}
