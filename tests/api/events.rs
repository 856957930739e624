//! A resend followed as it goes on: server-sent events over real connections.

use std::time::Duration;

use awc::{error::PayloadError, http::Method};
use bytes::{Bytes, BytesMut};
use faxplus_gateway::sandbox::SandboxOptions;
use futures_util::{StreamExt as _, stream::LocalBoxStream};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use crate::{
    gateway::{Gateway, PATIENCE, addresses, eventually},
    wire::Wire,
};

/// One event or comment, as it stood in the stream.
#[derive(Debug)]
struct Event {
    name: String,
    id: Option<String>,
    data: Value,
    at: Instant,
}

/// An open stream of events.
pub struct Events {
    pieces: LocalBoxStream<'static, Result<Bytes, PayloadError>>,
    ahead: BytesMut,
}

impl Events {
    /// The text of the next block, without the blank line after it; `None` when the stream has ended.
    pub async fn block(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.ahead.windows(2).position(|pair| pair == b"\n\n") {
                let block = self.ahead.split_to(end + 2);
                return Some(String::from_utf8(block[..end].to_vec()).unwrap());
            }
            match timeout(PATIENCE, self.pieces.next()).await.expect("no event came") {
                Some(piece) => self.ahead.extend_from_slice(&piece.unwrap()),
                None => {
                    assert!(self.ahead.is_empty(), "half an event: {:?}", self.ahead);
                    return None;
                }
            }
        }
    }

    async fn event(&mut self) -> Option<Event> {
        self.block().await.map(|block| read(&block))
    }
}

fn read(block: &str) -> Event {
    let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
    Event {
        name: field("event: ").unwrap_or_else(|| panic!("no event: {block}")),
        id: field("id: "),
        data: serde_json::from_str(&field("data: ").unwrap()).unwrap(),
        at: Instant::now(),
    }
}

/// Follows a resend.
pub async fn follow(gateway: &Gateway, id: &str) -> Events {
    let request = awc::Client::builder().disable_timeout().finish().get(gateway.url(&path(id)));
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    Events { pieces: response.boxed_local(), ahead: BytesMut::new() }
}

fn path(id: &str) -> String {
    format!("/v1/resends/{id}/events")
}

fn sent(event: &Event) -> u64 {
    event.data["counts"]["sent"].as_u64().unwrap()
}

#[actix_web::test]
async fn a_finished_resend_has_one_event() {
    let gateway = Gateway::start().await;
    let posted = gateway.post("?results=none", &["a@example.com", "nobody"]).await.json();

    let answer = gateway.get(&path(posted["id"].as_str().unwrap())).await;

    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("x-accel-buffering"), Some("no"));
    let text = answer.text();
    assert!(text.ends_with("\n\n") && text.matches("event: ").count() == 1, "{text}");
    let event = read(&text);
    assert_eq!((event.name.as_str(), event.data), ("finished", posted));
    gateway.stop().await;
}

#[actix_web::test]
async fn progress_is_told_at_once_then_at_most_four_times_a_second_until_the_end() {
    let options = SandboxOptions { latency: Duration::from_millis(20), ..SandboxOptions::default() };
    let gateway = Gateway::with(options, &[("upstream.max_calls_per_second", "20")]).await;
    let id = gateway.post_async("", &addresses("a", 400)).await;
    let began = Instant::now();

    let mut events = follow(&gateway, &id).await;
    let mut all = Vec::new();
    while let Some(event) = events.event().await {
        all.push(event);
    }

    let last = all.pop().unwrap();
    assert_eq!((last.name.as_str(), sent(&last)), ("finished", 400));
    assert_eq!(last.data, gateway.get(&format!("/v1/resends/{id}")).await.json());
    assert!(sent(&all[0]) < 400, "{:?}", all[0]);
    assert!(all.iter().all(|event| event.name == "progress" && event.id.is_none()), "{all:?}");
    assert!(all.iter().all(|event| event.data["estimated_finish_at"].is_string()), "{all:?}");
    assert!(all.iter().is_sorted_by_key(sent), "{all:?}");
    let seconds = (last.at - began).as_secs_f64();
    let most = (seconds * 4.0).ceil() as usize + 1;
    assert!((4..=most).contains(&all.len()), "{} in {seconds} s", all.len());
    gateway.stop().await;
}

