//! The tools that the README's examples are run with. Where one is missing the examples that need it are left out,
//! and that is said; with `README_EXAMPLES=all` it is a failure.

use std::{
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
const JAVASCRIPT: [Tool; 2] = [TIMEOUT, ("node", &["-e", "fetch"], "nodejs, 18 or newer")];

/// What examples in a language are run with; for the gateway behind the first, what they were prepared with.
fn tools(language: Language) -> &'static [Tool] {
    match language {
        Language::Shell | Language::Serve => &SHELL,
        Language::Python => &PYTHON,
        Language::JavaScript => &JAVASCRIPT,
        Language::Rust => &[TIMEOUT],
    }
}

/// The languages of those given whose tools are all there. The others are named on stderr, past what cargo captures.
pub fn runnable(languages: &[Language]) -> Vec<Language> {
    let must = env::var("README_EXAMPLES").is_ok_and(|which| which == "all");
    let is_runnable = |language: &&Language| {
        let works = |tool: &&Tool| {
            let output = Command::new(tool.0).args(tool.1).output();
            output.is_ok_and(|output| output.status.success())
        };
        let Some((command, _, package)) = tools(**language).iter().find(|tool| !works(tool)) else {
            return true;
        };
        let why = format!("{command} is missing (Debian: apt-get install {package})");
        assert!(!must, "{why}, and README_EXAMPLES=all asks for every example");
        writeln!(io::stderr(), "README.md: examples in {language:?} are left out: {why}").unwrap();
        false
    };
    languages.iter().filter(is_runnable).copied().collect()
}
