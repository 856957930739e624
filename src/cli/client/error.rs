//! Why a gateway could not be asked, in words that say what to do next.

use std::fmt;

use serde::Deserialize;
use thiserror::Error;

use super::BaseUrl;
use crate::outbound::TlsError;

/// No answer, or not the one hoped for.
#[derive(Debug, Error)]
pub(crate) enum CallError {
    /// No client.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A secret where everybody can see it, and of a kind that the gateway does not know.
    #[error("--url takes no user name and no password; a token goes into a file: --token-file")]
    UserInUrl,
    /// The file of `--token-file` can't be used.
    #[error("--token-file {path}: {why}")]
    Token {
        /// The file.
        path: String,
        /// What is wrong with it; never what it holds.
        why: String,
    },
    /// Nobody is there. Nothing was asked.
    #[error(
        "no gateway can be reached at {url}: {why}\n  \
         start one with `faxplus-gateway serve`, or say with --url (or FAXPLUS_GATEWAY_URL) where it is"
    )]
    Unreachable {
        /// Where it was looked for.
        url: BaseUrl,
        /// How it failed.
        why: &'static str,
    },
    /// The connection ended before the answer did.
    #[error("the connection to the gateway broke")]
    Broken,
    /// The connection stands, and nothing comes.
    #[error("the gateway said nothing for {seconds} seconds")]
    Silent {
        /// How long was waited.
        seconds: u64,
    },
    /// The gateway says no.
    #[error("{0}")]
    Refused(Refusal),
    /// Something else answers there.
    #[error("{url} answers with status {status}, and not as a gateway does: check --url")]
    Stranger {
        /// What was asked.
        url: BaseUrl,
        /// Its status.
        status: u16,
    },
    /// An answer of another shape than this command knows.
    #[error("the answer of the gateway can't be read: is it of another version than this command?")]
    Unreadable,
}

/// A problem document (RFC 9457) of the gateway.
#[derive(Debug, Deserialize)]
pub(crate) struct Refusal {
    #[serde(rename = "type", default)]
    kind: String,
    title: String,
    status: u16,
    #[serde(default)]
    detail: String,
    #[serde(default)]
    request_id: String,
    #[serde(default)]
    listener: Listener,
}

/// Which listener of a gateway answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Listener {
    /// That of probes and metrics.
    Admin,
    /// The one for callers, which does not say so.
    #[default]
    #[serde(other)]
    Api,
}

impl CallError {
    /// Whether the same question may find another answer a little later.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Broken | Self::Silent { .. } => true,
            // A proxy in between, while the gateway is away.
            Self::Stranger { status, .. } => matches!(status, 502..=504),
            Self::Refused(refusal) => refusal.status == 429 || refusal.status >= 500,
            Self::Tls(_) | Self::UserInUrl | Self::Token { .. } | Self::Unreadable => false,
        }
    }

    /// Whether the gateway, or a proxy before it, keeps from this caller what it asks for, or does not know it.
    pub(crate) fn is_withheld(&self) -> bool {
        match self {
            Self::Refused(refusal) => matches!(refusal.word(), "not-allowed" | "no-such-path"),
            Self::Stranger { status, .. } => matches!(status, 401 | 403 | 404),
            Self::Tls(_)
            | Self::UserInUrl
            | Self::Token { .. }
            | Self::Unreachable { .. }
            | Self::Broken
            | Self::Silent { .. }
            | Self::Unreadable => false,
        }
    }

    /// Whether the gateway says that it knows of no such resend.
    pub(crate) fn is_unknown_resend(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.word() == "no-such-resend")
    }
}

impl Refusal {
    /// The last word of the problem's type.
    fn word(&self) -> &str {
        self.kind.rsplit(':').next().unwrap_or_default()
    }

    /// What the person at the command line can do about it.
    fn next_step(&self) -> &'static str {
        match self.word() {
            "malformed-body" | "malformed-gzip" => {
                "mend the list at that place and send it again; if its form was mistaken, say --input-format"
            }
            "media-type" => "say with --input-format what the list is",
            "empty-list" => "nothing to do: there is no address in it",
            "no-memory" => "send it in parts, or a little later",
            "too-large" => "send it in parts, or raise the limit in the settings of the gateway",
            "not-allowed" => "do it where the gateway listens on a loopback address (server.listen)",
            "no-such-resend" => "`faxplus-gateway status` lists the resends that the gateway knows",
            "bad-query" => "the gateway may be older than this command: compare their --version",
            "no-such-path" if self.listener == Listener::Admin => {
                "this looks like the admin listener: say with --url where the API is (server.listen)"
            }
            "no-such-path" => "check --url; the gateway may be older than this command",
            "incomplete-body" | "slow-body" => "send the list again",
            _ => match self.status {
                401 => "say with --token-file who you are",
                403 => "ask the operator of the gateway what your token may do",
                429 | 503 => "try again a little later",
                500.. => "tell the operator of the gateway, with the request id",
                _ => "mend what it says and try again",
            },
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |text: &str| -> String { text.chars().filter(|letter| !letter.is_control()).collect() };
        writeln!(formatter, "{} (status {})", shown(&self.title), self.status)?;
        if !self.detail.is_empty() {
            writeln!(formatter, "  {}", shown(&self.detail))?;
        }
        if self.status >= 500 && !self.request_id.is_empty() {
            writeln!(formatter, "  request id {}", shown(&self.request_id))?;
        }
        write!(formatter, "  next: {}", self.next_step())
    }
}
