//! Reads the clients file again every few seconds: a mounted secret changes without a word.

use std::time::Duration;

use tokio::{task::spawn_blocking, time::sleep};

use super::{ClientsError, Directory, Reloaded};
use crate::domain::ClientName;

const EVERY: Duration = Duration::from_secs(2);

/// Keeps `directory` as its file says, for ever; `welcome` hears of each client that came before it is let in. A
/// file that can't be used is told once, and changes nothing.
pub async fn watch(directory: Directory, welcome: impl Fn(&[ClientName]) + Clone + Send + 'static) {
    let mut told = None;
    loop {
        sleep(EVERY).await;
        let (reading, welcome) = (directory.clone(), welcome.clone());
        // When it was cancelled with the runtime, or panicked, the next one tells.
        if let Ok(read) = spawn_blocking(move || reading.reload(|change| welcome(&change.came))).await {
            tell(&read, &mut told);
        }
    }
}

fn tell(read: &Result<Option<Reloaded>, ClientsError>, told: &mut Option<String>) {
    match read {
        Ok(Some(Reloaded { clients, came, went })) => {
            *told = None;
            tracing::info!(
                clients,
                came = came.len(),
                went = went.len(),
                names_came = joined(came),
                names_went = joined(went),
                "Read the clients file again."
            );
        }
        Ok(None) => *told = None,
        Err(error) => {
            let why = error.in_one_line();
            if told.as_ref() != Some(&why) {
                tracing::error!(error = why, "The clients stay as they were.");
                *told = Some(why);
            }
        }
    }
}

fn joined(names: &[ClientName]) -> String {
    names.iter().map(ClientName::as_str).collect::<Vec<_>>().join(", ")
}
