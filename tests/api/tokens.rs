//! Callers with tokens: who is let in, what each may do, how much, and what it sees of others.

use std::{fs, path::PathBuf};

use awc::http::Method;
use faxplus_gateway::{clients::TokenHash, sandbox::SandboxOptions};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::gateway::{Answer, Gateway, addresses, eventually};

/// A gateway with a clients file.
pub struct Guarded {
    pub gateway: Gateway,
    pub file: PathBuf,
    _directory: TempDir,
}

pub fn line(name: &str, tokens: &[&str], more: &str) -> String {
    let hashes: Vec<_> = tokens.iter().map(|token| format!("\"{}\"", TokenHash::of(token))).collect();
    format!("{name} = {{ tokens = [{}]{more} }}\n", hashes.join(", "))
}

impl Guarded {
    pub async fn start(clients: &[String], settings: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("clients.toml");
        fs::write(&file, clients.concat()).unwrap();
        let mut all = vec![("auth.mode", "tokens"), ("auth.clients_file", file.to_str().unwrap())];
        all.extend(settings);
        let gateway = Gateway::with(SandboxOptions::default(), &all).await;
        Self { gateway, file, _directory: directory }
    }

    pub async fn ask(&self, token: &str, method: Method, path: &str, body: &Value) -> Answer {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.gateway.request(method, path, &headers, body).await
    }

    pub async fn get(&self, token: &str, path: &str) -> Answer {
        self.ask(token, Method::GET, path, &Value::Null).await
    }

    pub async fn post(&self, token: &str, query: &str, emails: &[String]) -> Answer {
        self.ask(token, Method::POST, &format!("/v1/resends{query}"), &json!(emails)).await
    }
}

#[actix_web::test]
async fn only_clients_are_let_in_and_nothing_is_sent_for_others() {
    let guarded = Guarded::start(&[line("billing", &["good"], "")], &[]).await;
    let gateway = &guarded.gateway;
    let body = "[\"a@example.com\"]";

    for (headers, reason) in [
        (&[][..], "missing"),
        (&[("authorization", "Basic Z29vZA==")], "malformed"),
        (&[("authorization", "good")], "malformed"),
        (&[("authorization", "Bearer")], "malformed"),
        (&[("authorization", "Bearer wrong")], "unknown"),
        (&[("authorization", "Bearer goo")], "unknown"),
        (&[("authorization", "Bearer good1")], "unknown"),
        (&[("authorization", "Bearer GOOD")], "unknown"),
    ] {
        let series = format!("faxplus_gateway_auth_failures_total{{reason=\"{reason}\"}}");
        let before = gateway.metric(&series).await;
        let answer = gateway.request(Method::POST, "/v1/resends", headers, body).await;

        assert_eq!(answer.status, 401, "{headers:?}");
        assert_eq!(answer.json()["type"], "urn:faxplus-gateway:problem:unauthorized");
        assert!(answer.header("www-authenticate").unwrap().starts_with("Bearer"), "{answer:?}");
        assert_eq!(gateway.metric(&series).await, before + 1.0, "{headers:?}");
    }
    for path in ["/v1/resends", "/v1/operator", "/v1/no-such-path", "/v3/accounts/self/member-invitations"] {
        assert_eq!(gateway.get(path).await.status, 401, "{path}");
    }
    assert_eq!(gateway.sandbox.stats().calls, 0);

    let answer = guarded.post("good", "", &addresses("a", 3)).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["client"]), (200, &json!("billing")));
    assert_eq!(
        gateway.metric(r#"faxplus_gateway_addresses_total{client="billing",outcome="sent"}"#).await,
        3.0
    );
    guarded.gateway.stop().await;
}

#[actix_web::test]
async fn a_token_is_replaced_while_the_gateway_runs() {
    let guarded = Guarded::start(&[line("billing", &["old"], "")], &[]).await;
    let write = |tokens: &[&str]| fs::write(&guarded.file, line("billing", tokens, "")).unwrap();
    let is_good = async |token| guarded.get(token, "/v1/resends").await.status == 200;
    assert!(is_good("old").await && !is_good("new").await);

    write(&["old", "new"]);
    eventually(async || is_good("new").await.then_some(())).await;
    assert!(is_good("old").await);
    write(&["new"]);
    eventually(async || (!is_good("old").await).then_some(())).await;
    fs::write(&guarded.file, "billing = broken").unwrap();

    assert!(is_good("new").await);
    guarded.gateway.stop().await;
}

