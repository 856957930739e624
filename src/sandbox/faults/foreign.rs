//! Answers that fax.plus did not write: a proxy, an edge, a default backend or a login page in front of it.
//!
//! Pure data; `pages.rs` has the texts.

use serde::{Deserialize, Serialize};

use super::Delivery;
use super::fields::{FaultError, Fields};

/// An answer that fax.plus did not write, and what it comes with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ForeignAnswer {
    /// What it says.
    pub page: Page,
    /// The status, 200 to 599. Default in JSON: the usual one of the page.
    pub status: u16,
    /// `Retry-After`, sent as it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<String>,
    /// Whether fax.plus had accepted the call before. Default in JSON: false.
    pub accept: bool,
    /// How it travels.
    #[serde(flatten)]
    pub delivery: Delivery,
}

/// What others say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Page {
    /// The text of the default backend of an ingress controller; usually 404.
    DefaultBackend,
    /// A line of text, as small proxies write it; usually 404.
    Text,
    /// The error page of nginx, HTML; usually 404.
    Html,
    /// The JSON of an API gateway, which fax.plus never writes; usually 404.
    Json,
    /// No body at all; usually 404.
    Empty,
    /// A login page, HTML, as captive portals show it; usually 200.
    Login,
    /// Cloudflare's challenge to a browser, HTML, with `cf-mitigated: challenge`; usually 403.
    Challenge,
    /// Cloudflare's error page, HTML, with `cf-ray`; usually 521.
    Cloudflare,
}

impl Page {
    /// The status that it usually comes with.
    pub fn usual_status(self) -> u16 {
        match self {
            Self::DefaultBackend | Self::Text | Self::Html | Self::Json | Self::Empty => 404,
            Self::Login => 200,
            Self::Challenge => 403,
            Self::Cloudflare => 521,
        }
    }
}

impl ForeignAnswer {
    /// This page with its usual status. Not accepted.
    pub fn new(page: Page) -> Self {
        let status = page.usual_status();
        Self { page, status, retry_after: None, accept: false, delivery: Delivery::default() }
    }

    /// Takes its fields out of a rule.
    pub(super) fn take(fields: &mut Fields) -> Result<Self, FaultError> {
        let page: Page = fields.required("page")?;
        let status = fields.status(Some(page.usual_status()), 200..=599)?;
        let retry_after = fields.header("retry_after")?;
        let accept = fields.accept(false)?;
        let delivery = Delivery::take(fields)?.with_one_retry_after(retry_after.as_ref(), fields)?;
        Ok(Self { page, status, retry_after, accept, delivery })
    }
}
