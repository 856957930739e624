//! `Prefer` (RFC 7240): how long a caller waits for the end. Several headers are one list; what stands in a quoted
//! string or behind a semicolon is no preference.

use std::time::Duration;

use actix_web::http::header::{HeaderMap, HeaderValue};

use super::{
    header_list::{parameter, split},
    problem::Problem,
};

/// How long to wait, and what to say of it in `Preference-Applied`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Patience {
    pub(super) wait: Duration,
    pub(super) applied: Option<String>,
}

/// Reads the preferences of a request. Unknown ones are passed over, as the RFC says; of a known one
/// that is given twice the first counts.
pub(super) fn patience(headers: &HeaderMap, default: Duration, max: Duration) -> Result<Patience, Problem> {
    let mut wait = None;
    let mut at_once = false;
    // The lines are joined first, as any recipient may do on the way (RFC 9110, 5.3): a quoted string may go on.
    let lines: Result<Vec<_>, _> = headers.get_all("prefer").map(HeaderValue::to_str).collect();
    let text =
        lines.map_err(|_| Problem::header("Prefer", "Prefer holds bytes that are no text"))?.join(", ");
    for preference in split(&text, ',').filter_map(|element| split(element, ';').next()) {
        let (name, value) = parameter(preference);
        match name.to_ascii_lowercase().as_str() {
            "respond-async" => at_once = true,
            "wait" if wait.is_none() => wait = Some(seconds(&value)?),
            _ => {}
        }
    }
    let wait = wait.map(|wait| wait.min(max));
    let told = wait.map(|wait| format!("wait={}", wait.as_secs()));
    let applied = match (at_once, told) {
        (true, Some(told)) => Some(format!("respond-async, {told}")),
        (true, None) => Some("respond-async".to_owned()),
        (false, told) => told,
    };
    let otherwise = if at_once { Duration::ZERO } else { default };
    Ok(Patience { wait: wait.unwrap_or(otherwise), applied })
}

fn seconds(value: &str) -> Result<Duration, Problem> {
    if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Problem::header("Prefer", "wait takes a whole number of seconds, as in Prefer: wait=10"));
    }
    Ok(Duration::from_secs(value.parse().unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderName;

    use super::*;

    fn read(values: &[&'static str]) -> Result<(u64, Option<String>), Problem> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(HeaderName::from_static("prefer"), HeaderValue::from_static(value));
        }
        patience(&headers, Duration::from_secs(20), Duration::from_secs(300))
            .map(|patience| (patience.wait.as_secs(), patience.applied))
    }

    #[test]
    fn every_form_of_waiting_is_read() {
        for (values, wait, applied) in [
            (vec![], 20, None),
            (vec!["wait=5"], 5, Some("wait=5")),
            (vec!["wait = \"5\""], 5, Some("wait=5")),
            (vec!["WAIT=5; foo=bar"], 5, Some("wait=5")),
            (vec!["wait=0"], 0, Some("wait=0")),
            (vec!["wait=99999999999999999999999"], 300, Some("wait=300")),
            (vec!["respond-async"], 0, Some("respond-async")),
            (vec!["respond-async, wait=7"], 7, Some("respond-async, wait=7")),
            (vec!["handling=lenient", "wait=3", "wait=9"], 3, Some("wait=3")),
            (vec!["wait=3, wait=soon"], 3, Some("wait=3")),
            (vec!["Respond-Async", "Wait = 7"], 7, Some("respond-async, wait=7")),
            (vec![",, wait=7 ,"], 7, Some("wait=7")),
            (vec!["handling=lenient; wait=7"], 20, None),
        ] {
            assert_eq!(read(&values).unwrap(), (wait, applied.map(str::to_owned)), "{values:?}");
        }
    }

    #[test]
    fn a_quoted_string_holds_no_preferences() {
        for (value, wait) in [
            (r#"foo="a, wait=7""#, 20),
            (r#"foo="a, respond-async""#, 20),
            (r#"foo="a;b"; c=", wait=8", wait=9"#, 9),
            (r#"foo="a\", wait=7", wait=9"#, 9),
            (r#"foo="never closed, wait=7"#, 20),
            (r#"foo, "wait=7""#, 20),
        ] {
            assert_eq!(read(&[value]).unwrap().0, wait, "{value}");
        }
        assert_eq!(read(&[r#"foo="a"#, r#"wait=7""#]).unwrap().0, 20, "one quoted string of two lines");
        assert_eq!(read(&[r#"foo="a"#, r#"b", wait=7"#]).unwrap().0, 7);
    }

    #[test]
    fn a_wait_that_is_no_number_is_refused() {
        for value in
            ["wait", "wait=", "wait=\"\"", "wait=-1", "wait=1.5", "wait=soon", "wait=7 8", "wait=\" 7\""]
        {
            assert_eq!(read(&[value]).unwrap_err().status(), 400, "{value}");
        }
    }
}