#[actix_web::test]
async fn while_nothing_changes_only_comments_keep_the_stream_open() {
    let gateway = Gateway::start().await;
    gateway.faults(json!([{"fate": "status", "status": 429, "retry_after": "3600"}]));
    let id = gateway.post_async("", &addresses("a", 15)).await;
    gateway.until(&id, |resend| resend.get("hold").is_some()).await;

    let mut events = follow(&gateway, &id).await;
    let first = events.event().await.unwrap();
    let quiet = Instant::now();
    let comment = events.block().await.unwrap();

    assert_eq!(first.data["hold"]["reason"], "throttled");
    assert!(comment.starts_with(": "), "{comment}");
    let silence = quiet.elapsed().as_secs_f64();
    assert!(silence >= 14.0, "{silence}");
    gateway.request(Method::DELETE, &format!("/v1/resends/{id}"), &[], "").await;
    let end = events.event().await.unwrap();
    assert_eq!((end.name.as_str(), &end.data["status"]), ("finished", &json!("cancelled")));
    assert!(events.block().await.is_none());
    gateway.stop().await;
}

#[actix_web::test]
async fn a_hold_that_comes_and_goes_is_told() {
    let gateway = Gateway::start().await;
    gateway.faults(json!([{"fate": "status", "status": 401}]));
    let id = gateway.post_async("", &["a@example.com"]).await;

    let mut events = follow(&gateway, &id).await;
    let held = loop {
        let event = events.event().await.unwrap();
        if event.data.get("hold").is_some() {
            break event;
        }
    };
    gateway.faults(json!([]));
    let mut last = held;
    while let Some(event) = events.event().await {
        last = event;
    }

    assert_eq!((last.name.as_str(), sent(&last), last.data.get("hold")), ("finished", 1, None));
    gateway.stop().await;
}

#[actix_web::test]
async fn a_browser_that_comes_back_after_the_end_is_told_to_stop() {
    let gateway = Gateway::start().await;
    let id = gateway.post("", &["a@example.com"]).await.json()["id"].as_str().unwrap().to_owned();
    let end = read(&gateway.get(&path(&id)).await.text()).id.unwrap();

    let again =
        async |heard: &str| gateway.request(Method::GET, &path(&id), &[("last-event-id", heard)], "").await;

    let told = again(&end).await;
    assert_eq!((told.status.as_u16(), told.text().as_str()), (204, ""));
    for other in ["end-1", "7", "\u{e4}"] {
        let answer = again(other).await;
        assert_eq!(answer.status, 200, "{other}");
        assert_eq!(read(&answer.text()).id.as_ref(), Some(&end), "{other}");
    }
    gateway.stop().await;
}

#[actix_web::test]
async fn a_reader_that_goes_away_gives_its_connection_back() {
    let options = SandboxOptions::default();
    let gateway = Gateway::with(options, &[("server.max_connections", "1")]).await;
    gateway.faults(json!([{"fate": "status", "status": 429, "retry_after": "3600"}]));
    let mut post = Wire::connect(gateway.address()).await;
    let fields = "Connection: close\r\nPrefer: respond-async\r\nContent-Length: 17\r\n";
    post.begin_post(fields).await;
    post.send(r#"["a@example.com"]"#).await.unwrap();
    let location = post.answer().await.unwrap().header("location").unwrap().to_owned();
    drop(post);

    let mut reader = Wire::connect(gateway.address()).await;
    reader.send(format!("GET {location}/events HTTP/1.1\r\nHost: g\r\n\r\n")).await.unwrap();
    eventually(async || reader.has_answer().then_some(())).await;
    let mut next = Wire::connect(gateway.address()).await;
    next.send(format!("DELETE {location} HTTP/1.1\r\nHost: g\r\nConnection: close\r\n\r\n")).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!next.has_answer(), "the reader did not hold the only connection");
    reader.reset();

    assert_eq!(next.answer().await.unwrap().json()["status"], "cancelled");
    drop(next);
    gateway.stop().await;
}

#[actix_web::test]
async fn what_cannot_be_followed_is_a_problem() {
    let gateway = Gateway::start().await;
    let id = gateway.post("", &["a@example.com"]).await.json()["id"].as_str().unwrap().to_owned();

    let absent = gateway.get(&path("0198c9f2-0000-7000-8000-000000000000")).await;
    let unknown = gateway.get(&format!("{}?since=1", path(&id))).await;
    let posted = gateway.request(Method::POST, &path(&id), &[], "").await;

    assert_eq!(absent.status, 404);
    absent.problem("no-such-resend");
    assert_eq!(unknown.problem("bad-query")["parameter"], "since");
    assert_eq!((posted.status.as_u16(), posted.header("allow")), (405, Some("GET, HEAD")));
    posted.problem("method");
    gateway.stop().await;
}
