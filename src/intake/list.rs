//! Builds the list in memory: judges each element, gives it its key, and finds what stands there twice.
//!
//! Owns the chunks and a table of first positions. Keys are kept once, in the chunks; the table holds
//! four bytes an address and says where to look.

use hashbrown::HashTable;

use crate::domain::{AddressKey, Chunk, Entry, InvalidReason, List, Repeat};

use super::address::Parts;
use super::key::KeyHasher;
use super::sink::{Full, Sink, cut};

/// Bits of a [`Position`] that hold the offset in its chunk; a chunk has at most 1,000 entries.
const OFFSET_BITS: u32 = 10;

/// A list under way.
pub struct ListBuilder {
    hasher: KeyHasher,
    max_addresses: u64,
    /// Complete chunks.
    chunks: Vec<Chunk>,
    chunks_bytes: usize,
    /// Where each chunk begins, the current one too.
    starts: Vec<u32>,
    current: Chunk,
    firsts: HashTable<Position>,
    repeats: Vec<Repeat>,
    /// Whether repeats are found by somebody else: rows leave before all of them came.
    spills: bool,
}

/// Where an entry stands: its chunk and the offset in it, in four bytes.
#[derive(Debug, Clone, Copy)]
struct Position(u32);

impl Position {
    /// `None` beyond four million chunks.
    fn new(chunk: usize, offset: usize) -> Option<Self> {
        let chunk = u32::try_from(chunk).ok().filter(|chunk| *chunk < 1 << (u32::BITS - OFFSET_BITS))?;
        Some(Self(chunk << OFFSET_BITS | u32::try_from(offset).ok()?))
    }

    fn chunk(self) -> usize {
        (self.0 >> OFFSET_BITS) as usize
    }

    fn offset(self) -> usize {
        (self.0 & ((1 << OFFSET_BITS) - 1)) as usize
    }
}

impl ListBuilder {
    /// An empty list of at most `max_addresses` elements; 0 is no limit but that of a 32-bit index.
    pub fn new(hasher: KeyHasher, max_addresses: u64) -> Self {
        let most = u64::from(u32::MAX);
        Self {
            hasher,
            max_addresses: if max_addresses == 0 { most } else { max_addresses.min(most) },
            chunks: Vec::new(),
            chunks_bytes: 0,
            starts: vec![0],
            current: Chunk::default(),
            firsts: HashTable::new(),
            repeats: Vec::new(),
            spills: false,
        }
    }

    /// Heap bytes it holds, without counting them one by one.
    pub fn bytes(&self) -> usize {
        self.chunks_bytes
            + self.current.bytes()
            + self.chunks.capacity() * size_of::<Chunk>()
            + self.starts.capacity() * size_of::<u32>()
            + self.firsts.allocation_size()
            + self.repeats.capacity() * size_of::<Repeat>()
    }

