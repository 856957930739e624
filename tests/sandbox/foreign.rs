//! Answers that fax.plus did not write, byte by byte, and that the ledger never believes them.

use faxplus_gateway::sandbox::{Fate, ForeignAnswer, Page, Rule, Sandbox, SandboxOptions, Target};
use serde_json::json;

use crate::client::{Client, call, faulty_sandbox, patch, request, sandbox, set_faults, without_date};

const ADDRESS: &str = "a@one.example";
const PROBE: &str = "/v3/accounts/self";
const PLAIN: &str = "content-type: text/plain; charset=utf-8";
const CLOUDFLARE: &str =
    "content-type: text/html; charset=UTF-8\r\nserver: cloudflare\r\ncf-ray: 8c1f2e3d4a5b6c7d-FRA";

/// The head without its date and its length, and the body, of a PATCH.
async fn head_and_body(sandbox: &Sandbox) -> (String, String) {
    let answer = call(sandbox, &patch(&[ADDRESS])).await;
    assert_eq!(answer.field("content-length"), Some(answer.body.len().to_string().as_str()));
    let head = without_date(answer.head.as_bytes());
    let (head, _) = head.split_once("\r\ncontent-length: ").unwrap();
    (head.to_owned(), answer.body)
}

#[tokio::test]
async fn each_page_is_what_such_a_server_sends_with_its_usual_status() {
    let nginx = "<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<center><h1>404 Not Found</h1>\
                 </center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n";
    let challenge = format!("HTTP/1.1 403 Forbidden\r\n{CLOUDFLARE}\r\ncf-mitigated: challenge");
    for (page, head, body) in [
        (Page::DefaultBackend, format!("HTTP/1.1 404 Not Found\r\n{PLAIN}"), "default backend - 404"),
        (Page::Text, format!("HTTP/1.1 404 Not Found\r\n{PLAIN}"), "404 Not Found\n"),
        (Page::Html, "HTTP/1.1 404 Not Found\r\ncontent-type: text/html\r\nserver: nginx".to_owned(), nginx),
        (
            Page::Json,
            "HTTP/1.1 404 Not Found\r\ncontent-type: application/json; charset=utf-8".to_owned(),
            r#"{"message":"no Route matched with those values"}"#,
        ),
        (Page::Empty, "HTTP/1.1 404 Not Found".to_owned(), ""),
        (Page::Login, "HTTP/1.1 200 OK\r\ncontent-type: text/html".to_owned(), "<title>Sign in</title>"),
        (Page::Challenge, challenge, "<title>Just a moment...</title>"),
        (Page::Cloudflare, format!("HTTP/1.1 521 Web Server Is Down\r\n{CLOUDFLARE}"), "Error code 521"),
    ] {
        let sandbox = faulty_sandbox([Rule::new(Fate::foreign(page))]).await;

        let seen = head_and_body(&sandbox).await;

        assert_eq!(seen.0, head, "{page:?}");
        let whole = !matches!(page, Page::Login | Page::Challenge | Page::Cloudflare);
        assert!(if whole { seen.1 == body } else { seen.1.contains(body) }, "{page:?}: {}", seen.1);
        assert!(sandbox.ledger().is_empty(), "{page:?}");
        assert_eq!(sandbox.calls()[0].fate, Some("foreign"));
    }
}

