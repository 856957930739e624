//! What is wrong with the store's files at the start.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use rusqlite::Connection;
use tempfile::TempDir;

use crate::process::{Ended, Process, gateway_environment};

/// Nobody listens there, and nobody is called.
const UPSTREAM: &str = "http://127.0.0.1:9/v3";

/// The store of a gateway that ran and was stopped.
pub async fn used_store() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gateway.db");
    let mut process = start(&path);
    let (address, _) = process.addresses().await;
    let emails: Vec<_> = (0..3000).map(|number| format!("a{number}@example.com")).collect();
    let post = "POST /v1/resends HTTP/1.1\r\nContent-Type: application/json\r\nPrefer: respond-async";
    let answer = crate::client::exchange(address, post, &serde_json::to_vec(&emails).unwrap()).await;
    assert_eq!(answer.unwrap().status, 202);
    process.signal("TERM");
    assert_eq!(process.end().await.code, Some(0));
    let names: BTreeSet<_> =
        fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(
        names,
        ["gateway.db", "gateway.db.key", "gateway.db.lock"].map(OsString::from).into(),
        "left open"
    );
    (directory, path)
}

fn environment(path: &Path) -> Vec<(&str, &str)> {
    gateway_environment(
        UPSTREAM,
        &[
            ("FAXPLUS_GATEWAY__CREDENTIALS__TOKEN", "token"),
            ("FAXPLUS_GATEWAY__SERVER__DRAIN_TIMEOUT_SECONDS", "1"),
            ("FAXPLUS_GATEWAY__STORE__PATH", path.to_str().unwrap()),
        ],
    )
}

pub fn start(path: &Path) -> Process {
    Process::start(&["serve"], &environment(path))
}

/// Starts on `path` and checks that it ends with one line about `culprit` that says `why` and `what_to_do`.
async fn is_refused(path: &Path, culprit: &Path, why: &str, what_to_do: &str) {
    tells(&start(path).end().await, culprit, why, what_to_do);
}

fn tells(ended: &Ended, culprit: &Path, why: &str, what_to_do: &str) {
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stdout.is_empty() && !ended.stderr.contains("panicked"), "{}", ended.stderr);
    assert!(!ended.stderr.contains("@example.com"), "an address is in what it wrote");
    let lines: Vec<_> = ended.stderr.lines().filter(|line| !line.starts_with('{')).collect();
    let [line] = lines[..] else { panic!("not one line: {}", ended.stderr) };
    assert!(line.starts_with("faxplus-gateway: store.path: "), "{line}");
    for word in [culprit.to_str().unwrap(), why, what_to_do] {
        assert!(line.contains(word), "no {word:?} in: {line}");
    }
}

fn beside(path: &Path, what: &str) -> PathBuf {
    PathBuf::from(format!("{}.{what}", path.display()))
}

#[actix_web::test]
async fn a_directory_that_is_read_only_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gateway.db");
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o555)).unwrap();
    // Root may write all the same, but not there.
    let is_root = fs::write(directory.path().join("probe"), "").is_ok();
    let path = if is_root { PathBuf::from("/proc/gateway.db") } else { path };

    is_refused(&path, &beside(&path, "lock"), "(os error", "must be able to write").await;
}

#[actix_web::test]
async fn a_directory_that_can_not_be_made_is_named() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("file"), "").unwrap();
    let parent = directory.path().join("file/data");

    is_refused(&parent.join("gateway.db"), &parent, "Not a directory", "must be able to write").await;
}

#[actix_web::test]
async fn a_disk_that_is_full_at_the_start_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gateway.db");

    let ended = Process::start_after("ulimit -f 0;", &["serve"], &environment(&path)).end().await;

    tells(&ended, directory.path(), "File too large", "must be able to write");
    // Nothing half made is in the way once there is room.
    let mut process = start(&path);
    process.addresses().await;
}

#[actix_web::test]
async fn a_path_that_is_a_directory_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gateway.db");
    fs::create_dir(&path).unwrap();
    fs::write(beside(&path, "key"), format!("{:032x}\n", 7)).unwrap();

    is_refused(&path, &path, "Is a directory", "must be able to write").await;
}

