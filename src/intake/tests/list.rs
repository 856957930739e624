//! The list against a map from send forms to first positions.

use std::collections::HashMap;

use proptest::collection::vec;
use proptest::prelude::*;

use super::as_told;
use crate::domain::{CHUNK_ADDRESSES, Entry, InvalidReason, List};
use crate::intake::{Address, Full, KeyHasher, ListBuilder, Sink};

fn hasher() -> KeyHasher {
    KeyHasher::new(*b"0123456789abcdef", true)
}

fn built(texts: &[String]) -> List {
    let mut builder = ListBuilder::new(hasher(), 0);
    for text in texts {
        builder.element(text, false).unwrap();
    }
    assert_eq!(builder.len() as usize, texts.len());
    builder.finish()
}

/// Proves every answer of the list.
fn is_as_the_map_says(list: &List, texts: &[String]) {
    let mut firsts: HashMap<String, u32> = HashMap::new();
    let mut repeats: HashMap<u32, u32> = HashMap::new();
    let mut invalid: HashMap<InvalidReason, u32> = HashMap::new();
    assert_eq!(list.len() as usize, texts.len());
    for (index, text) in texts.iter().enumerate() {
        let index = index as u32;
        assert_eq!(list.text(index), as_told(text).0);
        match Address::parse(text) {
            Ok(address) => {
                let first = *firsts.entry(address.as_str().to_ascii_lowercase()).or_insert(index);
                if first == index {
                    assert_eq!(list.entry(index), Entry::Fresh(hasher().key(&address)));
                    assert_eq!(list.first_of(index), None);
                } else {
                    assert_eq!(list.entry(index), Entry::Repeat);
                    assert_eq!(list.first_of(index), Some(first));
                    *repeats.entry(first).or_default() += 1;
                }
            }
            Err(reason) => {
                assert_eq!(list.entry(index), Entry::Invalid(reason));
                *invalid.entry(reason).or_default() += 1;
            }
        }
    }
    for index in 0..list.len() {
        assert_eq!(list.repeats_of(index), repeats.get(&index).copied().unwrap_or(0));
    }
    for reason in InvalidReason::ALL {
        assert_eq!(list.invalid(*reason), invalid.get(reason).copied().unwrap_or(0));
    }
    assert_eq!(list.fresh() as usize, firsts.len());
}

fn element() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[a-cA-C]{1,2}@[xX]\\.(de|DE)",
        1 => "[a-c]{1,3}",
        1 => " ?[a-c]@\u{fc}\\.de",
        1 => (1000..1030_usize).prop_map(|length| "a".repeat(length)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn repeats_are_found_exactly(texts in vec(element(), 0..200)) {
        is_as_the_map_says(&built(&texts), &texts);
    }
}

#[test]
fn repeats_are_found_across_chunks_of_all_sizes() {
    let mut state = 1_u64;
    let mut random = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) % below
    };
    let texts: Vec<String> = (0..30_000)
        .map(|_| match random(10) {
            0 => "y".repeat(random(1500) as usize),
            1 => format!("Someone{}@Example.com", random(4000)),
            _ => format!("someone{}@example.com", random(20_000)),
        })
        .collect();

    is_as_the_map_says(&built(&texts), &texts);
}

#[test]
fn the_limit_is_told_and_exact() {
    let mut builder = ListBuilder::new(hasher(), 3);
    for text in ["a@b.de", "a@b.de", "nobody"] {
        builder.element(text, false).unwrap();
    }

    assert_eq!(builder.element("c@b.de", false), Err(Full::TooManyAddresses { limit: 3 }));
    assert_eq!(builder.len(), 3);
}

#[test]
fn no_limit_is_that_of_the_index() {
    for none in [0, u64::MAX] {
        assert!(ListBuilder::new(hasher(), none).element("a@b.de", false).is_ok());
    }
}

#[test]
fn an_element_too_long_is_invalid_whatever_it_begins_with() {
    let mut builder = ListBuilder::new(hasher(), 0);
    builder.element("a@b.de", true).unwrap();
    builder.element(&"é".repeat(600), false).unwrap();
    builder.element(&("a@b.de".to_owned() + &" ".repeat(1024)), false).unwrap();

    let list = builder.finish();

    assert_eq!(list.invalid(InvalidReason::TooLong), 3);
    assert_eq!(list.text(1).len(), 1024);
}

#[test]
fn memory_an_address_is_told_and_small() {
    let mut builder = ListBuilder::new(hasher(), 0);
    assert!(builder.is_empty() && builder.bytes() < 64);
    let addresses = 50 * CHUNK_ADDRESSES;
    let mut text_bytes = 0;
    for number in 0..addresses {
        let text = format!("someone{number}@example.com");
        text_bytes += text.len();
        builder.element(&text, false).unwrap();
    }

    let told = builder.bytes();
    let list = builder.finish();

    assert!(told >= list.bytes(), "{told} covers what the list keeps, {}", list.bytes());
    let overhead = (told - text_bytes) as f64 / addresses as f64;
    assert!((24.0..32.0).contains(&overhead), "{overhead} bytes an address beside its text");
    assert!(list.bytes() < text_bytes + addresses * 20, "complete chunks have no spare room");
}
