//! Lists that are being read: in RAM as long as there is room, then in the store.

use std::{future::pending, sync::Arc, time::Duration};

use thiserror::Error;
use tokio::time::timeout;

use super::{
    budget::{BudgetFull, MemoryBudget, Share},
    spill::{Spill, SpillError},
};
use crate::{
    domain::{List, ResendId},
    intake::{BodyHasher, BodyReader, Encoding, Format, IntakeError, ListBuilder},
    store::{Keyed, Shape, file::Store},
};

/// A list in RAM of this size goes to the store, where there is one.
const SPILL_AT: usize = 1 << 20;
/// So much of a list that goes to the store is gathered before it is written.
const FLUSH_AT: usize = 256 << 10;
/// How long a list waits for others to make room.
const PATIENCE: Duration = Duration::from_secs(20);
/// Less than this is no relief to others.
const WORTH_IT: usize = 8 << 10;

/// A list being read, with its share of the budget. Dropping it gives the share back.
pub struct Draft {
    reader: BodyReader<ListBuilder>,
    share: Share,
    store: Option<Store>,
    spill: Option<Spill>,
    /// The hash of the key that it was posted under, if any.
    key: Option<[u8; 16]>,
}

/// What is to be done after a part of a body was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The next part is needed.
    Done,
    /// There is more of this one.
    More,
    /// [`Draft::flush`] comes first; then there may be more of this one.
    Full,
}

/// A body that was whole and good, with its share of the budget: its rows stay there until somebody else
/// accounts for them.
pub(super) struct Whole {
    pub(super) rows: Rows,
    pub(super) share: Share,
}

/// Where the rows of a list are.
pub(super) enum Rows {
    /// All of it is in RAM.
    Resident(List),
    /// Its rows are in the store, under this id.
    Stored(ResendId, Shape),
}

