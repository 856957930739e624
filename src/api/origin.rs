//! Refuses what a browser asks for a page of another site: a page must not mail people in its
//! visitor's name. Programs send neither header and are not touched.

use actix_web::http::header::{HOST, HeaderMap, ORIGIN};

/// Whether a browser made this request for a page of another site.
pub(super) fn is_cross_site(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    if text("sec-fetch-site").is_some_and(|site| site.eq_ignore_ascii_case("cross-site")) {
        return true;
    }
    match text(ORIGIN.as_str()) {
        None => false,
        Some(origin) => {
            let authority = origin.split_once("://").map(|(_, authority)| authority);
            !matches!((authority, text(HOST.as_str())), (Some(origin), Some(host)) if origin.eq_ignore_ascii_case(host))
        }
    }
}

/// Whether a person followed a link, wherever it stands: what answers is a page of its own, which no other site
/// can read.
pub(super) fn is_followed_link(headers: &HeaderMap) -> bool {
    let says = |name: &str, word: &str| headers.get(name).is_some_and(|value| value == word);
    says("sec-fetch-mode", "navigate") && says("sec-fetch-dest", "document") && !headers.contains_key(ORIGIN)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn cross_site(pairs: &[(&'static str, &'static str)]) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static("gateway:8080"));
        for (name, value) in pairs {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        is_cross_site(&headers)
    }

    #[test]
    fn programs_and_pages_of_the_gateway_itself_pass() {
        assert!(!cross_site(&[]));
        assert!(!cross_site(&[("origin", "http://gateway:8080"), ("sec-fetch-site", "same-origin")]));
        assert!(!cross_site(&[("sec-fetch-site", "none")]));
    }

    #[test]
    fn pages_of_other_sites_do_not() {
        assert!(cross_site(&[("sec-fetch-site", "cross-site")]));
        assert!(cross_site(&[("origin", "https://evil.example")]));
        assert!(cross_site(&[("origin", "http://gateway:9090")]));
        assert!(cross_site(&[("origin", "null")]));
    }
}
