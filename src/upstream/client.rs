//! Calls fax.plus: `PATCH accounts/self/member-invitations` and the probe `GET accounts/self`.

use std::{
    cell::RefCell,
    rc::Rc,
    time::{Duration, SystemTime},
};

use awc::http::{
    Method, Uri,
    header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue, USER_AGENT},
};
use bytes::Bytes;
use thiserror::Error;
use tokio::time::Instant;

use super::{
    credential::Credential,
    probe::Probe,
    verdict::{Verdict, judge},
};
use crate::{
    config::UpstreamSettings,
    outbound::{Answer, Client, ClientOptions, Failure, Request, TlsError, Written},
};

/// Most bytes of an answer that are read: documented answers have less than two hundred.
pub(super) const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// Room for probes beside the calls.
const SPARE_CONNECTIONS: usize = 4;
pub(super) const AGENT: &str = concat!("faxplus-gateway/", env!("CARGO_PKG_VERSION"));
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Why upstream can't be set up.
#[derive(Debug, Error)]
pub enum UpstreamError {
    /// The base URL is none.
    #[error("upstream.base_url: {0}")]
    Url(String),
    /// TLS can't be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// How one PATCH ended.
#[derive(Debug)]
pub struct Report {
    /// What it means.
    pub verdict: Verdict,
    /// From the start of the call to its end.
    pub took: Duration,
    /// Which token it carried.
    pub generation: u64,
}

/// The way to fax.plus. Clones share connections and credential. Not `Send`.
#[derive(Clone)]
pub struct Upstream {
    pub(super) shared: Rc<Shared>,
}

pub(super) struct Shared {
    pub(super) client: RefCell<Client>,
    options: ClientOptions,
    invitations: Uri,
    account: Uri,
    pub(super) timeout: Duration,
    pub(super) credential: RefCell<Credential>,
}

impl Upstream {
    /// Sets up the client; calls nobody.
    ///
    /// # Errors
    /// When the URL or the trusted authorities can't be used.
    pub fn new(settings: &UpstreamSettings, credential: Credential) -> Result<Self, UpstreamError> {
        let options = ClientOptions {
            connect_timeout: settings.connect_timeout,
            ca_file: settings.ca_file.clone(),
            max_in_flight: settings.max_in_flight + SPARE_CONNECTIONS,
        };
        let uri = |path: &str| {
            format!("{}{path}", settings.base_url)
                .parse::<Uri>()
                .map_err(|error| UpstreamError::Url(error.to_string()))
        };
        Ok(Self {
            shared: Rc::new(Shared {
                client: RefCell::new(Client::new(&options)?),
                options,
                invitations: uri("/accounts/self/member-invitations")?,
                account: uri("/accounts/self")?,
                timeout: settings.request_timeout,
                credential: RefCell::new(credential),
            }),
        })
    }

    /// Sends one PATCH with `body`, a JSON array of one to ten addresses. `written` is raised when it
    /// may have left; `traceparent` goes along as it is.
    pub async fn resend(&self, body: Bytes, written: Written, traceparent: &str) -> Report {
        let started = Instant::now();
        let generation = self.generation();
        let trace = HeaderValue::from_str(traceparent).ok();
        let exchange = self.exchange(Method::PATCH, &self.shared.invitations, body, written, trace).await;
        Report { verdict: judge(&exchange, SystemTime::now()), took: started.elapsed(), generation }
    }

    /// Asks for the account the token belongs to, and says what that proves.
    pub async fn probe(&self) -> Probe {
        Probe::of(&self.account().await)
    }

    /// Asks for the account the token belongs to.
    ///
    /// # Errors
    /// When no answer came.
    pub async fn account(&self) -> Result<Answer, Failure> {
        self.exchange(Method::GET, &self.shared.account, Bytes::new(), Written::default(), None).await
    }

    async fn exchange(
        &self,
        method: Method,
        uri: &Uri,
        body: Bytes,
        written: Written,
        trace: Option<HeaderValue>,
    ) -> Result<Answer, Failure> {
        let mut headers = self.shared.credential.borrow().headers();
        headers.push((ACCEPT, HeaderValue::from_static("application/json")));
        headers.push((USER_AGENT, HeaderValue::from_static(AGENT)));
        if !body.is_empty() {
            headers.push((CONTENT_TYPE, HeaderValue::from_static("application/json")));
        }
        headers.extend(trace.map(|trace| (TRACEPARENT, trace)));
        self.send(Request {
            method,
            uri: uri.clone(),
            headers,
            body,
            timeout: self.shared.timeout,
            max_answer_bytes: MAX_ANSWER_BYTES,
            written,
        })
        .await
    }

    /// Every exchange goes through here, so that none leaves a connection behind that answers another.
    pub(super) async fn send(&self, request: Request) -> Result<Answer, Failure> {
        let client = self.shared.client.borrow().clone();
        let exchange = client.exchange(request).await;
        if exchange.as_ref().is_ok_and(|answer| answer.status.is_informational()) {
            self.replace_connections();
        }
        exchange
    }

    /// After a stray 1xx the true answer is still to come on a connection that awc put back into its
    /// pool, where it would be taken for the answer to somebody else's call. Calls in flight keep the
    /// old client until they end.
    fn replace_connections(&self) {
        match Client::new(&self.shared.options) {
            Ok(client) => *self.shared.client.borrow_mut() = client,
            Err(error) => tracing::error!(%error, "Can't replace the connections to upstream."),
        }
    }
}
