//! Why a gateway could not be asked, in words that say what to do next.

use std::{borrow::Cow, fmt, time::Duration};

use serde::Deserialize;
use thiserror::Error;

use super::BaseUrl;
use crate::{
    cli::{invocation, words},
    outbound::TlsError,
};

/// No answer, or not the one hoped for.
#[derive(Debug, Error)]
pub(crate) enum CallError {
    /// No client.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A secret where everybody can see it, and of a kind that the gateway does not know.
    #[error("--url takes no user name and no password; a token goes into a file: --token-file")]
    UserInUrl,
    /// What should hold the token can't be used.
    #[error("{holder}: {why}")]
    Token {
        /// The option with its file, or the variable.
        holder: String,
        /// What is wrong with it; never what it holds.
        why: String,
    },
    /// Nobody is there. Nothing was asked.
    #[error(
        "no gateway can be reached at {url}: {why}\n  \
         start one with `{} serve`, or say with --url (or FAXPLUS_GATEWAY_URL) where it is",
        invocation::command()
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
    Refused(Box<Refusal>),
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
    /// What a client would need that lacks it.
    right: Option<String>,
    /// When to come again, from the head of the answer.
    #[serde(skip)]
    pub(super) retry_after: Option<Duration>,
    /// Whether a token was sent.
    #[serde(skip)]
    pub(super) had_token: bool,
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
    fn next_step(&self) -> Cow<'static, str> {
        let step = match self.word() {
            "malformed-body" | "malformed-gzip" => {
                "mend the list at that place and send it again; if its form was mistaken, say --input-format"
            }
            "media-type" => "say with --input-format what the list is",
            "empty-list" => "nothing to do: there is no address in it",
            "no-memory" => "send it in parts, or a little later",
            "too-large" => "send it in parts, or raise the limit in the settings of the gateway",
            "not-allowed" if self.right.is_some() => {
                "ask the operator of the gateway for that right, or say with --token-file who else you are"
            }
            "not-allowed" => "do it where the gateway listens on a loopback address (server.listen)",
            "no-such-resend" => {
                let command = invocation::command();
                return format!("`{command} status` lists the resends that the gateway knows").into();
            }
            "bad-query" => "the gateway may be older than this command: compare their --version",
            "no-such-path" if self.listener == Listener::Admin => {
                "this looks like the admin listener: say with --url where the API is (server.listen)"
            }
            "no-such-path" => "check --url; the gateway may be older than this command",
            "incomplete-body" | "slow-body" => "send the list again",
            _ => match self.status {
                401 if self.had_token => {
                    "ask the operator of the gateway which token is to be in --token-file or FAXPLUS_GATEWAY_TOKEN"
                }
                401 => "Pass your token with --token-file, or put it into FAXPLUS_GATEWAY_TOKEN.",
                403 => "ask the operator of the gateway what your token may do",
                429 | 503 => return self.later(),
                500.. => "tell the operator of the gateway, with the request id",
                _ => "mend what it says and try again",
            },
        };
        step.into()
    }

    fn later(&self) -> Cow<'static, str> {
        match self.retry_after {
            Some(wait) => format!("try again in {}", words::seconds(wait)).into(),
            None => "try again a little later".into(),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(problem: &str) -> Refusal {
        let text = format!(r#"{{"title": "No", "detail": "so it is", {problem}}}"#);
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn a_right_is_asked_for_where_clients_have_rights_and_a_place_where_they_have_none() {
        let kind = r#""status": 403, "type": "urn:faxplus-gateway:problem:not-allowed""#;

        let lacking = refusal(&format!(r#"{kind}, "right": "operator""#)).to_string();
        let open = refusal(kind).to_string();

        assert!(lacking.contains("ask the operator") && !lacking.contains("loopback"), "{lacking}");
        assert!(open.contains("loopback address (server.listen)"), "{open}");
    }

    #[test]
    fn who_has_said_a_token_is_not_told_to_say_one() {
        let unknown = || refusal(r#""status": 401, "type": "urn:faxplus-gateway:problem:unauthorized""#);

        let without = unknown().to_string();
        let with = Refusal { had_token: true, ..unknown() }.to_string();

        assert!(without.contains("next: Pass your token with --token-file"), "{without}");
        assert!(with.contains("which token is to be in --token-file"), "{with}");
    }

    #[test]
    fn when_to_come_again_is_told_as_the_gateway_says_it() {
        let again = |status: u16, seconds: Option<u64>| {
            let refusal = refusal(&format!(r#""status": {status}"#));
            Refusal { retry_after: seconds.map(Duration::from_secs), ..refusal }.to_string()
        };

        assert!(again(429, Some(592)).ends_with("next: try again in 9m 52s"), "{}", again(429, Some(592)));
        assert!(again(503, Some(7)).ends_with("next: try again in 7 s"), "{}", again(503, Some(7)));
        assert!(again(429, None).ends_with("next: try again a little later"), "{}", again(429, None));
    }
}
