//! The layers of the crate: a module imports only from rooms below it, and what a crate is for stays in
//! its room. Reads the sources as text.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The rooms from the ground up. Those of one row never import each other, but for the last, where the
/// program is put together.
const ROWS: [&[&str]; 8] = [
    &["domain"],
    &["config"],
    &["outbound", "telemetry", "clients"],
    &["upstream", "recent", "store", "intake"],
    &["dispatch"],
    &["resends"],
    &["api"],
    &["cli", "startup", "shutdown"],
];
const LONGEST_FILE: usize = 300;

struct Source {
    path: String,
    room: String,
    /// Without the unit tests at its end.
    code: String,
    lines: usize,
}

fn row(room: &str) -> Option<usize> {
    ROWS.iter().position(|rooms| rooms.contains(&room))
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    let own = |path: &PathBuf| {
        let relative = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(path).unwrap();
        let room = relative.split(['/', '.']).next().unwrap().to_owned();
        let code = text.split("#[cfg(test)]").next().unwrap().to_owned();
        Source { path: relative, room, lines: text.lines().count(), code }
    };
    let is_test = |path: &PathBuf| {
        path.components().any(|part| part.as_os_str().to_str().unwrap().starts_with("tests"))
    };
    files.iter().filter(|path| !is_test(path)).map(own).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The rooms that a source names with `crate::`, also inside `use crate::{...}`. Comments do not count.
fn imported(code: &str) -> BTreeSet<String> {
    let code: String =
        code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let mut rooms = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        match rest.strip_prefix('{') {
            None => drop(rooms.insert(word(rest))),
            Some(group) => rooms.extend(heads(group)),
        }
    }
    rooms.remove("");
    rooms
}

/// The first word of each branch of a group, up to the brace that closes it.
fn heads(group: &str) -> Vec<String> {
    let (mut depth, mut heads, mut expects) = (0, Vec::new(), true);
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => expects = true,
            _ if letter.is_whitespace() => {}
            _ if expects && depth == 0 => {
                heads.push(word(&group[at..]));
                expects = false;
            }
            _ => {}
        }
    }
    heads
}

fn word(text: &str) -> String {
    text.chars().take_while(|letter| letter.is_ascii_alphanumeric() || *letter == '_').collect()
}

/// Why `room` may not import `other`; `None` when it may.
fn offence(room: &str, other: &str) -> Option<String> {
    if room == other || row(other).is_none() && other != "sandbox" {
        return None;
    }
    let allowed = match (room, other) {
        ("sandbox", other) => other == "domain",
        ("cli" | "startup", "sandbox") => true,
        (_, "sandbox") => false,
        ("main" | "lib", _) => true,
        (room, other) => match (row(room), row(other)) {
            (Some(own), Some(others)) => others < own || own == ROWS.len() - 1 && others == own,
            _ => false,
        },
    };
    (!allowed).then(|| format!("{room} imports {other}"))
}

#[test]
fn a_room_imports_only_from_rooms_below_it() {
    let offences: Vec<_> = sources()
        .iter()
        .flat_map(|source| {
            imported(&source.code)
                .iter()
                .filter_map(|other| offence(&source.room, other))
                .map(|why| format!("src/{}: {why}", source.path))
                .collect::<Vec<_>>()
        })
        .collect();

    assert!(offences.is_empty(), "{offences:#?}");
}

#[test]
fn each_crate_stays_in_its_room() {
    let homes: [(&str, &[&str]); 5] = [
        ("actix_web::", &["api", "startup", "shutdown", "main", "telemetry", "cli"]),
        ("moka::", &["recent"]),
        ("awc::", &["outbound", "upstream", "cli"]),
        ("prometheus::", &["telemetry"]),
        ("rustls::", &["outbound"]),
    ];
    for source in sources() {
        for (name, rooms) in homes {
            let uses =
                source.code.lines().any(|line| !line.trim_start().starts_with("//") && line.contains(name));
            assert!(!uses || rooms.contains(&source.room.as_str()), "src/{} uses {name}", source.path);
        }
    }
}

#[test]
fn each_file_says_what_it_is_for_and_is_no_longer_than_it_may_be() {
    for Source { path, code, lines, .. } in sources() {
        assert!(code.starts_with("//!"), "src/{path} does not open with what it does");
        assert!(lines <= LONGEST_FILE, "src/{path} has {lines} lines");
        for banned in [".unwrap()", "unbounded_channel", "TODO", "FIXME", "XXX"] {
            assert!(!code.contains(banned), "src/{path} has {banned}");
        }
    }
}

#[test]
fn imports_are_found_in_every_form_and_judged() {
    let code = "use crate::{\n    config::{A, b::C},\n    domain::D,\n};\nuse crate::api::X;\nlet y = crate::store::Y;\n// crate::cli";

    let rooms: Vec<_> = imported(code).into_iter().collect();

    assert_eq!(rooms, ["api", "config", "domain", "store"]);
    assert!(offence("dispatch", "api").is_some());
    assert!(offence("recent", "store").is_some());
    assert!(offence("sandbox", "config").is_some());
    assert!(offence("api", "sandbox").is_some());
    assert!(offence("cli", "startup").is_none());
    assert!(offence("dispatch", "recent").is_none());
}
