//! A thousand callers at once, each with a list that would fit into RAM alone.

use std::{fmt::Write as _, net::SocketAddr, sync::Arc};

use faxplus_gateway::sandbox::{Sandbox, SandboxOptions};
use futures_util::future::join_all;
use serde_json::Value;
use tokio::{io::AsyncWriteExt as _, net::TcpStream, sync::Barrier};

use crate::{answer, get, highest_mib, process::Process, start};

const LISTS: usize = 1000;
const ROWS: usize = 8000;
/// Of the gateway's process, at its highest. Lists being read take 32 MiB. Beside them actix-http holds up to
/// half a MiB and more for a connection whose body has to wait (h1 reads on to 128 KiB behind a paused payload,
/// into buffers that double); with all lists in RAM it would be another 700 MiB. Up to 687 were measured; the chart's
/// `limits.memory` is 1024.
const MOST_MIB: u64 = 900;
/// All lists are about these people, so that sending them takes no longer than one list.
const PEOPLE: usize = 40_000;

fn rows(list: usize, rows: std::ops::Range<usize>) -> String {
    let mut text = String::new();
    for row in rows {
        writeln!(
            text,
            "address-{:07}@a-department-with-a-rather-long-name.example.com",
            (list * 997 + row) % PEOPLE
        )
        .unwrap();
    }
    text
}

/// Posts a list in halves: the second one when everybody's first half has gone.
async fn post(address: SocketAddr, list: usize, halfway: Arc<Barrier>) -> Value {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let length = rows(0, 0..1).len() * ROWS;
    let head = format!(
        "POST /v1/resends?results=none HTTP/1.1\r\nHost: g\r\nConnection: close\r\nContent-Type: text/plain\r\n\
         Prefer: respond-async\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(rows(list, 0..ROWS / 2).as_bytes()).await.unwrap();
    halfway.wait().await;
    stream.write_all(rows(list, ROWS / 2..ROWS).as_bytes()).await.unwrap();
    answer(stream).await
}

async fn end(process: &Process, address: SocketAddr, accepted: &Value) -> Value {
    let id = accepted["id"].as_str().unwrap_or_else(|| panic!("{accepted}: {}", process.written()));
    loop {
        let resend = answer(get(address, &format!("/v1/resends/{id}?wait=60")).await).await;
        if resend["status"] == "finished" {
            return resend;
        }
    }
}

#[actix_web::test]
#[ignore = "takes a minute, and means something in a `dist` build only"]
async fn a_thousand_lists_at_once_stay_inside_the_budget_and_none_is_turned_away() {
    let options = SandboxOptions { calls_kept: 0, ..SandboxOptions::default() };
    let sandbox = Sandbox::start(([127, 0, 0, 1], 0).into(), options).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    // As many open files as a plain shell gives.
    let mut process = start(&sandbox, &directory.path().join("gateway.db"), "ulimit -Sn 1024;", &[]);
    let (address, _) = process.addresses().await;
    let before = highest_mib(&process);

    let halfway = Arc::new(Barrier::new(LISTS));
    let accepted = join_all((0..LISTS).map(|list| post(address, list, Arc::clone(&halfway)))).await;
    let read = highest_mib(&process);
    eprintln!("{LISTS} lists of {ROWS}: {before} MiB before, {read} MiB once all were read");
    let ended = join_all(accepted.iter().map(|list| end(&process, address, list))).await;

    let most = highest_mib(&process);
    eprintln!("all sent: {most} MiB");
    let total =
        |outcome: &str| ended.iter().map(|resend| resend["counts"][outcome].as_u64().unwrap()).sum::<u64>();
    assert_eq!(total("sent") as usize, PEOPLE);
    assert_eq!(total("duplicate") as usize, LISTS * ROWS - PEOPLE);
    assert_eq!(sandbox.stats().distinct_addresses_accepted as usize, PEOPLE);
    assert!(most < MOST_MIB, "{most} MiB");
    process.signal("TERM");
    assert_eq!(process.end().await.code, Some(0));
    sandbox.stop().await;
}
