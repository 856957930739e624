//! How this program was started, as the words of a command that work again in the same place.
//!
//! A hint that names a command is of use only if it can be pasted: somebody who came by `cargo run` has no
//! `faxplus-gateway` on the path. Reads the arguments and what cargo sets; refuses nothing.

use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
};

/// The name that the program has on the path.
const NAME: &str = "faxplus-gateway";

/// What tells how the program was started.
#[derive(Debug, Default)]
struct Start {
    /// The name that it was called by.
    called: PathBuf,
    /// The file that runs.
    program: PathBuf,
    /// Where.
    folder: PathBuf,
    /// The package, when cargo started it.
    package: Option<PathBuf>,
    /// The folders in which a shell looks for commands.
    path: Vec<PathBuf>,
}

/// The command, without arguments: `faxplus-gateway`, `cargo run --release --`, or a path.
pub(super) fn command() -> String {
    let path = env::var_os("PATH").unwrap_or_default();
    let start = Start {
        called: env::args_os().next().unwrap_or_default().into(),
        program: env::current_exe().unwrap_or_default(),
        folder: env::current_dir().unwrap_or_default(),
        // Both are set by `cargo run`, the first one alone also by hand.
        package: env::var_os("CARGO").and_then(|_| env::var_os("CARGO_MANIFEST_DIR")).map(PathBuf::from),
        path: env::split_paths(&path).collect(),
    };
    start.command()
}

impl Start {
    fn command(&self) -> String {
        if let Some(profile) = self.profile() {
            return match profile {
                "debug" => "cargo run --".to_owned(),
                "release" => "cargo run --release --".to_owned(),
                other => format!("cargo run --profile {other} --"),
            };
        }
        let is_on_path =
            |parent: &Path| parent.as_os_str().is_empty() || self.path.iter().any(|one| one == parent);
        match self.called.to_str() {
            Some(called) if !called.is_empty() && !self.called.parent().is_some_and(is_on_path) => {
                quoted(called)
            }
            Some(_) | None => self.called.file_name().and_then(OsStr::to_str).map_or(NAME.to_owned(), quoted),
        }
    }

    /// The profile by which cargo built the program, when cargo would find its package again.
    fn profile(&self) -> Option<&str> {
        self.package.as_ref().filter(|package| self.folder.starts_with(package))?;
        self.program.parent()?.file_name()?.to_str()
    }
}

/// A word that a shell takes as it stands.
fn quoted(word: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-+".contains(letter);
    if word.chars().all(is_plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKAGE: &str = env!("CARGO_MANIFEST_DIR");

    fn by_cargo(profile: &str, folder: &str) -> Start {
        Start {
            called: format!("target/{profile}/faxplus-gateway").into(),
            program: format!("/built/{profile}/faxplus-gateway").into(),
            folder: folder.into(),
            package: Some(PACKAGE.into()),
            path: vec!["/usr/bin".into()],
        }
    }

    #[test]
    fn cargo_runs_again_what_cargo_ran() {
        for (profile, command) in [
            ("debug", "cargo run --"),
            ("release", "cargo run --release --"),
            ("dist", "cargo run --profile dist --"),
        ] {
            assert_eq!(by_cargo(profile, PACKAGE).command(), command);
            assert_eq!(by_cargo(profile, &format!("{PACKAGE}/src")).command(), command);
        }
    }

    #[test]
    fn where_cargo_would_not_find_the_package_the_program_is_named_as_it_was_called() {
        assert_eq!(by_cargo("release", "/elsewhere").command(), "target/release/faxplus-gateway");
    }

    #[test]
    fn a_program_on_the_path_is_named_alone_and_another_one_with_its_path() {
        for (called, command) in [
            ("faxplus-gateway", "faxplus-gateway"),
            ("/usr/bin/faxplus-gateway", "faxplus-gateway"),
            ("/opt/faxplus-gateway", "/opt/faxplus-gateway"),
            ("./gateway", "./gateway"),
            ("/a b/it's", r"'/a b/it'\''s'"),
            ("", "faxplus-gateway"),
        ] {
            let start = Start { called: called.into(), path: vec!["/usr/bin".into()], ..Start::default() };
            assert_eq!(start.command(), command);
        }
    }
}
