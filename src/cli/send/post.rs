//! The post of a list, and what is known when it fails.

use std::{cell::Cell, io, rc::Rc};

use awc::http::header::HeaderValue;
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use thiserror::Error;
use tokio::{sync::Notify, time::sleep};
use uuid::Uuid;

use super::{SendArgs, list::List};
use crate::cli::{
    client::{ANSWER, CallError, Client, Posting, Resend, parse},
    invocation,
};

/// What the arguments say about the post.
pub(super) struct Wishes {
    query: String,
    force: bool,
    dry_run: bool,
    idempotency_key: String,
    options: String,
}

/// Why there is no resend to follow, or none that is known.
#[derive(Debug, Error)]
pub(super) enum PostError {
    #[error("--idempotency-key: expected 1 to 255 visible characters")]
    Key,
    #[error("can't read the list to its end: {0}; nothing was sent")]
    List(Rc<io::Error>),
    #[error(transparent)]
    Call(#[from] CallError),
    /// The gateway never had all of the list.
    #[error(
        "the gateway ended the connection before it had the whole list: nothing was sent\n  \
         next: send it again; if that happens again, the log of the gateway says why"
    )]
    CutOff,
    /// The gateway had all of the list, and nobody knows what it did with it.
    #[error(
        "no clear answer came from the gateway: it is not known whether it took the list\n  \
         if it did, the work goes on, and this shows it among the newest:\n    \
         {} status{options}\n  \
         {again}:\n    \
         --idempotency-key {key}",
        invocation::command()
    )]
    Unknown { options: String, again: &'static str, key: String },
    #[error(
        "stopped before the gateway answered: if it has the whole list, the work goes on\n  \
         `{} status{options}` shows it among the newest",
        invocation::command()
    )]
    StoppedLate { options: String },
    #[error("stopped before the gateway had the whole list: nothing was sent")]
    Stopped,
    #[error("stopped; it was a dry run: nothing was sent")]
    StoppedPlan,
    #[error("{0}\n  it was a dry run: nothing was sent; try it again")]
    NoPlan(CallError),
}

impl Wishes {
    pub(super) fn new(arguments: &SendArgs) -> Result<Self, PostError> {
        let mut query = "results=none".to_owned();
        for (name, is_on) in [("force", arguments.force), ("dry_run", arguments.dry_run)] {
            if is_on {
                query.push_str(&format!("&{name}=true"));
            }
        }
        let key = arguments.idempotency_key.clone().unwrap_or_else(|| Uuid::new_v4().to_string());
        if !(1..=255).contains(&key.len()) || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(PostError::Key);
        }
        Ok(Self {
            query,
            force: arguments.force,
            dry_run: arguments.dry_run,
            idempotency_key: key,
            options: arguments.target.options(),
        })
    }

    /// The resend in an answer. One that can't be read, or was cut off, says nothing about the list.
    pub(super) fn resend(&self, posted: &[u8]) -> Result<Resend, PostError> {
        parse(posted).map_err(|_| self.unknown())
    }

    fn stopped(&self, course: &Course) -> PostError {
        match (self.dry_run, course.whole.get()) {
            (true, _) => PostError::StoppedPlan,
            (false, true) => PostError::StoppedLate { options: self.options.clone() },
            (false, false) => PostError::Stopped,
        }
    }

    fn unknown(&self) -> PostError {
        let again = if self.force {
            "with --force a second post mails people again whom the first one mailed, unless the gateway keeps \
             idempotency keys; then add"
        } else {
            "sending the list again is safe inside the dedupe window: who was mailed is a duplicate then; to join \
             the same resend on a gateway that keeps idempotency keys, add"
        };
        PostError::Unknown { options: self.options.clone(), again, key: self.idempotency_key.clone() }
    }
}

/// How much of a list has gone out.
#[derive(Default)]
struct Course {
    whole: Cell<bool>,
    ended: Notify,
    error: Cell<Option<Rc<io::Error>>>,
}

/// Posts the list once: the body of the answer. It is not tried again by itself: whether that mails
/// people twice depends on the gateway's window and on `--force`, and so it is the caller's decision.
pub(super) async fn post(
    client: &Client,
    list: List,
    wishes: &Wishes,
    stop: impl Future<Output = ()>,
) -> Result<Bytes, PostError> {
    let course = Rc::new(Course::default());
    let key = HeaderValue::from_str(&wishes.idempotency_key).map_err(|_| PostError::Key)?;
    let posting = Posting {
        query: wishes.query.clone(),
        content_type: list.format.content_type(),
        gzip: list.gzip,
        idempotency_key: key,
        pieces: watched(list.into_pieces().map_err(|error| PostError::List(Rc::new(error)))?, &course),
    };
    let answered = tokio::select! {
        biased;
        answered = client.post(posting) => answered,
        () = silence(&course) => Err(CallError::Silent { seconds: ANSWER.as_secs() }),
        () = stop => return Err(wishes.stopped(&course)),
    };
    let error = match answered {
        Ok(answer) => return Ok(answer),
        Err(error) => error,
    };
    if let Some(error) = course.error.take() {
        return Err(PostError::List(error));
    }
    match error {
        CallError::Broken | CallError::Silent { .. } if wishes.dry_run => Err(PostError::NoPlan(error)),
        CallError::Unreadable | CallError::Stranger { .. } if wishes.dry_run => Err(error.into()),
        CallError::Broken | CallError::Silent { .. } if course.whole.get() => Err(wishes.unknown()),
        CallError::Broken | CallError::Silent { .. } => Err(PostError::CutOff),
        // What came is no answer to rely on (a proxy may say 504), but the list may be there.
        CallError::Unreadable => Err(wishes.unknown()),
        CallError::Stranger { status: 500.., .. } if course.whole.get() => Err(wishes.unknown()),
        CallError::Tls(_)
        | CallError::UserInUrl
        | CallError::Token { .. }
        | CallError::Unreachable { .. }
        | CallError::Refused(_)
        | CallError::Stranger { .. } => Err(error.into()),
    }
}

/// Ends when the gateway had the whole list and then said nothing for too long. However long a list may
/// take on its way out, the gateway watches over that.
async fn silence(course: &Course) {
    course.ended.notified().await;
    sleep(ANSWER).await;
}

/// The same pieces; `course` knows how far they got.
fn watched(
    pieces: impl Stream<Item = io::Result<Bytes>> + 'static,
    course: &Rc<Course>,
) -> impl Stream<Item = io::Result<Bytes>> + 'static {
    let (seen, ended) = (Rc::clone(course), Rc::clone(course));
    let end = futures_util::stream::poll_fn(move |_| {
        ended.whole.set(true);
        ended.ended.notify_one();
        std::task::Poll::Ready(None)
    });
    pieces
        .map(move |piece| {
            piece.map_err(|error| {
                let kind = error.kind();
                seen.error.set(Some(Rc::new(error)));
                io::Error::from(kind)
            })
        })
        .chain(end)
}
