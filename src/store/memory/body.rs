//! The rows of a resend: in RAM, or in the store's file with no more than their shape in RAM.

use crate::domain::{InvalidReason, List};

/// Kinds of what is no address.
const REASONS: usize = InvalidReason::ALL.len();

/// Where the rows are.
#[derive(Debug)]
pub enum Body {
    /// In RAM.
    Resident(List),
    /// In the file.
    Stored(Shape),
}

/// What is known of a list without looking at its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    starts: Vec<u32>,
    len: u32,
    repeats: u32,
    invalid: [u32; REASONS],
}

impl Shape {
    /// Of a list whose chunks begin at `starts`; so many rows repeat earlier ones, and so many are no
    /// address, by reason.
    pub fn new(starts: Vec<u32>, len: u32, repeats: u32, invalid: [u32; REASONS]) -> Self {
        Self { starts, len, repeats, invalid }
    }

    /// Of a list in RAM.
    pub fn of(list: &List) -> Self {
        let mut invalid = [0; REASONS];
        for reason in InvalidReason::ALL {
            invalid[*reason as usize] = list.invalid(*reason);
        }
        let starts = list.chunks().map(|(first, _)| first).collect();
        Self::new(starts, list.len(), list.repeats(), invalid)
    }

    /// How many rows it has.
    pub fn len(&self) -> u32 {
        self.len
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many rows are no address.
    pub fn invalid(&self) -> u32 {
        self.invalid.iter().sum()
    }

    /// The index of the first row of a chunk, and the one behind its last.
    pub fn bounds(&self, number: u32) -> Option<(u32, u32)> {
        let first = *self.starts.get(number as usize)?;
        Some((first, self.starts.get(number as usize + 1).copied().unwrap_or(self.len)))
    }

    /// Heap bytes it holds.
    pub fn bytes(&self) -> usize {
        self.starts.capacity() * size_of::<u32>()
    }

    /// How many chunks it has.
    pub fn chunks(&self) -> u32 {
        self.starts.len() as u32
    }
}

impl Body {
    /// The list, when it is in RAM.
    pub fn list(&self) -> Option<&List> {
        match self {
            Self::Resident(list) => Some(list),
            Self::Stored(_) => None,
        }
    }

    /// How many rows it has.
    pub fn len(&self) -> u32 {
        match self {
            Self::Resident(list) => list.len(),
            Self::Stored(shape) => shape.len,
        }
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many rows are first occurrences of an address.
    pub fn fresh(&self) -> u32 {
        match self {
            Self::Resident(list) => list.fresh(),
            Self::Stored(shape) => shape.len - shape.repeats - shape.invalid(),
        }
    }

    /// How many rows repeat an earlier one.
    pub fn repeats(&self) -> u32 {
        match self {
            Self::Resident(list) => list.repeats(),
            Self::Stored(shape) => shape.repeats,
        }
    }

    /// How many rows are no address, for this reason.
    pub fn invalid(&self, reason: InvalidReason) -> u32 {
        match self {
            Self::Resident(list) => list.invalid(reason),
            Self::Stored(shape) => shape.invalid[reason as usize],
        }
    }

    /// Which chunk holds the row at `index`, and at which offset.
    ///
    /// # Panics
    /// When `index` is not below [`Body::len`].
    pub fn place(&self, index: u32) -> (u32, u16) {
        match self {
            Self::Resident(list) => list.place(index),
            Self::Stored(shape) => {
                let at = shape.starts.partition_point(|start| *start <= index) - 1;
                (at as u32, (index - shape.starts[at]) as u16)
            }
        }
    }

    /// The shape, when the rows are in the file.
    pub fn shape(&self) -> Option<&Shape> {
        match self {
            Self::Resident(_) => None,
            Self::Stored(shape) => Some(shape),
        }
    }

    /// Heap bytes it holds.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Resident(list) => list.bytes(),
            Self::Stored(shape) => shape.bytes(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{AddressKey, Chunk, Entry, Repeat};

    #[test]
    fn the_shape_of_a_stored_list_tells_what_the_list_would() {
        let mut invalid = [0; REASONS];
        invalid[InvalidReason::Empty as usize] = 3;
        let body = Body::Stored(Shape::new(vec![0, 1000, 1500], 2000, 7, invalid));

        assert_eq!((body.len(), body.fresh(), body.repeats()), (2000, 1990, 7));
        assert_eq!(body.invalid(InvalidReason::Empty), 3);
        assert_eq!((body.place(0), body.place(1499), body.place(1500)), ((0, 0), (1, 499), (2, 0)));
    }

    #[test]
    fn the_shape_of_a_list_in_ram_is_that_of_the_same_list_in_the_file() {
        let chunk = |entries: &[(&str, Entry)]| {
            let mut chunk = Chunk::default();
            entries.iter().for_each(|(text, entry)| chunk.push(text, *entry).unwrap());
            chunk
        };
        let first =
            chunk(&[("a@b.c", Entry::Fresh(AddressKey(1))), ("x", Entry::Invalid(InvalidReason::NoAtSign))]);
        let second = chunk(&[("A@b.c", Entry::Repeat)]);
        let list = List::new(vec![first, second], vec![Repeat { index: 2, first: 0 }]);
        let (in_file, in_ram) = (Body::Stored(Shape::of(&list)), Body::Resident(list));

        for body in [&in_file, &in_ram] {
            assert_eq!((body.len(), body.fresh(), body.repeats()), (3, 1, 1));
            assert_eq!(body.invalid(InvalidReason::NoAtSign), 1);
            assert_eq!((body.place(1), body.place(2)), ((0, 1), (1, 0)));
        }
    }
}
