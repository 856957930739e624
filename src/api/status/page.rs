//! The page itself: HTML, a script and a style sheet, all of them in the binary. Nothing is loaded from anywhere
//! else, and the content security policy holds the browser to that.

use actix_web::{
    HttpResponse,
    http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, REFERRER_POLICY},
};

const PAGE: &str = include_str!("page.html");
const SCRIPT: &str = include_str!("page.js");
const STYLE: &str = include_str!("page.css");
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
                      require-trusted-types-for 'script'; trusted-types 'none'";

/// `GET /`
pub(in crate::api) async fn page() -> HttpResponse {
    answer("text/html; charset=utf-8", PAGE)
}

/// `GET /status.js`
pub(in crate::api) async fn script() -> HttpResponse {
    answer("text/javascript; charset=utf-8", SCRIPT)
}

/// `GET /status.css`
pub(in crate::api) async fn style() -> HttpResponse {
    answer("text/css; charset=utf-8", STYLE)
}

fn answer(media_type: &'static str, text: &'static str) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, HeaderValue::from_static(media_type)))
        .insert_header((CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)))
        .insert_header((REFERRER_POLICY, HeaderValue::from_static("no-referrer")))
        .body(text)
}
