//! What is taken for a store, and what is refused and left as it is.

use std::os::unix::fs::PermissionsExt as _;

use super::*;

const KEY: [u8; KEY_BYTES] = [7; KEY_BYTES];

#[test]
fn a_new_store_gets_a_key_that_it_keeps_and_files_for_their_owner_only() {
    let directory = tempfile::tempdir().unwrap();
    let database = directory.path().join("data/gateway.db");

    let first = Place::take(&database, KEY).unwrap();
    assert_eq!(first.key, KEY);
    drop(first);
    let second = Place::take(&database, [9; KEY_BYTES]).unwrap();

    assert_eq!(second.key, KEY);
    for name in ["gateway.db", "gateway.db.key", "gateway.db.lock"] {
        let mode = fs::metadata(directory.path().join("data").join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn a_store_is_in_use_under_all_of_its_names() {
    let (directory, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (database, link) = (directory.path().join("gateway.db"), other.path().join("link.db"));
    let first = Place::take(&database, KEY).unwrap();
    std::os::unix::fs::symlink(&database, &link).unwrap();

    assert!(matches!(Place::take(&link, KEY), Err(OpenError::InUse { .. })));
    drop(first);
    assert_eq!(Place::take(&link, [9; 16]).unwrap().key, KEY);
}

#[test]
fn a_key_that_others_could_read_is_closed_to_them() {
    let directory = tempfile::tempdir().unwrap();
    let database = directory.path().join("gateway.db");
    let key = Place::take(&database, KEY).unwrap().key_path();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();

    drop(Place::take(&database, KEY).unwrap());

    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, OWNER_ONLY);
}

#[test]
fn a_store_in_use_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let database = directory.path().join("gateway.db");
    let first = Place::take(&database, KEY).unwrap();

    assert!(matches!(Place::take(&database, KEY), Err(OpenError::InUse { .. })));

    drop(first);
    assert!(Place::take(&database, KEY).is_ok());
}

#[test]
fn a_store_without_its_key_or_with_another_thing_in_its_place_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let database = directory.path().join("gateway.db");
    drop(Place::take(&database, KEY).unwrap());
    let tables = "CREATE TABLE resends (x); CREATE TABLE facts (x)";
    rusqlite::Connection::open(&database).unwrap().execute_batch(tables).unwrap();
    let key = directory.path().join("gateway.db.key");

    for strange in [&b"not a key\n"[..], b"\xff\x00"] {
        fs::write(&key, strange).unwrap();
        assert!(matches!(Place::take(&database, KEY), Err(OpenError::KeyMalformed { .. })));
    }
    fs::remove_file(&key).unwrap();
    fs::remove_file(beside(&database, "lock")).unwrap();
    let error = Place::take(&database, KEY).unwrap_err();

    assert!(error.to_string().contains("put the key back"), "{error}");
    assert!(!key.exists() && !beside(&database, "lock").exists());
}

#[test]
fn an_empty_file_becomes_a_store_and_what_is_no_store_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let database = directory.path().join("gateway.db");
    fs::write(&database, "").unwrap();
    assert_eq!(Place::take(&database, KEY).unwrap().key, KEY);

    for (number, (what, make)) in strangers().into_iter().enumerate() {
        let path = directory.path().join(format!("{number}.db"));
        make(&path);

        let error = Place::take(&path, KEY).unwrap_err().to_string();

        assert!(error.contains(path.to_str().unwrap()) && error.contains(what), "{what}: {error}");
        for beside_it in ["lock", "key"] {
            assert!(!beside(&path, beside_it).exists(), "{what}: a {beside_it} was made");
        }
    }
}

#[test]
fn a_path_below_a_file_is_told_as_no_directory() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("text"), "").unwrap();

    for below in ["text/x.db", "text/x/y.db"] {
        let error = Place::take(&directory.path().join(below), KEY).unwrap_err().to_string();

        assert!(error.to_lowercase().contains("not a directory"), "{below}: {error}");
    }
}

#[test]
fn a_store_whose_tables_are_in_its_log_alone_asks_for_its_key() {
    let directory = tempfile::tempdir().unwrap();
    let database = directory.path().join("gateway.db");
    let connection = rusqlite::Connection::open(&database).unwrap();
    connection.execute_batch(concat!("PRAGMA journal_mode = WAL;", include_str!("../schema/1.sql"))).unwrap();

    let error = Place::take(&database, KEY).unwrap_err();

    assert!(matches!(error, OpenError::KeyMissing { .. }), "{error}");
    drop(connection);
}

/// The words that something is told with, and what makes it.
type Stranger = (&'static str, fn(&Path));

/// What may lie at the path of a store by mistake.
fn strangers() -> [Stranger; 9] {
    [
        ("Is a directory", |path| fs::create_dir(path).unwrap()),
        ("a named pipe", |path| {
            let made = std::process::Command::new("mkfifo").arg(path).status();
            assert!(made.unwrap().success());
        }),
        ("a socket", |path| drop(std::os::unix::net::UnixListener::bind(path).unwrap())),
        ("not a database", |path| fs::write(path, "email\nann@example.com\n").unwrap()),
        ("a symbolic link to a file that does not exist", |path| {
            std::os::unix::fs::symlink("nothing.db", path).unwrap();
        }),
        ("not a database", |path| {
            fs::write(path, b"SQLite format 3\0").unwrap();
        }),
        ("a database without the tables of the gateway", |path| {
            let connection = rusqlite::Connection::open(path).unwrap();
            let dropped = "PRAGMA user_version = 7; CREATE TABLE users (x); DROP TABLE users";
            connection.execute_batch(dropped).unwrap();
        }),
        // A program that runs: its tables are in its log.
        ("the database of another program", |path| {
            let connection = rusqlite::Connection::open(path).unwrap();
            connection.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE users (x)").unwrap();
            std::mem::forget(connection);
        }),
        ("the database of another program", |path| {
            let connection = rusqlite::Connection::open(path).unwrap();
            connection.execute_batch("CREATE TABLE resends (x); CREATE TABLE users (x)").unwrap();
        }),
    ]
}