/// Why reading stopped.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DraftError {
    /// The body can't be used.
    #[error(transparent)]
    Intake(#[from] IntakeError),
    /// There is no memory for it.
    #[error(transparent)]
    Budget(#[from] BudgetFull),
    /// It can't go to the store.
    #[error(transparent)]
    Spill(#[from] SpillError),
}

impl Draft {
    pub(super) fn new(
        format: Format,
        encoding: Encoding,
        max_bytes: Option<u64>,
        list: ListBuilder,
        budget: Arc<MemoryBudget>,
        store: Option<Store>,
    ) -> Self {
        let reader = BodyReader::new(format, encoding, max_bytes, list);
        Self { reader, share: Share::none_of(budget), store, spill: None, key: None }
    }

    /// Posts it under a key: its body is hashed while it is read.
    pub(super) fn under(mut self, key: [u8; 16], hasher: BodyHasher) -> Self {
        self.key = Some(key);
        self.reader.hash_with(hasher);
        self
    }

    /// The key that it was posted under, with the hash of the body so far.
    pub(super) fn keyed(&self) -> Option<Keyed> {
        Some(Keyed { key: self.key?, body: self.reader.hash()? })
    }

    /// Reads some of `piece`, a bounded part, and takes that away from it. Whoever reads many lists on one
    /// thread lets others go first when there is more to do.
    ///
    /// # Errors
    /// When the body can't be used or there is no memory for it; the draft is of no use then.
    pub fn step(&mut self, piece: &mut &[u8]) -> Result<Step, DraftError> {
        if self.store.is_some() && self.share.budget().is_over() {
            return Ok(Step::Full);
        }
        let more = self.reader.step(piece)?;
        let bytes = self.bytes();
        let most = if self.spill.is_some() { FLUSH_AT } else { SPILL_AT };
        match self.share.grow_to(bytes) {
            Err(full) if self.store.is_none() => Err(full.into()),
            Err(_) => Ok(Step::Full),
            Ok(()) if self.store.is_some() && self.reader.sink().bytes() > most => Ok(Step::Full),
            Ok(()) if more => Ok(Step::More),
            Ok(()) => Ok(Step::Done),
        }
    }

    /// Returns when others need the memory that this list holds while it waits for more of its body: time to
    /// [`Draft::flush`].
    pub async fn pressed(&self) {
        if self.store.is_none() || self.loose() < WORTH_IT {
            return pending().await;
        }
        self.share.budget().until_over().await;
    }

    /// Heap bytes that can go to the store.
    fn loose(&self) -> usize {
        self.reader.sink().bytes() + self.spill.as_ref().map_or(0, Spill::gathered)
    }

    /// Writes what was read so far to the store. When others take all of the memory it waits for them.
    ///
    /// # Errors
    /// When it can't be written, or there is no room even then.
    pub async fn flush(&mut self) -> Result<(), DraftError> {
        let Some(store) = &self.store else { return Ok(()) };
        if let Some(lack) = store.lack() {
            return Err(SpillError::NoRoom(lack).into());
        }
        if self.loose() >= WORTH_IT {
            let is_short = self.share.budget().is_over();
            let list = self.reader.sink_mut();
            let spill = match &mut self.spill {
                none @ None => none.insert(Spill::begin(store, list).await?),
                Some(spill) => {
                    spill.drain(list, is_short).await?;
                    spill
                }
            };
            if is_short {
                spill.give_way()?;
            }
            self.share.shrink_to(self.bytes());
        }
        let room = timeout(PATIENCE, self.share.budget().until_room()).await;
        room.map_err(|_| BudgetFull { limit: self.share.budget().limit(), alone: false }.into())
    }

    fn bytes(&self) -> usize {
        self.reader.sink().bytes() + self.spill.as_ref().map_or(0, Spill::bytes)
    }

    /// The body is over.
    ///
    /// # Errors
    /// When it ended too early, or the rest of it can't be written.
    pub(super) async fn finish(self) -> Result<Whole, DraftError> {
        let Self { reader, mut share, spill, .. } = self;
        let mut list = reader.finish()?;
        let rows = match spill {
            None => {
                let list = list.finish();
                share.shrink_to(list.bytes());
                Rows::Resident(list)
            }
            Some(spill) => {
                let place = share.budget().sort_place().await;
                let (id, shape) = spill.finish(&mut list).await?;
                drop(place);
                share.shrink_to(shape.bytes());
                Rows::Stored(id, shape)
            }
        };
        Ok(Whole { rows, share })
    }

    /// The body is over: the list, which keeps its share of the budget, and `more` bytes an address.
    ///
    /// # Errors
    /// When it ended too early, or there is no memory for that.
    pub(super) fn keep(self, more: usize) -> Result<(List, Share), DraftError> {
        let Self { reader, mut share, .. } = self;
        let list = reader.finish()?.finish();
        share.grow_to(list.bytes() + list.len() as usize * more)?;
        Ok((list, share))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;
    use tokio::{sync::Barrier, task::yield_now};

    use super::*;
    use crate::{
        intake::KeyHasher,
        telemetry::metrics::{BuildInfo, Metrics},
    };

    const LIMIT: usize = 256 << 10;
    const LISTS: usize = 64;
    const ROWS: usize = 1500;

    /// Reads a list in halves, the second one when everybody has read the first; meanwhile it makes room.
    async fn read(mut draft: Draft, budget: &MemoryBudget, number: usize, halfway: &Barrier) -> Whole {
        for half in 0..2 {
            let rows = ROWS / 2 * half..ROWS / 2 * (half + 1);
            let text: String = rows.map(|row| format!("somebody-{number}-{row}@example.com\n")).collect();
            for piece in text.as_bytes().chunks(4096) {
                let mut rest = piece;
                while !rest.is_empty() {
                    if draft.step(&mut rest).unwrap() == Step::Full {
                        draft.flush().await.unwrap();
                    }
                    // One step of one list: 4 KiB of text, with keys and a table.
                    assert!(budget.used() < LIMIT + (32 << 10), "{}", budget.used());
                }
                yield_now().await;
            }
            let reached = halfway.wait();
            tokio::pin!(reached);
            loop {
                tokio::select! {
                    biased;
                    () = draft.pressed() => draft.flush().await.unwrap(),
                    _ = &mut reached => break,
                }
            }
        }
        draft.finish().await.unwrap_or_else(|error| panic!("{error}"))
    }

    #[tokio::test]
    async fn lists_that_wait_for_their_callers_make_room_for_others() {
        let directory = tempfile::tempdir().unwrap();
        let metrics = Metrics::new(BuildInfo::current(), &[], &[]).unwrap();
        let store = Store::open(&directory.path().join("gateway.db"), [0; 16], metrics).unwrap();
        let (budget, halfway) = (MemoryBudget::new(LIMIT), Barrier::new(LISTS));

        let drafts = (0..LISTS).map(|number| {
            let list = ListBuilder::new(KeyHasher::new([0; 16], false), 0);
            let (budget, store) = (Arc::clone(&budget), Some(store.clone()));
            (number, Draft::new(Format::Text, Encoding::Identity, None, list, budget, store))
        });
        let all = join_all(drafts.map(|(number, draft)| read(draft, &budget, number, &halfway))).await;

        let rows = |whole: &Whole| match &whole.rows {
            Rows::Resident(list) => list.len(),
            Rows::Stored(_, shape) => shape.len(),
        };
        assert!(all.iter().all(|whole| rows(whole) == ROWS as u32));
        drop(all);
        assert_eq!(budget.used(), 0);
    }
}
