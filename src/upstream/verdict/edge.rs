//! The servers and edges that name themselves in the head of an answer: a closed set of names.
//!
//! `Server` counts before all else: it is the word of the one that wrote the answer, the other headers are those
//! of what it passed. Refuses names that it does not know, for they are text of others.

use std::fmt;

use awc::http::header::{HeaderMap, SERVER, VIA};

use crate::outbound::Answer;

/// A server that says its name. The names are theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Edge(&'static str);

const CLOUDFLARE: Edge = Edge("Cloudflare");

/// How each begins its `Server`; the longer of two that begin alike stands first.
const BY_SERVER: [(&str, Edge); 23] = [
    ("cloudflare", CLOUDFLARE),
    ("cloudfront", Edge("CloudFront")),
    ("akamai", Edge("Akamai")),
    ("awselb", Edge("an AWS load balancer")),
    ("openresty", Edge("OpenResty")),
    ("nginx", Edge("nginx")),
    ("istio-envoy", Edge("Envoy (Istio)")),
    ("envoy", Edge("Envoy")),
    ("haproxy", Edge("HAProxy")),
    ("varnish", Edge("Varnish")),
    ("traefik", Edge("Traefik")),
    ("caddy", Edge("Caddy")),
    ("apache", Edge("Apache")),
    ("microsoft-iis", Edge("IIS")),
    ("microsoft-azure-application-gateway", Edge("an Azure application gateway")),
    ("google frontend", Edge("Google Frontend")),
    ("squid", Edge("Squid")),
    ("kong", Edge("Kong")),
    ("litespeed", Edge("LiteSpeed")),
    ("imperva", Edge("Imperva")),
    ("zscaler", Edge("Zscaler")),
    ("vercel", Edge("Vercel")),
    ("bigip", Edge("BIG-IP")),
];

/// Headers that one kind of edge alone sends, for those that leave `Server` to the server behind them.
const BY_HEADER: [(&str, Edge); 9] = [
    ("cf-ray", CLOUDFLARE),
    ("x-amz-cf-id", Edge("CloudFront")),
    ("x-akamai-request-id", Edge("Akamai")),
    ("x-fastly-request-id", Edge("Fastly")),
    ("x-azure-ref", Edge("Azure Front Door")),
    ("x-iinfo", Edge("Imperva")),
    ("x-vercel-id", Edge("Vercel")),
    ("x-envoy-upstream-service-time", Edge("Envoy")),
    ("x-squid-error", Edge("Squid")),
];

/// What stands somewhere in their `Via`.
const BY_VIA: [(&str, Edge); 7] = [
    ("cloudfront", Edge("CloudFront")),
    ("akamai", Edge("Akamai")),
    ("varnish", Edge("Varnish")),
    ("squid", Edge("Squid")),
    ("google", Edge("Google Frontend")),
    ("kong", Edge("Kong")),
    ("caddy", Edge("Caddy")),
];

/// Whether an answer passed Cloudflare, which marks each.
pub(super) fn passed_cloudflare(answer: &Answer) -> bool {
    answer.headers.contains_key("cf-ray")
}

impl Edge {
    /// Who names itself in the head of an answer; of several the one that wrote it.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let lower = |name| {
            let value = headers.get(name)?;
            value.to_str().ok().map(str::to_ascii_lowercase)
        };
        let by_server = lower(SERVER).and_then(|server| {
            BY_SERVER.into_iter().find(|(name, _)| server.starts_with(name)).map(|(_, edge)| edge)
        });
        by_server
            .or_else(|| {
                BY_HEADER.into_iter().find(|(name, _)| headers.contains_key(*name)).map(|(_, edge)| edge)
            })
            .or_else(|| {
                let via = lower(VIA)?;
                BY_VIA.into_iter().find(|(name, _)| via.contains(name)).map(|(_, edge)| edge)
            })
    }
}

impl fmt::Display for Edge {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}

#[cfg(test)]
mod tests {
    use awc::http::header::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn an_edge_that_names_itself_is_known() {
        for (headers, name) in [
            (&[("server", "nginx/1.27.0")][..], Some("nginx")),
            (&[("server", "NGINX"), ("via", "1.1 abc.cloudfront.net (CloudFront)")], Some("nginx")),
            (&[("server", "istio-envoy")], Some("Envoy (Istio)")),
            (&[("server", "awselb/2.0")], Some("an AWS load balancer")),
            (&[("server", "AkamaiGHost")], Some("Akamai")),
            (&[("cf-ray", "8c-FRA")], Some("Cloudflare")),
            (&[("server", "gunicorn"), ("x-amz-cf-id", "x")], Some("CloudFront")),
            (&[("via", "1.1 varnish")], Some("Varnish")),
            (&[("server", "gunicorn"), ("via", "1.1 proxy.corp")], None),
        ] {
            let headers = headers
                .iter()
                .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
                .collect();
            let found = Edge::of(&headers).map(|edge| edge.to_string());
            assert_eq!(found.as_deref(), name, "{headers:?}");
        }
    }
}
