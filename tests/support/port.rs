//! A port for one test at which nothing listens until that test does.

use std::net::SocketAddr;

use tokio::net::TcpSocket;

/// A bound socket that does not listen: connections are refused, and as long as it is kept, no other test is given its
/// port. A server of this test may listen there.
pub fn reserved() -> (TcpSocket, SocketAddr) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}
