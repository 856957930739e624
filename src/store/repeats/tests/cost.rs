//! What a search takes: bytes, open files and, on request, seconds.

use std::fs;

use super::*;

fn mixed(index: u64) -> u128 {
    let mut state = index.wrapping_add(0x9E37_79B9_7F4A_7C15);
    state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    u128::from(state ^ (state >> 31)) << 64 | u128::from(index)
}

#[test]
fn the_bytes_it_holds_are_told_and_stay_within_the_option() {
    let directory = tempfile::tempdir().unwrap();
    let options = Options { memory_bytes: 24_000, read_bytes: 1000 };
    let mut finder = RepeatFinder::new(directory.path(), options);
    assert_eq!(finder.bytes(), 0);
    for index in 0..50_000 {
        finder.add(AddressKey(mixed(index)), index as u32).unwrap();
        // Beside the entries, where their runs lie: 16 bytes each, and spare room for as many.
        assert!(finder.bytes() <= 24_000 + 32 * 64, "{} bytes", finder.bytes());
    }
    assert!(finder.bytes() >= 24_000);

    finder.spill().unwrap();

    assert!(finder.bytes() <= 32 * 64);
}

/// Run it alone, in a `dist` build, with the number of entries in `ENTRIES`:
/// `cargo test --profile dist --lib a_long_list_takes -- --ignored --nocapture`.
#[test]
#[ignore = "measures; only meaningful alone and in a `dist` build"]
fn a_long_list_takes_seconds_and_a_few_mebibytes() {
    let entries: u32 = std::env::var("ENTRIES").map_or(5_000_000, |text| text.parse().unwrap());
    let apart = u64::from(entries / 5 * 4);
    let lists: [(&str, &dyn Fn(u64) -> u128); 4] = [
        ("all different", &mixed),
        ("all equal", &|_| 7),
        ("repeats far apart", &|index| mixed(index % apart)),
        ("each twice", &|index| mixed(index / 2)),
    ];
    // Once: what the allocator keeps after a list counts for the next one too.
    let before = resident_kib();
    for (name, key) in lists {
        let directory = tempfile::tempdir().unwrap();
        fs::write("/proc/self/clear_refs", "5").unwrap();
        let start = tokio::time::Instant::now();
        let mut finder = RepeatFinder::new(directory.path(), Options::default());
        for index in 0..entries {
            finder.add(AddressKey(key(u64::from(index))), index).unwrap();
        }
        let added = start.elapsed();
        let repeats = finder.finish().unwrap();
        let finished = start.elapsed();
        let read = repeats.in_order.map(Result::unwrap).count();
        let firsts = repeats.firsts.map(Result::unwrap).count();
        let (all, peak) = (start.elapsed(), resident_kib() - before);
        println!(
            "{entries} {name}: {read} repeats of {firsts}; {added:.2?} added, {finished:.2?} finished, \
             {all:.2?} read; {peak} KiB more at the peak"
        );
        assert_eq!(repeats.total as usize, read);
        assert!(peak <= 8192, "{peak} KiB");
    }
}

/// Most memory that was resident since the mark was last reset.
fn resident_kib() -> i64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
