//! What the store's troubles mean for those who ask.

use std::time::Duration;

use super::Problem;
use crate::{
    resends::{ReadError, StoreTrouble},
    store::file::Fault,
};

/// The store tries again by itself; callers that come back sooner find nothing new.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

impl Problem {
    /// 503: what is asked for lies in the store, which can't be read.
    pub fn store_failing(fault: Fault) -> Self {
        Self::no_room("store-failing", "The store fails", fault.to_string()).after(LOOK_AGAIN)
    }

    /// 503: no list can be taken.
    pub fn store(trouble: StoreTrouble, retry_after: Duration) -> Self {
        match trouble {
            StoreTrouble::Failing(fault) => {
                let detail = format!("{fault}; nothing was sent");
                Self::no_room("store-failing", "The store fails", detail).after(LOOK_AGAIN.max(retry_after))
            }
            StoreTrouble::Full(lack) => {
                let detail = format!("{lack}; nothing was sent");
                Self::no_room("store-full", "The store is full", detail).after(LOOK_AGAIN.max(retry_after))
            }
        }
    }

    /// Why results can't be read.
    pub fn read(error: ReadError) -> Self {
        match error {
            ReadError::Store(fault) => Self::store_failing(fault),
            ReadError::Gone => Self::no_such_resend(),
        }
    }
}