#[actix_web::test]
async fn a_client_that_comes_while_the_gateway_runs_has_its_series_from_the_start() {
    let old = line("old", &["o"], "");
    let guarded = Guarded::start(std::slice::from_ref(&old), &[]).await;
    guarded.post("o", "", &addresses("a", 2)).await;
    let series = async || -> Vec<(String, String)> {
        let text = guarded.gateway.admin("/metrics").await.text();
        let lines = text.lines().filter(|line| line.contains("client=\""));
        lines.map(|line| line.rsplit_once(' ').unwrap()).map(|(a, b)| (a.to_owned(), b.to_owned())).collect()
    };
    let before = series().await;

    fs::write(&guarded.file, line("new", &["n"], "")).unwrap();
    eventually(async || (guarded.get("n", "/v1/resends").await.status == 200).then_some(())).await;

    let after = series().await;
    assert_eq!(before.len(), 8, "{before:?}");
    assert!(before.iter().all(|series| after.contains(series)), "who went keeps its series: {after:?}");
    let zeros = before.iter().map(|(name, _)| (name.replace("\"old\"", "\"new\""), "0".to_owned()));
    assert!(zeros.into_iter().all(|series| after.contains(&series)), "{after:?}");
    assert_eq!(after.len(), 16, "{after:?}");
    guarded.gateway.stop().await;
}

#[actix_web::test]
async fn who_is_refused_is_told_what_would_help() {
    let guarded =
        Guarded::start(&[line("ann", &["a"], ""), line("eve", &["e"], ", sees_all = true")], &[]).await;
    let id = guarded.post("a", "", &addresses("a", 1)).await.json()["id"].as_str().unwrap().to_owned();

    let orders = guarded.get("a", "/v1/operator").await.json();
    let forced = guarded.post("a", "?force=true", &addresses("a", 1)).await.json();
    let cancelled = guarded.ask("e", Method::DELETE, &format!("/v1/resends/{id}"), &Value::Null).await.json();
    let unknown = guarded.get("wrong", "/v1/resends").await.json();

    assert_eq!((&orders["right"], &forced["right"]), (&json!("operator"), &json!("force")));
    assert_eq!((&cancelled["type"], &cancelled["right"]), (&orders["type"], &json!("operator")));
    assert_eq!(unknown["title"], "No valid token");
    guarded.gateway.stop().await;
}

#[actix_web::test]
async fn a_client_sees_its_own_resends_only() {
    let clients = [
        line("ann", &["a"], ""),
        line("bob", &["b"], ""),
        line("eve", &["e"], ", sees_all = true"),
        line("op", &["o"], ", operator = true"),
    ];
    let guarded = Guarded::start(&clients, &[]).await;
    let id = guarded.post("a", "", &addresses("a", 2)).await.json()["id"].as_str().unwrap().to_owned();
    let paths = [
        format!("/v1/resends/{id}"),
        format!("/v1/resends/{id}/results"),
        format!("/v1/resends/{id}/events"),
    ];

    for path in &paths {
        assert_eq!(guarded.get("a", path).await.status, 200, "{path}");
        assert_eq!(guarded.get("b", path).await.status, 404, "{path}");
        assert_eq!(guarded.get("e", path).await.status, 200, "{path}");
        assert_eq!(guarded.get("o", path).await.status, 200, "{path}");
    }
    let listed =
        async |token| guarded.get(token, "/v1/resends").await.json()["resends"].as_array().unwrap().len();
    assert_eq!((listed("a").await, listed("b").await, listed("e").await, listed("o").await), (1, 0, 1, 1));
    let delete =
        async |token| guarded.ask(token, Method::DELETE, &paths[0], &Value::Null).await.status.as_u16();
    assert_eq!(
        (delete("b").await, delete("e").await, delete("o").await, delete("a").await),
        (404, 403, 200, 200)
    );
    guarded.gateway.stop().await;
}

#[actix_web::test]
async fn a_send_of_another_client_is_a_duplicate_and_its_time_is_not_told() {
    let guarded = Guarded::start(&[line("ann", &["a"], ""), line("bob", &["b"], "")], &[]).await;
    let list = addresses("a", 2);
    assert_eq!(guarded.post("a", "", &list).await.json()["counts"]["sent"], 2);

    for (token, is_told) in [("a", true), ("b", false)] {
        for query in ["", "?dry_run=true"] {
            let told = guarded.post(token, query, &list).await.json();
            assert_eq!(told["counts"]["duplicate"], 2, "{told}");
            for row in told["results"].as_array().unwrap() {
                assert_eq!(row.get("sent_at").is_some(), is_told, "{token} {query}: {told}");
            }
        }
        let question = json!({"email": list[0]});
        let known = guarded.ask(token, Method::POST, "/v1/recent-sends/lookup", &question).await.json();
        assert_eq!(known["recent"], true);
        assert_eq!(known.get("sent_at").is_some(), is_told, "{known}");
    }
    guarded.gateway.stop().await;
}