    /// How many elements it has.
    pub fn len(&self) -> u32 {
        self.current_start() + self.current.len() as u32
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// From now on rows leave before all of them came, and repeats are not looked for. Gives every address
    /// so far with its index, in order, for somebody else to look.
    pub fn spill(&mut self) -> Vec<(AddressKey, u32)> {
        self.spills = true;
        self.firsts = HashTable::new();
        let mut keys = Vec::with_capacity(self.len() as usize);
        let chunks = self.chunks.iter().chain([&self.current]);
        for (chunk, start) in chunks.zip(&self.starts) {
            let fresh = |offset: usize| Some((chunk.key(offset)?, start + offset as u32));
            keys.extend((0..chunk.len()).filter_map(fresh));
        }
        let of_repeat = |repeat: &Repeat| {
            let at = keys.binary_search_by_key(&repeat.first, |(_, index)| *index).ok()?;
            Some((keys[at].0, repeat.index))
        };
        let repeats: Vec<_> = self.repeats.iter().filter_map(of_repeat).collect();
        self.repeats = Vec::new();
        keys.extend(repeats);
        keys.sort_unstable_by_key(|(_, index)| *index);
        keys
    }

    /// Takes out the rows that are complete, or all that there are, each run with the index of its first.
    pub fn take_chunks(&mut self, all: bool) -> Vec<(u32, Chunk)> {
        if all && !self.current.is_empty() {
            self.complete_chunk();
        }
        let next = self.current_start();
        let starts = std::mem::replace(&mut self.starts, vec![next]);
        self.chunks_bytes = 0;
        starts.into_iter().zip(std::mem::take(&mut self.chunks)).collect()
    }

    /// The whole list.
    pub fn finish(mut self) -> List {
        if !self.current.is_empty() {
            self.complete_chunk();
        }
        self.firsts = HashTable::new();
        self.repeats.shrink_to_fit();
        List::new(self.chunks, self.repeats)
    }

    fn current_start(&self) -> u32 {
        self.starts.last().copied().unwrap_or_default()
    }

    fn full(&self) -> Full {
        Full::TooManyAddresses { limit: self.max_addresses }
    }

    fn entry(&mut self, text: &str, too_long: bool) -> Result<Entry, Full> {
        if too_long {
            return Ok(Entry::Invalid(InvalidReason::TooLong));
        }
        match Parts::scan(text) {
            Ok(parts) => self.address(self.hasher.key_of(&parts)),
            Err(reason) => Ok(Entry::Invalid(reason)),
        }
    }

    /// Whether the address stood before, remembering it when not.
    fn address(&mut self, key: AddressKey) -> Result<Entry, Full> {
        if self.spills {
            return Ok(Entry::Fresh(key));
        }
        let found = self.firsts.find(table_hash(key), |position| self.key(*position) == Some(key));
        if let Some(position) = found {
            let first = self.starts[position.chunk()] + position.offset() as u32;
            self.repeats.push(Repeat { index: self.len(), first });
            return Ok(Entry::Repeat);
        }
        let position = Position::new(self.chunks.len(), self.current.len()).ok_or(self.full())?;
        if self.firsts.len() == self.firsts.capacity() {
            self.grow();
        }
        // `grow` made the room, so nothing is hashed again here.
        self.firsts.insert_unique(table_hash(key), position, |_| table_hash(key));
        Ok(Entry::Fresh(key))
    }

    fn key(&self, position: Position) -> Option<AddressKey> {
        let chunk = self.chunks.get(position.chunk()).unwrap_or(&self.current);
        chunk.key(position.offset())
    }

    /// Doubles the table by filling a new one from the chunks, in order: the old one is gone by then, and
    /// keys are read one after the other instead of all over the memory.
    fn grow(&mut self) {
        let wanted = self.firsts.len() + 1;
        self.firsts = HashTable::new();
        self.firsts.reserve(wanted, |_| 0);
        for (number, chunk) in self.chunks.iter().chain([&self.current]).enumerate() {
            for offset in 0..chunk.len() {
                if let (Some(key), Some(position)) = (chunk.key(offset), Position::new(number, offset)) {
                    self.firsts.insert_unique(table_hash(key), position, |_| table_hash(key));
                }
            }
        }
    }

    fn complete_chunk(&mut self) {
        self.starts.push(self.len());
        let mut chunk = std::mem::take(&mut self.current);
        chunk.shrink();
        self.chunks_bytes += chunk.bytes();
        self.chunks.push(chunk);
    }
}

impl Sink for ListBuilder {
    fn element(&mut self, text: &str, too_long: bool) -> Result<(), Full> {
        if u64::from(self.len()) >= self.max_addresses {
            return Err(self.full());
        }
        let (text, is_cut) = cut(text);
        if !self.current.has_room(text.len()) {
            self.complete_chunk();
        }
        let entry = self.entry(text, too_long || is_cut)?;
        // A fresh chunk has room for any element.
        self.current.push(text, entry).map_err(|_| self.full())
    }
}

/// The key is a keyed hash already; half of it does for a table.
fn table_hash(key: AddressKey) -> u64 {
    key.0 as u64
}
