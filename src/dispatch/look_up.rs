//! Asks what is known of addresses, a slice at a time, so that calls never wait long for the answers.
//!
//! The truth about an address stands in the dispatch thread: calls in flight, recent sends, doubts,
//! culprits. Asking changes nothing of it and counts nowhere.

use thiserror::Error;
use tokio::{sync::oneshot, time::Instant};

use super::{active::MAX_ASIDE, dispatcher::Dispatcher, handle::Dispatch, message::Message};
use crate::{domain::AddressKey, recent::Memory};

/// Most addresses that are looked up in one piece.
pub const LOOK_UPS: usize = 1000;
/// Most pieces that wait in the inbox: whoever asks more waits for these.
pub(super) const QUESTIONS: usize = 2;

/// What would become of an address that came now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// Nothing is known of it: it would be sent.
    Fresh,
    /// It would be sent alone: upstream refused it alone before.
    Culprit,
    /// It is in a call, whose end it would share; and what is known of it from before.
    InFlight(Option<Memory>),
    /// It would not be sent.
    Known(Memory),
}

/// The dispatch thread has ended; nothing is known any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the gateway is shutting down")]
pub struct Ended;

/// Some addresses, and who wants to know.
pub(super) struct Question {
    keys: Vec<AddressKey>,
    created: Instant,
    force: bool,
    answer: oneshot::Sender<Vec<Seen>>,
}

impl Dispatch {
    /// What would become of addresses of a resend created at `created`, in their order.
    ///
    /// # Errors
    /// When the thread has ended.
    pub async fn look_up(
        &self,
        keys: &[AddressKey],
        created: Instant,
        force: bool,
    ) -> Result<Vec<Seen>, Ended> {
        let mut seen = Vec::with_capacity(keys.len());
        for piece in keys.chunks(LOOK_UPS) {
            let _turn = self.questions.acquire().await.map_err(|_| Ended)?;
            let (answer, answered) = oneshot::channel();
            let question = Question { keys: piece.to_vec(), created, force, answer };
            self.inbox.send(Message::LookUp(question)).await.map_err(|_| Ended)?;
            seen.extend(answered.await.map_err(|_| Ended)?);
        }
        Ok(seen)
    }
}

impl Dispatcher {
    /// Answers, and shows what stands here now: who asks may foretell by it how long a list takes.
    pub(super) fn answer(&mut self, question: Question) {
        let now = Instant::now();
        self.publish(now);
        let seen = |key: &AddressKey| {
            let known = self.ledger.recall(*key, question.created, question.force);
            if self.claims.contains_key(key) {
                return Seen::InFlight(known);
            }
            match known {
                Some(memory) => Seen::Known(memory),
                None if self.goes_alone(*key, now) => Seen::Culprit,
                None => Seen::Fresh,
            }
        };
        // Who asked may have gone away; then nobody needs the answer.
        drop(question.answer.send(question.keys.iter().map(seen).collect()));
    }
}

/// Counts the calls that a list makes when it is drawn, and nothing else is.
#[derive(Debug)]
pub struct CallCount {
    batch_size: usize,
    calls: u64,
    /// Addresses in the call that is being filled.
    members: usize,
    /// Culprits found since the last full call; many of them are called before more is looked at.
    aside: usize,
    begun: bool,
}

impl CallCount {
    /// Nothing yet; calls hold up to so many addresses.
    pub fn new(batch_size: usize) -> Self {
        Self { batch_size: batch_size.max(1), calls: 0, members: 0, aside: 0, begun: false }
    }

    /// Takes the next address of the list.
    pub fn add(&mut self, seen: Seen) {
        match seen {
            Seen::InFlight(_) | Seen::Known(_) => {}
            Seen::Culprit => {
                self.calls += 1;
                self.aside += 1;
                if self.aside == MAX_ASIDE {
                    self.close();
                }
            }
            Seen::Fresh => {
                // What leads the list is looked at before its first draw, which calls the culprits first.
                if !std::mem::replace(&mut self.begun, true) {
                    self.aside = 0;
                }
                self.members += 1;
                if self.members == self.batch_size {
                    self.close();
                }
            }
        }
    }

    /// How many calls that makes.
    pub fn calls(&self) -> u64 {
        self.calls + u64::from(self.members > 0)
    }

    fn close(&mut self) {
        self.calls = self.calls();
        self.members = 0;
        self.aside = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ClientTag, Timestamp};

    fn calls(list: &[(Seen, usize)]) -> u64 {
        let mut count = CallCount::new(10);
        for (seen, times) in list {
            (0..*times).for_each(|_| count.add(*seen));
        }
        count.calls()
    }

    #[test]
    fn fresh_addresses_fill_calls_and_what_is_known_takes_no_room() {
        let known = Seen::Known(Memory::Sent(Timestamp(0), ClientTag::NOBODY));

        assert_eq!(calls(&[]), 0);
        assert_eq!(calls(&[(known, 500), (Seen::InFlight(None), 1)]), 0);
        assert_eq!(calls(&[(Seen::Fresh, 20)]), 2);
        assert_eq!(calls(&[(Seen::Fresh, 5), (known, 1000), (Seen::Fresh, 6)]), 2);
    }

    #[test]
    fn each_culprit_goes_alone_and_the_others_fill_their_call_around_it() {
        assert_eq!(calls(&[(Seen::Culprit, 3)]), 3);
        assert_eq!(calls(&[(Seen::Fresh, 5), (Seen::Culprit, 1), (Seen::Fresh, 5)]), 2);
    }

    #[test]
    fn a_call_goes_as_it_is_when_very_many_culprits_wait() {
        assert_eq!(calls(&[(Seen::Fresh, 5), (Seen::Culprit, 64), (Seen::Fresh, 5)]), 66);
        assert_eq!(calls(&[(Seen::Fresh, 5), (Seen::Culprit, 63), (Seen::Fresh, 5)]), 64);
    }
}
