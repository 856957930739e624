//! What holds work, in the words that callers and operators are told.

use std::borrow::Cow;

use tokio::time::Instant;

use super::trouble::{Cause, Trouble};
use crate::{
    domain::{Hold, NotSentReason, Paused, Timestamp},
    upstream::Outage,
};

/// A trouble as callers are told it.
pub(super) fn told(trouble: &Trouble, now: Instant) -> Hold {
    let told_now = Timestamp::now();
    let since = now.saturating_duration_since(trouble.since);
    let wait = trouble.next_attempt.saturating_duration_since(now);
    Hold {
        reason: trouble.reason,
        since: Timestamp(told_now.0.saturating_sub(since.as_millis() as u64)),
        next_attempt_at: Some(told_now.plus(wait)),
        detail: sentence(trouble.reason, trouble.cause).into_owned(),
    }
}

/// A pause as callers are told it, with what the operator has to say.
pub(super) fn told_pause(paused: &Paused) -> Hold {
    let words = paused.note.words().map_or(String::new(), |words| format!(" (\"{words}\")"));
    Hold {
        reason: NotSentReason::Paused,
        since: paused.since,
        next_attempt_at: None,
        detail: format!("an operator paused the gateway{words}; goes on when an operator resumes it"),
    }
}

fn sentence(reason: NotSentReason, cause: Cause) -> Cow<'static, str> {
    let words = match cause {
        Cause::Itself => of_reason(reason),
        Cause::Outage(seen) => of_outage(seen),
        Cause::Stranger(stranger) => {
            return Cow::Owned(format!(
                "what answers at upstream.base_url does not behave like fax.plus: {stranger}; check \
                 upstream.base_url and any proxy; one address at a time is tried, and the work goes on when \
                 fax.plus accepts one"
            ));
        }
        Cause::NotFound => {
            "fax.plus answers 404 (not found); check upstream.base_url and the account; one address at a time \
             is tried, and the work goes on when fax.plus accepts one"
        }
        Cause::Untried => {
            "fax.plus does not show its account to the access token; one address is tried, and the work goes on \
             when fax.plus accepts it"
        }
        Cause::NoTokenYet => {
            "the token endpoint of fax.plus has not given an access token yet; goes on when it does"
        }
        Cause::ClientRefused => {
            "the token endpoint of fax.plus refuses the OAuth2 client; goes on when the client's secret \
             changes or is accepted again"
        }
        Cause::GrantRefused => {
            "the token endpoint of fax.plus refuses the refresh token: it is revoked, used or wrong; goes on \
             when it changes or is accepted again"
        }
        Cause::EndpointSilent => {
            "the token endpoint of fax.plus can't be reached or does not answer; it is asked again and the \
             work goes on when it gives an access token"
        }
        Cause::EndpointFailing => {
            "the token endpoint of fax.plus answers with errors; it is asked again and the work goes on when \
             it gives an access token"
        }
        Cause::EndpointElsewhere => {
            "what answers at credentials.token_url gives no access token; goes on when it does"
        }
        Cause::ProofUnanswered => {
            "fax.plus does not answer when a new access token is shown to it; goes on when it accepts it"
        }
    };
    Cow::Borrowed(words)
}

/// What was seen last; never an address, a name or a word of others.
fn of_outage(seen: Outage) -> &'static str {
    match seen {
        Outage::Refused => {
            "fax.plus can't be reached: the connection is refused; it is tried carefully and the work goes on \
             when it answers"
        }
        Outage::NoName => {
            "fax.plus can't be reached: its name does not resolve; it is tried carefully and the work goes on \
             when it answers"
        }
        Outage::NoConnection => {
            "fax.plus can't be reached: no connection, or no TLS on it, comes about; it is tried carefully and \
             the work goes on when it answers"
        }
        Outage::Silent => {
            "fax.plus does not answer in time; it is tried carefully and the work goes on when it answers"
        }
        Outage::Lost => {
            "fax.plus loses connections; it is tried carefully and the work goes on when it answers"
        }
        Outage::Unreadable => {
            "fax.plus gives answers that can't be read; it is tried carefully and the work goes on when it \
             gives good ones"
        }
        Outage::Errors => {
            "fax.plus answers with errors; it is tried carefully and the work goes on when it works again"
        }
        Outage::Unavailable => {
            "fax.plus says that it is not available now; it is tried carefully and the work goes on when it is"
        }
    }
}

fn of_reason(reason: NotSentReason) -> &'static str {
    match reason {
        NotSentReason::UpstreamUnavailable => {
            "fax.plus can't be reached or fails; it is tried carefully and the work goes on when it answers"
        }
        NotSentReason::Throttled => {
            "fax.plus asks for fewer calls; the work goes on after the wait it asks for"
        }
        NotSentReason::CredentialsRejected => {
            "fax.plus refuses the access token; goes on when the token changes or is accepted again"
        }
        NotSentReason::Forbidden => {
            "fax.plus says that this account may not resend invitations; goes on when a lone try succeeds"
        }
        NotSentReason::UpstreamRefusing => {
            "fax.plus refused one lone address after the other; one a second is tried until it accepts one"
        }
        NotSentReason::Misconfigured => {
            "what answers at upstream.base_url does not behave like fax.plus; goes on when it does"
        }
        // No trouble of upstream has these reasons; a pause is told with its note.
        NotSentReason::Paused => "an operator paused the gateway",
        NotSentReason::Expired | NotSentReason::Cancelled | NotSentReason::Shutdown => "the resend is ending",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_kind_of_outage_has_its_own_sentence() {
        let all = [
            Outage::Refused,
            Outage::NoName,
            Outage::NoConnection,
            Outage::Silent,
            Outage::Lost,
            Outage::Unreadable,
            Outage::Errors,
            Outage::Unavailable,
        ];

        let said: BTreeSet<_> = all.iter().map(|seen| of_outage(*seen)).collect();

        assert_eq!(said.len(), all.len());
        let ending = "; it is tried carefully and the work goes on when it ";
        assert!(
            said.iter().all(|words| words.starts_with("fax.plus ") && words.contains(ending)),
            "{said:?}"
        );
    }
}
