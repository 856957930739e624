//! An operator's pause, and what is asked of it and of all trouble together.
//!
//! A pause is no trouble: it has no next attempt, and nothing but a resume ends it. It weighs most,
//! because nothing else that ends lets anything through.

use tokio::time::Instant;

use super::Health;
use crate::domain::{NotSentReason, PauseNote, Paused};

/// A pause, and when it began for comparing.
#[derive(Debug)]
pub(in crate::dispatch) struct Pause {
    told: Paused,
    since: Instant,
}

impl Health {
    /// Lets nothing through from now on, for a pause that began at `since`.
    pub(in crate::dispatch) fn pause(&mut self, told: Paused, since: Instant) {
        self.paused = Some(Pause { told, since });
    }

    /// Takes another note to a pause that stands; says whether one does.
    pub(in crate::dispatch) fn note_pause(&mut self, note: Option<PauseNote>) -> bool {
        match (&mut self.paused, note) {
            (Some(pause), Some(note)) => pause.told.note = note,
            (Some(_), None) => {}
            (None, _) => return false,
        }
        true
    }

    /// Lets through again what upstream's condition lets through. Says whether it was paused.
    pub(in crate::dispatch) fn resume(&mut self) -> bool {
        self.paused.take().is_some()
    }

    /// The pause, if there is one.
    pub(in crate::dispatch) fn paused(&self) -> Option<&Paused> {
        self.paused.as_ref().map(|pause| &pause.told)
    }

    /// What holds the work before all else.
    pub(in crate::dispatch) fn held_by(&self) -> Option<NotSentReason> {
        if self.paused.is_some() {
            return Some(NotSentReason::Paused);
        }
        self.troubles().first().map(|trouble| trouble.reason)
    }

    /// Since when anything holds the work.
    pub(in crate::dispatch) fn held_since(&self) -> Option<Instant> {
        let troubles = self.troubles().into_iter().map(|trouble| trouble.since);
        self.paused.as_ref().map(|pause| pause.since).into_iter().chain(troubles).min()
    }

    /// Whether it is known already that nothing is let through before `moment`.
    pub(in crate::dispatch) fn is_held_beyond(&self, moment: Instant) -> bool {
        self.paused.is_some() || self.troubles().iter().any(|trouble| trouble.next_attempt > moment)
    }
}
