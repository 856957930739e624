//! A proxy in between that breaks connections at a chosen moment.

use std::{
    cell::Cell,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use actix_web::rt;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// What is broken: connections with a request that holds `path`, once so many bytes of its answer were
/// passed back. Only the first `times` such connections are broken.
#[derive(Debug, Clone, Copy)]
pub struct Break {
    pub path: &'static str,
    pub after_bytes: usize,
    pub times: usize,
}

pub struct Proxy {
    pub address: SocketAddr,
    broken: Arc<AtomicUsize>,
}

impl Proxy {
    pub async fn start(gateway: SocketAddr, what: Break) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let broken = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&broken);
        rt::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                rt::spawn(pass(client, gateway, what, Arc::clone(&counter)));
            }
        });
        Self { address, broken }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many connections were broken so far.
    pub fn broken(&self) -> usize {
        self.broken.load(Ordering::SeqCst)
    }
}

async fn pass(mut client: TcpStream, gateway: SocketAddr, what: Break, broken: Arc<AtomicUsize>) {
    let Ok(mut server) = TcpStream::connect(gateway).await else { return };
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    // What may still be passed back, once the request to be broken was seen.
    let left = Cell::new(None);
    let requests = async {
        let mut piece = vec![0; 64 << 10];
        while let Ok(read @ 1..) = from_client.read(&mut piece).await {
            let asks = String::from_utf8_lossy(&piece[..read]).contains(what.path);
            if asks && broken.load(Ordering::SeqCst) < what.times {
                left.set(Some(what.after_bytes));
            }
            to_server.write_all(&piece[..read]).await.ok();
        }
    };
    let answers = async {
        let mut piece = vec![0; 64 << 10];
        while let Ok(read @ 1..) = from_server.read(&mut piece).await {
            let passed = left.get().map_or(read, |left| read.min(left));
            to_client.write_all(&piece[..passed]).await.ok();
            left.set(left.get().map(|left| left - passed));
            if left.get() == Some(0) {
                broken.fetch_add(1, Ordering::SeqCst);
                return;
            }
        }
    };
    tokio::select! {
        () = requests => {}
        () = answers => {}
    }
}
