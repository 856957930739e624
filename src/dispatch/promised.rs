//! Resends that are owed: from the promise on, nothing of them is told before it is written.

use tokio::{sync::oneshot, time::Instant};

use super::{
    books::{After, Promised},
    dispatcher::Dispatcher,
    recover::Recovered,
};
use crate::{domain::ResendId, store::Restored};

impl Dispatcher {
    /// Promises a resend whose rows are written already: writes what became of them so far, and answers
    /// once that is committed.
    pub(super) fn promise(&mut self, id: ResendId, reply: oneshot::Sender<Promised>) {
        let Some(active) = self.resends.get_mut(&id) else {
            // What was written for the promise is no longer true.
            if let Some(record) = self.registry.get(id) {
                self.archive(&record);
            }
            return answer(reply, Promised::Ended);
        };
        let Some(books) = self.ledger.books() else { return answer(reply, Promised::Kept) };
        if let Some(end) = &active.ending {
            // Its end is on the way already; it only has to last.
            active.promising |= active.record.promise();
            books.write(active.record.row(Some((end.status, end.rest.as_ref(), end.at))));
            books.make_hard();
        } else if active.record.promise() {
            active.promising = true;
            active.record.write_all_ends(|write| books.write(write));
            books.write(active.record.row(None));
            books.make_hard();
        }
        books.then(After::Promised(id, reply));
    }

    /// Takes over what an earlier process left.
    pub(super) fn take_over(&mut self, recovered: Recovered) {
        self.next_call = recovered.next_call;
        if let Some(paused) = recovered.paused {
            self.start_paused(paused, Instant::now());
        }
        self.start_with_facts(recovered.pace, recovered.culprits);
        self.start_with_rotation(recovered.rotation);
        if !recovered.resends.is_empty() {
            let addresses: u64 = recovered.resends.iter().map(|restored| u64::from(restored.unsettled)).sum();
            tracing::info!(resends = recovered.resends.len(), addresses, "Goes on with what was promised.");
        }
        for Restored { record, unsettled } in recovered.resends {
            match self.registry.insert(record) {
                Ok(record) => {
                    self.queued.add(&record.client, unsettled.into());
                    self.begin(record, unsettled);
                }
                Err(full) => {
                    tracing::error!(%full, "A promised resend finds no room; it stays in the store.")
                }
            }
        }
    }

    /// Goes on with what waited for the store.
    pub(super) fn go_on(&mut self, now: Instant) {
        while let Some(after) = self.ledger.books().and_then(|books| books.due()) {
            match after {
                // Not with an access token whose refresh token is not yet written.
                After::Launch(call, body) if self.tending.is_keeping() => {
                    if let Some(books) = self.ledger.books() {
                        books.then(After::Launch(call, body));
                    }
                }
                After::Launch(call, body) => self.make_marked_call(call, body, now),
                After::Renewed(renewed) => self.go_on_renewed(renewed, now),
                After::Tell(id, outcomes, at) => {
                    if let Some(active) = self.resends.get_mut(&id) {
                        active.untold = active.untold.saturating_sub(outcomes.len() as u32);
                    }
                    self.tell(id, &outcomes, at);
                    self.finish_if_done(id);
                }
                After::Finish(id) => self.finish(id),
                After::Promised(id, reply) => {
                    if let Some(active) = self.resends.get_mut(&id) {
                        active.promising = false;
                    }
                    answer(reply, Promised::Kept);
                }
            }
        }
    }

    /// Hands in what this turn has to write.
    pub(super) fn hand_in(&mut self) {
        if let Some(books) = self.ledger.books() {
            books.hand_in(Instant::now());
        }
    }
}

fn answer(reply: oneshot::Sender<Promised>, promised: Promised) {
    if reply.send(promised).is_err() {
        tracing::debug!("Nobody waited for a promise.");
    }
}
