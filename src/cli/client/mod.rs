//! A client of a running gateway, for the commands that talk to one.
//!
//! Owns the connections and the token. Streams lists out and events and results in; every other answer
//! is whole and bounded. An answer that is not 2xx comes back as an error that says what to do.

mod answer;
mod error;
mod events;
mod lines;
mod target;

use std::{
    env,
    ffi::OsString,
    io,
    path::Path,
    time::{Duration, SystemTime},
};

use awc::{
    ClientRequest, ClientResponse, SendClientRequest,
    error::{ConnectError, SendRequestError},
    http::{
        Method,
        header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue},
    },
};
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _};
use secrecy::ExposeSecret as _;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::timeout;

use self::{error::Refusal, target::TOKEN_VARIABLE};

pub(super) use self::{
    answer::{Hold, OUTCOMES, PROBLEMS, Page, Plan, Resend, Row, Standing, moment},
    error::CallError,
    events::{Event, Events},
    lines::Lines,
    target::{BaseUrl, Target, resend_id},
};
use crate::config::secret::secret_of;
use crate::outbound::{Client as Outbound, ClientOptions, install_crypto_provider, retry_after};

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// Longest wait for a small answer. Cancelling waits for calls in flight, and they for fax.plus.
pub(super) const ANSWER: Duration = Duration::from_secs(330);
/// Longest wait for the head of a stream: whoever asks would rather ask again.
const HEAD: Duration = Duration::from_secs(30);
const MAX_ANSWER_BYTES: usize = 16 << 20;
/// What is wrong with a token of other bytes than a header takes, and with the file that holds it.
const NO_TOKEN: &str = "not a valid token";
const NO_TOKEN_FILE: &str = "not a valid token file";
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const PREFER: HeaderName = HeaderName::from_static("prefer");

/// A list on its way out.
pub(super) struct Posting<S> {
    pub(super) query: String,
    pub(super) content_type: &'static str,
    pub(super) gzip: bool,
    pub(super) idempotency_key: HeaderValue,
    pub(super) pieces: S,
}

/// One gateway, as this client may see it.
pub(super) struct Client {
    awc: awc::Client,
    url: BaseUrl,
    bearer: Option<HeaderValue>,
}

impl Client {
    /// A client of the gateway that the arguments name. Connects to nobody yet.
    pub(super) fn new(target: &Target) -> Result<Self, CallError> {
        install_crypto_provider();
        if target.has_user() {
            return Err(CallError::UserInUrl);
        }
        let options = ClientOptions { connect_timeout: CONNECT, ca_file: None, max_in_flight: 4 };
        let bearer = match &target.token_file {
            Some(path) => Some(bearer_of_file(path)?),
            None => bearer_of_variable(env::var_os(TOKEN_VARIABLE))?,
        };
        Ok(Self { awc: Outbound::new(&options)?.streaming(), url: target.url.clone(), bearer })
    }

    /// Where the gateway is.
    pub(super) fn url(&self) -> &BaseUrl {
        &self.url
    }

    /// Posts a list and does not wait for its end: the answer's body.
    pub(super) async fn post<S>(&self, posting: Posting<S>) -> Result<Bytes, CallError>
    where
        S: Stream<Item = io::Result<Bytes>> + 'static,
    {
        let path = format!("/v1/resends?{}", posting.query);
        let mut request = self
            .request(Method::POST, &path)
            .insert_header((CONTENT_TYPE, posting.content_type))
            .insert_header((PREFER, "respond-async"))
            .insert_header((IDEMPOTENCY_KEY, posting.idempotency_key));
        if posting.gzip {
            request = request.insert_header(("content-encoding", "gzip"));
        }
        let response = request.send_stream(Box::pin(posting.pieces)).await;
        let mut response = response.map_err(|error| self.no_answer(&error))?;
        let whole = self.whole(&mut response).await?;
        // A resend that ended at once with nothing sent answers 422 or 502: that is no refusal.
        if response.status().is_success() || parse::<Resend>(&whole).is_ok() {
            return Ok(whole);
        }
        Err(self.refused(&response, &whole))
    }

    /// A small answer to a request without a body.
    pub(super) async fn ask(&self, method: Method, path: &str) -> Result<Bytes, CallError> {
        self.answer(self.request(method, path).send()).await
    }

    /// The answer to an order of an operator.
    pub(super) async fn order(&self, path: &str, order: &Value) -> Result<Bytes, CallError> {
        let request = self.request(Method::POST, path).insert_header((CONTENT_TYPE, "application/json"));
        self.answer(request.send_body(order.to_string())).await
    }

    async fn answer(&self, request: SendClientRequest) -> Result<Bytes, CallError> {
        let exchange = async {
            let response = request.await;
            let mut response = response.map_err(|error| self.no_answer(&error))?;
            let whole = self.whole(&mut response).await?;
            if response.status().is_success() { Ok(whole) } else { Err(self.refused(&response, &whole)) }
        };
        timeout(ANSWER, exchange).await.unwrap_or(Err(CallError::Silent { seconds: ANSWER.as_secs() }))
    }

    /// The events of a resend, from its present state on.
    pub(super) async fn events(&self, id: &str) -> Result<Events, CallError> {
        let lines = self.open(&format!("/v1/resends/{id}/events"), "text/event-stream").await?;
        Ok(Events::new(lines))
    }

