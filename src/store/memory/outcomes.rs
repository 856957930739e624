//! The outcomes of one list in a few bytes an address.
//!
//! One byte says the word and the reason. Eight more, for all addresses once the first needs them,
//! hold the time of a duplicate (or of a send that has repeats) or the place of a refusal's words.

use std::{collections::HashMap, sync::Arc};

use crate::domain::{NotSentReason, Outcome, OutcomeKind, Refusal, Timestamp, UnknownReason};

pub(super) const PENDING: u8 = 0;
const SENT: u8 = 1;
const DUPLICATE: u8 = 2;
const DUPLICATE_AT: u8 = 3;
const REJECTED: u8 = 4;
const SENT_AT: u8 = 5;
const NOT_SENT: u8 = 0x40;
const UNKNOWN: u8 = 0x80;

/// Most different refusals that are kept word for word; later ones share a short stand-in.
const MAX_REFUSALS: usize = 10_000;

#[derive(Debug, Clone)]
pub(super) struct Outcomes {
    codes: Vec<u8>,
    extras: Vec<u64>,
    refusals: Vec<Arc<Refusal>>,
    refusal_places: HashMap<Arc<Refusal>, usize>,
}

impl Outcomes {
    pub(super) fn new(addresses: u32) -> Self {
        Self {
            codes: vec![PENDING; addresses as usize],
            extras: Vec::new(),
            refusals: Vec::new(),
            refusal_places: HashMap::new(),
        }
    }

    /// Most heap bytes that outcomes of so many addresses take, refusals' words aside.
    pub(super) fn bytes(addresses: u32) -> usize {
        addresses as usize * (size_of::<u8>() + size_of::<u64>())
    }

    pub(super) fn is_pending(&self, index: u32) -> bool {
        self.codes[index as usize] == PENDING
    }

    pub(super) fn get(&self, index: u32) -> Option<Outcome> {
        let (code, argument) = self.end(index)?;
        decode(code, argument, |number| self.refusals.get(number as usize).map(Arc::clone))
    }

    /// `Invalid` is not kept here: the list itself says it.
    pub(super) fn set(&mut self, index: u32, outcome: &Outcome) {
        let (code, extra, _) = self.encode(outcome, None);
        if code == PENDING {
            return;
        }
        self.codes[index as usize] = code;
        if matches!(code, DUPLICATE_AT | REJECTED) {
            self.set_extra(index, extra);
        }
    }

    /// The code of an outcome and its argument, and words of upstream that are new here. `sent_at` is
    /// kept of a send that has repeats.
    pub(super) fn encode(
        &mut self,
        outcome: &Outcome,
        sent_at: Option<Timestamp>,
    ) -> (u8, u64, Option<(u32, Arc<Refusal>)>) {
        match outcome {
            Outcome::Sent => match sent_at {
                None => (SENT, 0, None),
                Some(at) => (SENT_AT, at.0, None),
            },
            Outcome::Duplicate(None) => (DUPLICATE, 0, None),
            Outcome::Duplicate(Some(at)) => (DUPLICATE_AT, at.0, None),
            Outcome::Rejected(refusal) => {
                let known = self.refusals.len();
                let place = self.place(refusal);
                let new = (place == known).then(|| (place as u32, Arc::clone(&self.refusals[place])));
                (REJECTED, place as u64, new)
            }
            Outcome::NotSent(reason) => (NOT_SENT + *reason as u8, 0, None),
            Outcome::Unknown(reason) => (UNKNOWN + *reason as u8, 0, None),
            Outcome::Invalid(_) => (PENDING, 0, None),
        }
    }

    /// The code and the argument at `index`, unless it is pending.
    pub(super) fn end(&self, index: u32) -> Option<(u8, u64)> {
        let code = self.codes[index as usize];
        let extra = self.extras.get(index as usize).copied().unwrap_or_default();
        (code != PENDING).then_some((code, extra))
    }

    /// Takes over a code and its argument as [`Outcomes::end`] gave them.
    pub(super) fn restore(&mut self, index: u32, code: u8, argument: u64) {
        self.codes[index as usize] = code;
        if matches!(code, DUPLICATE_AT | REJECTED | SENT_AT) {
            self.set_extra(index, argument);
        }
    }

    /// Takes over words of upstream under the next number.
    pub(super) fn add_refusal(&mut self, refusal: Refusal) {
        let refusal = Arc::new(refusal);
        self.refusal_places.insert(Arc::clone(&refusal), self.refusals.len());
        self.refusals.push(refusal);
    }

    /// Makes all that was not sent pending again.
    pub(super) fn forget_not_sent(&mut self) {
        for code in &mut self.codes {
            if kind_of(*code) == Some(OutcomeKind::NotSent) {
                *code = PENDING;
            }
        }
    }

    /// The words of upstream that are kept, by their number.
    pub(super) fn refusals(&self) -> impl Iterator<Item = (u32, Arc<Refusal>)> {
        (0..).zip(self.refusals.iter().map(Arc::clone))
    }

    /// Remembers when the sent address at `index` was sent, for its repeats.
    pub(super) fn set_sent_at(&mut self, index: u32, at: Timestamp) {
        self.codes[index as usize] = SENT_AT;
        self.set_extra(index, at.0);
    }

    /// What repeats of the address at `index` are told.
    pub(super) fn of_repeat(&self, index: u32) -> Option<Outcome> {
        let (code, argument) = self.end(index)?;
        self.get(index).map(|outcome| repeated(&outcome, code, argument))
    }

