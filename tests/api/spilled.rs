//! Lists too long for RAM: their rows go to the store as they come, and are drawn from there.

use faxplus_gateway::sandbox::SandboxOptions;
use serde_json::json;

use crate::gateway::Gateway;

/// Posts `body` as text without waiting; gives the resend once it is finished.
async fn send(gateway: &Gateway, body: String) -> serde_json::Value {
    let headers = [("content-type", "text/plain"), ("prefer", "respond-async")];
    let accepted = gateway.request(awc::http::Method::POST, "/v1/resends", &headers, body).await;
    assert_eq!(accepted.status, 202, "{accepted:?}");
    gateway.finished(accepted.json()["id"].as_str().unwrap()).await
}

#[actix_web::test]
async fn a_list_too_long_for_ram_is_sent_once_and_its_repeats_are_found_wherever_they_stand() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gateway.db");
    let settings = [("store.path", path.to_str().unwrap()), ("upstream.max_in_flight", "32")];
    let gateway = Gateway::with(SandboxOptions::default(), &settings).await;
    gateway.faults(json!([{"address": "a777@*", "fate": "status", "status": 400, "error": "bad"}]));
    let mut body = String::new();
    for number in 0..60_000 {
        body.push_str(&format!("a{number}@example.com\n"));
    }
    // Repeats of the first row, of one in the middle, and of the refused one; and what is no address.
    body.push_str("A0@example.com\na30000@example.com\nA30000@example.com\na777@example.com\nnobody\n");

    let resend = send(&gateway, body).await;

    let counts = &resend["counts"];
    assert_eq!(counts["received"], 60_005);
    assert_eq!(counts["sent"], 59_999, "{resend}");
    assert_eq!(counts["duplicate"], 3, "{resend}");
    assert_eq!((&counts["rejected"], &counts["invalid"]), (&json!(2), &json!(1)), "{resend}");
    let ledger = gateway.sandbox.ledger();
    assert_eq!(ledger.len(), 59_999);
    assert!(ledger.values().all(|accepted| *accepted == 1));
    assert!(gateway.sandbox.stats().calls < 6_100, "{:?}", gateway.sandbox.stats());
    gateway.stop().await;
}
