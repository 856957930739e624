//! The caller of the demo: an ordinary HTTP client of the gateway, which knows nothing else about it.
//!
//! Owns the shapes of the answers it reads. Refuses any answer that is not 2xx or not of that shape.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use awc::http::{
    Method,
    header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue},
};
use bytes::Bytes;
use serde::{Deserialize, de::DeserializeOwned};
use thiserror::Error;

use crate::outbound::{Client, ClientOptions, Content, FailureKind, Request, TlsError, Written};

const PATIENCE: Duration = Duration::from_secs(30);
const MAX_ANSWER_BYTES: usize = 16 << 20;
const PREFER: HeaderName = HeaderName::from_static("prefer");
const NDJSON: &str = "application/x-ndjson";
const PACE: &str = "faxplus_gateway_upstream_rate_calls_per_second ";

/// Why the caller gives up.
#[derive(Debug, Error)]
pub(super) enum CallerError {
    /// No client.
    #[error(transparent)]
    Client(#[from] TlsError),
    /// A URL that is none.
    #[error("{0} is no URL")]
    Url(String),
    /// Nobody answered.
    #[error("{url}: no answer: {kind:?}")]
    NoAnswer {
        /// What was asked.
        url: String,
        /// How it failed.
        kind: FailureKind,
    },
    /// An answer, but not the one hoped for.
    #[error("{url}: {status}: {body}")]
    Refused {
        /// What was asked.
        url: String,
        /// The status.
        status: u16,
        /// What the gateway says about it.
        body: String,
    },
    /// An answer that can't be read.
    #[error("{url}: an answer that can't be read: {why}")]
    Unreadable {
        /// What was asked.
        url: String,
        /// Where it stops making sense.
        why: String,
    },
}

/// A resend, as `GET /v1/resends/{id}` shows it.
#[derive(Debug, Deserialize)]
pub(super) struct Resend {
    pub(super) id: String,
    pub(super) status: String,
    pub(super) counts: BTreeMap<String, u64>,
    pub(super) upstream_calls: u64,
}

/// A result, as `GET /v1/resends/{id}/results` lists it.
#[derive(Debug, Deserialize)]
pub(super) struct Row {
    pub(super) index: usize,
    pub(super) email: String,
    pub(super) outcome: String,
    pub(super) reason: Option<String>,
    pub(super) detail: Option<String>,
}

/// A client of one gateway.
pub(super) struct Caller {
    client: Client,
    resends: String,
    metrics: String,
}

impl Resend {
    pub(super) fn count(&self, word: &str) -> u64 {
        self.counts.get(word).copied().unwrap_or(0)
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self.status.as_str(), "finished" | "cancelled")
    }
}

impl Caller {
    /// A client of the gateway at `main`, whose metrics are at `admin`.
    pub(super) fn new(main: SocketAddr, admin: SocketAddr) -> Result<Self, CallerError> {
        let options = ClientOptions { connect_timeout: PATIENCE, ca_file: None, max_in_flight: 2 };
        Ok(Self {
            client: Client::new(&options)?,
            resends: format!("http://{main}/v1/resends"),
            metrics: format!("http://{admin}/metrics"),
        })
    }

    /// Posts a list and does not wait for its end.
    pub(super) async fn post(&self, list: &[String]) -> Result<Resend, CallerError> {
        let url = self.resends.clone();
        let body = serde_json::to_vec(list).map_err(|error| unreadable(&url, &error))?;
        let headers = vec![
            (CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (PREFER, HeaderValue::from_static("respond-async")),
        ];
        let answer = self.ask(Method::POST, &url, headers, body.into()).await?;
        parse(&url, &answer)
    }

    /// How far it is.
    pub(super) async fn resend(&self, id: &str) -> Result<Resend, CallerError> {
        let url = format!("{}/{id}", self.resends);
        let answer = self.ask(Method::GET, &url, Vec::new(), Bytes::new()).await?;
        parse(&url, &answer)
    }

    /// What became of each row.
    pub(super) async fn results(&self, id: &str) -> Result<Vec<Row>, CallerError> {
        let url = format!("{}/{id}/results", self.resends);
        let headers = vec![(ACCEPT, HeaderValue::from_static(NDJSON))];
        let answer = self.ask(Method::GET, &url, headers, Bytes::new()).await?;
        let lines = answer.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.map(|line| parse(&url, line)).collect()
    }

    /// The rate that the gateway has learned so far, in calls a second.
    pub(super) async fn learned_pace(&self) -> Result<f64, CallerError> {
        let answer = self.ask(Method::GET, &self.metrics, Vec::new(), Bytes::new()).await?;
        let text = String::from_utf8_lossy(&answer);
        let value = text.lines().find_map(|line| line.strip_prefix(PACE)?.trim().parse().ok());
        value.ok_or_else(|| unreadable(&self.metrics, &format!("no {}", PACE.trim())))
    }

    async fn ask(
        &self,
        method: Method,
        url: &str,
        headers: Vec<(HeaderName, HeaderValue)>,
        body: Bytes,
    ) -> Result<Bytes, CallerError> {
        let request = Request {
            method,
            uri: url.parse().map_err(|_| CallerError::Url(url.to_owned()))?,
            headers,
            body,
            timeout: PATIENCE,
            max_answer_bytes: MAX_ANSWER_BYTES,
            written: Written::default(),
        };
        let no_answer = |kind| CallerError::NoAnswer { url: url.to_owned(), kind };
        let answer = self.client.exchange(request).await.map_err(|failure| no_answer(failure.kind))?;
        match answer.content {
            Content::Whole(body) if answer.status.is_success() => Ok(body),
            Content::Whole(body) => Err(CallerError::Refused {
                url: url.to_owned(),
                status: answer.status.as_u16(),
                body: String::from_utf8_lossy(&body).trim().to_owned(),
            }),
            Content::TooLong => Err(unreadable(url, &"it is too long")),
            Content::TimedOut => Err(no_answer(FailureKind::TimedOut)),
            Content::Broken => Err(no_answer(FailureKind::Disconnected)),
        }
    }
}

fn parse<T: DeserializeOwned>(url: &str, json: &[u8]) -> Result<T, CallerError> {
    serde_json::from_slice(json).map_err(|error| unreadable(url, &error))
}

fn unreadable(url: &str, why: &dyn std::fmt::Display) -> CallerError {
    CallerError::Unreadable { url: url.to_owned(), why: why.to_string() }
}
