//! The list of resends, a page at a time: those in RAM and those in the store as one, newest first.

use std::{collections::BTreeMap, sync::Arc};

use super::{found::Resend, service::Resends};
use crate::{
    domain::{ClientName, ResendId, Status},
    store::{
        Kept,
        file::{Fault, ResendRow, read},
    },
};

/// A page of the list of resends, newest first.
#[derive(Debug)]
pub struct ResendPage {
    /// The resends.
    pub resends: Vec<Resend>,
    /// Where the next page goes on; `None` at the end.
    pub next: Option<ResendId>,
}

impl Resends {
    /// A page of the resends that `client` may see, newest first; `None` may see all.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn page(
        &self,
        client: Option<&ClientName>,
        status: Option<Status>,
        cursor: Option<ResendId>,
        limit: usize,
    ) -> Result<ResendPage, Fault> {
        let before = cursor.unwrap_or(ResendId(u128::MAX));
        let live = self.registry.page(client, status, Some(before), limit);
        // One more than fits says whether the page has a next one.
        let wanted = limit.saturating_add(1);
        let mut found: BTreeMap<ResendId, Resend> = BTreeMap::new();
        let mut from = before;
        while found.len() < wanted {
            let rows = self.kept_before(client, status, from, wanted).await?;
            let is_last = rows.len() < wanted;
            let Some(oldest) = rows.last().map(|row| row.id) else { break };
            from = oldest;
            // What RAM knows it knows better.
            let known_better = |row: &ResendRow| self.registry.get(row.id).is_some();
            let kept = rows.into_iter().filter(|row| !known_better(row)).filter_map(Kept::of);
            found.extend(kept.map(|kept| (kept.id(), Resend::Kept(Arc::new(kept)))));
            if is_last {
                break;
            }
        }
        let has_more_live = live.next.is_some();
        found.extend(live.records.into_iter().map(|record| (record.id, Resend::Live(record))));
        let has_more = found.len() > limit || has_more_live;
        let resends: Vec<_> = found.into_values().rev().take(limit).collect();
        let next = resends.last().map(Resend::id).filter(|_| has_more);
        Ok(ResendPage { resends, next })
    }

    async fn kept_before(
        &self,
        client: Option<&ClientName>,
        status: Option<Status>,
        before: ResendId,
        limit: usize,
    ) -> Result<Vec<ResendRow>, Fault> {
        let Some(store) = &self.store else { return Ok(Vec::new()) };
        let (client, limit) = (client.cloned(), u32::try_from(limit).unwrap_or(u32::MAX));
        store.read(move |db| read::page(db, client.as_ref(), status.map(Status::as_str), before, limit)).await
    }
}
