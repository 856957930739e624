//! The tools that the README's examples are run with. Where one is missing the examples that need it are left out,
//! and that is said; with `README_EXAMPLES=all` it is a failure.

use std::{
    collections::BTreeMap,
    env,
    io::{self, Write as _},
    process::Command,
};

use crate::blocks::Language;

/// A command, the arguments it is tried with, and how Debian gets it.
type Tool = (&'static str, &'static [&'static str], &'static str);

const TIMEOUT: Tool = ("timeout", &["1", "true"], "coreutils");
const SHELL: [Tool; 5] = [
    TIMEOUT,
    ("bash", &["--version"], "bash"),
    ("curl", &["--version"], "curl"),
    ("gzip", &["--version"], "gzip"),
    ("seq", &["1"], "coreutils"),
];
const PYTHON: [Tool; 2] = [TIMEOUT, ("python3", &["--version"], "python3")];
/// Without `fetch` it is older than the examples ask for.
const JAVASCRIPT: [Tool; 2] = [TIMEOUT, ("node", &["-e", "fetch"], "nodejs; 18 or newer")];

/// What examples in a language are run with; a gateway is started without any.
fn tools(language: Language) -> &'static [Tool] {
    match language {
        Language::Serve => &[],
        Language::Shell => &SHELL,
        Language::Python => &PYTHON,
        Language::JavaScript => &JAVASCRIPT,
        Language::Rust => &[TIMEOUT],
    }
}

/// The languages of those given whose tools are all there. Each tool that is not is named on stderr, past what
/// cargo captures.
pub fn runnable(languages: &[Language]) -> Vec<Language> {
    let mut runnable = languages.to_vec();
    let mut missing = BTreeMap::new();
    for language in languages {
        for tool in tools(*language).iter().filter(|tool| !is_there(tool)) {
            runnable.retain(|other| other != language);
            missing.entry(*tool).or_insert_with(Vec::new).push(*language);
        }
    }
    let mut stderr = io::stderr();
    for ((command, _, package), languages) in &missing {
        let why = format!("{command} is missing (Debian: apt-get install {package})");
        writeln!(stderr, "README.md: {why}; its examples are left out: {languages:?}").unwrap();
    }
    let must = env::var("README_EXAMPLES").is_ok_and(|which| which == "all");
    assert!(!must || missing.is_empty(), "README_EXAMPLES=all asks for every example");
    runnable
}

fn is_there((command, arguments, _): &Tool) -> bool {
    Command::new(command).args(*arguments).output().is_ok_and(|output| output.status.success())
}
