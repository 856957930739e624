//! A whole, well-formed list in memory: compact, immutable, in the caller's order.
//!
//! Made of chunks. Entries that repeat an earlier one are kept beside it, with where that stood.

use std::sync::Arc;

use super::{
    InvalidReason,
    chunk::{Chunk, Entry},
};

/// A later occurrence of an address, and where it stood first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repeat {
    /// The later occurrence.
    pub index: u32,
    /// The first occurrence.
    pub first: u32,
}

/// Everything a caller posted, whole.
#[derive(Debug)]
pub struct List {
    chunks: Vec<Arc<Chunk>>,
    starts: Vec<u32>,
    repeats: Vec<Repeat>,
    repeated: Vec<(u32, u32)>,
    len: u32,
    invalid: [u32; InvalidReason::ALL.len()],
}

impl List {
    /// Joins chunks, in order, and the repeats found in them (ascending by `index`).
    pub fn new(chunks: Vec<Chunk>, repeats: Vec<Repeat>) -> Self {
        let mut starts = Vec::with_capacity(chunks.len());
        let mut len = 0_u32;
        let mut invalid = [0; InvalidReason::ALL.len()];
        for chunk in &chunks {
            starts.push(len);
            len += chunk.len() as u32;
            for reason in chunk.invalid() {
                invalid[reason as usize] += 1;
            }
        }
        let mut firsts: Vec<u32> = repeats.iter().map(|repeat| repeat.first).collect();
        firsts.sort_unstable();
        let repeated = firsts.chunk_by(|a, b| a == b).map(|run| (run[0], run.len() as u32)).collect();
        let chunks = chunks.into_iter().map(Arc::new).collect();
        Self { chunks, starts, repeats, repeated, len, invalid }
    }

    /// How many entries it has.
    pub fn len(&self) -> u32 {
        self.len
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// What stands at `index`.
    ///
    /// # Panics
    /// When `index` is not below [`List::len`].
    pub fn entry(&self, index: u32) -> Entry {
        let (chunk, offset) = self.locate(index);
        chunk.entry(offset)
    }

    /// What the caller wrote at `index`.
    ///
    /// # Panics
    /// When `index` is not below [`List::len`].
    pub fn text(&self, index: u32) -> &str {
        let (chunk, offset) = self.locate(index);
        chunk.text(offset)
    }

    /// Where the address at `index` stood first, when it is a repeat.
    pub fn first_of(&self, index: u32) -> Option<u32> {
        let at = self.repeats.binary_search_by_key(&index, |repeat| repeat.index).ok()?;
        Some(self.repeats[at].first)
    }

    /// How many later entries repeat the address at `index`.
    pub fn repeats_of(&self, index: u32) -> u32 {
        match self.repeated.binary_search_by_key(&index, |(first, _)| *first) {
            Ok(at) => self.repeated[at].1,
            Err(_) => 0,
        }
    }

    /// Its chunks in order, each with the index of its first entry.
    pub fn chunks(&self) -> impl Iterator<Item = (u32, &Arc<Chunk>)> {
        self.starts.iter().copied().zip(&self.chunks)
    }

    /// Which chunk holds the entry at `index`, and at which offset.
    ///
    /// # Panics
    /// When `index` is not below [`List::len`].
    pub fn place(&self, index: u32) -> (u32, u16) {
        let at = self.starts.partition_point(|start| *start <= index) - 1;
        (at as u32, (index - self.starts[at]) as u16)
    }

    /// The entries from `from` to before `to` that repeat an earlier one.
    pub fn repeats_in(&self, from: u32, to: u32) -> &[Repeat] {
        let bound = |index| self.repeats.partition_point(|repeat| repeat.index < index);
        &self.repeats[bound(from)..bound(to)]
    }

    /// The entries from `from` to before `to` that later ones repeat, and how many do.
    pub fn repeated_in(&self, from: u32, to: u32) -> &[(u32, u32)] {
        let bound = |index| self.repeated.partition_point(|(first, _)| *first < index);
        &self.repeated[bound(from)..bound(to)]
    }

    /// How many entries are no address, for this reason.
    pub fn invalid(&self, reason: InvalidReason) -> u32 {
        self.invalid[reason as usize]
    }

    /// The entries that are no address, in order.
    pub fn invalid_entries(&self) -> impl Iterator<Item = (u32, InvalidReason)> {
        let entries = self.chunks.iter().flat_map(|chunk| chunk.entries()).zip(0_u32..);
        entries.filter_map(|((_, entry), index)| match entry {
            Entry::Invalid(reason) => Some((index, reason)),
            Entry::Fresh(_) | Entry::Repeat => None,
        })
    }

    /// How many entries are first occurrences of an address.
    pub fn fresh(&self) -> u32 {
        self.len - self.invalid.iter().sum::<u32>() - self.repeats.len() as u32
    }

    /// How many entries repeat an earlier one.
    pub fn repeats(&self) -> u32 {
        self.repeats.len() as u32
    }

    /// Heap bytes it holds.
    pub fn bytes(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.bytes()).sum::<usize>()
            + self.chunks.len() * (size_of::<Chunk>() + size_of::<Arc<Chunk>>())
            + self.starts.capacity() * size_of::<u32>()
            + self.repeats.capacity() * size_of::<Repeat>()
            + self.repeated.capacity() * size_of::<(u32, u32)>()
    }

    fn locate(&self, index: u32) -> (&Chunk, usize) {
        let at = self.starts.partition_point(|start| *start <= index) - 1;
        (&self.chunks[at], (index - self.starts[at]) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::AddressKey;

    fn chunk(texts: &[&str]) -> Chunk {
        let mut chunk = Chunk::default();
        for text in texts {
            chunk.push(text, Entry::Fresh(AddressKey(text.len() as u128))).unwrap();
        }
        chunk
    }

    #[test]
    fn texts_come_back_across_chunks() {
        let list = List::new(vec![chunk(&["a", "", "ccc"]), chunk(&["dddd"])], Vec::new());

        let texts: Vec<_> = (0..list.len()).map(|index| list.text(index)).collect();

        assert_eq!(texts, ["a", "", "ccc", "dddd"]);
        assert_eq!(list.entry(3), Entry::Fresh(AddressKey(4)));
    }

    #[test]
    fn repeats_point_at_their_first_and_are_counted_there() {
        let repeats = vec![Repeat { index: 1, first: 0 }, Repeat { index: 3, first: 0 }];

        let list = List::new(vec![chunk(&["a", "a", "b", "a"])], repeats);

        assert_eq!(list.first_of(3), Some(0));
        assert_eq!(list.first_of(2), None);
        assert_eq!(list.repeats_of(0), 2);
        assert_eq!(list.repeats_of(2), 0);
        assert_eq!(list.fresh(), 2);
    }
}
