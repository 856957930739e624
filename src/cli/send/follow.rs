//! Follows a resend to its end, through broken connections and restarts of whatever is in between.
//!
//! Has no end of patience: the work goes on without this command, and the person can leave at any time.
//! A break is told once, and then once a minute.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::progress::Progress;
use crate::cli::client::{CallError, Client, Event, Resend};

const MIN_WAIT: Duration = Duration::from_millis(500);
const MAX_WAIT: Duration = Duration::from_secs(15);
const REMIND: Duration = Duration::from_secs(60);

/// A connection that is lost, and how it is tried again.
#[derive(Default)]
struct Trouble {
    since: Option<Instant>,
    told: Option<Instant>,
    wait: Option<Duration>,
}

/// Waits for the end of a resend: the resend as it is then.
pub(super) async fn follow(
    client: &Client,
    resend: Resend,
    progress: &mut Progress,
) -> Result<Resend, CallError> {
    if resend.is_over() {
        return Ok(resend);
    }
    let mut trouble = Trouble::default();
    loop {
        match listen(client, &resend.id, progress, &mut trouble).await {
            Ok(resend) => return Ok(resend),
            Err(error) if error.is_passing() => trouble.wait(&error, progress).await,
            Err(error) => {
                if error.is_unknown_resend() {
                    progress.say(
                        "The gateway does not know this resend any more. If it was restarted and keeps nothing on \
                         disk, it has forgotten whom it mailed, too: a list sent again is mailed again.",
                    );
                }
                return Err(error);
            }
        }
    }
}

/// Listens until the end of the resend, or of the connection.
async fn listen(
    client: &Client,
    id: &str,
    progress: &mut Progress,
    trouble: &mut Trouble,
) -> Result<Resend, CallError> {
    let mut events = client.events(id).await?;
    loop {
        let event = events.next().await?;
        trouble.over(progress);
        match event {
            Event::Progress(resend) => progress.show(&resend),
            Event::Finished(resend) => return Ok(resend),
        }
    }
}

impl Trouble {
    /// Tells of the trouble, if it is time to, and waits before the next attempt: twice as long each time.
    async fn wait(&mut self, error: &CallError, progress: &Progress) {
        let now = Instant::now();
        let since = *self.since.get_or_insert(now);
        match self.told {
            None => progress.say(&format!(
                "Lost the gateway ({}); the work goes on there. Trying again until it answers.",
                first_line(error)
            )),
            Some(told) if now - told >= REMIND => progress.say(&format!(
                "No answer for {} minutes ({}). Ctrl-C leaves; the work goes on.",
                (now - since).as_secs() / 60,
                first_line(error)
            )),
            Some(_) => {}
        }
        if self.told.is_none_or(|told| now - told >= REMIND) {
            self.told = Some(now);
        }
        let wait = self.wait.map_or(MIN_WAIT, |wait| (wait * 2).min(MAX_WAIT));
        self.wait = Some(wait);
        sleep(wait.mul_f64(0.75 + 0.5 * fastrand::f64())).await;
    }

    fn over(&mut self, progress: &Progress) {
        if std::mem::take(self).since.is_some() {
            progress.say("Connected again.");
        }
    }
}

fn first_line(error: &CallError) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}
