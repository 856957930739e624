//! Runs the README's examples: starts the gateways they talk to, and runs their code in a folder of their own.

use std::{
    env, fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use crate::{blocks::Language, process::Process};

/// Seconds that one example may take.
const PATIENCE: &str = "300";
/// The same, where cargo may have to build it first.
const PATIENCE_WITH_CARGO: &str = "1200";
const BINARY: &str = env!("CARGO_BIN_EXE_faxplus-gateway");

/// Where examples are run, and the gateway that they find there.
pub struct Place {
    pub api: SocketAddr,
    pub admin: SocketAddr,
    /// The simulated fax.plus.
    pub upstream: SocketAddr,
    pub folder: PathBuf,
}

impl Place {
    /// The code with this gateway's addresses for those that the README shows.
    pub fn name_in(&self, code: &str) -> String {
        let code = code.replace("127.0.0.1:8080", &self.api.to_string());
        let code = code.replace("127.0.0.1:9090", &self.admin.to_string());
        code.replace("127.0.0.1:8090", &self.upstream.to_string())
    }
}

/// Starts the gateway of a block on free ports: the variables before its command, a file among them found in
/// `folder`, and the arguments from `serve` on.
pub fn start(code: &str, folder: &Path) -> Process {
    let code = code.replace("\\\n", " ").replace("127.0.0.1:8090", "127.0.0.1:0");
    let words: Vec<_> = code.split_whitespace().collect();
    let serve = words.iter().position(|word| *word == "serve").expect("a block that serves");
    let own = words[..serve].iter().filter_map(|word| word.split_once('=')).map(|(name, value)| {
        let file = folder.join(value);
        (name, if file.is_file() { file.to_str().unwrap().to_owned() } else { value.to_owned() })
    });
    let own: Vec<_> = own.collect();
    let mut variables = vec![
        ("FAXPLUS_GATEWAY__SERVER__LISTEN", "127.0.0.1:0"),
        ("FAXPLUS_GATEWAY__SERVER__ADMIN_LISTEN", "127.0.0.1:0"),
        ("FAXPLUS_GATEWAY__SERVER__DRAIN_DELAY_SECONDS", "0"),
        ("FAXPLUS_GATEWAY__LOG__FORMAT", "json"),
    ];
    variables.extend(own.iter().map(|(name, value)| (*name, value.as_str())));
    Process::start(&words[serve..], &variables)
}

/// Runs code. What a shell example exports or assigns, the later ones have.
pub fn run(language: Language, code: &str, place: &Place) -> Output {
    let url = format!("http://{}", place.api);
    let mut command = Command::new("timeout");
    let patience = if language == Language::Rust { PATIENCE_WITH_CARGO } else { PATIENCE };
    command.arg(patience).current_dir(&place.folder);
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        // Cargo tells a test of its package; told to cargo once more, they would have it build everything again.
        let of_cargo = text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_");
        if of_cargo || text.starts_with("FAXPLUS_GATEWAY") || text.to_lowercase().ends_with("_proxy") {
            command.env_remove(name);
        }
    }
    match language {
        Language::Shell => {
            let state = "if [ -e .state ]; then . ./.state; fi\nset -a";
            let own = format!("FAXPLUS_GATEWAY_URL={url}");
            let script = format!("{state}\n{own}\n{code}\nexport -p > .state\n");
            command.args(["bash", "-euo", "pipefail", "-c", &script]);
        }
        Language::Python => {
            fs::write(place.folder.join("resend.py"), code).unwrap();
            command.args(["python3", "-W", "error", "resend.py"]);
        }
        Language::JavaScript => {
            fs::write(place.folder.join("resend.mjs"), code).unwrap();
            command.args(["node", "resend.mjs"]);
        }
        Language::Rust => with_cargo(&mut command),
        Language::Serve => panic!("a gateway is started"),
    }
    let binaries = Path::new(BINARY).parent().unwrap().to_owned();
    let path = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths([binaries].into_iter().chain(env::split_paths(&path))).unwrap();
    command.env("PATH", path).env("CURL_HOME", &place.folder).env("FAXPLUS_GATEWAY_URL", url);
    command.output().unwrap()
}

/// The example in Rust, built as this test was: of the same parts, and without asking anybody for them.
fn with_cargo(command: &mut Command) {
    let built = Path::new(BINARY).parent().unwrap();
    let (target, profile) = (built.parent().unwrap(), built.file_name().unwrap());
    command.arg(env!("CARGO")).args(["run", "--quiet", "--locked", "--offline", "--example", "resend"]);
    command.arg("--target-dir").arg(target).current_dir(env!("CARGO_MANIFEST_DIR"));
    if profile != "debug" {
        command.arg("--profile").arg(profile);
    }
}