#[actix_web::test]
async fn a_client_does_what_its_rights_allow() {
    let clients = [
        line("ann", &["a"], ""),
        line("bob", &["b"], ", force = true"),
        line("op", &["o"], ", operator = true"),
    ];
    let guarded = Guarded::start(&clients, &[]).await;
    let list = addresses("a", 1);
    guarded.post("a", "", &list).await;

    let refused = guarded.post("a", "?force=true", &list).await;
    assert_eq!(
        (refused.status.as_u16(), &refused.json()["type"]),
        (403, &json!("urn:faxplus-gateway:problem:not-allowed"))
    );
    assert_eq!(guarded.post("b", "?force=true", &list).await.json()["counts"]["sent"], 1);
    for (token, status) in [("a", 403), ("b", 403), ("o", 200)] {
        assert_eq!(guarded.get(token, "/v1/operator").await.status, status, "{token}");
        let pause = guarded.ask(token, Method::POST, "/v1/operator/pause", &json!({"note": "n"})).await;
        assert_eq!(pause.status, status, "{token}");
    }
    assert_eq!(guarded.ask("o", Method::POST, "/v1/operator/resume", &Value::Null).await.status, 200);
    guarded.gateway.stop().await;
}

#[actix_web::test]
async fn a_client_over_its_limits_is_told_when_to_come_again() {
    let clients = [
        line("ann", &["a"], ", addresses_per_minute = 60"),
        line("bob", &["b"], ", queued_addresses = 10"),
        line("op", &["o"], ", operator = true"),
    ];
    let guarded = Guarded::start(&clients, &[]).await;
    assert_eq!(guarded.post("a", "", &addresses("a", 90)).await.status, 200);

    let over = guarded.post("a", "", &addresses("x", 1)).await;
    assert_eq!(
        (over.status.as_u16(), &over.json()["type"]),
        (429, &json!("urn:faxplus-gateway:problem:rate-limit"))
    );
    let wait: u64 = over.header("retry-after").unwrap().parse().unwrap();
    assert!((25..=30).contains(&wait), "{wait}");
    // What costs nobody anything stays possible.
    assert_eq!(guarded.post("a", "?dry_run=true", &addresses("x", 1)).await.status, 200);

    guarded.ask("o", Method::POST, "/v1/operator/pause", &Value::Null).await;
    let never = guarded.post("b", "?results=none", &addresses("b", 11)).await;
    assert_eq!(
        (never.status.as_u16(), never.header("retry-after")),
        (413, None),
        "no wait makes room for it"
    );
    let bearer =
        [("authorization", "Bearer b"), ("content-type", "application/json"), ("prefer", "respond-async")];
    let post = async |name, count| {
        let body = json!(addresses(name, count)).to_string();
        guarded.gateway.request(Method::POST, "/v1/resends", &bearer, body).await
    };
    assert_eq!(post("c", 8).await.status, 202);
    let full = post("d", 3).await;
    assert_eq!(
        (full.status.as_u16(), &full.json()["type"]),
        (429, &json!("urn:faxplus-gateway:problem:queue-limit"))
    );
    assert!(full.header("retry-after").is_some());
    assert_eq!(post("e", 2).await.status, 202);
    guarded.gateway.stop().await;
}

#[actix_web::test]
async fn turns_are_shared_by_weight() {
    let clients = [
        line("ann", &["a"], ", weight = 3"),
        line("bob", &["b"], ""),
        line("op", &["o"], ", operator = true"),
    ];
    let guarded = Guarded::start(&clients, &[("upstream.max_in_flight", "1")]).await;
    guarded.ask("o", Method::POST, "/v1/operator/pause", &Value::Null).await;
    for (token, name) in [("a", "ann"), ("b", "bob")] {
        let bearer = format!("Bearer {token}");
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
            ("prefer", "respond-async"),
        ];
        let body = json!(addresses(name, 400)).to_string();
        assert_eq!(guarded.gateway.request(Method::POST, "/v1/resends", &headers, body).await.status, 202);
    }

    guarded.ask("o", Method::POST, "/v1/operator/resume", &Value::Null).await;
    eventually(async || (guarded.gateway.sandbox.stats().calls >= 40).then_some(())).await;

    let calls = guarded.gateway.sandbox.calls();
    let of_ann = calls.iter().take(40).filter(|call| call.emails[0].starts_with("ann")).count();
    assert!((28..=32).contains(&of_ann), "{of_ann} of 40 calls were ann's");
    guarded.gateway.stop().await;
}
