//! An upstream that answers with bytes of choice, over TCP or TLS: what no well-made server writes.
//!
//! Answers each request on a connection with the same bytes, and closes behind them if they frame no body.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use faxplus_gateway::outbound::install_crypto_provider;
use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

/// What the gateway has to trust to reach an upstream with TLS.
pub const CERTIFICATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/tls/certificate.pem");
const KEY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/tls/key.pem");

/// A running upstream; its threads end with the test.
pub struct RawUpstream {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    answer: Mutex<Vec<u8>>,
    requests: Mutex<Vec<String>>,
    connections: AtomicUsize,
    tls: Option<Arc<ServerConfig>>,
    /// Whether a connection with TLS ends without the end that TLS has for it.
    is_abrupt: AtomicBool,
}

impl RawUpstream {
    /// Over TCP.
    pub fn start(answer: impl Into<Vec<u8>>) -> Self {
        Self::serve(answer.into(), None)
    }

    /// Over TLS.
    pub fn start_tls(answer: impl Into<Vec<u8>>) -> Self {
        install_crypto_provider();
        let certificates = CertificateDer::pem_file_iter(CERTIFICATE).unwrap().map(Result::unwrap).collect();
        let key = PrivateKeyDer::from_pem_file(KEY).unwrap();
        let config =
            ServerConfig::builder().with_no_client_auth().with_single_cert(certificates, key).unwrap();
        Self::serve(answer.into(), Some(Arc::new(config)))
    }

    fn serve(answer: Vec<u8>, tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            answer: Mutex::new(answer),
            requests: Mutex::default(),
            connections: AtomicUsize::new(0),
            tls,
            is_abrupt: AtomicBool::new(false),
        });
        let server = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                server.connections.fetch_add(1, Ordering::SeqCst);
                let server = Arc::clone(&server);
                thread::spawn(move || server.accept(stream));
            }
        });
        Self { address, shared }
    }

    /// What follows the host in this is left out by each request.
    pub fn url(&self, path: &str) -> String {
        let scheme = if self.shared.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://localhost:{}{path}", self.address.port())
    }

    /// Ends connections as many servers do: without telling TLS.
    pub fn abruptly(self) -> Self {
        self.shared.is_abrupt.store(true, Ordering::SeqCst);
        self
    }

    /// Answers with these bytes from now on.
    pub fn answer(&self, answer: impl Into<Vec<u8>>) {
        *self.shared.answer.lock().unwrap() = answer.into();
    }

    /// The heads of the requests so far, in lower case.
    pub fn requests(&self) -> Vec<String> {
        self.shared.requests.lock().unwrap().clone()
    }

    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }
}

impl Shared {
    fn accept(&self, stream: TcpStream) {
        let Some(config) = &self.tls else { return self.talk(stream, |_| ()) };
        let connection = ServerConnection::new(Arc::clone(config)).unwrap();
        self.talk(StreamOwned::new(connection, stream), |stream| {
            if !self.is_abrupt.load(Ordering::SeqCst) {
                stream.conn.send_close_notify();
                stream.flush().ok();
            }
        });
    }

    fn talk<S: Read + Write>(&self, mut stream: S, goodbye: impl Fn(&mut S)) {
        let mut ahead = Vec::new();
        while let Some(head) = next_request(&mut stream, &mut ahead) {
            self.requests.lock().unwrap().push(head);
            let answer = self.answer.lock().unwrap().clone();
            if stream.write_all(&answer).and_then(|()| stream.flush()).is_err() {
                return;
            }
            let head = String::from_utf8_lossy(&answer).to_ascii_lowercase();
            let framed = ["content-length:", "chunked"].iter().any(|word| head.contains(word));
            if !framed || head.contains("connection: close") {
                return goodbye(&mut stream);
            }
        }
    }
}

/// Reads a request with its body; gives its head.
fn next_request(stream: &mut impl Read, ahead: &mut Vec<u8>) -> Option<String> {
    loop {
        if let Some(end) = ahead.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&ahead[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
            let whole = end + 4 + length.map_or(0, |length| length.trim().parse().unwrap());
            if ahead.len() >= whole {
                ahead.drain(..whole);
                return Some(head);
            }
        }
        let mut piece = [0; 4096];
        match stream.read(&mut piece) {
            Ok(read) if read > 0 => ahead.extend_from_slice(&piece[..read]),
            Ok(_) | Err(_) => return None,
        }
    }
}
