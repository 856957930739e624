//! The status as server-sent events: the present state once a second, and the samples of the past as they come.
//!
//! What is told is looked up when the connection has room for it, so nothing is done for readers that are not
//! there or do not read. The stream ends with the work of the gateway; a browser asks again then.

use std::{convert::Infallible, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CONTENT_TYPE, HeaderValue},
    web::{Bytes, Data},
};
use futures_util::stream;
use tokio::time::{Instant, timeout_at};

use super::{StatusSlot, StatusSource, body::StatusBody};
use crate::api::{events::ACCEL_BUFFERING, problem::Problem, query::Query};

/// Between two events.
const PACE: Duration = Duration::from_secs(1);
/// How long a browser waits before it asks again.
const RETRY: &str = "retry: 2000\n";

/// `GET /status/events`
pub(in crate::api) async fn get(
    request: HttpRequest,
    slot: Data<StatusSlot>,
) -> Result<HttpResponse, Problem> {
    Query::parse(request.query_string(), &[])?;
    let source = slot.get()?.clone();
    let events = Events { source, next_look: Instant::now(), told: None, is_over: false };
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, HeaderValue::from_static("text/event-stream")))
        .insert_header((ACCEL_BUFFERING, HeaderValue::from_static("no")))
        .streaming(stream::unfold(events, Events::next)))
}

/// One reader's stream.
struct Events {
    source: StatusSource,
    next_look: Instant,
    /// The newest sample that was told; `None` before the first event.
    told: Option<u64>,
    is_over: bool,
}

impl Events {
    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        if self.is_over {
            return None;
        }
        self.is_over = timeout_at(self.next_look, self.source.readiness.stopped()).await.is_ok();
        self.next_look = Instant::now() + PACE;
        if self.is_over {
            return Some((Ok(Bytes::from_static(b"event: end\ndata: {}\n\n")), self));
        }
        let past = self.source.history.after(self.told.unwrap_or_default(), &self.source.metrics);
        let (is_first, has_news) = (self.told.is_none(), !past.samples.is_empty());
        let body = if is_first || has_news {
            StatusBody::of(&self.source, &past)
        } else {
            StatusBody::without_history(&self.source, &past)
        };
        self.told = Some(past.newest);
        // Writing strings and numbers into memory has no way to fail.
        let data = serde_json::to_string(&body).unwrap_or_default();
        let retry = if is_first { RETRY } else { "" };
        Some((Ok(format!("{retry}event: status\ndata: {data}\n\n").into()), self))
    }
}
