//! One exchange: a request out, a bounded answer in, under one deadline.

use std::{error::Error as _, io, path::PathBuf, sync::Arc, time::Duration};

use actix_service::ServiceExt as _;
use actix_tls::connect::{self, ConnectError as TcpError, Connection, rustls_0_23::TlsConnector};
use awc::{
    ClientResponse, Connector,
    error::{ConnectError, SendRequestError},
    http::{
        Method, StatusCode, Uri,
        header::{ACCEPT_ENCODING, CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue},
        uri::Scheme,
    },
};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use tokio::time::{Instant, sleep_until};

use super::{
    body::{FlaggedBody, Written},
    tls::{TlsError, client_config},
    to_the_close::ToTheClose,
};

/// Idle connections are dropped before common servers drop them (Node: 5 s), so that a request is not
/// written into a connection that is just being closed.
const IDLE: Duration = Duration::from_secs(4);
/// DNS is looked up again for new connections only, so connections do not live for ever.
const LIFETIME: Duration = Duration::from_secs(75);

/// How a client connects.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// Longest wait for a connection, name look-up and TLS handshake included.
    pub connect_timeout: Duration,
    /// Authorities trusted beside the machine's own (PEM).
    pub ca_file: Option<PathBuf>,
    /// Most exchanges at once.
    pub max_in_flight: usize,
}

/// A request; its body is sent in one piece.
#[derive(Debug, Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The absolute URL.
    pub uri: Uri,
    /// Headers beside `Host` and `Content-Length`.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body; empty for none.
    pub body: Bytes,
    /// When to give up, from now on.
    pub timeout: Duration,
    /// Most bytes of the answer's body that are kept.
    pub max_answer_bytes: usize,
    /// Raised when the request may have left. A request without a body raises nothing.
    pub written: Written,
}

/// An answer whose head came whole.
#[derive(Debug)]
pub struct Answer {
    /// Its status; may be a stray 1xx.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, or why there is none.
    pub content: Content,
}

/// The body of an answer.
#[derive(Debug, PartialEq, Eq)]
pub enum Content {
    /// All of it.
    Whole(Bytes),
    /// More than was asked for.
    TooLong,
    /// The deadline came first.
    TimedOut,
    /// The connection ended, or the body was malformed.
    Broken,
}

/// No answer head came.
#[derive(Debug)]
pub struct Failure {
    /// Whether any byte of the request may have left. `false` is proof that none did.
    pub written: bool,
    /// What went wrong.
    pub kind: FailureKind,
}

/// What went wrong before an answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// The deadline came first.
    TimedOut,
    /// The name does not resolve.
    Dns,
    /// Nobody listens there.
    Refused,
    /// No connection, or no TLS on it.
    Connect,
    /// The connection ended.
    Disconnected,
    /// What came is not HTTP.
    NotHttp,
    /// The request can't be sent as it is (a wrong URL, say).
    Unsendable,
}

/// Two pools of connections. Not `Send`.
#[derive(Clone)]
pub struct Client {
    plain: awc::Client,
    /// For `https`. Its connections do TLS themselves, below what reads answers to the close; to awc they
    /// look like plain ones.
    tls: awc::Client,
}

impl Client {
    /// A client with connections of its own.
    ///
    /// # Errors
    /// When `ca_file` can't be read.
    pub fn new(options: &ClientOptions) -> Result<Self, TlsError> {
        let trust = client_config(options.ca_file.as_deref())?;
        let tcp = || connect::Connector::default().service();
        let plain = tcp().map(to_the_close);
        let tls = TlsConnector::service(Arc::clone(&trust)).map_err(TcpError::Io);
        let tls = tcp().and_then(tls).map(to_the_close);
        let connector = || {
            Connector::new()
                .timeout(options.connect_timeout)
                .conn_keep_alive(IDLE)
                .conn_lifetime(LIFETIME)
                .limit(options.max_in_flight.max(1))
        };
        let builder = || awc::Client::builder().disable_redirects().disable_timeout();
        Ok(Self {
            plain: builder()
                .connector(
                    connector()
                        .rustls_0_23(trust)
                        .handshake_timeout(options.connect_timeout)
                        .connector(plain),
                )
                .finish(),
            tls: builder().connector(connector().connector(tls)).finish(),
        })
    }

    /// The client inside, for bodies that are streamed. Bounds and deadlines are the borrower's then.
    pub fn streaming(&self) -> awc::Client {
        self.plain.clone()
    }

