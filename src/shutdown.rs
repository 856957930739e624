//! How the gateway ends: readiness off, a delay, nothing new, then what is in flight ends or is handed
//! back within the deadline, and every waiting caller is told. Only then the listeners close: who posts
//! meanwhile is told to go elsewhere, not cut off.

use std::time::Duration;

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::{Instant, sleep, timeout, timeout_at},
};

use crate::{api::ReadinessState, startup::Running};

/// Posts that come when the work is done are answered so long (but not longer than the drain delay).
const LAST_POSTS: Duration = Duration::from_secs(1);
/// Answers that are ready get so long to be read after the drain deadline.
pub(crate) const LAST_WORDS: Duration = Duration::from_secs(5);

/// SIGTERM and SIGINT.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Listens from now on. Comes before any slow start-up work, so that no signal is missed.
    ///
    /// # Errors
    /// When the process can't listen to signals.
    pub fn listen() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Returns at the next signal.
    pub async fn next(&mut self) {
        let name = tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        };
        tracing::info!(signal = name, "Received a signal.");
    }
}

/// Returns at the first signal; from then on a second one ends the process at once.
pub async fn first_signal(mut signals: Signals) {
    signals.next().await;
    actix_web::rt::spawn(async move {
        signals.next().await;
        tracing::warn!("A second signal; ends at once.");
        std::process::exit(1);
    });
}

/// Which listener has no connection left.
pub(crate) struct Closed {
    pub(crate) main: bool,
    pub(crate) admin: bool,
}

/// Ends everything in order. Says whether every connection ended, too.
pub(crate) async fn shut_down(running: Running) -> Closed {
    running.readiness.set(ReadinessState::Draining);
    tracing::info!(
        delay_seconds = running.drain_delay.as_secs(),
        timeout_seconds = running.drain_timeout.as_secs(),
        "Shutting down."
    );
    // Load balancers go on sending until they have seen the readiness; these requests are served.
    sleep(running.drain_delay).await;
    running.dispatch.close();
    let deadline = Instant::now() + running.drain_timeout;
    // Calls in flight need time to end: nothing is drawn in the last part of the deadline.
    let last_part = running.request_timeout.min(running.drain_timeout / 2);
    let stop_drawing = deadline.checked_sub(last_part).unwrap_or(deadline);
    running.dispatch.drain(stop_drawing, deadline).await;
    // Callers that were answered just now may come again at once, and must hear that it is over.
    sleep(running.drain_delay.min(LAST_POSTS)).await;
    let main = timeout_at(deadline + LAST_WORDS, running.main.stop(true)).await.is_ok();
    if !main {
        tracing::warn!("Some callers did not finish their requests; ends without them.");
    }
    // Whoever watches the status page is let go; one that has stopped reading must not hold up the end.
    running.readiness.set(ReadinessState::Stopped);
    let admin = timeout(LAST_WORDS, running.admin.stop(true)).await.is_ok();
    if running.thread.join().is_err() {
        tracing::error!("The dispatch thread did not end well.");
    }
    Closed { main, admin }
}
