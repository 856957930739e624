//! The admin listener: probes, and nothing that changes anything.

use awc::http::Method;
use serde_json::json;

use crate::{gateway::Gateway, scrape::Scrape};

#[actix_web::test]
async fn a_gateway_that_runs_is_live_and_ready() {
    let gateway = Gateway::start().await;

    let (live, ready, verbose) = (
        gateway.admin("/livez").await,
        gateway.admin("/readyz").await,
        gateway.admin("/readyz?verbose").await,
    );

    assert_eq!((live.status.as_u16(), live.text().as_str()), (200, "ok\n"));
    assert_eq!((ready.status.as_u16(), ready.text().as_str()), (200, "ready\n"));
    assert_eq!(
        (verbose.status.as_u16(), verbose.text().as_str()),
        (200, "[+] started\n[+] not draining\nready\n")
    );
    assert_eq!(gateway.admin("/readyz?ann=1").await.status, 400);
    gateway.stop().await;
}

#[actix_web::test]
async fn upstream_trouble_is_no_unreadiness() {
    let gateway = Gateway::start().await;
    gateway.faults(json!([{"fate": "token_expired"}, {"target": "probe", "fate": "token_expired"}]));
    let id = gateway.post_async("", &["a@example.com"]).await;
    gateway.until(&id, |resend| resend["hold"]["reason"] == "credentials_rejected").await;

    let scrape = Scrape::of(&gateway).await;

    assert_eq!(gateway.admin("/readyz").await.status, 200);
    assert_eq!(
        (scrape.value("credential_valid"), scrape.value("hold{reason=\"credentials_rejected\"}")),
        (0.0, 1.0)
    );
    gateway.stop().await;
}

#[actix_web::test]
async fn the_admin_listener_serves_nothing_else_and_changes_nothing() {
    let gateway = Gateway::start().await;

    for path in
        ["/v1/resends", "/metrics/", "/status/", "/index.html", "/readyz/x", "/status.js", "/ann@example.com"]
    {
        assert_eq!(gateway.admin(path).await.status, 404, "{path}");
    }
    for path in ["/livez", "/readyz", "/metrics", "/status", "/status/events", "/"] {
        for method in [Method::POST, Method::DELETE, Method::OPTIONS] {
            let answer = gateway.admin_request(method, path, &[]).await;

            assert_eq!(
                (answer.status.as_u16(), answer.header("allow")),
                (405, Some("GET, HEAD")),
                "{path}: {answer:?}"
            );
            answer.problem("method");
        }
    }
    gateway.stop().await;
}
