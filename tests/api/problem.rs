//! Refusals: the document around each of them, and that nothing was sent.

use awc::http::Method;
use bytes::Bytes;
use serde_json::{Value, json};

use crate::gateway::{Answer, Gateway};

impl Gateway {
    /// Posts a body as it is.
    pub async fn post_body(&self, content_type: &str, body: impl Into<Bytes>) -> Answer {
        self.request(Method::POST, "/v1/resends", &[("content-type", content_type)], body).await
    }

    /// Fails unless nothing was accepted from any caller and nothing was sent to upstream.
    pub async fn assert_nothing_was_taken(&self) {
        assert_eq!(self.sandbox.stats().calls, 0);
        assert_eq!(self.metric("faxplus_gateway_addresses_received_total{client=\"anonymous\"}").await, 0.0);
        assert_eq!(self.get("/v1/resends").await.json()["resends"], json!([]));
    }
}

impl Answer {
    /// The body as a problem document of this word, every member that each of them has in its place.
    pub fn problem(&self, word: &str) -> Value {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        let problem = self.json();
        assert_eq!(problem["type"], format!("urn:faxplus-gateway:problem:{word}"), "{problem}");
        assert_eq!(problem["status"], self.status.as_u16(), "{problem}");
        assert_eq!(problem["request_id"].as_str(), self.header("x-request-id"), "{problem}");
        for member in ["title", "detail", "request_id"] {
            assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{problem}");
        }
        problem
    }

    /// `Retry-After` in seconds.
    pub fn retry_after(&self) -> Option<u64> {
        self.header("retry-after").map(|value| value.parse().unwrap())
    }
}
