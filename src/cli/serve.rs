//! `serve`: runs the gateway until a signal ends it: SIGTERM, SIGINT, SIGQUIT or SIGHUP.

use std::{io::Write, net::SocketAddr, path::PathBuf, pin::pin, time::Duration};

use clap::Args;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use secrecy::SecretString;

use super::{
    FAILURE, SUCCESS, WRONG_CONFIGURATION,
    check_config::mistakes,
    sandbox::{exit_code, read_faults},
};
use crate::{
    config::{CredentialRule, LoadOptions, Settings, StorePath},
    sandbox::{Sandbox, SandboxOptions},
    shutdown::{Signals, first_signal},
    startup::{Application, StartupError},
    telemetry::logging,
};

/// How long the simulated fax.plus of `--sandbox` takes for an answer.
const SANDBOX_LATENCY: Duration = Duration::from_millis(30);

/// Arguments of `serve`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  faxplus-gateway serve --sandbox
  faxplus-gateway serve --sandbox --sandbox-listen 127.0.0.1:8090
  faxplus-gateway serve --sandbox --sandbox-faults config/faults.example.json
  faxplus-gateway serve --config gateway.toml
  FAXPLUS_GATEWAY__CREDENTIALS__TOKEN_FILE=token faxplus-gateway serve")]
pub struct Serve {
    /// TOML file over the defaults; the environment (FAXPLUS_GATEWAY__SECTION__KEY) goes over both
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Run against a simulated fax.plus in this process: mails nobody, takes no credentials
    #[arg(long)]
    pub sandbox: bool,
    /// Where the simulated fax.plus listens, loopback only: `GET /` there says how to make trouble
    #[arg(long, value_name = "ADDRESS", requires = "sandbox", default_value = "127.0.0.1:0")]
    pub sandbox_listen: SocketAddr,
    /// A JSON list of rules for it: which calls meet which fate
    #[arg(long, value_name = "FILE", requires = "sandbox")]
    pub sandbox_faults: Option<PathBuf>,
}

/// Runs the gateway; gives the exit code. Must run inside an actix `System`.
pub async fn run(arguments: Serve, stderr: &mut impl Write) -> u8 {
    let rule = if arguments.sandbox { CredentialRule::Forbidden } else { CredentialRule::Required };
    let settings = match Settings::load(&LoadOptions::from_process(arguments.config, rule)) {
        Ok(settings) => settings,
        Err(error) => return tell(stderr, &mistakes(&error), WRONG_CONFIGURATION),
    };
    // A logger that is there already is somebody's choice.
    if let Err(error) = logging::init(&settings.log) {
        return tell(stderr, &error, FAILURE);
    }
    for warning in settings.warnings() {
        tracing::warn!("{warning}");
    }
    raise_open_files();
    let signals = match Signals::listen() {
        Ok(signals) => signals,
        Err(error) => return tell(stderr, &error, FAILURE),
    };
    if arguments.sandbox {
        let faults = match &arguments.sandbox_faults {
            Some(path) => match read_faults(path).await {
                Ok(faults) => faults,
                Err(error) => return tell(stderr, &error, FAILURE),
            },
            None => Vec::new(),
        };
        let options = SandboxOptions { latency: SANDBOX_LATENCY, faults, ..SandboxOptions::default() };
        serve_sandbox(settings, arguments.sandbox_listen, options, signals, stderr).await
    } else {
        serve(&settings, false, signals, stderr).await
    }
}

/// Each caller takes a connection and a long list a file: a thousand callers are more than the 1,024 that
/// a process may open by default. What it may open at most is up to the machine.
fn raise_open_files() {
    let limit = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }) {
        tracing::warn!(%error, current = limit.current, "The limit of open files can't be raised.");
    }
}

async fn serve(settings: &Settings, sandbox: bool, signals: Signals, stderr: &mut impl Write) -> u8 {
    let mut stop = pin!(first_signal(signals));
    let built = tokio::select! {
        biased;
        built = Application::build(settings, sandbox) => built,
        // Nothing was taken yet, so nothing has to be drained, however long the store would still take.
        () = &mut stop => {
            tracing::info!("The gateway has stopped before it was ready.");
            return SUCCESS;
        }
    };
    let application = match built {
        Ok(application) => application,
        Err(error @ StartupError::Clients(_)) => return tell(stderr, &error, WRONG_CONFIGURATION),
        Err(error) => return tell(stderr, &error, FAILURE),
    };
    match application.run_until_stopped(stop).await {
        Ok(()) => SUCCESS,
        Err(error) => tell(stderr, &error, FAILURE),
    }
}

async fn serve_sandbox(
    mut settings: Settings,
    listen: SocketAddr,
    options: SandboxOptions,
    signals: Signals,
    stderr: &mut impl Write,
) -> u8 {
    let sandbox = match Sandbox::start(listen, options).await {
        Ok(sandbox) => sandbox,
        Err(error) => return tell(stderr, &error, exit_code(&error)),
    };
    use_sandbox(&mut settings, &sandbox);
    tracing::warn!(
        address = %sandbox.address(),
        "Runs against a simulated fax.plus: nobody is mailed. `GET /` at its address says how to make trouble."
    );
    let code = serve(&settings, true, signals, stderr).await;
    sandbox.stop().await;
    code
}

/// Turns settings to a simulated fax.plus.
pub fn use_sandbox(settings: &mut Settings, sandbox: &Sandbox) {
    settings.upstream.base_url = sandbox.base_url();
    settings.credentials.use_token(SecretString::from("sandbox"));
    // A throw-away store: what a simulation was told must not meet what fax.plus was.
    settings.store.path = StorePath::Memory;
}

fn tell(stderr: &mut impl Write, error: &dyn std::fmt::Display, code: u8) -> u8 {
    // When even stderr is gone, the exit code has to say it.
    if writeln!(stderr, "faxplus-gateway: {error}").is_err() { FAILURE } else { code }
}
