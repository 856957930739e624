//! Refusals as RFC 9457 problem documents. The only place that gives an error its status code.
//!
//! A handler returns a `Problem`; the middleware writes it, because only there the request id is known. On the
//! paths of fax.plus it is written in the shape of fax.plus instead: see `compat`.

mod intake;
mod store;

use std::{fmt, time::Duration};

use actix_web::{
    HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{ALLOW, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE},
    },
};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::{
    domain::{BadNote, InvalidReason},
    intake::hint,
};

/// The media type of a problem.
pub(in crate::api) const PROBLEM_JSON: &str = "application/problem+json";

/// Why a request was refused, in words and as a status code. Nothing was sent because of it.
#[derive(Debug, Clone)]
pub struct Problem {
    status: StatusCode,
    word: &'static str,
    title: &'static str,
    detail: String,
    members: Map<String, Value>,
    retry_after: Option<Duration>,
    allow: Option<&'static str>,
}

/// Why a request was refused (RFC 9457). Nothing was sent because of it.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(in crate::api) struct Document<'a> {
    #[serde(rename = "type")]
    kind: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    request_id: &'a str,
    #[serde(flatten)]
    #[schema(ignore)]
    members: &'a Map<String, Value>,
}

impl Problem {
    pub(in crate::api) fn new(
        status: StatusCode,
        word: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            status,
            word,
            title,
            detail: detail.into(),
            members: Map::new(),
            retry_after: None,
            allow: None,
        }
    }

    /// 400: a query parameter that is unknown or has a wrong value.
    pub fn query(parameter: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-query", "The query can't be used", detail)
            .with("parameter", parameter)
    }

    /// 400: a header with a wrong value.
    pub fn header(header: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-header", "A header can't be used", detail)
            .with("header", header)
    }

    /// 400: the body ended in the middle.
    pub fn broken_body() -> Self {
        let detail = "the connection ended before the body did; nothing was sent";
        Self::new(StatusCode::BAD_REQUEST, "incomplete-body", "The body is not whole", detail)
    }

    /// 401: no token where one should be, or not a good one.
    pub fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "No valid token", detail)
    }

    /// 403: a browser page of another site.
    pub fn cross_site() -> Self {
        let detail = "requests that a browser makes for a page of another site are not served";
        Self::new(StatusCode::FORBIDDEN, "cross-site", "A request of another site", detail)
    }

    /// 403: what this client may not do.
    pub fn not_allowed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "not-allowed", "Not allowed", detail)
    }

    /// 403: what only a client with this right may do.
    pub fn lacks_right(right: &'static str, detail: impl Into<String>) -> Self {
        Self::not_allowed(detail).with("right", right)
    }

    /// 404: no such resend, or not this client's.
    pub fn no_such_resend() -> Self {
        let detail = "there is no resend with this id, or it is no longer kept";
        Self::new(StatusCode::NOT_FOUND, "no-such-resend", "No such resend", detail)
    }

    /// 404: no such path.
    pub fn no_such_path() -> Self {
        let detail =
            "nothing is served under this path; lists are posted to /v1/resends, and /docs/ shows all of it";
        Self::new(StatusCode::NOT_FOUND, "no-such-path", "No such path", detail)
    }

    /// 404: the same on the admin listener, for those who have mistaken it for the other one.
    pub fn no_such_admin_path() -> Self {
        let detail = "nothing is served under this path; this is the admin listener, for probes, metrics and the \
            status page, and lists are posted to the other one (server.listen)";
        Self { detail: detail.to_owned(), ..Self::no_such_path() }.with("listener", "admin")
    }

    /// 405: not this method.
    pub fn method(allow: &'static str) -> Self {
        let detail = format!("this path serves {allow}");
        let problem = Self::new(StatusCode::METHOD_NOT_ALLOWED, "method", "Method not allowed", detail);
        Self { allow: Some(allow), ..problem }
    }

    /// 406: no form of the answer that the caller accepts.
    pub fn not_acceptable(served: &str) -> Self {
        let detail = format!("results are served as {served}");
        Self::new(StatusCode::NOT_ACCEPTABLE, "not-acceptable", "No such form of results", detail)
    }

    /// 408: the body came too slowly.
    pub fn slow_body(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "slow-body", "The body came too slowly", detail)
    }

    /// 413: a body that is short when it is right.
    pub fn long_body(limit: usize) -> Self {
        let detail = format!("the body is longer than {limit} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "The body is too large", detail)
            .with("limit", json!({ "bytes": limit }))
    }

    /// 400: a JSON body that is not what this path takes. `line` and `column` count from 1.
    pub fn json_body(expected: &str, line: usize, column: usize) -> Self {
        let detail = format!("expected {expected} and nothing else (line {line}, column {column})");
        Self::new(StatusCode::BAD_REQUEST, "malformed-body", "The body is malformed", detail)
            .with("line", line)
    }

    /// 422: what should be an address is none.
    pub fn not_an_address(text: &str, reason: InvalidReason) -> Self {
        let hint = hint(text, reason).map_or(String::new(), |hint| format!(": {hint}"));
        let detail = format!("email holds no address that could be sent{hint}");
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "not-an-address", "Not an address", detail)
            .with("reason", reason.as_str())
    }

    /// 422: what an operator wants to say can't be said; nothing was changed.
    pub fn bad_note(why: BadNote) -> Self {
        let detail = format!("note can't be taken: {why}; nothing was changed");
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "bad-note", "The note can't be taken", detail)
    }

    /// 415: a media type or content encoding that is not served.
    pub fn media_type(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media-type", "Media type not served", detail)
    }

    /// 500: a bug.
    pub fn internal() -> Self {
        let detail = "the gateway failed; its log says more under this request id";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The gateway failed", detail)
    }

    /// 503: a body that was whole and good finds no room.
    fn no_room(word: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, word, title, detail)
    }

    /// 503: the gateway is not yet ready.
    pub(super) fn starting() -> Self {
        let detail = "the gateway is starting: it opens and checks its store";
        Self::no_room("starting", "Starting", detail).after(Duration::from_secs(1))
    }

    /// 503: the gateway is stopping.
    pub fn shutting_down() -> Self {
        let detail = "the gateway is shutting down; post the list again, another instance will take it";
        Self::no_room("shutting-down", "Shutting down", detail).after(Duration::from_secs(1))
    }

    /// The status code.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    pub(in crate::api) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// When it is known to whom alone: no need to spread those who come back.
    fn exactly_after(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..self }
    }

    fn after(self, wait: Duration) -> Self {
        Self { retry_after: Some(jittered(wait)), ..self }
    }

    /// What it is made of: the word that names it in kebab-case, a sentence, and what else there is to say.
    pub(in crate::api) fn parts(&self) -> (&'static str, &str, &Map<String, Value>) {
        (self.word, &self.detail, &self.members)
    }

    /// The document, with the id of the request it answers.
    pub fn render(&self, request_id: &str) -> HttpResponse {
        self.answer(self.status, PROBLEM_JSON, &self.document(request_id))
    }

    /// What [`Problem::render`] writes.
    pub(in crate::api) fn document<'a>(&'a self, request_id: &'a str) -> Document<'a> {
        Document {
            kind: format!("urn:faxplus-gateway:problem:{}", self.word),
            title: self.title,
            status: self.status.as_u16(),
            detail: &self.detail,
            request_id,
            members: &self.members,
        }
    }

    /// Whether it is told when to come back.
    pub(in crate::api) fn says_when(&self) -> bool {
        self.retry_after.is_some()
    }

    /// An answer with this body, and with the headers of the problem.
    pub(in crate::api) fn answer(
        &self,
        status: StatusCode,
        content_type: &'static str,
        body: &impl Serialize,
    ) -> HttpResponse {
        let mut response = HttpResponse::build(status);
        response.insert_header((CONTENT_TYPE, HeaderValue::from_static(content_type)));
        if status == StatusCode::UNAUTHORIZED {
            response.insert_header((WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")));
        }
        if let Some(wait) = self.retry_after {
            response.insert_header((RETRY_AFTER, wait.as_secs_f64().ceil() as u64));
        }
        if let Some(allow) = self.allow {
            response.insert_header((ALLOW, allow));
        }
        response.body(serde_json::to_string(body).unwrap_or_default())
    }
}

/// `wait` and up to a quarter more, so that callers refused together do not come back together.
pub(in crate::api) fn jittered(wait: Duration) -> Duration {
    wait.mul_f64(1.0 + fastrand::f64() / 4.0)
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.word)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::new(self.status);
        response.extensions_mut().insert(self.clone());
        response
    }
}
