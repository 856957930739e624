//! What is sorted, and the bytes it becomes in a file.

use std::{
    fmt,
    io::{self, Read, Write},
};

use crate::domain::AddressKey;

/// Something of a fixed size in a file, ordered.
pub(super) trait Record: Copy + Ord {
    /// Bytes of one in a file.
    const BYTES: usize;

    fn write(self, to: &mut impl Write) -> io::Result<()>;

    fn read(from: &mut impl Read) -> io::Result<Self>;
}

/// An entry by its key. The key is in halves, since a whole one would be padded to 32 bytes in memory.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Keyed {
    high: u64,
    low: u64,
    pub(super) index: u32,
}

impl Keyed {
    pub(super) fn new(key: AddressKey, index: u32) -> Self {
        Self { high: (key.0 >> 64) as u64, low: key.0 as u64, index }
    }

    pub(super) fn key(self) -> AddressKey {
        AddressKey(u128::from(self.high) << 64 | u128::from(self.low))
    }
}

/// Shows no key, like [`AddressKey`].
impl fmt::Debug for Keyed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Keyed").field("index", &self.index).finish_non_exhaustive()
    }
}

impl Record for Keyed {
    const BYTES: usize = 20;

    fn write(self, to: &mut impl Write) -> io::Result<()> {
        to.write_all(&self.key().0.to_le_bytes())?;
        to.write_all(&self.index.to_le_bytes())
    }

    fn read(from: &mut impl Read) -> io::Result<Self> {
        let (mut key, mut index) = ([0; 16], [0; 4]);
        from.read_exact(&mut key)?;
        from.read_exact(&mut index)?;
        Ok(Self::new(AddressKey(u128::from_le_bytes(key)), u32::from_le_bytes(index)))
    }
}

/// A place in the list, and what was found out about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Placed {
    pub(super) place: u32,
    pub(super) value: u32,
}

impl Record for Placed {
    const BYTES: usize = 8;

    fn write(self, to: &mut impl Write) -> io::Result<()> {
        to.write_all(&self.place.to_le_bytes())?;
        to.write_all(&self.value.to_le_bytes())
    }

    fn read(from: &mut impl Read) -> io::Result<Self> {
        let (mut place, mut value) = ([0; 4], [0; 4]);
        from.read_exact(&mut place)?;
        from.read_exact(&mut value)?;
        Ok(Self { place: u32::from_le_bytes(place), value: u32::from_le_bytes(value) })
    }
}
