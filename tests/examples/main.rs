//! The README's examples against the real binary: each block that calls the gateway is run, from the first to the
//! last as a reader would, and must answer what the README shows behind it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects")]
#![allow(unreachable_pub, dead_code, reason = "shared with other test binaries")]

mod agreement;
mod blocks;
#[path = "../support/process.rs"]
mod process;
mod run;
mod tools;

use agreement::{SameId, agree};
use blocks::{Example, Language, examples};
use process::Process;
use run::{Place, run, start};
use tools::runnable;

const README: &str = include_str!("../../README.md");
const IN_RUST: &str = include_str!("rust/resend.rs");

#[actix_web::test]
async fn every_example_of_the_readme_runs_and_answers_what_is_shown() {
    let examples = examples(README);
    let languages =
        [Language::Serve, Language::Shell, Language::Python, Language::JavaScript, Language::Rust];
    for language in languages {
        assert!(examples.iter().any(|example| example.language == language), "no {language:?} in the README");
    }
    let runnable = runnable(&languages);
    let folder = tempfile::tempdir().unwrap();
    let mut ids: Vec<SameId> = Vec::new();
    let mut gateway: Option<(Process, Place)> = None;

    let mut faults = Vec::new();
    for example in &examples {
        if example.language == Language::Serve {
            // Those behind the first one need what examples in shell have made for them.
            if gateway.is_none() || runnable.contains(&Language::Shell) {
                end(gateway.take()).await;
                let mut process = start(&example.code, folder.path());
                let (api, admin) = process.addresses().await;
                let upstream = process.upstream().await;
                gateway = Some((process, Place { api, admin, upstream, folder: folder.path().to_owned() }));
            }
            continue;
        }
        if !runnable.contains(&example.language) {
            continue;
        }
        let (_, place) = gateway.as_ref().expect("the README starts a gateway before it calls one");
        match check(example, &ids, place) {
            Ok(same) => ids.extend(same),
            Err(why) => faults.push(format!("README.md:{}: {why}", example.line)),
        }
    }

    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
    end(gateway).await;
}

#[test]
fn the_example_in_rust_is_the_one_that_cargo_builds() {
    let examples = examples(README);
    let shown: Vec<_> = examples.iter().filter(|example| example.language == Language::Rust).collect();

    assert_eq!(shown.len(), 1);
    assert_eq!(shown[0].code, IN_RUST.trim_end(), "README.md against tests/examples/rust/resend.rs");
}

async fn end(gateway: Option<(Process, Place)>) {
    if let Some((process, _)) = gateway {
        process.signal("TERM");
        assert_eq!(process.end().await.code, Some(0));
    }
}

/// Runs an example, written for this gateway, and holds its answer against the one that is shown.
fn check(example: &Example, ids: &[SameId], place: &Place) -> Result<Vec<SameId>, String> {
    let mut code = place.name_in(&example.code);
    for (shown, told) in ids {
        code = code.replace(shown, told);
    }
    let output = run(example.language, &code, place);
    let told = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        return Err(format!("it failed ({}): {told}\n{errors}", output.status));
    }
    let Some(shown) = &example.shown else { return Ok(Vec::new()) };
    agree(shown, &told).map_err(|why| format!("{why}, but: {told}"))
}
