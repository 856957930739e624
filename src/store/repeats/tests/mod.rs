//! The finder against a map of first positions, with so little memory that every stage is exercised.

mod cost;
mod faults;
mod model;

use std::{collections::BTreeMap, path::Path};

use super::*;
use crate::domain::Repeat;

/// Room for four entries of a list or for twelve results; two runs are read side by side.
const TINY: Options = Options { memory_bytes: 4 * size_of::<Keyed>(), read_bytes: 48 };

fn finder_of(directory: &Path, options: Options, keys: &[u128]) -> RepeatFinder {
    let mut finder = RepeatFinder::new(directory, options);
    for (index, key) in (0..).zip(keys) {
        finder.add(AddressKey(*key), index).unwrap();
    }
    finder
}

fn found(directory: &Path, options: Options, keys: &[u128]) -> (Vec<Repeat>, Vec<Repeated>) {
    let repeats = finder_of(directory, options, keys).finish().unwrap();
    let total = repeats.total;
    let in_order: Vec<_> = repeats.in_order.map(Result::unwrap).collect();
    let firsts: Vec<_> = repeats.firsts.map(Result::unwrap).collect();
    assert_eq!(total as usize, in_order.len());
    (in_order, firsts)
}

fn expected(keys: &[u128]) -> (Vec<Repeat>, Vec<Repeated>) {
    let (mut places, mut counts) = (BTreeMap::new(), BTreeMap::new());
    let mut repeats = Vec::new();
    for (index, key) in (0..).zip(keys) {
        let first = *places.entry(*key).or_insert(index);
        if first != index {
            repeats.push(Repeat { index, first });
            *counts.entry(first).or_default() += 1;
        }
    }
    (repeats, counts.into_iter().map(|(first, repeats)| Repeated { first, repeats }).collect())
}
