//! The pace: under the ceiling always, and close to a limit that nobody told.

use std::time::Duration;

use faxplus_gateway::sandbox::SandboxOptions;

use crate::gateway::{Gateway, addresses};

#[actix_web::test]
async fn no_second_holds_more_calls_than_the_ceiling() {
    let ceiling = 20;
    let gateway = Gateway::with(SandboxOptions::default(), &[("upstream.max_calls_per_second", "20")]).await;

    let answer = gateway.post("", &addresses("a", 600)).await;

    assert_eq!(answer.json()["counts"]["sent"], 600);
    let at: Vec<_> = gateway.sandbox.calls().iter().map(|call| call.at).collect();
    assert_eq!(at.len(), 60);
    // A call may reach upstream a little later than it was launched, and the next one a little sooner.
    let second = Duration::from_millis(950);
    for (number, start) in at.iter().enumerate() {
        let within = at[number..].iter().take_while(|later| **later - *start < second).count();
        assert!(within <= ceiling, "{within} calls from call {number} on");
    }
    gateway.stop().await;
}

#[actix_web::test]
#[ignore = "takes a minute; .ci/run runs it on its own"]
async fn more_than_nine_tenths_of_an_untold_limit_are_used_and_under_a_hundredth_refused() {
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
    assert!(used > 0.90, "used {used}");
    assert!(refused < 0.01 * calls.len() as f64, "{refused} of {} refused", calls.len());
    gateway.stop().await;
}
