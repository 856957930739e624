//! `GET /v1/resends/{id}/events`: a resend as it goes on, as server-sent events.
//!
//! Pulled, never pushed: an event is made from the state of the moment when the connection has room for
//! it. So a reader that does not read costs no memory and finds the newest state later, and the stream is
//! gone with its connection. It ends by itself with the resend, or when the gateway ends and leaves the rest to
//! the next process; a browser asks again then.

use std::{convert::Infallible, future::Future, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
    web::{Bytes, Data, Path, ReqData},
};
use futures_util::stream;
use tokio::time::{Instant, timeout_at};

use super::{problem::Problem, query::Query, render, resends::find, routes::ApiState};
use crate::{clients::Caller, dispatch::View, domain::Hold, resends::Resend, store::Snapshot};

/// Between two events of progress.
const PACE: Duration = Duration::from_millis(250);
/// Longest silence: proxies take a connection that is silent for longer to be dead.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// The next attempt is told as a time of the day, which is known no better than this.
const SAME_ATTEMPT_MS: u64 = 1000;
/// nginx holds back what it thinks will come as a whole, unless told not to.
pub(super) const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// `GET /v1/resends/{id}/events`
///
/// A browser's `EventSource` asks again whenever a stream ends. If its last event was the end of this
/// resend it is told 204, which stops it; any other reconnection gets the present state.
pub(super) async fn get(
    request: HttpRequest,
    state: Data<ApiState>,
    caller: ReqData<Caller>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    Query::parse(request.query_string(), &[])?;
    let resend = find(&state, &caller, &id).await?;
    if has_heard_the_end(request.headers(), &resend.snapshot()) {
        return Ok(HttpResponse::NoContent().finish());
    }
    let events = Events::new(state, resend, request.headers(), Instant::now());
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, HeaderValue::from_static("text/event-stream")))
        .insert_header((ACCEL_BUFFERING, HeaderValue::from_static("no")))
        .streaming(stream::unfold(events, Events::next)))
}

/// One reader's stream.
struct Events {
    state: Data<ApiState>,
    resend: Resend,
    /// What its reader came in with.
    headers: HeaderMap,
    /// What was told last.
    told: Option<Told>,
    /// When something may be told again.
    next_look: Instant,
    /// When something has to be told.
    heartbeat: Instant,
    is_over: bool,
}

/// What was told, as far as it decides whether there is news: of a hold not since when, and not the estimate,
/// which moves with every look.
struct Told {
    snapshot: Snapshot,
    hold: Option<Hold>,
}

impl Told {
    fn new(snapshot: Snapshot, view: &View) -> Self {
        Self { snapshot, hold: view.holds.first().cloned() }
    }

    fn is_same(&self, now: &Self) -> bool {
        let same_hold = match (&self.hold, &now.hold) {
            (None, None) => true,
            (Some(hold), Some(hold_now)) => {
                let attempt = |hold: &Hold| hold.next_attempt_at.map_or(0, |at| at.0);
                hold.reason == hold_now.reason
                    && hold.detail == hold_now.detail
                    && attempt(hold).abs_diff(attempt(hold_now)) < SAME_ATTEMPT_MS
            }
            (None, Some(_)) | (Some(_), None) => false,
        };
        same_hold && self.snapshot == now.snapshot
    }
}

impl Events {
    fn new(state: Data<ApiState>, resend: Resend, headers: &HeaderMap, now: Instant) -> Self {
        let headers = headers.clone();
        Self {
            state,
            resend,
            headers,
            told: None,
            next_look: now,
            heartbeat: now + HEARTBEAT,
            is_over: false,
        }
    }

    /// The next piece of the stream, as soon as there is one; `None` after the end.
    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        if self.is_over {
            return None;
        }
        loop {
            wait_until(self.next_look, self.resend.finished()).await;
            // Whose token is taken back reads no further.
            self.state.door.admit(&self.headers).ok()?;
            let now = Instant::now();
            self.next_look = now + PACE;
            // Over without an end: the next process goes on with it. Asked first: then the state is the last.
            let is_over = self.resend.is_over();
            let (snapshot, view) = (self.resend.snapshot(), self.state.resends.view());
            self.is_over = is_over || snapshot.status.is_final();
            let now_told = Told::new(snapshot, &view);
            let is_same = self.told.as_ref().is_some_and(|told| told.is_same(&now_told));
            let piece = if self.is_over || !is_same {
                self.told = Some(now_told);
                self.event(&snapshot, &view)
            } else if now >= self.heartbeat {
                Bytes::from_static(b": still there\n\n")
            } else {
                continue;
            };
            self.heartbeat = now + HEARTBEAT;
            return Some((Ok(piece), self));
        }
    }

    fn event(&self, snapshot: &Snapshot, view: &View) -> Bytes {
        let body = render::resend(&self.resend, snapshot, view, self.state.sandbox);
        // Writing strings and numbers into memory has no way to fail.
        let data = serde_json::to_string(&body).unwrap_or_default();
        match end_id(snapshot) {
            Some(id) => format!("event: finished\nid: {id}\ndata: {data}\n\n"),
            None => format!("event: progress\ndata: {data}\n\n"),
        }
        .into()
    }
}

/// Returns at `moment`, or with the end of the resend if that comes first.
async fn wait_until(moment: Instant, end: impl Future<Output = ()>) {
    // Which of the two it was shows in the state.
    drop(timeout_at(moment, end).await);
}

/// What names the end of a resend; `None` before it.
fn end_id(snapshot: &Snapshot) -> Option<String> {
    let at = snapshot.finished_at.filter(|_| snapshot.status.is_final())?;
    Some(format!("end-{}", at.0))
}

fn has_heard_the_end(headers: &HeaderMap, snapshot: &Snapshot) -> bool {
    let heard = headers.get(LAST_EVENT_ID).and_then(|value| value.to_str().ok());
    heard.is_some() && heard == end_id(snapshot).as_deref()
}
