//! Which request is for whom.

use super::answer::Answer;
use super::faults::Target;
use super::head::Head;

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    /// What fax.plus serves, too, or what it does not serve either.
    Api(Target),
    /// `GET /`.
    Help,
    /// `GET /sandbox/stats`.
    Stats,
    /// `GET /sandbox/ledger`.
    Ledger,
    /// `POST /sandbox/reset`.
    Reset,
    /// `GET /sandbox/faults`.
    ReadFaults,
    /// `POST /sandbox/faults`.
    ReplaceFaults,
    /// A known path with another method; these are allowed.
    WrongMethod(&'static str),
    /// An unknown path of the sandbox's own, or one asked for by HEAD: no fate may give that a body.
    Nowhere,
}

impl Route {
    /// The route of a request.
    pub(super) fn of(head: &Head) -> Self {
        // The SDKs concatenate plainly, so `/v3//accounts` occurs and fax.plus takes it.
        let path = head.path.strip_prefix("/v3//").map(|rest| format!("/v3/{rest}"));
        let path = path.as_deref().unwrap_or(&head.path);
        match (path, head.method.as_str()) {
            ("/v3/accounts/self/member-invitations", "PATCH") => Self::Api(Target::Patch),
            ("/v3/accounts/self", "GET") => Self::Api(Target::Probe),
            ("/token", "POST") => Self::Api(Target::Token),
            ("/", "GET") => Self::Help,
            ("/sandbox/stats", "GET") => Self::Stats,
            ("/sandbox/ledger", "GET") => Self::Ledger,
            ("/sandbox/reset", "POST") => Self::Reset,
            ("/sandbox/faults", "GET") => Self::ReadFaults,
            ("/sandbox/faults", "POST") => Self::ReplaceFaults,
            ("/v3/accounts/self/member-invitations", _) => Self::WrongMethod("PATCH"),
            ("/v3/accounts/self" | "/" | "/sandbox/stats" | "/sandbox/ledger", _) => Self::WrongMethod("GET"),
            ("/token" | "/sandbox/reset", _) => Self::WrongMethod("POST"),
            ("/sandbox/faults", _) => Self::WrongMethod("GET, POST"),
            (_, "HEAD") => Self::Nowhere,
            (own, _) if own == "/sandbox" || own.starts_with("/sandbox/") => Self::Nowhere,
            _ => Self::Api(Target::Elsewhere),
        }
    }
}

/// The 405 that names what is allowed.
pub(super) fn wrong_method(allowed: &'static str) -> Answer {
    Answer::refusal(405).with_header("allow", allowed)
}
