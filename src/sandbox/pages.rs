//! What others than fax.plus write: the pages of proxies, edges and portals, with the fields that betray them.
//!
//! Pure. The texts are those that such servers send, cut to what tells them apart.

use super::answer::{Answer, reason};
use super::faults::{ForeignAnswer, Page};

const HTML: &str = "text/html";
const PLAIN: &str = "text/plain; charset=utf-8";
const LOGIN: &str =
    "<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please sign in.</body></html>";
const CHALLENGE: &str = "<!DOCTYPE html><html lang=\"en-US\"><head><title>Just a moment...</title></head>\
    <body>Enable JavaScript and cookies to continue</body></html>";

/// The number of a request in the logs of Cloudflare.
const RAY: &str = "8c1f2e3d4a5b6c7d";

/// The answer with everything but its delivery.
pub(super) fn foreign(wanted: &ForeignAnswer) -> Answer {
    let answer = page(wanted.page, wanted.status);
    match &wanted.retry_after {
        Some(retry_after) => answer.with_header("retry-after", retry_after.as_str()),
        None => answer,
    }
}

/// A page with this status.
pub(super) fn page(page: Page, status: u16) -> Answer {
    let line = format!("{status} {}", reason(status));
    match page {
        Page::DefaultBackend => Answer::new(status, PLAIN, format!("default backend - {status}")),
        Page::Text => Answer::new(status, PLAIN, format!("{line}\n")),
        Page::Html => Answer::new(status, HTML, nginx(&line)).with_header("server", "nginx"),
        Page::Json => {
            let body = r#"{"message":"no Route matched with those values"}"#;
            Answer::new(status, "application/json; charset=utf-8", body)
        }
        Page::Empty => Answer::empty(status),
        Page::Login => Answer::new(status, HTML, LOGIN),
        Page::Challenge => cloudflare(status, CHALLENGE.to_owned()).with_header("cf-mitigated", "challenge"),
        Page::Cloudflare => {
            let title = format!("{status}: {}", reason(status));
            let body = format!(
                "<!DOCTYPE html><html lang=\"en-US\"><head><title>sandbox.example | {title}</title></head>\
                 <body><h1>{}</h1><p>Error code {status}</p><p>Cloudflare Ray ID: {RAY}</p></body></html>",
                reason(status)
            );
            cloudflare(status, body)
        }
    }
}

fn cloudflare(status: u16, body: String) -> Answer {
    Answer::new(status, "text/html; charset=UTF-8", body)
        .with_header("server", "cloudflare")
        .with_header("cf-ray", format!("{RAY}-FRA"))
}

fn nginx(line: &str) -> String {
    format!(
        "<html>\r\n<head><title>{line}</title></head>\r\n<body>\r\n<center><h1>{line}</h1></center>\r\n\
         <hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    )
}
