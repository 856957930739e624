use std::{env, error::Error, time::Duration};

use serde_json::Value;

fn resend(emails: &[&str], key: &str) -> Result<Value, Box<dyn Error>> {
    let url = env::var("FAXPLUS_GATEWAY_URL").unwrap_or("http://127.0.0.1:8080".to_owned());
    let mut request = ureq::post(format!("{url}/v1/resends?results=problems"))
        .config()
        .http_status_as_error(false) // 422 and 502 carry a resend, too
        .timeout_global(Some(Duration::from_secs(90)))
        .build()
        .header("Prefer", "wait=60")
        .header("Idempotency-Key", key);
    if let Ok(token) = env::var("FAXPLUS_GATEWAY_TOKEN") {
        request = request.header("Authorization", format!("Bearer {token}"));
    }
    let mut answer = request.send_json(emails)?;
    let is_problem = answer.body().mime_type() == Some("application/problem+json");
    let told: Value = answer.body_mut().read_json()?;
    if is_problem { Err(told["detail"].as_str().unwrap_or_default().into()) } else { Ok(told) }
}

fn main() -> Result<(), Box<dyn Error>> {
    let told = resend(&["lea@example.com", "nobody"], "list-47/rust")?;
    println!("{} {} sent", told["status"].as_str().unwrap_or_default(), told["counts"]["sent"]);
    // A 202 has no results yet.
    for row in told["results"].as_array().into_iter().flatten() {
        let word = |name: &str| row[name].as_str().unwrap_or_default();
        println!("{} {} {} {}", row["index"], word("email"), word("outcome"), word("reason"));
    }
    Ok(())
}
