//! The page itself: one HTML answer with its style and its script inside, all of it in the binary. Nothing is loaded
//! from anywhere, and the content security policy, which names both by their hashes, holds the browser to that.

use actix_web::{
    HttpResponse,
    http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, REFERRER_POLICY},
    web::{Bytes, Data},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};

use super::StatusSlot;
use crate::api::problem::Problem;

const HTML: &str = include_str!("page.html");
const SCRIPT: &str = include_str!("page.js");
const STYLE: &str = include_str!("page.css");
/// Where in the HTML they belong.
const PLACES: [(&str, &str, &str, &str); 2] = [
    ("<style></style>", "<style>", STYLE, "</style>"),
    ("<script></script>", "<script>", SCRIPT, "</script>"),
];

/// The page, put together once. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Page {
    text: Bytes,
    policy: String,
}

impl Page {
    pub(super) fn build() -> Self {
        let text = PLACES.iter().fold(HTML.to_owned(), |html, (place, begin, part, end)| {
            html.replacen(place, &format!("{begin}{part}{end}"), 1)
        });
        let policy = format!(
            "default-src 'none'; script-src {}; style-src {}; connect-src 'self'; img-src data:; base-uri 'none'; \
             form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
            source_of(SCRIPT),
            source_of(STYLE)
        );
        Self { text: text.into(), policy }
    }
}

/// As a policy names what it lets through.
fn source_of(part: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(part)))
}

/// `GET /`
pub(in crate::api) async fn get(slot: Data<StatusSlot>) -> Result<HttpResponse, Problem> {
    let page = &slot.get()?.page;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")))
        .insert_header((CONTENT_SECURITY_POLICY, page.policy.as_str()))
        .insert_header((REFERRER_POLICY, HeaderValue::from_static("no-referrer")))
        .body(page.text.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn style_and_script_stand_in_the_page_as_they_are_and_end_where_they_should() {
        let page = Page::build();
        let text = std::str::from_utf8(&page.text).unwrap();

        for (place, begin, part, end) in PLACES {
            assert_eq!(HTML.matches(place).count(), 1, "{place}");
            assert!(text.contains(&format!("{begin}{part}{end}")), "{begin}");
            // A browser would end it there, or hash something else than what was hashed here.
            for banned in ["</", "<!--", "<script", "\r"] {
                assert!(!part.contains(banned), "{begin} has {banned}");
            }
            assert!(page.policy.contains(&source_of(part)), "{}", page.policy);
        }
    }
}
