//! Refuses what a browser asks for a page of another site: a page must not mail people in its
//! visitor's name. Programs send neither header and are not touched.
//!
//! The browser's own word (`Sec-Fetch-Site`, which no page can set) counts. Only without it `Origin` is compared with
//! `Host`, which a proxy may have rewritten.

use actix_web::http::header::{HOST, HeaderMap, ORIGIN};

/// What a browser says of a request that a page of this origin made, or that a person typed.
const OWN: [&str; 2] = ["same-origin", "none"];
/// What it says of a request that a page of another origin made.
const FOREIGN: [&str; 2] = ["cross-site", "same-site"];

/// Whether a browser made this request for a page of another origin.
pub(super) fn is_cross_site(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let mut is_own = false;
    // A proxy may have joined several lines in one.
    let sites =
        headers.get_all("sec-fetch-site").flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    for site in sites.map(<[u8]>::trim_ascii) {
        let is_one_of =
            |words: [&str; 2]| words.iter().any(|word| site.eq_ignore_ascii_case(word.as_bytes()));
        if is_one_of(FOREIGN) {
            return true;
        }
        is_own |= is_one_of(OWN);
    }
    if is_own {
        return false;
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
    fn the_word_of_the_browser_counts_and_without_it_the_origin() {
        let own = "http://gateway:8080";
        for (site, origin, is_foreign) in [
            (None, None, false),
            (None, Some(own), false),
            (None, Some("HTTP://GATEWAY:8080"), false),
            (None, Some("https://evil.example"), true),
            (None, Some("http://gateway:9090"), true),
            (None, Some("null"), true),
            (None, Some(""), true),
            (Some("same-origin"), None, false),
            (Some("same-origin"), Some(own), false),
            // Behind a proxy that rewrites Host.
            (Some("same-origin"), Some("https://resends.example"), false),
            (Some("Same-Origin"), Some("https://resends.example"), false),
            (Some("none"), None, false),
            (Some("none"), Some("null"), false),
            (Some("cross-site"), None, true),
            (Some("cross-site"), Some(own), true),
            (Some("same-site"), None, true),
            (Some("same-site"), Some(own), true),
            (Some("SAME-SITE"), Some(own), true),
            // Of several in one line the strictest counts.
            (Some("same-origin, cross-site"), None, true),
            (Some("cross-site,same-origin"), None, true),
            (Some("same-origin, none"), Some("https://resends.example"), false),
            // Values that no browser sends are ignored.
            (Some("trusted"), None, false),
            (Some("trusted"), Some("https://evil.example"), true),
            (Some(""), Some("https://evil.example"), true),
        ] {
            let headers =
                [site.map(|site| ("sec-fetch-site", site)), origin.map(|origin| ("origin", origin))];
            let headers: Vec<_> = headers.into_iter().flatten().collect();

            assert_eq!(cross_site(&headers), is_foreign, "{headers:?}");
        }
    }

    #[test]
    fn of_two_words_the_stricter_counts() {
        let mut headers = HeaderMap::new();
        for site in ["same-origin", "cross-site"] {
            headers.append(HeaderName::from_static("sec-fetch-site"), HeaderValue::from_static(site));
        }

        assert!(is_cross_site(&headers));
    }
}
