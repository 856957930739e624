//! What is found is what a map of first positions finds, whatever the list and the memory.

use proptest::{collection::vec, prelude::*};

use super::*;

fn agrees(options: Options, keys: &[u128]) {
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(found(directory.path(), options, keys), expected(keys));
}

/// Keys that differ in their low bits, in their high bits, or anywhere; few enough to meet again.
fn key() -> impl Strategy<Value = u128> {
    prop_oneof![
        4 => 0..40_u128,
        2 => (0..40_u128).prop_map(|key| key << 120),
        1 => any::<u128>(),
        1 => Just(u128::MAX),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn repeats_are_found_exactly(
        keys in vec(key(), 0..400),
        memory_bytes in 0..600_usize,
        read_bytes in 0..100_usize,
    ) {
        agrees(Options { memory_bytes, read_bytes }, &keys);
    }

    #[test]
    fn neither_the_order_of_adding_nor_a_spill_in_between_matters(
        keys in vec(key(), 1..100),
        turn in any::<prop::sample::Index>(),
        spills in vec(any::<bool>(), 100),
    ) {
        let directory = tempfile::tempdir().unwrap();
        let mut entries: Vec<_> = (0..).zip(&keys).collect();
        entries.rotate_left(turn.index(keys.len()));
        let mut finder = RepeatFinder::new(directory.path(), TINY);

        for ((index, key), spills) in entries.into_iter().zip(spills) {
            finder.add(AddressKey(*key), index).unwrap();
            if spills {
                finder.spill().unwrap();
            }
        }

        let repeats: Vec<_> = finder.finish().unwrap().in_order.map(Result::unwrap).collect();
        prop_assert_eq!(repeats, expected(&keys).0);
    }
}

#[test]
fn lists_that_a_partition_by_key_would_choke_on_are_searched_all_the_same() {
    let lists: [Vec<u128>; 7] = [
        Vec::new(),
        vec![7],
        vec![7; 1000],
        (0..1000).map(|index| index % 2).collect(),
        (0..1000).map(|index| (index % 90) << 121 | 5).collect(),
        (0..1000).map(|index| u128::MAX - index % 500).collect(),
        (0..1000).rev().collect(),
    ];
    for keys in lists {
        agrees(TINY, &keys);
        agrees(Options::default(), &keys);
    }
}

#[test]
fn a_list_longer_than_the_memory_of_the_program_as_it_runs_is_searched_exactly() {
    let keys: Vec<_> = (0..200_000_u128).map(|index| (index % 150_000).wrapping_mul(0x9E37 << 100)).collect();

    agrees(Options::default(), &keys);
}

#[test]
fn both_streams_can_be_read_side_by_side_a_chunk_at_a_time() {
    let directory = tempfile::tempdir().unwrap();
    let keys: Vec<_> = (0..500_u128).map(|index| index * index % 83).collect();
    let repeats = finder_of(directory.path(), TINY, &keys).finish().unwrap();
    let (mut in_order, mut firsts) = (repeats.in_order.peekable(), repeats.firsts.peekable());
    let (mut all_repeats, mut all_firsts) = (Vec::new(), Vec::new());

    for end in (0..=500).step_by(50) {
        let is_before = |index: u32| index < end;
        while let Some(found) = in_order.next_if(|next| next.as_ref().map_or(true, |r| is_before(r.index))) {
            all_repeats.push(found.unwrap());
        }
        while let Some(found) = firsts.next_if(|next| next.as_ref().map_or(true, |r| is_before(r.first))) {
            all_firsts.push(found.unwrap());
        }
    }

    assert_eq!((all_repeats, all_firsts), expected(&keys));
}

#[test]
fn a_finder_and_its_results_may_move_between_threads() {
    fn is_send<T: Send>() {}

    is_send::<RepeatFinder>();
    is_send::<Repeats>();
    is_send::<RepeatError>();
}
