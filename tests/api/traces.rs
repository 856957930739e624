//! Traces: taken over, made, passed on to upstream, and found again in the logs of the real binary.

use awc::http::Method;
use faxplus_gateway::sandbox::{Sandbox, SandboxOptions};
use serde_json::Value;

use crate::{
    gateway::{Gateway, addresses},
    process::{Process, gateway_environment},
    wire::Wire,
};

const ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

/// The trace, the span and the flags of each call that upstream saw.
fn traces(sandbox: &Sandbox) -> Vec<(String, String, String)> {
    let read = |traceparent: String| {
        let parts: Vec<_> = traceparent.split('-').map(str::to_owned).collect();
        let [version, trace, span, flags] = <[String; 4]>::try_from(parts).unwrap();
        assert_eq!((version.as_str(), trace.len(), span.len()), ("00", 32, 16));
        (trace, span, flags)
    };
    sandbox.calls().into_iter().map(|call| read(call.traceparent.expect("a call without trace"))).collect()
}

async fn post_in(gateway: &Gateway, traceparent: &str, emails: &[String]) {
    let answer = gateway.post_with("", &[("traceparent", traceparent)], emails).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[actix_web::test]
async fn a_trace_is_passed_on_with_a_new_span_for_each_call() {
    let gateway = Gateway::start().await;

    post_in(&gateway, &format!("00-{ID}-{SPAN}-01"), &addresses("a", 25)).await;

    let mut spans = Vec::new();
    for (trace, span, flags) in traces(&gateway.sandbox) {
        assert_eq!((trace.as_str(), flags.as_str()), (ID, "01"));
        assert!(span != SPAN && span.contains(|digit| digit != '0'), "{span}");
        spans.push(span);
    }
    spans.sort_unstable();
    spans.dedup();
    assert_eq!(spans.len(), 3);
    gateway.stop().await;
}

#[actix_web::test]
async fn without_a_good_header_each_post_starts_a_trace_that_is_not_sampled() {
    let gateway = Gateway::start().await;

    let upper = format!("00-{}-{SPAN}-01", ID.to_uppercase());
    let zeros = format!("00-{}-{SPAN}-01", "0".repeat(32));
    for (number, header) in [None, Some("nonsense"), Some(&*upper), Some(&*zeros)].into_iter().enumerate() {
        let headers: Vec<_> = header.map(|value| ("traceparent", value)).into_iter().collect();
        gateway.post_with("", &headers, &addresses(&format!("a{number}x"), 1)).await;
    }

    let mut made = traces(&gateway.sandbox);
    assert!(
        made.iter().all(|(trace, _, flags)| flags == "00" && !trace.eq_ignore_ascii_case(ID)),
        "{made:?}"
    );
    made.sort_unstable();
    made.dedup_by(|a, b| a.0 == b.0);
    assert_eq!(made.len(), 4);
    gateway.stop().await;
}

#[actix_web::test]
async fn a_list_that_nobody_waits_for_keeps_its_trace() {
    let gateway = Gateway::start().await;
    let header = format!("00-{ID}-{SPAN}-00");
    let headers = [("traceparent", header.as_str()), ("prefer", "respond-async")];

    let answer = gateway.post_with("", &headers, &addresses("a", 200)).await;
    gateway.finished(answer.json()["id"].as_str().unwrap()).await;

    let told = traces(&gateway.sandbox);
    assert_eq!(told.len(), 20);
    assert!(told.iter().all(|(trace, ..)| trace == ID));
    assert_eq!(gateway.request(Method::GET, "/v1/resends", &headers[..1], "").await.status, 200);
    gateway.stop().await;
}

#[actix_web::test]
async fn the_lines_about_a_request_its_resend_and_its_calls_carry_its_trace() {
    let sandbox = Sandbox::start(([127, 0, 0, 1], 0).into(), SandboxOptions::default()).await.unwrap();
    let more = [("FAXPLUS_GATEWAY__CREDENTIALS__TOKEN", "token"), ("FAXPLUS_GATEWAY__LOG__LEVEL", "debug")];
    let mut process = Process::start(&["serve"], &gateway_environment(&sandbox.base_url(), &more));
    let (address, _) = process.addresses().await;
    let mut wire = Wire::connect(address).await;

    wire.begin_post(&format!("traceparent: 00-{ID}-{SPAN}-01\r\nContent-Length: 17\r\n")).await;
    wire.send("[\"a@example.com\"]").await.unwrap();
    assert_eq!(wire.answer().await.unwrap().status, 200);
    wire.begin_post("Content-Length: 17\r\n").await;
    wire.send("[\"b@example.com\"]").await.unwrap();
    assert_eq!(wire.answer().await.unwrap().status, 200);
    drop(wire);
    process.signal("TERM");
    let ended = process.end().await;

    let lines: Vec<Value> = ended.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for message in ["Answered a request.", "Resend ended.", "Upstream call ended."] {
        let traces: Vec<_> = lines
            .iter()
            .filter(|line| line["message"] == message)
            .map(|line| line["trace_id"].as_str().unwrap_or_else(|| panic!("without trace: {line}")))
            .collect();
        assert_eq!((traces.len(), traces[0]), (2, ID), "{message}");
        assert_eq!(traces[1].len(), 32, "{message}");
        assert_ne!(traces[1], ID, "{message}");
    }
    sandbox.stop().await;
}
