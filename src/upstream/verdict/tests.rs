use awc::http::{
    StatusCode,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use bytes::Bytes;

use super::*;

const BY_FAX_PLUS: &str = r#"{"error":"e","description":"d"}"#;
const BY_OTHERS: [&str; 4] = ["", "<html>", "Not Found", r#"{"error":"Not Found","status":404}"#];

fn answered(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Verdict {
    let headers = headers
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
        .collect();
    let status = StatusCode::from_u16(status).unwrap();
    let content = Content::Whole(Bytes::copy_from_slice(body.as_bytes()));
    judge(&Ok(Answer { status, headers, content }), SystemTime::UNIX_EPOCH)
}

fn word(status: u16, body: &str) -> CallResult {
    answered(status, &[], body).result()
}

#[test]
fn each_status_of_fax_plus_has_one_verdict() {
    for status in 100..600 {
        let body = if status < 300 { "{}" } else { BY_FAX_PLUS };
        let verdict = answered(status, &[], body);
        let holds = match status {
            200..=206 => verdict == Verdict::Sent,
            400 | 409 | 410 | 413 | 422 => matches!(verdict, Verdict::Refused(_)),
            401 => matches!(verdict, Verdict::Unauthorized(_)),
            403 => matches!(verdict, Verdict::Forbidden(_)),
            404 => matches!(verdict, Verdict::NotFound(_)),
            408 | 503 => verdict == Verdict::NotSent(Unsent::Unavailable(None)),
            429 => verdict == Verdict::NotSent(Unsent::Throttled(None)),
            300..=499 => matches!(verdict, Verdict::Misconfigured(_)),
            500..=599 => verdict == Verdict::Unknown(UnknownReason::ServerError),
            _ => verdict == Verdict::Unknown(UnknownReason::UnreadableAnswer),
        };
        assert!(holds, "{status}: {verdict:?}");
    }
}

#[test]
fn a_refusal_that_fax_plus_did_not_write_refuses_no_address() {
    for body in BY_OTHERS {
        for status in (300..500).filter(|status| ![401, 408, 429].contains(status)) {
            assert_eq!(word(status, body), CallResult::Misconfigured, "{status} {body}");
        }
        assert_eq!(word(401, body), CallResult::Unauthorized, "{body}");
        assert_eq!(word(408, body), CallResult::Unavailable, "{body}");
        assert_eq!(word(429, body), CallResult::Throttled, "{body}");
    }
}

#[test]
fn a_refusal_that_did_not_come_whole_refuses_no_address() {
    for content in [Content::Broken, Content::TimedOut, Content::TooLong] {
        let answer = Answer { status: StatusCode::BAD_REQUEST, headers: HeaderMap::new(), content };
        let verdict = judge(&Ok(answer), SystemTime::UNIX_EPOCH);
        assert_eq!(verdict.result(), CallResult::Misconfigured);
    }
}

#[test]
fn a_refusal_carries_the_words_of_fax_plus() {
    let Verdict::Refused(refusal) = answered(422, &[], BY_FAX_PLUS) else { panic!("not refused") };

    assert_eq!(*refusal, Refusal { code: "e".to_owned(), detail: Some("d".to_owned()) });
}

#[test]
fn a_200_that_says_no_is_a_doubt() {
    for body in [r#"{"error":"internal_error"}"#, r#"{"error":{}}"#, r#"{"message":"ok","error":"x"}"#] {
        assert_eq!(answered(200, &[], body), Verdict::Unknown(UnknownReason::UnreadableAnswer), "{body}");
    }
}

#[test]
fn only_a_json_object_is_a_success() {
    for body in ["", "null", "[]", "<html>", r#"{"message":"#, "\"ok\"", "{} {}", "\u{1f}\u{8b}\u{8}"] {
        assert_eq!(word(200, body), CallResult::UnreadableAnswer, "{body}");
    }
    assert_eq!(word(200, "{}"), CallResult::Ok);
}

#[test]
fn a_success_that_is_cut_off_is_a_doubt() {
    for (content, expected) in [
        (Content::Broken, CallResult::ConnectionLost),
        (Content::TimedOut, CallResult::Timeout),
        (Content::TooLong, CallResult::UnreadableAnswer),
    ] {
        let answer = Answer { status: StatusCode::OK, headers: HeaderMap::new(), content };
        assert_eq!(judge(&Ok(answer), SystemTime::UNIX_EPOCH).result(), expected);
    }
}

#[test]
fn a_503_that_says_so_was_not_sent_and_a_bare_one_is_a_doubt() {
    let told = |wait| Verdict::NotSent(Unsent::Unavailable(wait));

    assert_eq!(answered(503, &[("retry-after", "3.0")], "<html>"), told(Some(Duration::from_secs(3))));
    assert_eq!(answered(503, &[("retry-after", "soon")], ""), told(None));
    assert_eq!(answered(503, &[], r#"{"error":"Overloaded","by":"a proxy"}"#), told(None));
    for body in ["", "<html>", "{}", r#"{"error":null}"#] {
        assert_eq!(word(503, body), CallResult::ServerError, "{body}");
    }
}

#[test]
fn an_edge_that_did_not_reach_fax_plus_sent_nothing() {
    let cloudflare = [("cf-ray", "8c4-FRA"), ("server", "cloudflare"), ("retry-after", "9")];

    for status in [521, 523, 525, 526, 530] {
        let verdict = answered(status, &cloudflare, "<html>");
        let Verdict::NotSent(Unsent::OriginUnreachable(edge)) = verdict else { panic!("{verdict:?}") };
        assert_eq!(edge.to_string(), format!("status {status} with an HTML page, by Cloudflare"));
        assert_eq!(edge.retry_after(), Some(Duration::from_secs(9)));
        assert_eq!(verdict.result(), CallResult::Unavailable);
        assert_eq!(word(status, "<html>"), CallResult::ServerError, "{status} of another");
    }
    for status in [500, 502, 504, 520, 522, 524, 527] {
        let verdict = answered(status, &cloudflare, "<html>");
        assert_eq!(verdict, Verdict::Unknown(UnknownReason::ServerError), "{status}");
    }
}

#[test]
fn nothing_written_is_not_sent_whatever_the_error_says() {
    for kind in [FailureKind::TimedOut, FailureKind::Disconnected, FailureKind::Connect, FailureKind::Refused]
    {
        let verdict = judge(&Err(Failure { written: false, kind }), SystemTime::UNIX_EPOCH);
        assert_eq!(verdict.result(), CallResult::ConnectFailed);
    }
}

#[test]
fn written_without_an_answer_is_a_doubt() {
    for (kind, expected) in [
        (FailureKind::TimedOut, CallResult::Timeout),
        (FailureKind::Disconnected, CallResult::ConnectionLost),
        (FailureKind::Connect, CallResult::ConnectionLost),
        (FailureKind::NotHttp, CallResult::UnreadableAnswer),
    ] {
        let verdict = judge(&Err(Failure { written: true, kind }), SystemTime::UNIX_EPOCH);
        assert_eq!(verdict.result(), expected);
    }
}
