//! One kind of trouble with upstream, from its first sign to its end.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    domain::NotSentReason,
    upstream::{CredentialError, Outage, RenewalError, Stranger},
};

/// What exactly is wrong, where an operator needs more words than the reason has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// What the reason says.
    Itself,
    /// Upstream can't be reached or fails: what was seen last.
    Outage(Outage),
    /// fax.plus says 404.
    NotFound,
    /// Something that does not behave like fax.plus answers.
    Stranger(Stranger),
    /// Something that is not fax.plus refuses the credential.
    RefusedBy(Stranger),
    /// The account can't be read with the credential; a lone call decides.
    Untried,
    /// There is no access token yet: the token endpoint is being asked.
    NoTokenYet,
    /// The token endpoint refuses the client's id or secret.
    ClientRefused,
    /// The token endpoint refuses the refresh token.
    GrantRefused,
    /// The token endpoint does not understand the request.
    RequestRefused,
    /// The token endpoint refuses for another reason.
    Denied,
    /// The token endpoint does not answer.
    EndpointSilent,
    /// The token endpoint answers that it can't.
    EndpointFailing,
    /// What answers at the token endpoint is none.
    EndpointElsewhere(Stranger),
    /// The token endpoint gives a token that can't be used.
    EndpointUnusable,
    /// There is a new access token, and upstream does not answer its proof.
    ProofUnanswered,
}

impl Cause {
    /// Why there is no new access token, and the wait that was told.
    pub(super) fn of(error: &RenewalError) -> (Self, Option<Duration>) {
        match error {
            RenewalError::ClientRefused => (Self::ClientRefused, None),
            RenewalError::GrantRefused => (Self::GrantRefused, None),
            RenewalError::NoAnswer => (Self::EndpointSilent, None),
            RenewalError::Failing { status: _, told } => (Self::EndpointFailing, *told),
            RenewalError::RequestRefused => (Self::RequestRefused, None),
            RenewalError::Denied => (Self::Denied, None),
            RenewalError::Elsewhere(stranger) => (Self::EndpointElsewhere(*stranger), stranger.retry_after()),
            RenewalError::Unusable(CredentialError::File(_) | CredentialError::NotAHeader) => {
                (Self::EndpointUnusable, None)
            }
        }
    }

    /// The reason as which trouble with the credential counts.
    pub(super) fn reason(self) -> NotSentReason {
        match self {
            Self::Itself
            | Self::RefusedBy(_)
            | Self::Untried
            | Self::ClientRefused
            | Self::GrantRefused
            | Self::Denied => NotSentReason::CredentialsRejected,
            Self::Outage(_)
            | Self::NoTokenYet
            | Self::EndpointSilent
            | Self::EndpointFailing
            | Self::ProofUnanswered => NotSentReason::UpstreamUnavailable,
            Self::NotFound
            | Self::Stranger(_)
            | Self::RequestRefused
            | Self::EndpointElsewhere(_)
            | Self::EndpointUnusable => NotSentReason::Misconfigured,
        }
    }
}

/// One trouble: since when, how often it was met, and when to try again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trouble {
    pub(super) reason: NotSentReason,
    pub(super) cause: Cause,
    pub(super) since: Instant,
    pub(super) next_attempt: Instant,
    pub(super) attempt: u32,
    /// When `next_attempt` was last set: failures of calls launched before belong to the same attempt.
    pub(super) judged: Instant,
}

/// The same trouble once more, or a new one.
pub(super) fn again(
    before: Option<Trouble>,
    reason: NotSentReason,
    launched: Instant,
    now: Instant,
    delay: impl FnOnce(u32) -> Duration,
) -> Trouble {
    match before {
        None => {
            let next_attempt = now + delay(1);
            Trouble { reason, cause: Cause::Itself, since: now, next_attempt, attempt: 1, judged: now }
        }
        // A call from before the last judgement: the same attempt, which may be told a longer wait.
        Some(trouble) if launched < trouble.judged => {
            let next_attempt = trouble.next_attempt.max(now + delay(1));
            Trouble { next_attempt, ..trouble }
        }
        Some(trouble) => {
            let attempt = trouble.attempt + 1;
            let next_attempt = trouble.next_attempt.max(now + delay(attempt));
            Trouble { reason, cause: Cause::Itself, since: trouble.since, next_attempt, attempt, judged: now }
        }
    }
}