    fn set_extra(&mut self, index: u32, extra: u64) {
        if self.extras.is_empty() {
            self.extras = vec![0; self.codes.len()];
        }
        self.extras[index as usize] = extra;
    }

    fn place(&mut self, refusal: &Arc<Refusal>) -> usize {
        let refusal = if self.refusals.len() < MAX_REFUSALS || self.refusal_places.contains_key(refusal) {
            Arc::clone(refusal)
        } else {
            Arc::new(stand_in())
        };
        *self.refusal_places.entry(Arc::clone(&refusal)).or_insert_with(|| {
            self.refusals.push(refusal);
            self.refusals.len() - 1
        })
    }
}

/// What a code and its argument mean; `None` while pending. `refusal` gives words of upstream by their
/// number.
pub(in crate::store) fn decode(
    code: u8,
    argument: u64,
    refusal: impl FnOnce(u64) -> Option<Arc<Refusal>>,
) -> Option<Outcome> {
    match code {
        PENDING => None,
        SENT | SENT_AT => Some(Outcome::Sent),
        DUPLICATE => Some(Outcome::Duplicate(None)),
        DUPLICATE_AT => Some(Outcome::Duplicate(Some(Timestamp(argument)))),
        REJECTED => Some(Outcome::Rejected(refusal(argument).unwrap_or_else(|| Arc::new(stand_in())))),
        UNKNOWN.. => UnknownReason::ALL.get(usize::from(code - UNKNOWN)).map(|why| Outcome::Unknown(*why)),
        NOT_SENT.. => NotSentReason::ALL.get(usize::from(code - NOT_SENT)).map(|why| Outcome::NotSent(*why)),
        _ => None,
    }
}

/// Whether a code's argument is the number of a refusal.
pub(in crate::store) fn means_refusal(code: u8) -> bool {
    code == REJECTED
}

/// What repeats of an address are told that ended with this outcome, which was decoded from this code.
pub(in crate::store) fn repeated(outcome: &Outcome, code: u8, argument: u64) -> Outcome {
    outcome.of_repeat((code == SENT_AT).then_some(Timestamp(argument)))
}

fn stand_in() -> Refusal {
    Refusal { code: "refused".to_owned(), detail: None }
}

/// Which outcome a code means; `None` while there is none.
pub(super) fn kind_of(code: u8) -> Option<OutcomeKind> {
    match code {
        PENDING => None,
        SENT | SENT_AT => Some(OutcomeKind::Sent),
        DUPLICATE | DUPLICATE_AT => Some(OutcomeKind::Duplicate),
        REJECTED => Some(OutcomeKind::Rejected),
        _ if code >= UNKNOWN => Some(OutcomeKind::Unknown),
        _ => Some(OutcomeKind::NotSent),
    }
}

/// What a code of [`code_of_rest`] means.
pub(super) fn rest_of(code: u8) -> Option<Outcome> {
    let not_sent = || NotSentReason::ALL.get(usize::from(code.checked_sub(NOT_SENT)?)).copied();
    let unknown = || UnknownReason::ALL.get(usize::from(code.checked_sub(UNKNOWN)?)).copied();
    not_sent().map(Outcome::NotSent).or_else(|| unknown().map(Outcome::Unknown))
}

/// The code of what became of rows that have no end of their own: always a reason not to have been sent.
pub(super) fn code_of_rest(outcome: &Outcome) -> u8 {
    match outcome {
        Outcome::NotSent(reason) => NOT_SENT + *reason as u8,
        Outcome::Unknown(reason) => UNKNOWN + *reason as u8,
        Outcome::Sent | Outcome::Duplicate(_) | Outcome::Invalid(_) | Outcome::Rejected(_) => PENDING,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(code: &str) -> Arc<Refusal> {
        Arc::new(Refusal { code: code.to_owned(), detail: None })
    }

    #[test]
    fn every_outcome_reads_back_as_written() {
        let mut all = vec![
            Outcome::Sent,
            Outcome::Duplicate(None),
            Outcome::Duplicate(Some(Timestamp(1_763_884_800_123))),
            Outcome::Rejected(refusal("a")),
            Outcome::Rejected(refusal("b")),
        ];
        all.extend(NotSentReason::ALL.iter().map(|reason| Outcome::NotSent(*reason)));
        all.extend(UnknownReason::ALL.iter().map(|reason| Outcome::Unknown(*reason)));
        let mut outcomes = Outcomes::new(all.len() as u32 + 1);

        for (index, outcome) in all.iter().enumerate() {
            outcomes.set(index as u32, outcome);
        }

        for (index, outcome) in all.iter().enumerate() {
            assert_eq!(outcomes.get(index as u32).as_ref(), Some(outcome));
        }
        assert_eq!(outcomes.get(all.len() as u32), None);
    }

    #[test]
    fn equal_refusals_are_kept_once_and_the_kinds_of_them_are_bounded() {
        let count = MAX_REFUSALS as u32 + 5;
        let mut outcomes = Outcomes::new(count);

        for index in 0..count {
            outcomes.set(index, &Outcome::Rejected(refusal(&format!("code_{index}"))));
        }
        outcomes.set(0, &Outcome::Rejected(refusal("code_1")));

        assert_eq!(outcomes.get(0), Some(Outcome::Rejected(refusal("code_1"))));
        assert_eq!(outcomes.get(count - 1), Some(Outcome::Rejected(refusal("refused"))));
        assert!(outcomes.refusals.len() <= MAX_REFUSALS + 1);
    }
}
