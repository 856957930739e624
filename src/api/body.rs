//! Reads a request body as a stream into a draft, or a short one whole. Slow bodies are cut off: actix has
//! no such timer.

use std::time::Duration;

use actix_web::web::{Bytes, Payload};
use futures_util::StreamExt as _;
use serde::de::DeserializeOwned;
use tokio::{
    task::yield_now,
    time::{Instant, timeout},
};

use super::problem::Problem;
use crate::{
    config::ServerSettings,
    resends::{Draft, DraftError, Step},
};

/// How slow a body may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct BodyPace {
    /// Longest silence.
    idle: Duration,
    /// Least bytes a second on average, once the body took longer than one silence.
    least_rate: u64,
}

impl BodyPace {
    pub(super) fn new(settings: &ServerSettings) -> Self {
        Self { idle: settings.body_idle_timeout, least_rate: settings.min_body_bytes_per_second }
    }

    fn is_too_slow(self, bytes: u64, elapsed: Duration) -> bool {
        elapsed > self.idle && (bytes as f64) < self.least_rate as f64 * elapsed.as_secs_f64()
    }
}

/// A body that comes piece by piece, and not too slowly.
struct Pieces {
    payload: Payload,
    pace: BodyPace,
    /// When it began; later by as long as the gateway itself was not ready for more.
    started: Instant,
    bytes: u64,
}

impl Pieces {
    fn new(payload: Payload, pace: BodyPace) -> Self {
        Self { payload, pace, started: Instant::now(), bytes: 0 }
    }

    async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        let Ok(next) = timeout(self.pace.idle, self.payload.next()).await else {
            let detail = format!("no byte came for {} seconds; nothing was sent", self.pace.idle.as_secs());
            return Err(Problem::slow_body(detail));
        };
        let piece = match next {
            None => return Ok(None),
            Some(Ok(piece)) => piece,
            Some(Err(_)) => return Err(Problem::broken_body()),
        };
        self.bytes += piece.len() as u64;
        if self.pace.is_too_slow(self.bytes, self.started.elapsed()) {
            let least = self.pace.least_rate;
            return Err(Problem::slow_body(format!(
                "fewer than {least} bytes came a second; nothing was sent"
            )));
        }
        Ok(Some(piece))
    }
}

/// Makes room for more of a list. The caller is not slow meanwhile.
async fn make_room(pieces: &mut Pieces, draft: &mut Draft) -> Result<(), DraftError> {
    let began = Instant::now();
    let made = draft.flush().await;
    pieces.started += began.elapsed();
    made
}

/// Reads all of `payload` into `draft`. Between two parts of a large piece other requests of this
/// worker get their turn.
pub(super) async fn read(
    payload: Payload,
    draft: &mut Draft,
    pace: BodyPace,
    retry_after: impl Fn() -> Duration,
) -> Result<(), Problem> {
    let problem = |error: DraftError| Problem::draft(&error, retry_after());
    let mut pieces = Pieces::new(payload, pace);
    loop {
        let piece = tokio::select! {
            biased;
            piece = pieces.next() => piece?,
            () = draft.pressed() => {
                make_room(&mut pieces, draft).await.map_err(problem)?;
                continue;
            }
        };
        let Some(piece) = piece else { return Ok(()) };
        let mut rest = &piece[..];
        loop {
            match draft.step(&mut rest).map_err(problem)? {
                Step::Done => break,
                Step::More => yield_now().await,
                // What was decoded of the piece may wait even where nothing of it is left.
                Step::Full => make_room(&mut pieces, draft).await.map_err(problem)?,
            }
        }
    }
}

/// Reads a short body, of at most `most` bytes.
pub(super) async fn read_short(payload: Payload, pace: BodyPace, most: usize) -> Result<Vec<u8>, Problem> {
    let mut pieces = Pieces::new(payload, pace);
    let mut body = Vec::new();
    while let Some(piece) = pieces.next().await? {
        if body.len() + piece.len() > most {
            return Err(Problem::long_body(most));
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

/// Reads a short body strictly: a JSON object with the members of `T` and no others, behind a byte order mark or
/// none. What was wrong is told by its place, not by its text.
pub(super) fn object<T: DeserializeOwned>(body: &[u8], expected: &str) -> Result<T, Problem> {
    let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
    // A list of the members' values would do for serde, too.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(Problem::json_body(expected, 1, 1));
    }
    serde_json::from_slice(body)
        .map_err(|error| Problem::json_body(expected, error.line().max(1), error.column().max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_may_be_slow_for_a_moment_but_not_for_long() {
        let pace = BodyPace { idle: Duration::from_secs(30), least_rate: 1024 };

        assert!(!pace.is_too_slow(1, Duration::from_secs(30)));
        assert!(pace.is_too_slow(1024 * 31 - 1, Duration::from_secs(31)));
        assert!(!pace.is_too_slow(1024 * 31, Duration::from_secs(31)));
    }
}
