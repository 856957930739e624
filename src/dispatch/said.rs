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
    match cause {
        Cause::Itself => of_reason(reason).into(),
        Cause::Outage(seen) => of_outage(seen),
        Cause::Stranger(stranger) => format!(
            "upstream.base_url answers as fax.plus is not known to: {stranger}; check it and any proxy; one address \
             at a time is tried, and the work goes on when fax.plus accepts one"
        )
        .into(),
        Cause::NotFound => "fax.plus answers 404 (not found); check upstream.base_url and the account; one address \
             at a time is tried, and the work goes on when fax.plus accepts one"
            .into(),
        Cause::RefusedBy(stranger) => format!(
            "the access token is refused, and not by fax.plus: {stranger}; check any proxy and the token; goes on \
             when it is accepted"
        )
        .into(),
        Cause::Untried => "the account can't be read with the access token; one address is tried, and the work goes \
             on when fax.plus accepts it"
            .into(),
        Cause::NoTokenYet => {
            "the token endpoint of fax.plus has not given an access token yet; goes on when it does".into()
        }
        Cause::ClientRefused => "the token endpoint of fax.plus refuses the OAuth2 client; check \
             credentials.client_id and credentials.client_secret; goes on when the client's secret changes or is \
             accepted again"
            .into(),
        Cause::GrantRefused => {
            "the token endpoint of fax.plus refuses the refresh token: it is revoked, used or wrong; goes on \
             when it changes or is accepted again"
                .into()
        }
        Cause::RequestRefused => "the token endpoint of fax.plus does not understand how it is asked; check \
             credentials.refresh_in (\"query\" or \"body\"); goes on when it gives an access token"
            .into(),
        Cause::Denied => "the token endpoint of fax.plus gives no access token, and blames neither the client nor \
             the refresh token; check that access is still granted; goes on when it gives one"
            .into(),
        Cause::EndpointSilent => {
            "the token endpoint of fax.plus can't be reached or does not answer; it is asked again and the \
             work goes on when it gives an access token"
                .into()
        }
        Cause::EndpointFailing => {
            "the token endpoint of fax.plus answers with errors; it is asked again and the work goes on when \
             it gives an access token"
                .into()
        }
        Cause::EndpointElsewhere(stranger) => format!(
            "what answers at credentials.token_url gives no access token ({stranger}); goes on when it does"
        )
        .into(),
        Cause::EndpointUnusable => "the token endpoint of fax.plus gives an access token that can't stand in an \
             HTTP header; goes on when it gives another"
            .into(),
        Cause::ProofUnanswered => {
            "GET accounts/self gives no usable answer to a new access token; it is asked again, and the work goes on \
             when fax.plus accepts the token"
                .into()
        }
    }
}

/// What was seen last; never an address, a name or a word of others.
fn of_outage(seen: Outage) -> Cow<'static, str> {
    let tried = "it is tried carefully and the work goes on when it";
    let (seen, when) = match seen {
        Outage::Refused => ("fax.plus can't be reached: the connection is refused".into(), "answers"),
        Outage::NoName => ("fax.plus can't be reached: its name does not resolve".into(), "answers"),
        Outage::NoConnection => {
            ("fax.plus can't be reached: no connection, or no TLS on it, comes about".into(), "answers")
        }
        Outage::Silent => ("fax.plus does not answer in time".into(), "answers"),
        Outage::Lost => ("fax.plus loses connections".into(), "answers"),
        Outage::Unreadable => ("fax.plus gives answers that can't be read".into(), "gives good ones"),
        Outage::Errors => ("fax.plus answers with errors".into(), "works again"),
        Outage::Unavailable => ("fax.plus says that it is not available now".into(), "is"),
        Outage::OriginUnreachable(edge) => {
            (format!("fax.plus can't be reached from the edge in front of it ({edge})").into(), "answers")
        }
        Outage::Elsewhere(stranger) => {
            let words =
                format!("fax.plus does not answer at upstream.base_url, something else does ({stranger})");
            (words.into(), "answers")
        }
    };
    let seen: Cow<'static, str> = seen;
    format!("{seen}; {tried} {when}").into()
}

fn of_reason(reason: NotSentReason) -> &'static str {
    match reason {
        NotSentReason::UpstreamUnavailable => {
            "fax.plus can't be reached or fails; it is tried carefully and the work goes on when it answers"
        }
        NotSentReason::Throttled => "fax.plus asks for fewer calls; the work goes on after a wait",
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
            "what answers at upstream.base_url is not fax.plus; goes on when fax.plus does"
        }
        // No trouble of upstream has these reasons; a pause is told with its note.
        NotSentReason::Paused => "an operator paused the gateway",
        NotSentReason::Expired | NotSentReason::Cancelled | NotSentReason::Shutdown => "the resend is ending",
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, time::SystemTime};

    use awc::http::{
        StatusCode,
        header::{HeaderMap, HeaderValue, SERVER},
    };
    use bytes::Bytes;

    use super::*;
    use crate::{
        outbound::{Answer, Content},
        upstream::Stranger,
    };

    fn stranger() -> Stranger {
        let mut headers = HeaderMap::new();
        headers.insert(SERVER, HeaderValue::from_static("nginx/1.27"));
        let content = Content::Whole(Bytes::from_static(b"<html>ann@example.com"));
        Stranger::of(&Answer { status: StatusCode::NOT_FOUND, headers, content }, SystemTime::UNIX_EPOCH)
    }

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
            Outage::OriginUnreachable(stranger()),
            Outage::Elsewhere(stranger()),
        ];

        let said: BTreeSet<_> = all.iter().map(|seen| of_outage(*seen)).collect();

        assert_eq!(said.len(), all.len());
        let ending = "; it is tried carefully and the work goes on when it ";
        assert!(
            said.iter().all(|words| words.starts_with("fax.plus ") && words.contains(ending)),
            "{said:?}"
        );
    }

    #[test]
    fn what_answers_in_the_place_of_fax_plus_is_told_and_never_its_body() {
        for cause in [
            Cause::Outage(Outage::Elsewhere(stranger())),
            Cause::Outage(Outage::OriginUnreachable(stranger())),
            Cause::EndpointElsewhere(stranger()),
        ] {
            let words = sentence(NotSentReason::Misconfigured, cause);

            assert!(words.contains("(status 404 with an HTML page, by nginx)"), "{words}");
            assert!(!words.contains("ann"), "{words}");
        }
    }

    #[test]
    fn trouble_at_the_token_endpoint_names_the_setting_that_mends_it() {
        for (cause, setting) in [
            (Cause::ClientRefused, "credentials.client_secret"),
            (Cause::GrantRefused, "refresh token"),
            (Cause::RequestRefused, "credentials.refresh_in"),
            (Cause::EndpointElsewhere(stranger()), "credentials.token_url"),
        ] {
            let words = sentence(cause.reason(), cause);

            assert!(words.contains(setting), "{words}");
        }
    }
}
