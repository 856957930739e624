//! What answered in the place of fax.plus, as far as operators need to know to find it.
//!
//! Holds the status, the kind of the body, the server or edge if it names itself, and the wait it asks for: closed
//! sets and numbers, never a word of the body, an address or a `Location`.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use awc::http::header::{CONTENT_TYPE, HeaderMap};
use serde::de::IgnoredAny;

use super::edge::Edge;
use crate::outbound::{Answer, Content, retry_after};

/// An answer that is not the word of fax.plus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stranger {
    status: u16,
    body: BodyKind,
    edge: Option<Edge>,
    wait: Option<Duration>,
}

/// What kind of body came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BodyKind {
    Empty,
    Json,
    Html,
    Text,
    /// A page on which a browser has to prove itself.
    Challenge,
    Other,
}

/// Headers whose value tells that a browser is challenged.
const CHALLENGES: [&str; 3] = ["cf-mitigated", "x-amzn-waf-action", "x-vercel-mitigated"];

impl Stranger {
    /// What is known of an answer that came at `now`.
    pub(crate) fn of(answer: &Answer, now: SystemTime) -> Self {
        Self {
            status: answer.status.as_u16(),
            body: BodyKind::of(answer),
            edge: Edge::of(&answer.headers),
            wait: retry_after(&answer.headers, now),
        }
    }

    /// The status.
    pub fn status(self) -> u16 {
        self.status
    }

    /// How long it asks to stay away.
    pub fn retry_after(self) -> Option<Duration> {
        self.wait
    }
}

impl BodyKind {
    fn of(answer: &Answer) -> Self {
        if is_challenge(&answer.headers) {
            return Self::Challenge;
        }
        match &answer.content {
            Content::Whole(body) => Self::of_body(body),
            Content::TooLong | Content::TimedOut | Content::Broken => Self::of_type(&answer.headers),
        }
    }

    fn of_body(body: &[u8]) -> Self {
        let Ok(text) = str::from_utf8(body) else { return Self::Other };
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() {
            return Self::Empty;
        }
        if serde_json::from_str::<IgnoredAny>(text).is_ok() {
            return Self::Json;
        }
        if text.contains("/cdn-cgi/challenge-platform/") {
            return Self::Challenge;
        }
        let start: String = text.chars().take(1024).collect::<String>().to_ascii_lowercase();
        if start.starts_with('<') && (start.contains("<html") || start.contains("<!doctype html")) {
            return Self::Html;
        }
        if start.starts_with('<') || text.chars().any(|letter| letter.is_control() && !letter.is_whitespace())
        {
            return Self::Other;
        }
        Self::Text
    }

    /// Of a body that did not come whole.
    fn of_type(headers: &HeaderMap) -> Self {
        let text = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let text = text.to_ascii_lowercase();
        match text.split(';').next().unwrap_or_default().trim() {
            "text/html" | "application/xhtml+xml" => Self::Html,
            "application/json" => Self::Json,
            "text/plain" => Self::Text,
            _ => Self::Other,
        }
    }
}

fn is_challenge(headers: &HeaderMap) -> bool {
    let says = |value: &str| ["challenge", "captcha"].contains(&value.trim().to_ascii_lowercase().as_str());
    CHALLENGES.iter().any(|name| headers.get(*name).is_some_and(|value| value.to_str().is_ok_and(says)))
}

impl fmt::Display for Stranger {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = match self.body {
            BodyKind::Empty => "without a body",
            BodyKind::Json => "with a JSON body",
            BodyKind::Html => "with an HTML page",
            BodyKind::Text => "with plain text",
            BodyKind::Challenge => "with a challenge page",
            BodyKind::Other => "with a body of another kind",
        };
        write!(formatter, "status {} {body}", self.status)?;
        match (self.body, self.edge) {
            (_, None) => Ok(()),
            (BodyKind::Challenge, Some(edge)) => write!(formatter, " of {edge}"),
            (_, Some(edge)) => write!(formatter, ", by {edge}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use awc::http::{
        StatusCode,
        header::{HeaderName, HeaderValue},
    };
    use bytes::Bytes;

    use super::*;

    fn of(status: u16, headers: &[(&'static str, &'static str)], content: Content) -> Stranger {
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        let status = StatusCode::from_u16(status).unwrap();
        Stranger::of(&Answer { status, headers, content }, SystemTime::UNIX_EPOCH)
    }

    fn told(status: u16, headers: &[(&'static str, &'static str)], body: &'static str) -> String {
        of(status, headers, Content::Whole(Bytes::from_static(body.as_bytes()))).to_string()
    }

    #[test]
    fn each_kind_of_body_has_its_words() {
        for (body, words) in [
            ("", "status 404 without a body"),
            (" \r\n", "status 404 without a body"),
            (r#"{"message":"no Route matched"}"#, "status 404 with a JSON body"),
            ("null", "status 404 with a JSON body"),
            ("\u{feff}<!DOCTYPE HTML><p>Sign in", "status 404 with an HTML page"),
            ("<html><body>", "status 404 with an HTML page"),
            ("<?xml version='1.0'?><html>", "status 404 with an HTML page"),
            ("<Error><Code>NoSuchBucket</Code></Error>", "status 404 with a body of another kind"),
            ("default backend - 404", "status 404 with plain text"),
            ("\u{1f}\u{8}\u{0}", "status 404 with a body of another kind"),
            ("<html><script src=/cdn-cgi/challenge-platform/h/b>", "status 404 with a challenge page"),
        ] {
            assert_eq!(told(404, &[], body), words, "{body}");
        }
    }

    #[test]
    fn a_body_that_did_not_come_whole_is_told_by_its_type() {
        for (headers, words) in [
            (&[("content-type", "text/html; charset=utf-8")][..], "status 502 with an HTML page"),
            (&[("content-type", "Application/JSON")], "status 502 with a JSON body"),
            (&[], "status 502 with a body of another kind"),
        ] {
            assert_eq!(of(502, headers, Content::TooLong).to_string(), words);
        }
    }

    #[test]
    fn the_edge_is_told_when_it_names_itself() {
        assert_eq!(told(302, &[("server", "nginx/1.27.0")], ""), "status 302 without a body, by nginx");
        assert_eq!(told(302, &[("server", "gunicorn")], ""), "status 302 without a body");
    }

    #[test]
    fn a_challenge_is_told_as_one_of_the_edge_that_makes_it() {
        let html = "<html><title>Just a moment...";

        for (headers, name) in [
            (&[("cf-mitigated", "challenge"), ("server", "cloudflare")][..], " of Cloudflare"),
            (&[("x-amzn-waf-action", "captcha"), ("x-amz-cf-id", "x")], " of CloudFront"),
            (&[("cf-mitigated", "Challenge")], ""),
        ] {
            assert_eq!(told(403, headers, html), format!("status 403 with a challenge page{name}"));
        }
    }

    #[test]
    fn no_word_of_the_body_or_of_a_redirect_is_told() {
        let words = told(
            302,
            &[("location", "https://sso.corp/?token=hush"), ("server", "hush")],
            "hush <a@b.example>",
        );

        assert_eq!(words, "status 302 with plain text");
    }
}
