//! The README's examples against the real binary: each block with curl and each block of Python is run, from the
//! first to the last as a reader would, and must answer what the README shows behind it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects")]
#![allow(unreachable_pub, dead_code, reason = "shared with other test binaries")]

mod agreement;
mod blocks;
#[path = "../support/process.rs"]
mod process;

use std::{
    env,
    path::Path,
    process::{Command, Output},
};

use agreement::{SameId, agree};
use blocks::{Example, Language, examples};
use process::Process;

const README: &str = include_str!("../../README.md");
/// Seconds that one example may take.
const PATIENCE: &str = "60";

#[actix_web::test]
async fn every_example_of_the_readme_runs_and_answers_what_is_shown() {
    require(&["bash", "curl", "gzip", "python3", "seq", "timeout"]);
    let examples = examples(README);
    for language in [Language::Shell, Language::Python] {
        assert!(examples.iter().any(|example| example.language == language), "no {language:?} in the README");
    }
    let environment = [
        ("FAXPLUS_GATEWAY__SERVER__LISTEN", "127.0.0.1:0"),
        ("FAXPLUS_GATEWAY__SERVER__ADMIN_LISTEN", "127.0.0.1:0"),
        ("FAXPLUS_GATEWAY__SERVER__DRAIN_DELAY_SECONDS", "0"),
        ("FAXPLUS_GATEWAY__LOG__FORMAT", "json"),
    ];
    let mut gateway = Process::start(&["serve", "--sandbox"], &environment);
    let (address, admin) = gateway.addresses().await;
    let folder = tempfile::tempdir().unwrap();
    let mut ids: Vec<SameId> = Vec::new();

    let mut faults = Vec::new();
    for example in &examples {
        let mut code = example.code.replace("127.0.0.1:8080", &address.to_string());
        code = code.replace("127.0.0.1:9090", &admin.to_string());
        for (shown, told) in &ids {
            code = code.replace(shown, told);
        }
        match check(example, &code, folder.path()) {
            Ok(same) => ids.extend(same),
            Err(why) => faults.push(format!("README.md:{}: {why}", example.line)),
        }
    }

    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
    gateway.signal("TERM");
    assert_eq!(gateway.end().await.code, Some(0));
}

/// Runs an example, written for this gateway, and holds its answer against the one that is shown.
fn check(example: &Example, code: &str, folder: &Path) -> Result<Vec<SameId>, String> {
    let output = run(example.language, code, folder);
    let told = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        return Err(format!("it failed ({}): {told}\n{errors}", output.status));
    }
    let Some(shown) = &example.shown else { return Ok(Vec::new()) };
    agree(shown, &told).map_err(|why| format!("{why}, but: {told}"))
}

/// Fails when one of these commands is not there: an example that is not run is not checked.
fn require(tools: &[&str]) {
    for tool in tools {
        let found = Command::new(tool).arg("--version").output();
        assert!(found.is_ok(), "{tool} is missing; install it to run the README's examples (.ci/run does)");
    }
}

/// Runs code in `folder`. What a shell example assigns, the later ones have.
fn run(language: Language, code: &str, folder: &Path) -> Output {
    let mut command = Command::new("timeout");
    match language {
        Language::Shell => {
            let state = "if [ -e .state ]; then . ./.state; fi\nset -a";
            let script = format!("{state}\n{code}\nexport -p > .state\n");
            command.args([PATIENCE, "bash", "-euo", "pipefail", "-c", &script]);
        }
        Language::Python => {
            command.args([PATIENCE, "python3", "-W", "error", "-c", code]);
        }
    }
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().to_lowercase().ends_with("_proxy") {
            command.env_remove(name);
        }
    }
    command.env("CURL_HOME", folder).current_dir(folder).output().unwrap()
}
