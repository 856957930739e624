//! What the demo plays on: a simulated fax.plus and a gateway, both on free ports of this machine.
//!
//! Owns both until [`Stage::stop`]. The gateway is the real one with the shipped settings and a few
//! overrides; neither a file nor the environment is looked at.

use std::{
    collections::BTreeMap,
    io,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use actix_web::rt;
use tokio::{sync::oneshot, task::JoinHandle};

use super::{DemoError, list};
use crate::{
    cli::serve::use_sandbox,
    config::{CredentialRule, LoadOptions, Settings},
    sandbox::{Fate, Rule, Sandbox, SandboxOptions, StatusAnswer},
    startup::Application,
};

/// How long the simulated fax.plus takes for an answer.
pub(super) const LATENCY: Duration = Duration::from_millis(80);
/// How many calls a second it lets through.
pub(super) const CALLS_PER_SECOND: u32 = 40;

const BURST: u32 = 10;
const LOOPBACK: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);

/// Both, running.
pub(super) struct Stage {
    /// The simulated fax.plus.
    pub(super) sandbox: Sandbox,
    /// Where lists are posted.
    pub(super) main: SocketAddr,
    /// Where the metrics are.
    pub(super) admin: SocketAddr,
    stop: oneshot::Sender<()>,
    running: JoinHandle<io::Result<()>>,
}

/// The settings of the gateway: the shipped ones, and what makes a demo of them.
pub(super) fn settings(log_level: &str) -> Result<Settings, DemoError> {
    let overrides = [
        ("server.listen", "127.0.0.1:0"),
        ("server.admin_listen", "127.0.0.1:0"),
        ("server.drain_delay_seconds", "0"),
        ("server.drain_timeout_seconds", "1"),
        // No ceiling: the pace is learned from what the simulated fax.plus refuses.
        ("upstream.max_calls_per_second", "0"),
        ("store.path", ":memory:"),
        ("log.level", log_level),
    ];
    let options = LoadOptions {
        file: None,
        environment: BTreeMap::new(),
        overrides: overrides.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
        credential: CredentialRule::Forbidden,
    };
    Ok(Settings::load(&options)?)
}

impl Stage {
    /// Starts both.
    pub(super) async fn start(mut settings: Settings) -> Result<Self, DemoError> {
        let sandbox = Sandbox::start(LOOPBACK.into(), simulated()).await?;
        use_sandbox(&mut settings, &sandbox);
        let application = Application::build(&settings, true).await?;
        let (main, admin) = (application.address(), application.admin_address());
        let (stop, stopped) = oneshot::channel();
        let running = rt::spawn(application.run_until_stopped(async move {
            // A sender that is gone says the same.
            stopped.await.ok();
        }));
        Ok(Self { sandbox, main, admin, stop, running })
    }

    /// Ends the gateway in order, then the simulated fax.plus.
    pub(super) async fn stop(self) -> Result<(), DemoError> {
        drop(self.stop);
        let ended = self.running.await.map_err(io::Error::other);
        self.sandbox.stop().await;
        Ok(ended??)
    }
}

fn simulated() -> SandboxOptions {
    let refusal = StatusAnswer {
        status: 400,
        error: Some("not_invited".to_owned()),
        description: Some("No pending invitation.".to_owned()),
        ..StatusAnswer::default()
    };
    SandboxOptions {
        latency: LATENCY,
        calls_per_second: Some(CALLS_PER_SECOND.into()),
        burst: BURST,
        faults: vec![
            Rule::new(Fate::Status(refusal)).address(list::REFUSED),
            Rule::new(Fate::AcceptThen500).address(&list::person(list::DOUBTFUL)).times(1),
        ],
        calls_kept: 0,
        ..SandboxOptions::default()
    }
}