    /// The results of a resend that came to one of these ends, a line each.
    pub(super) async fn results(&self, id: &str, outcomes: &[&str]) -> Result<Lines, CallError> {
        let path = format!("/v1/resends/{id}/results?outcome={}", outcomes.join(","));
        self.open(&path, "application/x-ndjson").await
    }

    async fn open(&self, path: &str, accept: &'static str) -> Result<Lines, CallError> {
        let request = self.request(Method::GET, path).insert_header((ACCEPT, accept));
        let answered = timeout(HEAD, request.send()).await;
        let answered = answered.map_err(|_| CallError::Silent { seconds: HEAD.as_secs() })?;
        let mut response = answered.map_err(|error| self.no_answer(&error))?;
        if response.status().is_success() {
            return Ok(Lines::new(response));
        }
        let whole = self.whole(&mut response).await?;
        Err(self.refused(&response, &whole))
    }

    fn request(&self, method: Method, path: &str) -> ClientRequest {
        let request = self.awc.request(method, format!("{}{path}", self.url)).no_decompress();
        let request = request.insert_header((ACCEPT_ENCODING, "identity"));
        match &self.bearer {
            Some(bearer) => request.insert_header((AUTHORIZATION, bearer.clone())),
            None => request,
        }
    }

    async fn whole(&self, response: &mut ClientResponse) -> Result<Bytes, CallError> {
        let mut whole = BytesMut::new();
        while let Some(piece) = response.next().await {
            let piece = piece.map_err(|_| CallError::Broken)?;
            if whole.len() + piece.len() > MAX_ANSWER_BYTES {
                return Err(CallError::Unreadable);
            }
            whole.extend_from_slice(&piece);
        }
        Ok(whole.freeze())
    }

    fn refused(&self, response: &ClientResponse, body: &[u8]) -> CallError {
        let status = response.status().as_u16();
        match serde_json::from_slice::<Box<Refusal>>(body) {
            Ok(mut refusal) if is_problem(response) => {
                refusal.retry_after = retry_after(response.headers(), SystemTime::now());
                refusal.had_token = self.bearer.is_some();
                CallError::Refused(refusal)
            }
            Ok(_) | Err(_) => CallError::Stranger { url: self.url.clone(), status },
        }
    }

    fn no_answer(&self, error: &SendRequestError) -> CallError {
        let unreachable = |why| CallError::Unreachable { url: self.url.clone(), why };
        match error {
            // Also what a connection ends with that was closed after the request was written.
            SendRequestError::Connect(ConnectError::Disconnected) => CallError::Broken,
            SendRequestError::Connect(ConnectError::Timeout) => unreachable("no connection in time"),
            SendRequestError::Connect(ConnectError::Resolver(_) | ConnectError::NoRecords) => {
                unreachable("the name does not resolve")
            }
            SendRequestError::Connect(ConnectError::Io(error))
                if error.kind() == io::ErrorKind::ConnectionRefused =>
            {
                unreachable("connection refused")
            }
            SendRequestError::Connect(_) => unreachable("no connection, or no TLS on it"),
            _ => CallError::Broken,
        }
    }
}

/// Reads what the gateway answers.
pub(super) fn parse<T: DeserializeOwned>(json: &[u8]) -> Result<T, CallError> {
    serde_json::from_slice(json).map_err(|_| CallError::Unreadable)
}

fn is_problem(response: &ClientResponse) -> bool {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    // A proxy may have added a parameter.
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/problem+json"))
}

fn bearer_of_file(path: &Path) -> Result<HeaderValue, CallError> {
    let wrong = |why: String| CallError::Token { holder: format!("--token-file {}", path.display()), why };
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    bearer(&text, NO_TOKEN_FILE).map_err(wrong)
}

/// A variable without text is as good as none.
fn bearer_of_variable(value: Option<OsString>) -> Result<Option<HeaderValue>, CallError> {
    let wrong = |why: &str| CallError::Token { holder: TOKEN_VARIABLE.to_owned(), why: why.to_owned() };
    let Some(value) = value else { return Ok(None) };
    let text = value.to_str().ok_or_else(|| wrong(NO_TOKEN))?;
    if text.trim().is_empty() {
        return Ok(None);
    }
    bearer(text, NO_TOKEN).map(Some).map_err(|why| wrong(&why))
}

fn bearer(text: &str, no_token: &str) -> Result<HeaderValue, String> {
    // The same mistakes as with a secret of the gateway: the word Bearer, quotation marks, a second line.
    let token = secret_of(text.trim().as_bytes()).map_err(|flaw| format!("it {flaw}"))?;
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret()))
        .map_err(|_| no_token.to_owned())?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_in_the_variable_counts_unless_it_is_empty() {
        let of = |text: &str| bearer_of_variable(Some(text.into())).map_err(|error| error.to_string());

        assert_eq!(of(" fxg_a\n").unwrap().unwrap(), "Bearer fxg_a");
        assert!(of("").unwrap().is_none() && bearer_of_variable(None).unwrap().is_none());
        for wrong in ["Bearer fxg_hush", "\"fxg_hush\"", "fxg_hush\nfxg_hush", "fxg_hush\u{7f}"] {
            let told = of(wrong).unwrap_err();
            assert!(told.contains(TOKEN_VARIABLE) && !told.contains("hush"), "{told}");
        }
    }
}
