//! A list that is too long for the memory there is: its rows go to the store as they come.
//!
//! They belong to a resend that a crash forgets until the body was whole. Repeats are found at the end,
//! exactly and at flat memory. A list that is given up is erased.

use std::sync::Arc;

use thiserror::Error;
use uuid::Uuid;

use crate::{
    domain::{Chunk, ClientName, Entry, InvalidReason, ResendId, Status, Timestamp, TraceContext},
    intake::ListBuilder,
    store::{
        Shape,
        file::{Batch, Fault, Lack, ResendRow, Stage, Store, Write},
        repeats::{Options, RepeatError, RepeatFinder, Repeats},
    },
};

/// Memory for finding repeats of one list, before it goes to a file.
const FINDER_BYTES: usize = 256 << 10;

/// Why a list can't go to the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SpillError {
    /// The store does not work.
    #[error("the list can't be kept: {0}")]
    Store(#[from] Fault),
    /// The store has no room for more.
    #[error("the list can't be kept: {0}")]
    NoRoom(#[from] Lack),
    /// There is no room to find its repeats.
    #[error("the list can't be kept: looking for repeats in it failed")]
    Repeats,
}

/// A list on its way into the store.
pub(super) struct Spill {
    store: Store,
    id: ResendId,
    starts: Vec<u32>,
    len: u32,
    invalid: [u32; InvalidReason::ALL.len()],
    finder: Option<RepeatFinder>,
    is_whole: bool,
}

impl Spill {
    /// Begins with what `list` holds; its rows are to be taken next.
    pub(super) async fn begin(store: &Store, list: &mut ListBuilder) -> Result<Self, SpillError> {
        let id = ResendId(Uuid::now_v7().as_u128());
        let options = Options { memory_bytes: FINDER_BYTES, ..Options::default() };
        let mut finder = RepeatFinder::new(&store.directory(), options);
        for (key, index) in list.spill() {
            finder.add(key, index)?;
        }
        let spill = Self {
            store: store.clone(),
            id,
            starts: Vec::new(),
            len: 0,
            invalid: [0; InvalidReason::ALL.len()],
            finder: Some(finder),
            is_whole: false,
        };
        let begun = vec![Write::Resend(Box::new(spill.row()))];
        store.write(Batch { writes: begun, ..Batch::default() }).await?;
        spill.take_rows(list, true).await
    }

    async fn take_rows(mut self, list: &mut ListBuilder, all: bool) -> Result<Self, SpillError> {
        // What was there before is known to the finder.
        self.put(list.take_chunks(all), false).await?;
        Ok(self)
    }

    /// Writes what `list` holds: complete chunks, or all of it.
    pub(super) async fn drain(&mut self, list: &mut ListBuilder, all: bool) -> Result<(), SpillError> {
        self.put(list.take_chunks(all), true).await
    }

    /// Writes what it has gathered to find repeats.
    pub(super) fn give_way(&mut self) -> Result<(), SpillError> {
        Ok(self.finder.as_mut().map_or(Ok(()), RepeatFinder::spill)?)
    }

    /// Heap bytes that it can give away.
    pub(super) fn gathered(&self) -> usize {
        self.finder.as_ref().map_or(0, RepeatFinder::gathered)
    }

    /// Heap bytes it holds.
    pub(super) fn bytes(&self) -> usize {
        self.finder.as_ref().map_or(0, RepeatFinder::bytes) + self.starts.capacity() * size_of::<u32>()
    }

    async fn put(&mut self, chunks: Vec<(u32, Chunk)>, are_new: bool) -> Result<(), SpillError> {
        let store = self.store.clone();
        let mut parts = store.parts();
        for (first, chunk) in chunks {
            for ((_, entry), index) in chunk.entries().zip(first..) {
                match entry {
                    Entry::Fresh(key) if are_new => {
                        let finder = self.finder.as_mut().ok_or(SpillError::Repeats)?;
                        finder.add(key, index)?;
                    }
                    Entry::Fresh(_) | Entry::Repeat => {}
                    Entry::Invalid(reason) => self.invalid[reason as usize] += 1,
                }
            }
            let number = self.starts.len() as u32;
            self.starts.push(first);
            self.len = first + chunk.len() as u32;
            let (chunk, repeats, repeated) = (Arc::new(chunk), Vec::new(), Vec::new());
            parts.add(Write::Chunk { resend: self.id, number, first, chunk, repeats, repeated }).await?;
        }
        Ok(parts.end().await?)
    }

    /// The list is whole: finds its repeats and gives its id and shape.
    pub(super) async fn finish(mut self, list: &mut ListBuilder) -> Result<(ResendId, Shape), SpillError> {
        self.drain(list, true).await?;
        let finder = self.finder.take().ok_or(SpillError::Repeats)?;
        let finding = tokio::task::spawn_blocking(move || finder.finish());
        let repeats = finding.await.map_err(|_| SpillError::Repeats)??;
        let total = self.mark(repeats).await?;
        self.is_whole = true;
        Ok((self.id, Shape::new(std::mem::take(&mut self.starts), self.len, total, self.invalid)))
    }

    /// Tells each chunk which of its rows repeat others, and which are repeated.
    async fn mark(&self, repeats: Repeats) -> Result<u32, SpillError> {
        let total = repeats.total;
        if total == 0 {
            return Ok(0);
        }
        let (mut in_order, mut firsts) = (repeats.in_order.peekable(), repeats.firsts.peekable());
        let mut parts = self.store.parts();
        for (number, first) in (0_u32..).zip(&self.starts) {
            let end = self.starts.get(number as usize + 1).copied().unwrap_or(self.len);
            let (mut of_chunk, mut repeated) = (Vec::new(), Vec::new());
            while let Some(repeat) =
                in_order.next_if(|next| next.as_ref().map_or(true, |next| next.index < end))
            {
                let repeat = repeat?;
                of_chunk.push(((repeat.index - first) as u16, repeat.first));
            }
            while let Some(next) = firsts.next_if(|next| next.as_ref().map_or(true, |next| next.first < end))
            {
                let next = next?;
                repeated.push(((next.first - first) as u16, next.repeats));
            }
            if !of_chunk.is_empty() || !repeated.is_empty() {
                parts.add(Write::Repeats { resend: self.id, number, repeats: of_chunk, repeated }).await?;
            }
        }
        parts.end().await?;
        Ok(total)
    }

    fn row(&self) -> ResendRow {
        ResendRow {
            id: self.id,
            client: ClientName::anonymous(),
            stage: Stage::Reading,
            promised: false,
            force: false,
            trace: TraceContext::new(self.id.0).traceparent(1),
            created_at: Timestamp::now(),
            finished_at: None,
            status: Status::Queued.as_str().to_owned(),
            received: 0,
            repeats: 0,
            counts: [0; 6],
            upstream_calls: 0,
            rest: None,
        }
    }
}

impl Drop for Spill {
    fn drop(&mut self) {
        if !self.is_whole {
            self.store.erase_later(self.id);
        }
    }
}

/// Callers hear that it failed; why is for the operator.
impl From<RepeatError> for SpillError {
    fn from(error: RepeatError) -> Self {
        tracing::error!(%error, "Looking for repeats in a list failed.");
        Self::Repeats
    }
}
