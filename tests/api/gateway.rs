//! A gateway and its simulated fax.plus on free ports, for one test.
//!
//! Tests change settings by closure, speak plain HTTP, and hold what callers were told against the
//! sandbox's ledger. Nothing sleeps to synchronise: answers are waited for, or conditions awaited.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use actix_web::rt;
use awc::http::{Method, StatusCode, header::HeaderMap};
use bytes::Bytes;
use faxplus_gateway::{
    config::{LoadOptions, Settings},
    outbound::{Client, ClientOptions, Content, Request, Written},
    sandbox::{Rule, Sandbox, SandboxOptions, parse_faults},
    startup::{Application, StartupError},
    store::file::OpenError,
};
use serde_json::Value;
use tokio::{sync::oneshot, task::JoinHandle, time::timeout};

/// Far longer than anything takes, also where other work keeps every core busy; a test that runs into it has failed.
pub const PATIENCE: Duration = Duration::from_secs(600);

/// A running gateway.
pub struct Gateway {
    pub sandbox: Sandbox,
    settings: BTreeMap<String, String>,
    address: SocketAddr,
    admin_address: SocketAddr,
    client: Client,
    stop: Option<oneshot::Sender<()>>,
    running: Option<JoinHandle<std::io::Result<()>>>,
}

/// An answer, whole.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Gateway {
    /// With the sandbox's defaults and settings fit for tests: no ceiling, quick backoff, no drain delay, and
    /// callers that wait for the end, however busy the machine is.
    pub async fn start() -> Self {
        Self::with(SandboxOptions::default(), &[]).await
    }

    /// With these sandbox options and settings over the test's defaults.
    pub async fn with(options: SandboxOptions, overrides: &[(&str, &str)]) -> Self {
        let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
        let options = SandboxOptions { calls_kept: 200_000, ..options };
        let sandbox = Sandbox::start(loopback, options).await.unwrap();
        let base_url = sandbox.base_url();
        let mut all = BTreeMap::from(
            [
                ("server.listen", "127.0.0.1:0"),
                ("server.admin_listen", "127.0.0.1:0"),
                ("server.drain_delay_seconds", "0"),
                ("server.drain_timeout_seconds", "10"),
                ("server.default_wait_seconds", "240"),
                ("upstream.base_url", base_url.as_str()),
                ("upstream.max_calls_per_second", "0"),
                ("upstream.min_backoff_ms", "10"),
                ("upstream.breaker_cooldown_seconds", "1"),
                ("credentials.token", "test-token"),
                ("store.path", ":memory:"),
            ]
            .map(|(key, value)| (key.to_owned(), value.to_owned())),
        );
        all.extend(overrides.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        if all.contains_key("credentials.token_file") || all.contains_key("credentials.kind") {
            all.remove("credentials.token");
        }
        all.entry("credentials.token_url".to_owned()).or_insert_with(|| sandbox.token_url());
        let application = built(&settings(&all)).await;
        Self::on(sandbox, all, application)
    }

    fn on(sandbox: Sandbox, all: BTreeMap<String, String>, application: Application) -> Self {
        let (address, admin_address) = (application.address(), application.admin_address());
        let (stop, stopped) = oneshot::channel();
        let running = rt::spawn(application.run_until_stopped(async move {
            stopped.await.ok();
        }));
        Self {
            sandbox,
            settings: all,
            address,
            admin_address,
            client: client(),
            stop: Some(stop),
            running: Some(running),
        }
    }

    /// A URL of the main listener.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A URL of the admin listener.
    pub fn admin_url(&self, path: &str) -> String {
        format!("http://{}{path}", self.admin_address)
    }

    /// The address of the main listener, for raw sockets.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of the admin listener, for raw sockets.
    pub fn admin_address(&self) -> SocketAddr {
        self.admin_address
    }

    /// Sends a request to the main listener.
    pub async fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        exchange(&self.client, method, self.url(path), headers, body.into()).await
    }

    /// Gets a path of the main listener.
    pub async fn get(&self, path: &str) -> Answer {
        self.request(Method::GET, path, &[], "").await
    }

    /// Gets a path of the admin listener.
    pub async fn admin(&self, path: &str) -> Answer {
        self.admin_request(Method::GET, path, &[]).await
    }

    /// Sends a request to the admin listener.
    pub async fn admin_request(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
        let url = self.admin_url(path);
        exchange(&self.client, method, url, headers, Bytes::new()).await
    }

    /// Posts a list as JSON to `/v1/resends`, with this query (begins with `?`, or empty).
    pub async fn post(&self, query: &str, emails: &[impl AsRef<str>]) -> Answer {
        self.post_with(query, &[], emails).await
    }

    /// Posts a list as JSON with more headers.
    pub async fn post_with(
        &self,
        query: &str,
        headers: &[(&str, &str)],
        emails: &[impl AsRef<str>],
    ) -> Answer {
        let emails: Vec<_> = emails.iter().map(AsRef::as_ref).collect();
        let mut all = vec![("content-type", "application/json")];
        all.extend_from_slice(headers);
        let body = serde_json::to_vec(&emails).unwrap();
        self.request(Method::POST, &format!("/v1/resends{query}"), &all, body).await
    }

    /// Posts a list and does not wait: gives the id of the resend.
    pub async fn post_async(&self, query: &str, emails: &[impl AsRef<str>]) -> String {
        let answer = self.post_with(query, &[("prefer", "respond-async")], emails).await;
        assert!(answer.status.is_success(), "{answer:?}");
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    /// Waits until a resend is finished or cancelled: gives it.
    pub async fn finished(&self, id: &str) -> Value {
        let path = format!("/v1/resends/{id}?wait=240");
        let has_ended =
            |resend: &Value| ["finished", "cancelled"].contains(&resend["status"].as_str().unwrap());
        eventually(async || Some(self.get(&path).await.json()).filter(has_ended)).await
    }

    /// Asks for a resend until it is as `condition` wants it: gives it.
    pub async fn until(&self, id: &str, condition: impl Fn(&Value) -> bool) -> Value {
        let path = format!("/v1/resends/{id}");
        eventually(async || Some(self.get(&path).await.json()).filter(&condition)).await
    }

    /// The outcome and reason of each result of a resend, by the address as the caller wrote it.
    pub async fn results(&self, id: &str) -> Vec<(String, String)> {
        outcomes(&self.get(&format!("/v1/resends/{id}/results?outcome=sent,duplicate,invalid,rejected,not_sent,unknown,pending")).await.json())
    }

    /// One value of the metrics; the series is written as it stands in the text, labels included.
    pub async fn metric(&self, series: &str) -> f64 {
        let text = self.admin("/metrics").await.text();
        let line =
            text.lines().find(|line| line.strip_prefix(series).is_some_and(|rest| rest.starts_with(' ')));
        line.unwrap_or_else(|| panic!("no series {series}")).rsplit(' ').next().unwrap().parse().unwrap()
    }

    /// Which calls meet which fate from now on: a JSON list of rules.
    pub fn faults(&self, rules: Value) {
        let rules: Vec<Rule> = parse_faults(rules.to_string().as_bytes()).unwrap();
        self.sandbox.set_faults(rules);
    }

    /// How often the sandbox accepted an address.
    pub fn accepted(&self, email: &str) -> u64 {
        self.sandbox.ledger().get(email).copied().unwrap_or(0)
    }

    /// Begins to stop the gateway, as a signal does.
    pub fn begin_stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            stop.send(()).unwrap();
        }
    }

    /// Stops the gateway alone; it must end well.
    pub async fn end(&mut self) {
        self.begin_stop();
        if let Some(running) = self.running.take() {
            timeout(PATIENCE, running).await.expect("the gateway did not stop").unwrap().unwrap();
        }
    }

    /// Stops the gateway and the sandbox; both must end well.
    pub async fn stop(mut self) {
        self.end().await;
        self.sandbox.stop().await;
    }

    /// Stops the gateway, and starts one anew with these settings over the old ones and the same sandbox.
    pub async fn restart(mut self, overrides: &[(&str, &str)]) -> Self {
        self.end().await;
        let mut all = self.settings;
        all.extend(overrides.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        let application = built(&settings(&all)).await;
        Self::on(self.sandbox, all, application)
    }
}