#[actix_web::test]
async fn a_path_of_something_else_is_told_as_what_it_is_and_nothing_is_made_beside_it() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::create_dir(at("directory")).unwrap();
    fs::write(at("list.csv"), "email\nann@example.com\n").unwrap();
    let foreign = Connection::open(at("other.db")).unwrap();
    foreign.execute_batch("PRAGMA user_version = 1; CREATE TABLE people (email TEXT)").unwrap();
    drop(foreign);
    let made = std::process::Command::new("mkfifo").arg(at("pipe")).status();
    assert!(made.unwrap().success());
    let before = fs::read(at("other.db")).unwrap();

    for (name, why, what_to_do) in [
        ("directory", "Is a directory", "name a file in it"),
        ("list.csv", "not a database", "name a file"),
        ("other.db", "the database of another program", "name a file"),
        ("pipe", "a named pipe", "name a file"),
    ] {
        is_refused(&at(name), &at(name), why, what_to_do).await;
    }

    let names: BTreeSet<_> =
        fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["directory", "list.csv", "other.db", "pipe"].map(OsString::from).into());
    assert!(fs::read(at("other.db")).unwrap() == before, "it was changed");
}

#[actix_web::test]
async fn the_database_of_another_program_is_left_alone_even_beside_a_key() {
    let (_directory, path) = used_store().await;
    fs::remove_file(&path).unwrap();
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE people (email TEXT)").unwrap();
    let before = fs::read(&path).unwrap();

    is_refused(&path, &path, "the database of another program", "backup").await;

    assert!(fs::read(&path).unwrap() == before, "it was changed");
}

#[actix_web::test]
async fn a_file_that_can_not_be_read_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gateway.db");
    fs::write(&path, "not for everybody").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    // Root reads it all the same, and finds what it is.
    let why = if fs::read(&path).is_ok() { "not a database" } else { "Permission denied" };

    is_refused(&path, &path, why, "").await;
}

#[actix_web::test]
async fn an_empty_file_becomes_the_store() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gateway.db");
    fs::write(&path, "").unwrap();

    start(&path).addresses().await;
}

#[actix_web::test]
async fn a_file_that_is_no_database_is_left_alone() {
    let (_directory, path) = used_store().await;
    fs::write(&path, "garbage ".repeat(10_000)).unwrap();

    is_refused(&path, &path, "not a database", "backup").await;

    assert_eq!(fs::read_to_string(&path).unwrap(), "garbage ".repeat(10_000));
}

#[actix_web::test]
async fn a_file_that_is_damaged_in_the_middle_is_refused() {
    let (_directory, path) = used_store().await;
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 3..bytes.len() * 2 / 3;
    bytes[middle].fill(0xA5);
    fs::write(&path, bytes).unwrap();

    is_refused(&path, &path, "is damaged", "backup").await;
}

#[actix_web::test]
async fn a_file_that_was_cut_off_is_refused() {
    let (_directory, path) = used_store().await;
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();

    is_refused(&path, &path, "is damaged", "backup").await;
}

#[actix_web::test]
async fn a_file_of_a_later_version_is_left_alone() {
    let (_directory, path) = used_store().await;
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let before = fs::read(&path).unwrap();

    is_refused(&path, &path, "format 99", "run that version").await;

    assert!(fs::read(&path).unwrap() == before, "it was changed");
}

#[actix_web::test]
async fn a_file_in_use_is_refused_until_its_process_has_ended() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gateway.db");
    let mut first = start(&path);
    first.addresses().await;

    is_refused(&path, &path, "in use by another process", "can't share one file").await;

    first.signal("KILL");
    drop(first.end().await);
    start(&path).addresses().await;
}

#[actix_web::test]
async fn a_store_without_its_key_is_refused_and_gets_no_new_one() {
    let (_directory, path) = used_store().await;
    let key = beside(&path, "key");
    fs::rename(&key, beside(&path, "elsewhere")).unwrap();

    is_refused(&path, &key, "is missing", "put the key back").await;

    assert!(!key.exists());
    fs::rename(beside(&path, "elsewhere"), &key).unwrap();
    start(&path).addresses().await;
}

#[actix_web::test]
async fn a_key_that_is_none_is_refused() {
    let (_directory, path) = used_store().await;
    let key = beside(&path, "key");
    for wrong in ["", "short\n", &"x".repeat(32), &"1".repeat(33)] {
        fs::write(&key, wrong).unwrap();
        is_refused(&path, &key, "holds no key", "put the key back").await;
        assert_eq!(fs::read_to_string(&key).unwrap(), wrong);
    }
}

#[actix_web::test]
async fn a_key_that_can_not_be_read_is_named() {
    let (_directory, path) = used_store().await;
    let key = beside(&path, "key");
    fs::remove_file(&key).unwrap();
    // Nobody can read this, not even root.
    fs::create_dir(&key).unwrap();

    is_refused(&path, &key, "Is a directory", "must be able to").await;
}

#[actix_web::test]
async fn the_key_of_another_store_is_refused() {
    let (_directory, path) = used_store().await;
    let key = beside(&path, "key");
    fs::write(&key, format!("{:032x}\n", 7)).unwrap();

    is_refused(&path, &key, "another store", "put the key back").await;
}
