//! The pace: under the ceiling always, and close to a limit that nobody told.

use std::time::Duration;

use faxplus_gateway::sandbox::SandboxOptions;

use crate::gateway::{Gateway, addresses};

/// The pace's own tests prove each second in simulated time; this one that every call of the real gateway takes a
/// permit. A busy machine lets calls arrive late, never early: so they are counted from a moment before the list.
#[actix_web::test]
async fn calls_never_arrive_sooner_than_the_ceiling_lets_them_go() {
    let ceiling = 20;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("gateway.db").display().to_string();
    for store in [":memory:", file.as_str()] {
        let overrides = [("upstream.max_calls_per_second", "20"), ("store.path", store)];
        let gateway = Gateway::with(SandboxOptions::default(), &overrides).await;
        gateway.post("", &addresses("before", 1)).await;

        let answer = gateway.post("", &addresses("a", 600)).await;

        assert_eq!(answer.json()["counts"]["sent"], 600);
        let calls = gateway.sandbox.calls();
        assert_eq!(calls.len(), 61);
        for (number, call) in calls[1..].iter().enumerate() {
            let after = call.at - calls[0].at;
            let least = Duration::from_secs((number / ceiling) as u64);
            assert!(after >= least, "{store}: call {number} of the list after {after:?}");
        }
        gateway.stop().await;
    }
}

#[actix_web::test]
#[ignore = "takes a minute; .ci/run runs it on its own"]
async fn of_a_limit_that_nobody_told_095_are_used_and_0002_refused_in_the_first_minute() {
    let (limit, minute) = (100.0, Duration::from_secs(60));
    let options = SandboxOptions {
        latency: Duration::from_millis(30),
        calls_per_second: Some(limit),
        burst: 5,
        ..SandboxOptions::default()
    };
    let gateway = Gateway::with(options, &[("upstream.max_calls_per_second", "1000")]).await;

    let id = gateway.post_async("", &addresses("a", 100_000)).await;
    gateway.get(&format!("/v1/resends/{id}?wait=59")).await;
    let calls = crate::gateway::eventually(async || {
        let calls = gateway.sandbox.calls();
        let first = calls.first()?.at;
        (calls.last()?.at >= first + minute)
            .then(|| calls.into_iter().filter(|call| call.at < first + minute).collect::<Vec<_>>())
    })
    .await;

    let accepted = calls.iter().filter(|call| call.accepted).count() as f64;
    let refused = calls.iter().filter(|call| call.status == Some(429)).count() as f64;
    let used = accepted / (limit * minute.as_secs_f64());
    println!("used {used:.3} of the limit; refused {refused} of {}", calls.len());
    assert!(used >= 0.95, "used {used}");
    assert!(refused <= 0.002 * calls.len() as f64, "{refused} of {} refused", calls.len());
    gateway.stop().await;
}
