//! How long an answer asks the caller to stay away: `Retry-After` in every form in which servers write it.
//!
//! Reads seconds, also with a fraction, a sign or the unit `s` (rounded up), and each form of an HTTP date
//! (RFC 9110, 5.6.7), measured against the server's own clock where the answer tells it. Of several values the
//! first that can be read counts. Refuses everything else: a wait is never guessed.

use std::time::{Duration, SystemTime};

use awc::http::header::{DATE, HeaderMap, RETRY_AFTER};

/// How long the answer with these headers asks to stay away; `None` when it does not say so.
///
/// A date that has passed means now. More digits than a number holds mean for ever: cut that to your own limit.
/// `now` is the clock for dates of an answer without a `Date` of its own.
pub fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let date =
        headers.get(DATE).and_then(|value| httpdate::parse_http_date(value.to_str().ok()?.trim()).ok());
    let now = date.unwrap_or(now);
    headers.get_all(RETRY_AFTER).filter_map(|value| value.to_str().ok()).find_map(|value| first(value, now))
}

/// The first element of a list that can be read.
fn first(list: &str, now: SystemTime) -> Option<Duration> {
    let mut rest = list;
    loop {
        let (element, after) = rest.split_once(',').unwrap_or((rest, ""));
        // Two of the forms of a date have a comma after the day of the week.
        let dated = after.split_once(',').map_or(rest, |(date, _)| &rest[..element.len() + 1 + date.len()]);
        let wait = seconds(element).or_else(|| until(element, now)).or_else(|| until(dated, now));
        if wait.is_some() || after.is_empty() {
            return wait;
        }
        rest = after;
    }
}

fn until(date: &str, now: SystemTime) -> Option<Duration> {
    let date = httpdate::parse_http_date(date.trim()).ok()?;
    Some(date.duration_since(now).unwrap_or(Duration::ZERO))
}

/// Digits, perhaps with `+` before them, a fraction, quotes around them, or the unit behind them.
fn seconds(text: &str) -> Option<Duration> {
    let text = text.trim().trim_matches('"').trim().to_ascii_lowercase();
    let text = ["seconds", "second", "secs", "sec", "s"]
        .into_iter()
        .find_map(|unit| text.strip_suffix(unit))
        .unwrap_or(&text)
        .trim_end();
    let text = text.strip_prefix('+').unwrap_or(text);
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let whole = if whole.is_empty() { 0 } else { whole.parse().unwrap_or(u64::MAX) };
    let part = u64::from(fraction.bytes().any(|digit| digit != b'0'));
    Some(Duration::from_secs(whole.saturating_add(part)))
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use awc::http::header::HeaderValue;

    use super::*;

    /// Sun, 06 Nov 1994 08:49:37 GMT.
    const NOW: u64 = 784_111_777;

    fn of(values: &[&'static str], date: Option<&'static str>) -> Option<u64> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(RETRY_AFTER, HeaderValue::from_static(value));
        }
        if let Some(date) = date {
            headers.insert(DATE, HeaderValue::from_static(date));
        }
        retry_after(&headers, UNIX_EPOCH + Duration::from_secs(NOW)).map(|wait| wait.as_secs())
    }

    #[test]
    fn seconds_are_read_in_every_form_in_which_they_are_written() {
        for value in [
            "20",
            " 20 ",
            "020",
            "20.0",
            "20.",
            "19.2",
            "20s",
            "20 s",
            "20S",
            "20sec",
            "20 seconds",
            "+20",
            "+20.0",
            "\"20\"",
            "20, 20",
            "20,30",
            "20 , soon",
            "soon, 20",
            ",20",
            "19.000001s, 7",
        ] {
            assert_eq!(of(&[value], None), Some(20), "{value}");
        }
        assert_eq!(of(&["0"], None), Some(0));
        assert_eq!(of(&["0.0"], None), Some(0));
        assert_eq!(of(&[".5"], None), Some(1));
    }

    #[test]
    fn a_date_is_read_in_each_form_of_http() {
        for value in [
            "Sun, 06 Nov 1994 08:50:07 GMT",
            "Sunday, 06-Nov-94 08:50:07 GMT",
            "Sun Nov  6 08:50:07 1994",
            "Sun, 06 Nov 1994 08:50:07 GMT, 7",
            "Sun, 06 Nov 1994 08:50:07 GMT, Sun, 06 Nov 1994 09:50:07 GMT",
            "soon, Sun, 06 Nov 1994 08:50:07 GMT",
        ] {
            assert_eq!(of(&[value], None), Some(30), "{value}");
        }
    }

    #[test]
    fn a_date_in_the_past_means_now() {
        assert_eq!(of(&["Sun, 06 Nov 1994 08:00:00 GMT"], None), Some(0));
    }

    #[test]
    fn a_date_is_measured_against_the_clock_of_the_server_that_wrote_it() {
        let behind = Some("Sun, 06 Nov 1994 08:44:37 GMT");

        assert_eq!(of(&["Sun, 06 Nov 1994 08:44:57 GMT"], behind), Some(20));
        assert_eq!(of(&["Sun, 06 Nov 1994 08:44:57 GMT"], Some("now")), Some(0));
        assert_eq!(of(&["20"], behind), Some(20));
    }

    #[test]
    fn of_several_headers_the_first_that_can_be_read_counts() {
        assert_eq!(of(&["20", "7"], None), Some(20));
        assert_eq!(of(&["soon", "20"], None), Some(20));
    }

    #[test]
    fn an_absurd_number_means_for_ever() {
        for value in ["99999999999999999999999", "18446744073709551615.5"] {
            assert_eq!(of(&[value], None), Some(u64::MAX), "{value}");
        }
    }

    #[test]
    fn anything_else_is_no_answer() {
        for value in
            ["", " ", ",", "-1", "soon", "1 minute", "++3", "+", ".", "1.2.3", "0x14", "1e3", "s", "20h"]
        {
            assert_eq!(of(&[value], None), None, "{value}");
        }
        assert_eq!(of(&[], None), None);
    }
}