#[tokio::test]
async fn any_page_can_come_with_any_status_and_fields_of_choice() {
    let sandbox = faulty_sandbox([]).await;
    for (rule, head, body) in [
        (json!({"page": "html", "status": 400, "server": "x"}), None, ""),
        (
            json!({"page": "html", "status": 400, "headers": {"Server": "openresty", "x-cache": ["MISS", "HIT"]}}),
            Some(
                "HTTP/1.1 400 Bad Request\r\ncontent-type: text/html\r\ncontent-length: 150\r\n\
                  Server: openresty\r\nx-cache: MISS\r\nx-cache: HIT\r\n\r\n",
            ),
            "<title>400 Bad Request</title>",
        ),
        (
            json!({"page": "text", "status": 503, "retry_after": "20s", "headers": {"content-type": null}}),
            Some("HTTP/1.1 503 Service Unavailable\r\nretry-after: 20s\r\ncontent-length: 24\r\n\r\n"),
            "503 Service Unavailable\n",
        ),
        (
            json!({"page": "cloudflare", "status": 530, "headers": {"CF-Ray": null, "server": null}}),
            Some(
                "HTTP/1.1 530 Origin DNS Error\r\ncontent-type: text/html; charset=UTF-8\r\ncontent-length: 209\r\n\r\n",
            ),
            "530: Origin DNS Error",
        ),
        (
            json!({"page": "html", "status": 204}),
            Some("HTTP/1.1 204 No Content\r\ncontent-type: text/html\r\nserver: nginx\r\n\r\n"),
            "",
        ),
    ] {
        let mut rule = rule;
        rule["fate"] = json!("foreign");
        let set = set_faults(&sandbox, &json!([rule])).await;
        let Some(head) = head else {
            assert_eq!(set.json()["description"], "rule 1: field `server`: there is no such field here");
            continue;
        };

        let mut client = Client::connect(&sandbox).await;
        let answer = client.call(&patch(&[ADDRESS])).await;

        assert_eq!(without_date(answer.head.as_bytes()), head);
        assert!(answer.body.contains(body), "{}", answer.body);
        assert_eq!(client.call(&request("GET", "/sandbox/stats", "", "")).await.status, 200, "{rule}");
    }
    assert!(sandbox.ledger().is_empty());
}

#[tokio::test]
async fn every_code_of_cloudflare_has_its_words_and_its_ray() {
    let sandbox = faulty_sandbox([]).await;

    for status in [520, 521, 522, 523, 524, 525, 526, 527, 530] {
        let fate = ForeignAnswer { status, ..ForeignAnswer::new(Page::Cloudflare) };
        sandbox.set_faults(vec![Rule::new(Fate::Foreign(fate))]);
        let answer = call(&sandbox, &patch(&[ADDRESS])).await;

        assert_eq!((answer.status, answer.field("cf-ray")), (status, Some("8c1f2e3d4a5b6c7d-FRA")));
        assert!(!answer.head.contains("Simulated"), "{}", answer.head);
        assert!(answer.body.contains(&format!("Error code {status}")), "{}", answer.body);
    }
    assert!(sandbox.ledger().is_empty());
}

#[tokio::test]
async fn a_call_behind_a_foreign_answer_is_accepted_only_if_the_rule_says_so() {
    for accept in [false, true] {
        let fate = ForeignAnswer { status: 502, accept, ..ForeignAnswer::new(Page::Html) };
        let sandbox = faulty_sandbox([Rule::new(Fate::Foreign(fate))]).await;

        assert_eq!(call(&sandbox, &patch(&[ADDRESS])).await.status, 502);

        assert_eq!(sandbox.ledger().contains_key(ADDRESS), accept);
        assert_eq!(sandbox.calls()[0].accepted, accept);
    }
}

#[tokio::test]
async fn a_foreign_answer_can_meet_every_kind_of_request() {
    let rules = [Target::Patch, Target::Probe, Target::Token, Target::Elsewhere];
    let rules = rules.map(|target| Rule::new(Fate::foreign(Page::DefaultBackend)).target(target));
    let sandbox = sandbox(SandboxOptions { faults: rules.into(), ..SandboxOptions::default() }).await;

    for request in [
        patch(&[ADDRESS]),
        request("GET", PROBE, "Authorization: Bearer x\r\n", ""),
        request("POST", "/token", "", "grant_type=refresh_token"),
        request("PATCH", "/accounts/self/member-invitations", "", "[]"),
    ] {
        let answer = call(&sandbox, &request).await;

        assert_eq!((answer.status, answer.body.as_str()), (404, "default backend - 404"), "{request}");
    }
    let stats = sandbox.stats();
    assert_eq!((stats.calls, stats.probes, stats.token_requests, stats.elsewhere), (1, 1, 1, 1));
    assert_eq!(stats.fates.into_iter().collect::<Vec<_>>(), [("foreign", 4)]);
}
