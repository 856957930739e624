//! A store that takes long to open: probes are answered meanwhile, so that nobody kills the gateway for it.

use std::{net::SocketAddr, path::Path};

use rusqlite::Connection;
use serde_json::Value;

use crate::{
    client::{Answer, exchange},
    process::Process,
    start::{start, used_store},
};

async fn get(address: SocketAddr, path: &str) -> Answer {
    exchange(address, &format!("GET {path} HTTP/1.1"), b"").await.unwrap()
}

/// Keeps the store from being opened until it is dropped.
fn held(path: &Path) -> Connection {
    let other = Connection::open(path).unwrap();
    other.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(())).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    other
}

/// Where probes are answered, as the log says before the store is open.
async fn early(process: &mut Process) -> SocketAddr {
    let line: Value = serde_json::from_str(&process.line("probes are answered").await).unwrap();
    line["admin"].as_str().unwrap().parse().unwrap()
}

#[actix_web::test]
async fn probes_are_answered_while_the_store_is_opened() {
    let (_directory, path) = used_store().await;
    let other = held(&path);
    let mut process = start(&path);
    let admin = early(&mut process).await;

    let (live, ready) = (get(admin, "/livez").await, get(admin, "/readyz?verbose").await);
    let (metrics, page) = (get(admin, "/metrics").await, get(admin, "/").await);

    assert_eq!((live.status, metrics.status), (200, 200));
    assert_eq!((ready.status, ready.body), (503, b"[-] started\n[+] not draining\nstarting\n".to_vec()));
    assert_eq!((page.status, &page.json()["type"]), (503, &"urn:faxplus-gateway:problem:starting".into()));
    assert!(!process.written().contains("The gateway is ready."));
    drop(other);
    assert_eq!(process.addresses().await.1, admin);
    assert_eq!((get(admin, "/readyz").await.status, get(admin, "/").await.status), (200, 200));
    process.signal("TERM");
    assert_eq!(process.end().await.code, Some(0));
}

#[actix_web::test]
async fn a_gateway_that_is_stopped_while_the_store_is_opened_ends_at_once() {
    let (_directory, path) = used_store().await;
    let other = held(&path);
    let mut process = start(&path);
    assert_eq!(get(early(&mut process).await, "/livez").await.status, 200);

    process.signal("TERM");
    let ended = process.end().await;

    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("stopped before it was ready"), "{}", ended.stderr);
    drop(other);
    let mut process = start(&path);
    assert_eq!(get(process.addresses().await.1, "/readyz").await.status, 200);
}
