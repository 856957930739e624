//! The `Retry-After` header in both its forms.

use std::time::{Duration, SystemTime};

use awc::http::header::RETRY_AFTER;

use crate::outbound::Answer;

/// How long an answer asks us to stay away.
pub(super) fn of(answer: &Answer, now: SystemTime) -> Option<Duration> {
    parse(answer.headers.get(RETRY_AFTER)?.to_str().ok()?, now)
}

/// How long upstream asks us to stay away; `None` when the value is neither form.
///
/// Seconds, or an HTTP date (RFC 9110, 10.2.3). A date that has passed means now. More digits than a
/// number holds mean for ever; the caller cuts that to its own limit.
fn parse(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    const NOON: u64 = 784_111_777;

    fn parsed(value: &str) -> Option<u64> {
        parse(value, UNIX_EPOCH + Duration::from_secs(NOON)).map(|wait| wait.as_secs())
    }

    #[test]
    fn both_forms_are_read() {
        assert_eq!(parsed("7"), Some(7));
        assert_eq!(parsed(" 0 "), Some(0));
        assert_eq!(parsed("Sun, 06 Nov 1994 08:50:07 GMT"), Some(30));
    }

    #[test]
    fn a_date_in_the_past_means_now() {
        assert_eq!(parsed("Sun, 06 Nov 1994 08:00:00 GMT"), Some(0));
    }

    #[test]
    fn an_absurd_number_means_for_ever() {
        assert_eq!(parsed("99999999999999999999999"), Some(u64::MAX));
    }

    #[test]
    fn anything_else_is_no_answer() {
        for value in ["", "-1", "1.5", "soon", "1 minute", "+3"] {
            assert_eq!(parsed(value), None, "{value}");
        }
    }
}
