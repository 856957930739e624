//! What a store file costs a caller that waits: the same posts against `:memory:` and against a file, in
//! turns, in one run. Prints the time a post takes at one caller, and posts a second at many.
//!
//! `cargo bench --bench file_store`

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement, run by hand")]

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use awc::http::{Method, header::CONTENT_TYPE};
use faxplus_gateway::{
    config::{LoadOptions, Settings},
    outbound::{Client, ClientOptions, Content, Request, Written},
    sandbox::{Sandbox, SandboxOptions},
    startup::Application,
};
use futures_util::future::join_all;
use tokio::{sync::oneshot, time::Instant};

/// Posts of one caller to each, in turns.
const ALONE: usize = 300;
/// Rounds of many callers to each, in turns.
const ROUNDS: usize = 10;
/// Of the simulated fax.plus. At once, callers and gateways and fax.plus take all of a small machine, and each
/// microsecond of work is seen; with a latency, what callers see is shown.
const LATENCIES: [Duration; 2] = [Duration::ZERO, Duration::from_millis(3)];
/// Rounds in which the gateways learn the pace of upstream, and everything gets warm.
const WARM_UPS: usize = 10;
const CALLERS: usize = 32;
const EACH: usize = 40;

struct Gateway {
    name: &'static str,
    url: String,
    client: Client,
    stop: oneshot::Sender<()>,
    running: tokio::task::JoinHandle<std::io::Result<()>>,
    posted: usize,
}

impl Gateway {
    async fn start(name: &'static str, sandbox: &Sandbox, store: &str) -> Self {
        let pairs = [
            ("server.listen", "127.0.0.1:0"),
            ("server.admin_listen", "127.0.0.1:0"),
            ("server.drain_delay_seconds", "0"),
            ("upstream.base_url", &sandbox.base_url()),
            ("upstream.max_calls_per_second", "0"),
            ("upstream.max_in_flight", "64"),
            ("credentials.token", "token"),
            ("store.path", store),
            ("log.level", "error"),
        ];
        let overrides: BTreeMap<_, _> =
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let settings = Settings::load(&LoadOptions { overrides, ..LoadOptions::default() }).unwrap();
        let application = Application::build(&settings, false).await.unwrap();
        let url = format!("http://{}/v1/resends?results=none", application.address());
        let (stop, stopped) = oneshot::channel();
        let running = actix_web::rt::spawn(application.run_until_stopped(async move {
            stopped.await.unwrap();
        }));
        let options =
            ClientOptions { connect_timeout: Duration::from_secs(9), ca_file: None, max_in_flight: 64 };
        Self { name, url, client: Client::new(&options).unwrap(), stop, running, posted: 0 }
    }

    async fn post(&self, number: usize) {
        let body = format!("[\"{}{number}@example.com\"]", self.name);
        let request = Request {
            method: Method::POST,
            uri: self.url.parse().unwrap(),
            headers: vec![(CONTENT_TYPE, "application/json".parse().unwrap())],
            body: body.into(),
            timeout: Duration::from_secs(30),
            max_answer_bytes: 1 << 16,
            written: Written::default(),
        };
        let answer = self.client.exchange(request).await.unwrap();
        assert!(answer.status == 200 && matches!(answer.content, Content::Whole(_)), "{answer:?}");
    }

    /// How long one more post takes, in microseconds.
    async fn post_alone(&mut self) -> f64 {
        self.posted += 1;
        let started = Instant::now();
        self.post(self.posted).await;
        started.elapsed().as_secs_f64() * 1e6
    }

    /// Posts a second, at many callers.
    async fn post_at_once(&mut self) -> f64 {
        let started = Instant::now();
        let first = self.posted;
        self.posted += CALLERS * EACH;
        let this = &*self;
        join_all((0..CALLERS).map(|caller| async move {
            for number in 0..EACH {
                this.post(first + 1 + caller * EACH + number).await;
            }
        }))
        .await;
        (CALLERS * EACH) as f64 / started.elapsed().as_secs_f64()
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[actix_web::main]
async fn main() {
    for latency in LATENCIES {
        println!("fax.plus answers after {latency:?}");
        measure(latency).await;
    }
}

async fn measure(latency: Duration) {
    let options = SandboxOptions { calls_kept: 0, latency, ..SandboxOptions::default() };
    let sandbox = Sandbox::start(SocketAddr::from(([127, 0, 0, 1], 0)), options).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gateway.db");
    let mut memory = Gateway::start("memory", &sandbox, ":memory:").await;
    let mut file = Gateway::start("file", &sandbox, path.to_str().unwrap()).await;
    for _ in 0..WARM_UPS {
        for gateway in [&mut memory, &mut file] {
            gateway.post_alone().await;
            gateway.post_at_once().await;
        }
    }
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..ALONE {
        times[0].push(memory.post_alone().await);
        times[1].push(file.post_alone().await);
    }
    let mut rates = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        rates[0].push(memory.post_at_once().await);
        rates[1].push(file.post_at_once().await);
    }
    let ([memory_us, file_us], [memory_rate, file_rate]) = (times.map(median), rates.map(median));
    println!(
        "  one caller:  memory {memory_us:.0} us, file {file_us:.0} us: {:+.0} us a post",
        file_us - memory_us
    );
    println!(
        "  {CALLERS} callers:  memory {memory_rate:.0}/s, file {file_rate:.0}/s: {:.2} of it",
        file_rate / memory_rate
    );
    for gateway in [memory, file] {
        gateway.stop.send(()).unwrap();
        gateway.running.await.unwrap().unwrap();
    }
    sandbox.stop().await;
}