/// The last worker of the one before may still be letting go of the file.
async fn built(settings: &Settings) -> Application {
    eventually(async || match Application::build(settings, false).await {
        Ok(application) => Some(application),
        Err(StartupError::Store(OpenError::InUse { .. })) => None,
        Err(error) => panic!("{error}"),
    })
    .await
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8(self.body.to_vec()).unwrap()
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The address and the outcome (with `/reason`, if any) of each result that the answer carries.
    pub fn outcomes(&self) -> Vec<(String, String)> {
        outcomes(&self.json()["results"])
    }

    /// The outcomes alone, in order.
    pub fn words(&self) -> Vec<String> {
        self.outcomes().into_iter().map(|(_, outcome)| outcome).collect()
    }
}

/// Tries until there is something.
pub async fn eventually<T>(mut attempt: impl AsyncFnMut() -> Option<T>) -> T {
    let patient = async {
        loop {
            if let Some(found) = attempt().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, patient).await.expect("it never came about")
}

/// `count` addresses that nothing is wrong with, told apart by `name`.
pub fn addresses(name: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{name}{number}@example.com")).collect()
}

fn outcomes(results: &Value) -> Vec<(String, String)> {
    let results = results.as_array().unwrap_or_else(|| panic!("no results: {results}"));
    results
        .iter()
        .map(|row| {
            let outcome = row["outcome"].as_str().unwrap();
            let told = match row["reason"].as_str() {
                Some(reason) => format!("{outcome}/{reason}"),
                None => outcome.to_owned(),
            };
            (row["email"].as_str().unwrap().to_owned(), told)
        })
        .collect()
}

fn settings(overrides: &BTreeMap<String, String>) -> Settings {
    Settings::load(&LoadOptions { overrides: overrides.clone(), ..LoadOptions::default() }).unwrap()
}

fn client() -> Client {
    Client::new(&ClientOptions { connect_timeout: PATIENCE, ca_file: None, max_in_flight: 4000 }).unwrap()
}

async fn exchange(
    client: &Client,
    method: Method,
    url: String,
    headers: &[(&str, &str)],
    body: Bytes,
) -> Answer {
    let headers =
        headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
    let request = Request {
        method,
        uri: url.parse().unwrap(),
        headers,
        body,
        timeout: PATIENCE,
        max_answer_bytes: 256 << 20,
        written: Written::default(),
    };
    let answer = client.exchange(request).await.unwrap_or_else(|failure| panic!("{url}: {failure:?}"));
    match answer.content {
        Content::Whole(body) => Answer { status: answer.status, headers: answer.headers, body },
        cut => panic!("{url}: {cut:?}"),
    }
}
