//! The simulated fax.plus as a whole: listens, owns every task, tells the truth to whoever holds it.
//!
//! Refuses addresses that are not loopback. Runs on any tokio runtime, a current-thread one included; dropping
//! it ends every connection at once.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::books::{RecordedCall, Stats};
use super::connection;
use super::faults::Rule;
use super::options::{OAuthOptions, SandboxOptions};
use super::wire::Wire;
use super::world::World;

/// Most connections at once; further ones wait to be taken up.
const MAX_CONNECTIONS: usize = 4_096;
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Why a sandbox cannot start.
#[derive(Debug, Error)]
pub enum SandboxError {
    /// It would be reachable from elsewhere.
    #[error("the sandbox listens on loopback addresses only, such as 127.0.0.1:8090, and not on {0}")]
    NotLoopback(SocketAddr),
    /// The address is taken or not to be had.
    #[error("the sandbox cannot listen on {address}: {source}")]
    Listen {
        /// Where it was to listen.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// A limit of calls per second that is none.
    #[error("calls per second must be a number above 0, not {0}")]
    Rate(f64),
}

/// A running simulated fax.plus.
#[derive(Debug)]
pub struct Sandbox {
    address: SocketAddr,
    world: Arc<World>,
    stopper: oneshot::Sender<()>,
    tasks: JoinSet<()>,
}

impl Sandbox {
    /// Starts one on `listen` (port 0: any free port). It serves once this returns.
    ///
    /// # Errors
    /// An address that is not loopback or cannot be had, or an impossible limit.
    pub async fn start(listen: SocketAddr, options: SandboxOptions) -> Result<Self, SandboxError> {
        if !listen.ip().is_loopback() {
            return Err(SandboxError::NotLoopback(listen));
        }
        if let Some(rate) = options.calls_per_second.filter(|rate| !(rate.is_finite() && *rate > 0.0)) {
            return Err(SandboxError::Rate(rate));
        }
        let failed = |source| SandboxError::Listen { address: listen, source };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let world = Arc::new(World::new(options));
        let (stopper, stopped) = oneshot::channel();
        let mut tasks = JoinSet::new();
        tasks.spawn(take_connections(listener, Arc::clone(&world), stopped));
        Ok(Self { address, world, stopper, tasks })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What a client takes for `https://restapi.fax.plus/v3`.
    pub fn base_url(&self) -> String {
        format!("http://{}/v3", self.address)
    }

    /// What a client takes for `https://accounts.fax.plus/token`.
    pub fn token_url(&self) -> String {
        format!("http://{}/token", self.address)
    }

    /// The counters.
    pub fn stats(&self) -> Stats {
        self.world.books().stats()
    }

    /// Every accepted address, lower-cased, and how many calls accepted it.
    pub fn ledger(&self) -> BTreeMap<String, u64> {
        self.world.books().ledger()
    }

    /// The last calls ([`SandboxOptions::calls_kept`]) in order of arrival; those whose end is decided.
    pub fn calls(&self) -> Vec<RecordedCall> {
        self.world.books().calls()
    }

    /// Puts other rules in force. Calls go on being numbered from the start or the last reset.
    pub fn set_faults(&self, rules: Vec<Rule>) {
        self.world.set_faults(rules);
    }

    /// Holds back the answer to every PATCH from now on. Calls are decided and entered in the books all the same:
    /// they stay in flight until [`Sandbox::release_answers`].
    pub fn hold_answers(&self) {
        self.world.hold_answers(true);
    }

    /// Lets go of the answers that are held back, and holds back no further ones.
    pub fn release_answers(&self) {
        self.world.hold_answers(false);
    }

    /// Sets which personal access tokens are good; `None`: any that is not empty.
    pub fn set_tokens(&self, tokens: Option<Vec<String>>) {
        self.world.credentials().set_tokens(tokens);
    }

    /// Other behaviour of the token endpoint; access tokens handed out stay good until they expire.
    pub fn set_oauth(&self, oauth: OAuthOptions) {
        self.world.credentials().set_oauth(oauth);
    }

    /// Ends every access token that the token endpoint handed out.
    pub fn expire_access_tokens(&self) {
        self.world.credentials().expire_access_tokens();
    }

    /// Empties ledger, counters and log, starts the numbers again and fills the throttle's bucket. Rules (with
    /// their `times` fresh) and credentials stay; a call in flight is entered in the new books when it is decided.
    pub fn reset(&self) {
        self.world.reset();
    }

    /// Ends every connection and waits until all tasks are gone.
    pub async fn stop(self) {
        let Self { stopper, mut tasks, .. } = self;
        drop(stopper);
        while tasks.join_next().await.is_some() {}
    }
}

async fn take_connections(listener: TcpListener, world: Arc<World>, mut stopped: oneshot::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut stopped => break,
            Some(ended) = connections.join_next() => {
                if let Err(error) = ended {
                    tracing::error!(%error, "A connection of the sandbox broke off.");
                }
            }
            taken = listener.accept(), if connections.len() < MAX_CONNECTIONS => match taken {
                Ok((stream, _)) => {
                    connections.spawn(serve(stream, Arc::clone(&world)));
                }
                Err(error) => {
                    tracing::warn!(%error, "The sandbox could not take a connection.");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
    connections.shutdown().await;
}

async fn serve(stream: TcpStream, world: Arc<World>) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "A client of the sandbox left at once.");
        return;
    }
    connection::serve(Wire::new(stream), &world).await;
}
