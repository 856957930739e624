//! The estimate of the end, held against the end.

use std::time::Duration;

use faxplus_gateway::sandbox::SandboxOptions;
use serde_json::json;
use tokio::time::Instant;

use crate::gateway::{Gateway, addresses};

const NAME: &str = "faxplus_gateway_resend_estimate_ratio";

async fn scored_up_to(gateway: &Gateway, ratio: &str) -> f64 {
    gateway.metric(&format!("{NAME}_bucket{{le=\"{ratio}\"}}")).await
}

#[actix_web::test]
async fn a_paced_resend_is_scored_near_one() {
    let options = SandboxOptions { latency: Duration::from_millis(30), ..SandboxOptions::default() };
    let gateway = Gateway::with(options, &[("upstream.max_calls_per_second", "5")]).await;

    let began = Instant::now();
    let answer = gateway.post("", &addresses("a", 300)).await;
    let took = began.elapsed();

    assert_eq!(answer.json()["counts"]["sent"], 300);
    assert!(took > Duration::from_secs(2), "not paced: {took:?}");
    assert_eq!(gateway.metric(&format!("{NAME}_count")).await, 1.0);
    let (too_short, near) = (scored_up_to(&gateway, "0.5").await, scored_up_to(&gateway, "2").await);
    assert_eq!((too_short, near), (0.0, 1.0), "sum {}", gateway.metric(&format!("{NAME}_sum")).await);
    gateway.stop().await;
}

#[actix_web::test]
async fn a_resend_that_a_hold_delayed_is_scored_as_late() {
    let gateway = Gateway::start().await;
    gateway.faults(json!([{"times": 1, "fate": "status", "status": 429, "retry_after": "1"}]));

    assert_eq!(gateway.post("", &["a@example.com"]).await.words(), ["sent"]);

    assert_eq!(gateway.metric(&format!("{NAME}_count")).await, 1.0);
    assert_eq!(scored_up_to(&gateway, "4").await, 0.0);
    gateway.stop().await;
}

#[actix_web::test]
async fn what_was_too_short_or_did_not_finish_is_not_scored() {
    let gateway = Gateway::start().await;
    assert_eq!(gateway.post("", &["a@example.com", "nobody"]).await.status, 207);
    gateway.faults(json!([{"fate": "status", "status": 429, "retry_after": "60"}]));

    let query = "?on_timeout=cancel";
    let cancelled = gateway.post_with(query, &[("prefer", "wait=1")], &addresses("b", 5)).await;

    assert_eq!(cancelled.json()["status"], "cancelled");
    assert_eq!(gateway.metric(&format!("{NAME}_count")).await, 0.0);
    gateway.stop().await;
}
