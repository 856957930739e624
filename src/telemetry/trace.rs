//! The trace of a request: the caller's own when its `traceparent` is well-formed, else a new one.

use actix_web::http::header::{HeaderMap, HeaderName};
use uuid::Uuid;

use crate::domain::TraceContext;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Reads the header. Two of them are none.
pub fn trace_of(headers: &HeaderMap) -> TraceContext {
    let mut values = headers.get_all(TRACEPARENT);
    let only = values.next().filter(|_| values.next().is_none());
    let given = only.and_then(|value| value.to_str().ok()).and_then(TraceContext::parse);
    given.unwrap_or_else(|| TraceContext::new(Uuid::new_v4().as_u128()))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    const GIVEN: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn of(values: &[&'static str]) -> TraceContext {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(TRACEPARENT, HeaderValue::from_static(value));
        }
        trace_of(&headers)
    }

    #[test]
    fn one_good_header_is_taken_over_and_anything_else_starts_a_new_trace() {
        assert_eq!(Some(of(&[GIVEN])), TraceContext::parse(GIVEN));
        for values in [&[][..], &["nonsense"], &[GIVEN, GIVEN]] {
            assert_ne!(Some(of(values)), TraceContext::parse(GIVEN), "{values:?}");
            assert_ne!(of(values), of(values));
        }
    }
}
