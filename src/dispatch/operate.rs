//! What an operator orders: pausing and resuming, for everybody.
//!
//! An order is obeyed between two turns of the thread: once it is answered, nothing more is drawn (or it is
//! again). Calls in flight end with their true outcome, and the credential is tended all the same. Breaker
//! probes rest: nobody needs to know whether upstream answers while nothing may be drawn.

use std::time::Duration;

use tokio::{sync::oneshot, time::Instant};

use super::{dispatcher::Dispatcher, handle::Dispatch, look_up::Ended, message::Message, view::View};
use crate::domain::{ClientName, PauseNote, Paused, Timestamp};

/// An order, and who wants to hear that it was obeyed.
pub(super) struct Order {
    wish: Wish,
    by: ClientName,
    obeyed: oneshot::Sender<View>,
}

enum Wish {
    /// Without a note the one that stands is kept.
    Pause(Option<PauseNote>),
    Resume,
}

impl Dispatch {
    /// Draws nothing more until resumed, as this client orders; gives what stands then. A pause that stands keeps
    /// its beginning, and its note unless there is a new one.
    ///
    /// # Errors
    /// When the thread has ended.
    pub async fn pause(&self, by: &ClientName, note: Option<PauseNote>) -> Result<View, Ended> {
        self.order(by, Wish::Pause(note)).await
    }

    /// Draws again, as this client orders; gives what stands then. Changes nothing when there is no pause.
    ///
    /// # Errors
    /// When the thread has ended.
    pub async fn resume(&self, by: &ClientName) -> Result<View, Ended> {
        self.order(by, Wish::Resume).await
    }

    async fn order(&self, by: &ClientName, wish: Wish) -> Result<View, Ended> {
        let (obeyed, heard) = oneshot::channel();
        let order = Order { wish, by: by.clone(), obeyed };
        self.inbox.send(Message::Operate(order)).await.map_err(|_| Ended)?;
        heard.await.map_err(|_| Ended)
    }
}

impl Dispatcher {
    /// Does what is ordered, shows it at once, and writes it down for the next start.
    pub(super) fn obey(&mut self, order: Order) {
        let now = Instant::now();
        let before = self.health.paused().cloned();
        let client = order.by.as_str();
        match order.wish {
            Wish::Pause(note) => {
                if !self.health.note_pause(note.clone()) {
                    let note = note.unwrap_or_else(PauseNote::none);
                    self.health.pause(Paused { since: Timestamp::now(), note }, now);
                    // Calls that got through an earlier hold may have left duplicates that lead their lists.
                    self.last_held = false;
                    tracing::info!(client, "Paused by an operator.");
                } else if self.health.paused() != before.as_ref() {
                    tracing::info!(client, "Paused already; an operator changed the note.");
                }
            }
            Wish::Resume => {
                if self.health.resume() {
                    tracing::info!(client, "Resumed by an operator.");
                }
            }
        }
        if self.health.paused() != before.as_ref() {
            self.ledger.keep_pause(self.health.paused());
        }
        self.publish(now);
        // Who ordered may have gone away; the order stands.
        drop(order.obeyed.send(self.view.borrow().clone()));
    }

    /// Goes on with the pause that stood when the gateway ended, and shows it before anybody can look.
    pub(super) fn start_paused(&mut self, paused: Paused, now: Instant) {
        let told_now = Timestamp::now();
        // Clocks may have been set back since.
        let since = paused.since.min(told_now);
        let age = Duration::from_millis(told_now.0 - since.0);
        self.health.pause(Paused { since, ..paused }, now.checked_sub(age).unwrap_or(now));
        self.publish(now);
        tracing::info!("Starts paused, as an operator has left it.");
    }
}
