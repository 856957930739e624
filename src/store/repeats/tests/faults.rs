//! What is left behind, and what is said when the disk does not play along.

use std::fs::{self, File};

use super::super::{merge::Merge, runs::Runs, scratch::Scratch, sorter::Sorter};
use super::*;

fn names(directory: &Path) -> usize {
    fs::read_dir(directory).unwrap().count()
}

#[test]
fn the_directory_stays_empty_from_the_first_entry_to_the_last_repeat() {
    let directory = tempfile::tempdir().unwrap();
    let mut finder = RepeatFinder::new(directory.path(), TINY);
    for index in 0..200 {
        finder.add(AddressKey(u128::from(index % 60)), index).unwrap();
        assert_eq!(names(directory.path()), 0);
    }

    let mut repeats = finder.finish().unwrap();

    assert_eq!(names(directory.path()), 0);
    assert!(repeats.in_order.by_ref().all(|repeat| repeat.is_ok() && names(directory.path()) == 0));
    drop(repeats);
    assert_eq!(names(directory.path()), 0);
}

#[test]
fn a_list_that_fits_the_memory_needs_no_file() {
    let nowhere = Path::new("/nowhere/at/all");
    let keys: Vec<_> = (0..65_536).map(|index| index % 40_000).collect();

    assert_eq!(found(nowhere, Options::default(), &keys), expected(&keys));
}

#[test]
fn a_directory_that_cannot_be_written_is_told() {
    let file = tempfile::NamedTempFile::new().unwrap();
    // Not even root makes files in the last one.
    for directory in [Path::new("/nowhere/at/all"), file.path(), Path::new("/proc")] {
        let mut finder = finder_of(directory, TINY, &[1, 2, 3, 1]);

        let error = finder.add(AddressKey(5), 4).unwrap_err();

        assert!(matches!(error, RepeatError::Create { .. }), "{error}");
        assert!(!error.is_full());
        assert!(!error.to_string().contains("nowhere"), "{error}");
    }
}

#[test]
fn an_entry_that_was_not_taken_can_be_offered_again() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("later");
    let keys = [1, 2, 3, 1, 2, 9];
    let mut finder = finder_of(&directory, TINY, &keys[..4]);
    finder.add(AddressKey(2), 4).unwrap_err();

    fs::create_dir(&directory).unwrap();
    finder.add(AddressKey(2), 4).unwrap();
    finder.add(AddressKey(9), 5).unwrap();

    let repeats: Vec<_> = finder.finish().unwrap().in_order.map(Result::unwrap).collect();
    assert_eq!(repeats, expected(&keys).0);
}

#[test]
fn a_full_disk_is_told_as_such() {
    let mut finder = RepeatFinder::new(Path::new("/dev"), TINY);
    let full = File::options().read(true).write(true).open("/dev/full").unwrap();
    finder.by_key.runs = Some(Runs::from(Scratch::from(full)));
    for index in 0..4 {
        finder.add(AddressKey(1), index).unwrap();
    }

    let error = finder.add(AddressKey(1), 4).unwrap_err();

    assert!(matches!(error, RepeatError::Write { .. }), "{error}");
    assert!(error.is_full());
    assert!(finder.finish().unwrap_err().is_full());
}

#[test]
fn a_file_that_was_cut_short_is_told_and_ends_the_stream() {
    let directory = tempfile::tempdir().unwrap();
    let mut sorter = Sorter::new(directory.path().to_owned(), TINY);
    for index in 0..8 {
        sorter.push(Keyed::new(AddressKey(0), index)).unwrap();
    }
    sorter.spill().unwrap();
    let runs = sorter.runs.unwrap();
    let file = runs.scratch.file.try_clone().unwrap();
    let mut merge: Merge<Keyed> = runs.into_merge(TINY).unwrap();
    file.set_len(0).unwrap();

    let read: Vec<_> = merge.by_ref().collect();

    let (last, before) = read.split_last().unwrap();
    assert!(matches!(last, Err(RepeatError::Read { .. })));
    assert!(before.len() < 8 && before.iter().all(Result::is_ok));
    assert!(merge.next().is_none());
}
