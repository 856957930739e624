//! Reads a request body as a stream into a draft. Slow bodies are cut off: actix has no such timer.

use std::time::Duration;

use actix_web::web::Payload;
use futures_util::StreamExt as _;
use tokio::{
    task::yield_now,
    time::{Instant, timeout},
};

use super::problem::Problem;
use crate::{config::ServerSettings, resends::Draft};

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

/// Reads all of `payload` into `draft`. Between two parts of a large piece other requests of this
/// worker get their turn.
pub(super) async fn read(
    mut payload: Payload,
    draft: &mut Draft,
    pace: BodyPace,
    retry_after: impl Fn() -> Duration,
) -> Result<(), Problem> {
    let started = Instant::now();
    let mut bytes = 0_u64;
    loop {
        let Ok(next) = timeout(pace.idle, payload.next()).await else {
            let detail = format!("no byte came for {} seconds; nothing was sent", pace.idle.as_secs());
            return Err(Problem::slow_body(detail));
        };
        let piece = match next {
            None => return Ok(()),
            Some(Ok(piece)) => piece,
            Some(Err(_)) => return Err(Problem::broken_body()),
        };
        bytes += piece.len() as u64;
        if pace.is_too_slow(bytes, started.elapsed()) {
            let detail = format!("fewer than {} bytes came a second; nothing was sent", pace.least_rate);
            return Err(Problem::slow_body(detail));
        }
        let mut rest = &piece[..];
        while draft.step(&mut rest).map_err(|error| Problem::draft(&error, retry_after()))? {
            yield_now().await;
        }
    }
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
