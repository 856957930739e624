//! What happens around every request: refusing other sites, counting, writing problems, naming the id, answering
//! HEAD as GET without its body, settling what becomes of the connection, and sending callers to another instance when this one is about to end.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use actix_web::{
    Error, HttpMessage as _,
    body::{BodySize, BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        ConnectionType, Method,
        header::{CACHE_CONTROL, HeaderName, HeaderValue},
    },
    middleware::Next,
    web::{Bytes, Data},
};
use tokio::time::Instant;

use super::{
    admin::Readiness,
    auth, compat,
    connection::Framing,
    openapi,
    origin::{is_cross_site, is_followed_link},
    problem::Problem,
    routes::ApiState,
};
use crate::telemetry::{Metrics, REQUEST_ID_HEADER, RequestId, UNMATCHED, method_word};

const CONTENT_TYPE_OPTIONS: HeaderName = HeaderName::from_static("x-content-type-options");

/// The body of an answer to HEAD: as long as that of GET, and never there.
struct Withheld(BodySize);

impl MessageBody for Withheld {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        self.0
    }

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        Poll::Ready(None)
    }
}

/// Counts a request and its time, also when its answer is a problem. HEAD is served, and so counted, wherever GET is
/// (RFC 9110, 9.3.2): with the same headers. What would be streamed is begun and let go at once.
pub(super) async fn count(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let is_head = request.method() == Method::HEAD;
    if is_head {
        request.head_mut().method = Method::GET;
    }
    let metrics = request.app_data::<Data<Metrics>>().cloned();
    let guard = metrics.as_ref().map(|metrics| metrics.http_in_flight());
    let started = Instant::now();
    let framing = Framing::of(&mut request);
    let method = method_word(request.method());
    let route = request.match_pattern().unwrap_or_else(|| UNMATCHED.to_owned());
    let response = finish(request, next).await?;
    if let Some(metrics) = metrics {
        metrics.http_finished(&route, method, response.status().as_u16(), started.elapsed());
    }
    drop(guard);
    let response =
        if is_head { response.map_body(|_, body| Withheld(body.size()).boxed()) } else { response };
    Ok(framing.apply(response))
}

/// Refuses pages of other sites, writes problems, and puts the request id on every answer. While draining
/// it ends the connection with the answer: the caller's next request finds an instance that stays.
async fn finish(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let id = request.extensions().get::<RequestId>().cloned();
    let id = id.unwrap_or_else(|| RequestId::from_header(request.headers().get(REQUEST_ID_HEADER)));
    let readiness = request.app_data::<Data<Readiness>>().cloned();
    let is_compat = compat::covers(request.path());
    let write = |problem: &Problem| {
        if is_compat { compat::refuse(problem) } else { problem.render(id.as_str()) }
    };
    let mut response = match admit(&request) {
        Ok(()) => next.call(request).await?.map_into_boxed_body(),
        Err(problem) => request.into_response(write(&problem)),
    };
    let problem = response.response().extensions().get::<Problem>().cloned();
    if let Some(problem) = problem {
        if problem.status().is_server_error() {
            // Which of several it was stands in no metric.
            tracing::warn!(problem = problem.parts().0, "Answered with a problem of this gateway's own.");
        }
        response = response.into_response(write(&problem));
    }
    if readiness.is_some_and(|readiness| readiness.is_ending()) {
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        headers.insert(REQUEST_ID_HEADER, value);
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Ok(response)
}

/// Looks who calls, and lets the handler know. The admin listener has no door, and whoever reaches the gateway
/// may read how it is called.
fn admit(request: &ServiceRequest) -> Result<(), Problem> {
    // Pages may be linked to from a wiki or a dashboard; they change nothing and can't be framed.
    let is_link_to_page =
        ["/", openapi::PAGE].contains(&request.path()) && is_followed_link(request.headers());
    if is_cross_site(request.headers()) && !is_link_to_page {
        return Err(Problem::cross_site());
    }
    if openapi::is_open(request.path(), request.match_pattern().as_deref()) {
        return Ok(());
    }
    let Some(state) = request.app_data::<Data<ApiState>>() else { return Ok(()) };
    let caller = auth::admit(request.request(), state)?;
    request.extensions_mut().insert(caller);
    Ok(())
}
