//! How the gateway ends: readiness off, a delay, nothing new, then what is in flight ends or is handed
//! back within the deadline, and every waiting caller is told. Only then the listeners close: who posts
//! meanwhile is told to go elsewhere, not cut off.

use std::{fs, time::Duration};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::{Instant, sleep, timeout, timeout_at},
};

use crate::{api::ReadinessState, startup::Running};

/// Posts that come when the work is done are answered so long (but not longer than the drain delay).
const LAST_POSTS: Duration = Duration::from_secs(1);
/// Answers that are ready get so long to be read after the drain deadline.
pub(crate) const LAST_WORDS: Duration = Duration::from_secs(5);

/// The signals that ask for the end: SIGTERM, SIGINT, SIGQUIT, and SIGHUP, which comes when a terminal is closed.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    quit: Signal,
    /// `None` under `nohup`: the process is meant to outlive its terminal.
    hang_up: Option<Signal>,
}

impl Signals {
    /// Listens from now on. Comes before any slow start-up work, so that no signal is missed.
    ///
    /// # Errors
    /// When the process can't listen to signals.
    pub fn listen() -> std::io::Result<Self> {
        let hang_up = SignalKind::hangup();
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
            hang_up: if is_ignored(hang_up) { None } else { Some(signal(hang_up)?) },
        })
    }

    /// Returns at the next signal.
    pub async fn next(&mut self) {
        let hang_up = async {
            match &mut self.hang_up {
                Some(hang_up) => hang_up.recv().await,
                None => std::future::pending().await,
            }
        };
        let name = tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.quit.recv() => "SIGQUIT",
            _ = hang_up => "SIGHUP",
        };
        tracing::info!(signal = name, "Received a signal.");
    }
}

/// Whether this process was started with the signal ignored. Linux says it; elsewhere it counts as not.
fn is_ignored(signal: SignalKind) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask & (1 << (signal.as_raw_value() - 1)) != 0
}

/// Returns at the first signal; from then on a second one ends the process at once, except SIGHUP: a closed terminal
/// may send several.
pub async fn first_signal(mut signals: Signals) {
    signals.next().await;
    actix_web::rt::spawn(async move {
        // Its handler stays installed, so later ones are ignored.
        signals.hang_up = None;
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
