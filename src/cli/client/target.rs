//! Which gateway a command talks to, and as which client: `--url`, `--token-file`, and the variables beside them.

use std::{fmt, path::PathBuf, str::FromStr};

use awc::http::Uri;
use clap::Args;

use crate::domain::ResendId;

const DEFAULT_URL: &str = "http://127.0.0.1:8080";

/// The gateway to talk to.
#[derive(Debug, Clone, Args)]
pub(crate) struct Target {
    /// Where the gateway is
    #[arg(long, value_name = "URL", env = "FAXPLUS_GATEWAY_URL", default_value = DEFAULT_URL)]
    pub(crate) url: BaseUrl,
    /// File with the token that the gateway knows you by, if it asks for one [default: the token in
    /// FAXPLUS_GATEWAY_TOKEN]
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
}

/// Holds the token itself. No option does: others on the machine could read it there.
pub(super) const TOKEN_VARIABLE: &str = "FAXPLUS_GATEWAY_TOKEN";

impl Target {
    /// Whether the URL holds a name or a password. Not refused while reading it: such errors quote it.
    pub(super) fn has_user(&self) -> bool {
        let authority = self.url.0.split('/').nth(2).unwrap_or_default();
        authority.contains('@')
    }

    /// The options that another command needs to talk to the same gateway, for copying; each with a
    /// blank before it.
    pub(crate) fn options(&self) -> String {
        let mut options = String::new();
        if self.url.0 != DEFAULT_URL {
            options.push_str(&format!(" --url {}", self.url));
        }
        if let Some(path) = &self.token_file {
            options.push_str(&format!(" --token-file {}", path.display()));
        }
        options
    }
}

/// The URL of a gateway: `http` or `https`, without query and without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BaseUrl(String);

impl fmt::Display for BaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for BaseUrl {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let expected = "expected something like http://127.0.0.1:8080";
        let uri: Uri = text.parse().map_err(|_| expected)?;
        let plain = uri.query().is_none() && !text.contains('#');
        if uri.host().is_none() || !matches!(uri.scheme_str(), Some("http" | "https")) || !plain {
            return Err(expected);
        }
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }
}

/// An id on the command line.
pub(crate) fn resend_id(text: &str) -> Result<ResendId, &'static str> {
    text.parse().map_err(|()| "expected the id of a resend, such as 0198c9f2-3c5e-7a61-9d0e-5f2b8c1a7e44")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_strictly() {
        for (text, read) in [
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://gateway/", "http://gateway"),
            ("https://example.com/resends/", "https://example.com/resends"),
        ] {
            assert_eq!(text.parse::<BaseUrl>().unwrap().to_string(), read);
        }
        for text in ["", "127.0.0.1:8080", "ftp://g", "http://", "http://g?a=b", "http://g#x"] {
            assert!(text.parse::<BaseUrl>().is_err(), "{text}");
        }
    }

    #[test]
    fn options_name_only_what_is_not_the_default() {
        let target = |url: &str, file: Option<&str>| Target {
            url: url.parse().unwrap(),
            token_file: file.map(PathBuf::from),
        };

        assert_eq!(target("http://127.0.0.1:8080/", None).options(), "");
        assert_eq!(target("http://g", Some("/t")).options(), " --url http://g --token-file /t");
    }
}
