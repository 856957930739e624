//! Reads the clients file again every few seconds: a mounted secret changes without a word.

use std::time::Duration;

use tokio::{task::spawn_blocking, time::sleep};

use super::Directory;

const EVERY: Duration = Duration::from_secs(2);

/// Keeps `directory` as its file says, for ever. A file that can't be used is told once, and changes nothing.
pub async fn watch(directory: Directory) {
    let mut told = None;
    loop {
        sleep(EVERY).await;
        let reading = directory.clone();
        match spawn_blocking(move || reading.reload()).await {
            Ok(Ok(Some(reloaded))) => {
                told = None;
                tracing::info!(clients = reloaded.clients, "Read the clients file again.");
            }
            Ok(Ok(None)) => told = None,
            Ok(Err(error)) => {
                let why = error.to_string();
                if told.as_ref() != Some(&why) {
                    tracing::error!(error = why, "The clients stay as they were.");
                    told = Some(why);
                }
            }
            // Reading was cancelled with the runtime, or panicked; the next one tells.
            Err(_) => {}
        }
    }
}
