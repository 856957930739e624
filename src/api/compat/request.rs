//! What the headers of a compatible request must say. Less than those of the native API: clients of fax.plus
//! were written for another server.

use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};

use crate::api::{
    media::{foreign_charset, received},
    problem::Problem,
};

/// Refuses a Bearer with nothing behind it: the SDKs send that when their token is missing. What stands behind
/// it is not looked at, for callers keep sending their token of fax.plus.
pub(super) fn check_bearer(headers: &HeaderMap) -> Result<(), Problem> {
    if headers.get_all(AUTHORIZATION).any(is_empty) {
        let detail = "the Authorization header holds no access token; nothing was sent";
        return Err(Problem::unauthorized(detail));
    }
    Ok(())
}

fn is_empty(value: &HeaderValue) -> bool {
    let value = value.as_bytes().trim_ascii();
    value.is_empty() || value.eq_ignore_ascii_case(b"bearer")
}

/// Refuses a body that says it is anything but JSON. One that says nothing is taken for JSON.
pub(super) fn check_media_type(headers: &HeaderMap) -> Result<(), Problem> {
    match headers.get(CONTENT_TYPE) {
        Some(value) if !is_json(value) => Err(Problem::media_type(format!(
            "{}; the list is taken as application/json in UTF-8: send -H 'Content-Type: application/json'; \
                 nothing was sent",
            received(Some(value))
        ))),
        Some(_) | None => Ok(()),
    }
}

/// Quotes around the whole are let pass: the Java example of fax.plus sends them.
fn is_json(value: &HeaderValue) -> bool {
    let text = value.to_str().unwrap_or_default().trim().trim_matches('\'');
    let (essence, parameters) = text.split_once(';').unwrap_or((text, ""));
    essence.trim().eq_ignore_ascii_case("application/json") && foreign_charset(parameters).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name.parse().unwrap(), HeaderValue::from_static(value));
        headers
    }

    #[test]
    fn a_bearer_without_a_token_is_refused_and_no_other_authorization() {
        for value in ["", "Bearer", "bearer ", "BEARER\t "] {
            let problem = check_bearer(&headers("authorization", value)).unwrap_err();
            assert_eq!(problem.status(), 401, "{value:?}");
        }
        for value in ["Bearer x", "bearer alohi_pat_1", "Basic Og==", "'Bearer x'"] {
            assert!(check_bearer(&headers("authorization", value)).is_ok(), "{value:?}");
        }
        assert!(check_bearer(&HeaderMap::new()).is_ok());
    }

    #[test]
    fn json_and_what_does_not_say_are_taken() {
        for value in [
            "application/json",
            "Application/JSON;charset=UTF-8",
            "application/json; charset=\"utf-8\"",
            "'application/json'",
        ] {
            assert!(check_media_type(&headers("content-type", value)).is_ok(), "{value}");
        }
        assert!(check_media_type(&HeaderMap::new()).is_ok());
    }

    #[test]
    fn everything_else_is_refused() {
        for value in [
            "",
            "text/plain",
            "text/json",
            "application/x-ndjson",
            "application/x-www-form-urlencoded",
            "application/json; charset=latin1",
        ] {
            let problem = check_media_type(&headers("content-type", value)).unwrap_err();
            assert_eq!(problem.status(), 415, "{value}");
        }
    }

    #[test]
    fn a_refusal_names_what_came_and_what_this_path_takes() {
        for (value, what) in [
            ("text/csv", "received text/csv"),
            (
                "application/json; charset=latin1",
                "received application/json in latin1, which is not UTF-8: save the list as UTF-8",
            ),
        ] {
            let problem = check_media_type(&headers("content-type", value)).unwrap_err();
            let rest = "; the list is taken as application/json in UTF-8: send -H 'Content-Type: application/json'; \
                        nothing was sent";
            assert_eq!(problem.parts().1, format!("{what}{rest}"));
        }
    }
}
