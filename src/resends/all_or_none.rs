//! Lists that are taken only when each element is an address: callers of the compatible endpoint cannot be
//! told one outcome per address, so for them a list with a typo is refused before anything is sent.

use std::sync::Arc;

use thiserror::Error;

use super::{
    admission::{Draft, DraftError, Rows},
    service::{Resends, SealError},
    spill::SpillError,
};
use crate::{
    clients::Caller,
    domain::{Entry, InvalidReason, List, ResendId, TraceContext},
    intake::hint,
    store::{
        Record, Shape,
        file::{Fault, read},
    },
};

/// Most elements that are named.
const MOST_NAMED: usize = 1000;

/// The elements of a list that are no addresses. Nothing of the list is sent.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{count} of {received} elements {}", if *.count == 1 { "is not an e-mail address" } else { "are not e-mail addresses" })]
pub struct InvalidElements {
    /// Elements of the whole list.
    pub received: u32,
    /// How many of them are no addresses.
    pub count: u32,
    /// The first 1,000 of those.
    pub named: Vec<InvalidElement>,
}

/// An element that is no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidElement {
    /// Where it stands, from 0.
    pub index: u32,
    /// Why it is none.
    pub reason: InvalidReason,
    /// What it seems to hold.
    pub hint: Option<&'static str>,
}

impl InvalidElement {
    fn new(index: u32, text: &str, reason: InvalidReason) -> Self {
        Self { index, reason, hint: hint(text, reason) }
    }
}

impl InvalidElements {
    /// Of `list`; `None` when there are none.
    fn of(list: &List) -> Option<Self> {
        let count = InvalidReason::ALL.iter().map(|reason| list.invalid(*reason)).sum();
        (count > 0).then(|| Self {
            received: list.len(),
            count,
            named: list
                .invalid_entries()
                .take(MOST_NAMED.min(count as usize))
                .map(|(index, reason)| InvalidElement::new(index, list.text(index), reason))
                .collect(),
        })
    }
}

impl Resends {
    /// As [`Resends::seal`] without `force`, but refuses a list that holds anything but addresses.
    ///
    /// # Errors
    /// Those of [`Resends::seal`], and [`SealError::Invalid`]; nothing is sent then.
    pub async fn seal_valid(
        &self,
        draft: Draft,
        caller: &Caller,
        trace: TraceContext,
    ) -> Result<Result<Arc<Record>, SealError>, DraftError> {
        let whole = draft.finish().await?;
        let invalid = match &whole.rows {
            Rows::Resident(list) => InvalidElements::of(list),
            Rows::Stored(id, shape) => self.invalid_in_store(*id, shape).await.map_err(SpillError::Store)?,
        };
        if let Some(invalid) = invalid {
            return Ok(Err(SealError::Invalid(invalid)));
        }
        Ok(self.accept(whole, caller, false, trace).await)
    }

    /// What is no address in a list whose rows are in the store; such a list is erased.
    async fn invalid_in_store(&self, id: ResendId, shape: &Shape) -> Result<Option<InvalidElements>, Fault> {
        let Some(store) = self.store.as_ref().filter(|_| shape.invalid() > 0) else { return Ok(None) };
        let mut named = Vec::new();
        for number in 0..shape.chunks() {
            let Some(rows) = store.read(move |db| read::chunk(db, id, number)).await? else { continue };
            named.extend(rows.chunk.entries().zip(rows.first..).filter_map(|((text, entry), index)| {
                match entry {
                    Entry::Invalid(reason) => Some(InvalidElement::new(index, text, reason)),
                    Entry::Fresh(_) | Entry::Repeat => None,
                }
            }));
            if named.len() >= MOST_NAMED {
                break;
            }
        }
        named.truncate(MOST_NAMED);
        store.erase_later(id);
        Ok(Some(InvalidElements { received: shape.len(), count: shape.invalid(), named }))
    }
}
