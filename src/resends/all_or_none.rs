//! Lists that are taken only when each element is an address: callers of the compatible endpoint cannot be
//! told one outcome per address, so for them a list with a typo is refused before anything is sent.

use std::sync::Arc;

use thiserror::Error;

use super::{
    admission::{Draft, DraftError},
    service::{Resends, SealError},
};
use crate::{
    domain::{ClientName, InvalidReason, List, TraceContext},
    store::Record,
};

/// Most elements that are named.
const MOST_NAMED: usize = 1000;

/// The elements of a list that are no addresses. Nothing of the list is sent.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{count} of {received} elements are no e-mail address")]
pub struct InvalidElements {
    /// Elements of the whole list.
    pub received: u32,
    /// How many of them are no addresses.
    pub count: u32,
    /// Where the first 1,000 of those stand, and why they are none.
    pub named: Vec<(u32, InvalidReason)>,
}

impl InvalidElements {
    /// Of `list`; `None` when there are none.
    fn of(list: &List) -> Option<Self> {
        let count = InvalidReason::ALL.iter().map(|reason| list.invalid(*reason)).sum();
        (count > 0).then(|| Self {
            received: list.len(),
            count,
            named: list.invalid_entries().take(MOST_NAMED.min(count as usize)).collect(),
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
        client: &ClientName,
        trace: TraceContext,
    ) -> Result<Result<Arc<Record>, SealError>, DraftError> {
        let list = draft.finish()?.finish();
        if let Some(invalid) = InvalidElements::of(&list) {
            return Ok(Err(SealError::Invalid(invalid)));
        }
        Ok(self.accept(list, client, false, trace).await)
    }
}
