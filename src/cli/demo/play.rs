//! The play: posts the list, follows it, posts it again, and holds what was told against what was seen.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{
    DemoError,
    caller::{Caller, Row},
    list,
    progress::Progress,
    reconcile::{Reconciliation, Told},
    stage::Stage,
    tally::Tally,
};
use crate::sandbox::Stats;

/// How often the progress is asked for.
const INTERVAL: Duration = Duration::from_millis(100);

/// What a list came to.
pub(super) struct Act {
    pub(super) tally: Tally,
    /// Calls that held one of its addresses.
    pub(super) calls: u64,
    pub(super) took: Duration,
    /// The rate that the gateway had learned at its end.
    pub(super) pace: f64,
    /// What upstream had seen at its end, since the start.
    pub(super) seen: Stats,
}

/// Everything there is to show.
pub(super) struct Played {
    pub(super) first: Act,
    pub(super) second: Act,
    pub(super) reconciliation: Reconciliation,
}

/// Plays it to the end.
pub(super) async fn play(stage: &Stage) -> Result<Played, DemoError> {
    let caller = Caller::new(stage.main, stage.admin)?;
    let list = list::rows();
    let mut told = Told::default();
    let first = post(stage, &caller, &list, &mut told, "posted").await?;
    let second = post(stage, &caller, &list, &mut told, "posted again").await?;
    let reconciliation = told.against(&stage.sandbox.ledger());
    Ok(Played { first, second, reconciliation })
}

async fn post(
    stage: &Stage,
    caller: &Caller,
    list: &[String],
    told: &mut Told,
    name: &'static str,
) -> Result<Act, DemoError> {
    let started = Instant::now();
    let mut progress = Progress::begin(name, list.len() as u64);
    let mut resend = caller.post(list).await?;
    let mut pace = caller.learned_pace().await?;
    while !resend.is_over() {
        progress.show(resend.count("received") - resend.count("pending"), pace);
        sleep(INTERVAL).await;
        resend = caller.resend(&resend.id).await?;
        pace = caller.learned_pace().await?;
    }
    let took = started.elapsed();
    progress.show(resend.count("received"), pace);
    progress.end();
    let rows: Vec<Row> = caller.results(&resend.id).await?;
    told.enter(list, &rows);
    Ok(Act { tally: Tally::of(&rows), calls: resend.upstream_calls, took, pace, seen: stage.sandbox.stats() })
}