    /// Sends one request and reads its answer.
    ///
    /// # Errors
    /// When no answer head came; [`Failure::written`] says whether the request may have been seen.
    pub async fn exchange(&self, request: Request) -> Result<Answer, Failure> {
        let deadline = Instant::now() + request.timeout;
        let max_answer_bytes = request.max_answer_bytes;
        let written = request.written.clone();
        let sending = self.send(request);
        // The answer is looked at first: a thread that was stalled past the deadline must not call a
        // timeout what has been answered in time.
        let head = tokio::select! {
            biased;
            head = sending => head,
            () = sleep_until(deadline) => {
                return Err(Failure { written: written.is_set(), kind: FailureKind::TimedOut });
            }
        };
        let mut response =
            head.map_err(|error| Failure { written: written.is_set(), kind: kind_of(&error) })?;
        let content = tokio::select! {
            biased;
            content = read(&mut response, max_answer_bytes) => content,
            () = sleep_until(deadline) => Content::TimedOut,
        };
        Ok(Answer { status: response.status(), headers: response.headers().clone(), content })
    }

    async fn send(&self, request: Request) -> Result<ClientResponse, SendRequestError> {
        let method_has_no_body = [Method::GET, Method::HEAD].contains(&request.method);
        let outgoing = match plain_form_of(&request.uri) {
            Some(uri) => self.tls.request(request.method, uri),
            None => self.plain.request(request.method, request.uri),
        };
        let mut outgoing = outgoing.no_decompress();
        // Nothing is decompressed here, so no server or proxy may choose to compress.
        outgoing.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        for (name, value) in request.headers {
            outgoing.headers_mut().insert(name, value);
        }
        if request.body.is_empty() && method_has_no_body {
            outgoing.send().await
        } else if request.body.is_empty() {
            // Says `Content-Length: 0`: without it some servers answer a POST with 411.
            outgoing.send_body(Bytes::new()).await
        } else {
            outgoing.send_body(FlaggedBody::new(request.body, request.written)).await
        }
    }
}

fn to_the_close<Io>(connection: Connection<Uri, Io>) -> Connection<Uri, ToTheClose<Io>> {
    let (io, connection) = connection.replace_io(());
    connection.replace_io(ToTheClose::new(io)).1
}

/// A URL of `https` as awc is to see it: with its port, and without the scheme that would bring awc's own TLS.
fn plain_form_of(uri: &Uri) -> Option<Uri> {
    if uri.scheme_str() != Some("https") {
        return None;
    }
    let mut parts = uri.clone().into_parts();
    let authority = parts.authority?;
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = match authority.port() {
        Some(_) => Some(authority),
        None => Some(format!("{authority}:443").parse().ok()?),
    };
    Uri::from_parts(parts).ok()
}

async fn read(response: &mut ClientResponse, max_bytes: usize) -> Content {
    let announced: Option<usize> =
        response.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let mut body = BytesMut::new();
    while let Some(piece) = response.next().await {
        let Ok(piece) = piece else { return Content::Broken };
        if body.len() + piece.len() > max_bytes {
            return Content::TooLong;
        }
        body.extend_from_slice(&piece);
    }
    // awc ends a body that the peer cut short as if it were whole (seen with 3.11.0).
    match announced {
        Some(announced) if body.len() < announced => Content::Broken,
        Some(_) | None => Content::Whole(body.freeze()),
    }
}

fn kind_of(error: &SendRequestError) -> FailureKind {
    match error {
        SendRequestError::Connect(ConnectError::Resolver(_) | ConnectError::NoRecords) => FailureKind::Dns,
        SendRequestError::Connect(ConnectError::Disconnected) | SendRequestError::Send(_) => {
            FailureKind::Disconnected
        }
        SendRequestError::Connect(ConnectError::Io(error))
            if error.kind() == io::ErrorKind::ConnectionRefused =>
        {
            FailureKind::Refused
        }
        SendRequestError::Connect(_) => FailureKind::Connect,
        // awc does not export the enum inside; an I/O error is what it wraps when the connection broke.
        SendRequestError::Response(error)
            if error.source().is_some_and(|source| source.is::<io::Error>()) =>
        {
            FailureKind::Disconnected
        }
        SendRequestError::Response(_) => FailureKind::NotHttp,
        SendRequestError::Timeout => FailureKind::TimedOut,
        // Both enums of awc are open; what remains can't be sent at all (URL, header, body).
        _ => FailureKind::Unsendable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_with_tls_keeps_its_host_its_port_and_its_path() {
        for (url, plain) in [
            ("https://restapi.fax.plus/v3/accounts", Some("http://restapi.fax.plus:443/v3/accounts")),
            ("https://localhost:8443/token?a=b", Some("http://localhost:8443/token?a=b")),
            ("https://[::1]/", Some("http://[::1]:443/")),
            ("http://restapi.fax.plus/v3", None),
        ] {
            let found = plain_form_of(&url.parse().unwrap()).map(|uri| uri.to_string());
            assert_eq!(found.as_deref(), plain, "{url}");
        }
    }
}
