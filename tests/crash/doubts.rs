//! What a kill leaves in doubt is counted by the next process: nobody else tells those who watch.

use faxplus_gateway::sandbox::{Fate, Rule, Sandbox, SandboxOptions};
use tokio::time::{Duration, sleep};

use crate::{client::exchange, round::Round};

#[actix_web::test]
async fn what_a_kill_leaves_in_doubt_is_counted_after_it() {
    let directory = tempfile::tempdir().unwrap();
    let faults = vec![Rule::new(Fate::NeverAnswer { accept: true })];
    let options = SandboxOptions { faults, ..SandboxOptions::default() };
    let sandbox = Sandbox::start(([127, 0, 0, 1], 0).into(), options).await.unwrap();
    let mut round = Round::new(0, sandbox, directory.path().join("gateway.db"));
    let mut process = round.start();
    let (address, _) = process.addresses().await;
    let post = "POST /v1/resends HTTP/1.1\r\nContent-Type: application/json\r\nPrefer: respond-async";
    let emails = br#"["a@example.com", "b@example.com", "B@example.com", "c@example.com"]"#;
    assert_eq!(exchange(address, post, emails).await.unwrap().status, 202);
    while round.sandbox.stats().calls == 0 {
        sleep(Duration::from_millis(5)).await;
    }

    round.kill(process).await;
    let mut process = round.start();
    let (_, admin) = process.addresses().await;

    let metrics = exchange(admin, "GET /metrics HTTP/1.1", b"").await.unwrap();
    let metrics = String::from_utf8(metrics.body).unwrap();
    for series in [
        r#"addresses_total{client="anonymous",outcome="unknown"} 4"#,
        r#"outcome_reasons_total{outcome="unknown",reason="interrupted"} 4"#,
    ] {
        assert!(metrics.contains(&format!("\nfaxplus_gateway_{series}\n")), "no {series}");
    }
    process.signal("TERM");
    assert_eq!(process.end().await.code, Some(0));
    round.sandbox.stop().await;
}
