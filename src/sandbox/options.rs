//! What a simulated fax.plus can be told at its start.

use std::time::Duration;

use super::faults::Rule;

/// How the simulated fax.plus behaves. The default answers at once, without limit or fault, to any token.
#[derive(Debug, Clone)]
pub struct SandboxOptions {
    /// How long every answer of the API and of the token endpoint takes. The call is accepted before.
    pub latency: Duration,
    /// How many PATCHes a second are let through; the others are answered 429. `None`: all.
    pub calls_per_second: Option<f64>,
    /// How many PATCHes are let through at once after a pause; at least 1.
    pub burst: u32,
    /// `Retry-After` of those 429s, in whole seconds (rounded up); `None`: without.
    pub retry_after: Option<Duration>,
    /// Whether `GET /v3/accounts/self` takes a place as a PATCH does.
    pub throttle_probes: bool,
    /// Which calls go wrong, and how.
    pub faults: Vec<Rule>,
    /// Decides which calls make up the `share` of a rule.
    pub seed: u64,
    /// The personal access tokens that are good. `None`: any that is not empty.
    pub tokens: Option<Vec<String>>,
    /// The token endpoint.
    pub oauth: OAuthOptions,
    /// How many calls [`Sandbox::calls`](super::Sandbox::calls) remembers; each costs some 500 bytes.
    pub calls_kept: usize,
}

/// How `POST /token` behaves. The default takes any client and any refresh token, and never rotates.
#[derive(Debug, Clone)]
pub struct OAuthOptions {
    /// The only client. `None`: any that is not empty.
    pub client_id: Option<String>,
    /// Its secret. `None`: any that is not empty.
    pub client_secret: Option<String>,
    /// The first refresh token. `None`: any that is not empty.
    pub refresh_token: Option<String>,
    /// How long an access token is good.
    pub expires_in: Duration,
    /// Whether the answer leaves `expires_in` out.
    pub expires_in_untold: bool,
    /// Whether each refresh ends the refresh token it used and brings a new one.
    pub rotates: bool,
    /// Whether the grant was taken back: every refresh is `invalid_grant`.
    pub revoked: bool,
}

impl Default for SandboxOptions {
    fn default() -> Self {
        Self {
            latency: Duration::ZERO,
            calls_per_second: None,
            burst: 1,
            retry_after: None,
            throttle_probes: false,
            faults: Vec::new(),
            seed: 0,
            tokens: None,
            oauth: OAuthOptions::default(),
            calls_kept: 200_000,
        }
    }
}

impl Default for OAuthOptions {
    fn default() -> Self {
        Self {
            client_id: None,
            client_secret: None,
            refresh_token: None,
            expires_in: Duration::from_secs(3_600),
            expires_in_untold: false,
            rotates: false,
            revoked: false,
        }
    }
}
