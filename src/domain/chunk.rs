//! The unit of custody: a run of up to [`CHUNK_ADDRESSES`] entries of a list, with up to [`CHUNK_BYTES`] of text.
//!
//! An entry is a fresh address with its key, an earlier address again, or no address at all.

use std::fmt;

use super::{AddressKey, InvalidReason};

/// Most entries of a chunk.
pub const CHUNK_ADDRESSES: usize = 1000;
/// Most bytes of text in a chunk; offsets inside it fit 16 bits.
pub const CHUNK_BYTES: usize = 65_535;

/// One element of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// An address that stands here for the first time.
    Fresh(AddressKey),
    /// An address that stood in this list before.
    Repeat,
    /// No address.
    Invalid(InvalidReason),
}

/// A run of entries.
#[derive(Default)]
pub struct Chunk {
    text: String,
    ends: Vec<u16>,
    keys: Vec<AddressKey>,
    kinds: Vec<Kind>,
}

/// An [`Entry`] without its key: one byte, so that an address costs no padding.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Fresh,
    Repeat,
    Invalid(InvalidReason),
}

/// Tells the size alone: what callers wrote stays out of logs.
impl fmt::Debug for Chunk {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Chunk({} entries)", self.kinds.len())
    }
}

impl Chunk {
    /// Whether one more entry of `bytes` of text fits. An empty chunk takes anything up to [`CHUNK_BYTES`].
    pub fn has_room(&self, bytes: usize) -> bool {
        self.kinds.len() < CHUNK_ADDRESSES && self.text.len() + bytes <= CHUNK_BYTES
    }

    /// Adds an entry with the text the caller sent.
    ///
    /// # Errors
    /// Gives the text back when the chunk has no room for it.
    pub fn push<'text>(&mut self, text: &'text str, entry: Entry) -> Result<(), &'text str> {
        if !self.has_room(text.len()) {
            return Err(text);
        }
        let end = u16::try_from(self.text.len() + text.len()).map_err(|_| text)?;
        self.text.push_str(text);
        self.ends.push(end);
        let (kind, key) = match entry {
            Entry::Fresh(key) => (Kind::Fresh, key),
            Entry::Repeat => (Kind::Repeat, AddressKey::default()),
            Entry::Invalid(reason) => (Kind::Invalid(reason), AddressKey::default()),
        };
        self.kinds.push(kind);
        self.keys.push(key);
        Ok(())
    }

    /// Gives back spare room once the chunk is complete.
    pub fn shrink(&mut self) {
        self.text.shrink_to_fit();
        self.ends.shrink_to_fit();
        self.keys.shrink_to_fit();
        self.kinds.shrink_to_fit();
    }

    /// How many entries it has.
    pub fn len(&self) -> usize {
        self.kinds.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// Heap bytes it holds.
    pub fn bytes(&self) -> usize {
        self.text.capacity()
            + self.ends.capacity() * size_of::<u16>()
            + self.keys.capacity() * size_of::<AddressKey>()
            + self.kinds.capacity() * size_of::<Kind>()
    }

    /// What the caller wrote, and what that is, in order.
    pub fn entries(&self) -> impl Iterator<Item = (&str, Entry)> {
        (0..self.len()).map(|offset| (self.text(offset), self.entry(offset)))
    }

    /// The key of the entry at `offset`, when an address stands there for the first time.
    pub fn key(&self, offset: usize) -> Option<AddressKey> {
        match self.kinds.get(offset)? {
            Kind::Fresh => self.keys.get(offset).copied(),
            Kind::Repeat | Kind::Invalid(_) => None,
        }
    }

    /// Why its entries that are no address are none, in order.
    pub(super) fn invalid(&self) -> impl Iterator<Item = InvalidReason> {
        self.kinds.iter().filter_map(|kind| match kind {
            Kind::Invalid(reason) => Some(*reason),
            Kind::Fresh | Kind::Repeat => None,
        })
    }

    /// What stands at `offset`.
    ///
    /// # Panics
    /// When `offset` is not below [`Chunk::len`].
    pub fn entry(&self, offset: usize) -> Entry {
        match self.kinds[offset] {
            Kind::Fresh => Entry::Fresh(self.keys[offset]),
            Kind::Repeat => Entry::Repeat,
            Kind::Invalid(reason) => Entry::Invalid(reason),
        }
    }

    /// What the caller wrote at `offset`.
    ///
    /// # Panics
    /// When `offset` is not below [`Chunk::len`].
    pub fn text(&self, offset: usize) -> &str {
        let start = if offset == 0 { 0 } else { usize::from(self.ends[offset - 1]) };
        &self.text[start..usize::from(self.ends[offset])]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_chunk_gives_the_text_back() {
        let mut chunk = Chunk::default();
        chunk.push(&"x".repeat(CHUNK_BYTES), Entry::Repeat).unwrap();

        assert_eq!(chunk.push("y", Entry::Repeat), Err("y"));
        assert_eq!(chunk.len(), 1);
    }
}
