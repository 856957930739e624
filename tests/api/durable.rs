//! What was promised survives the process.

use faxplus_gateway::sandbox::SandboxOptions;
use serde_json::json;

use crate::gateway::{Gateway, addresses};

#[actix_web::test]
async fn a_list_that_was_promised_is_written_and_ends() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gateway.db");
    let gateway = Gateway::with(SandboxOptions::default(), &[("store.path", path.to_str().unwrap())]).await;
    gateway.faults(json!([{"address": "bad*", "fate": "status", "status": 400, "error": "bad"}]));

    let mut emails = addresses("a", 40);
    emails.extend(["bad@example.com".to_owned(), "A1@example.com".to_owned(), "nobody".to_owned()]);
    let id = gateway.post_async("", &emails).await;
    let resend = gateway.finished(&id).await;

    assert_eq!(resend["counts"]["sent"], 40, "{resend}");
    assert_eq!(resend["counts"]["rejected"], 1);
    let waited = gateway.post("", &addresses("b", 25)).await;
    assert_eq!(waited.status, 200);
    assert_eq!(waited.json()["upstream_calls"], 3);
    gateway.stop().await;
}
