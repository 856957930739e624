//! Takes apart the one URL among the settings, without a URL library.
//!
//! Owns what a base URL may be. Refuses a query, a fragment and a user (it would be a secret in the
//! wrong place), and whatever is not plain ASCII.

/// What begins and ends the path of the endpoint, below any base URL.
const ENDPOINT: [&str; 2] = ["accounts", "member-invitations"];

/// An accepted base URL, in pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BaseUrl<'url> {
    /// The whole, without a slash at its end.
    pub(super) text: &'url str,
    /// Whether it is `https`.
    pub(super) tls: bool,
    /// The host, an IPv6 address without its brackets.
    pub(super) host: &'url str,
    /// What stands behind the host, without a slash at its end; empty for nothing.
    pub(super) path: &'url str,
}

impl<'url> BaseUrl<'url> {
    /// Reads a URL, or says what is wrong without quoting it.
    pub(super) fn parse(url: &'url str) -> Result<Self, &'static str> {
        let text = url.trim_end_matches('/');
        let (tls, rest) = match text.split_once("://") {
            Some(("https", rest)) => (true, rest),
            Some(("http", rest)) => (false, rest),
            Some(_) | None => return Err("must begin with https:// or http://"),
        };
        if !rest.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte)) {
            return Err("holds a character that no URL has");
        }
        if rest.contains(['?', '#']) {
            return Err("must not have a query or a fragment");
        }
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err("must not name a user or a password");
        }
        let (host, port) = split_authority(authority).ok_or("has no valid host")?;
        if port.is_some_and(|port| !port.parse::<u16>().is_ok_and(|port| port > 0) || port.starts_with('+')) {
            return Err("has no valid port");
        }
        Ok(Self { text, tls, host, path })
    }

    /// Whether it names a part of the endpoint, which is put behind it.
    pub(super) fn holds_the_endpoint(&self) -> bool {
        let names_it = |segment: &str| ENDPOINT.iter().any(|part| part.eq_ignore_ascii_case(segment));
        self.path.split('/').any(names_it)
    }

    /// Whether it stays on this machine.
    pub(super) fn is_loopback(&self) -> bool {
        let by_name = self.host.eq_ignore_ascii_case("localhost");
        by_name || self.host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

fn split_authority(authority: &str) -> Option<(&str, Option<&str>)> {
    if let Some(bracketed) = authority.strip_prefix('[') {
        let (host, after) = bracketed.split_once(']')?;
        host.parse::<std::net::Ipv6Addr>().ok()?;
        return if after.is_empty() {
            Some((host, None))
        } else {
            Some((host, Some(after.strip_prefix(':')?)))
        };
    }
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    let valid = !host.is_empty()
        && host.len() <= 253
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
    valid.then_some((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_url_is_taken_without_its_last_slash() {
        let url = BaseUrl::parse("https://restapi.fax.plus/v3/").unwrap();

        let (text, host) = ("https://restapi.fax.plus/v3", "restapi.fax.plus");
        assert_eq!(url, BaseUrl { text, tls: true, host, path: "/v3" });
        assert!(!url.is_loopback());
    }

    #[test]
    fn loopback_is_known_by_name_and_by_number() {
        for url in ["http://localhost:1", "http://127.3.0.1", "http://[::1]:8080/v3"] {
            assert!(BaseUrl::parse(url).unwrap().is_loopback(), "{url}");
        }
        assert!(!BaseUrl::parse("http://127.evil.example").unwrap().is_loopback());
    }

    #[test]
    fn a_base_url_that_holds_the_endpoint_is_known() {
        for (path, holds) in [
            ("", false),
            ("/v3", false),
            ("/faxplus-accounts/v3", false),
            ("/v3/accounts", true),
            ("/v3/accounts/self/", true),
            ("/v3/accounts/self/member-invitations", true),
            ("/v3//accounts/self/member-invitations/", true),
            ("/v3/Accounts/self", true),
        ] {
            let url = format!("https://restapi.fax.plus{path}");
            assert_eq!(BaseUrl::parse(&url).unwrap().holds_the_endpoint(), holds, "{url}");
        }
    }

    #[test]
    fn what_is_no_base_url_is_refused() {
        for url in [
            "",
            "fax.plus",
            "ftp://fax.plus",
            "https://",
            "https:///v3",
            "https://fax.plus?x=1",
            "https://fax.plus/#x",
            "https://user:hush@fax.plus",
            "https://fax.plus:0",
            "https://fax.plus:65536",
            "https://fax.plus:",
            "https://fax.plus:+80",
            "https://fax plus/v3",
            "https://f\u{e4}x.plus",
            "https://[::1",
            "https://[nope]",
            "https://[::1]8080",
            "https://fax.plus\\@evil.example",
        ] {
            assert!(BaseUrl::parse(url).is_err(), "{url}");
        }
    }
}
