//! The trouble that the README shows: each rule, set as it stands there, does what is said of it.

use serde_json::{Value, json};

use crate::client::{Client, plain_sandbox, request, set_faults};

const README: &str = include_str!("../../README.md");
const ADDRESS: &str = "a@one.example";

/// What the README says of a rule, as the wire shows it.
struct Shown {
    /// The README's own words for the trouble.
    upstream: &'static str,
    holds: &'static [&'static str],
    accepted: bool,
}

const SHOWN: [Shown; 12] = [
    Shown {
        upstream: "a default backend, for two seconds",
        holds: &["HTTP/1.1 404 ", "text/plain", "\r\n\r\ndefault backend - 404"],
        accepted: false,
    },
    Shown {
        upstream: "a proxy's page, though fax.plus had accepted",
        holds: &["HTTP/1.1 502 ", "server: nginx", "<center>nginx</center>"],
        accepted: true,
    },
    Shown {
        upstream: "a challenge of the edge to a browser",
        holds: &["HTTP/1.1 403 ", "cf-mitigated: challenge", "<title>Just a moment"],
        accepted: false,
    },
    Shown {
        upstream: "Cloudflare can't reach fax.plus",
        holds: &["HTTP/1.1 521 ", "cf-ray: ", "Web Server Is Down"],
        accepted: false,
    },
    Shown {
        upstream: "a 200 that says no",
        holds: &["HTTP/1.1 200 ", r#""error":"plan_expired""#],
        accepted: false,
    },
    Shown {
        upstream: "`Retry-After` in other spellings",
        holds: &["HTTP/1.1 429 ", "retry-after: 20.0\r\n"],
        accepted: false,
    },
    Shown {
        upstream: "until a date, by a clock that is behind",
        holds: &["HTTP/1.1 429 ", "retry-after: ", " GMT\r\n"],
        accepted: false,
    },
    Shown {
        upstream: "gzip that was not asked for",
        holds: &["HTTP/1.1 200 ", "content-encoding: gzip"],
        accepted: true,
    },
    Shown {
        upstream: "a body that ends with the connection",
        holds: &["HTTP/1.1 200 ", "connection: close\r\n\r\n{\"message\""],
        accepted: true,
    },
    Shown {
        upstream: "a token without a read scope",
        holds: &["HTTP/1.1 403 ", r#""error":"forbidden""#],
        accepted: false,
    },
    Shown {
        upstream: "a token endpoint that takes a break",
        holds: &["HTTP/1.1 503 ", r#""error":"temporarily_unavailable""#],
        accepted: false,
    },
    Shown {
        upstream: "a wrong base URL finds a proxy",
        holds: &["HTTP/1.1 404 ", "\r\n\r\ndefault backend - 404"],
        accepted: false,
    },
];

/// The rows of the README's table of rules: the trouble, and its rule.
fn told() -> Vec<(&'static str, Value)> {
    let (_, section) = README.split_once("\n### Try trouble on nobody\n").unwrap();
    let section = section.split("\n### ").next().unwrap();
    let rows = section.lines().filter_map(|line| {
        let (upstream, rule) = line.strip_prefix("| ")?.split_once(" | `{")?;
        let rule = format!("{{{}", rule.strip_suffix("` |").unwrap());
        Some((upstream, serde_json::from_str(&rule).unwrap()))
    });
    rows.collect()
}

/// A request of the kind that the rule is about.
fn asking(rule: &Value) -> String {
    let bearer = "Authorization: Bearer x\r\nConnection: close\r\nAccept-Encoding: identity\r\n";
    let invitations = json!([ADDRESS]).to_string();
    match rule["target"].as_str() {
        None => request("PATCH", "/v3/accounts/self/member-invitations", bearer, &invitations),
        Some("probe") => request("GET", "/v3/accounts/self", bearer, ""),
        Some("token") => request("POST", "/token", "Connection: close\r\n", ""),
        Some("elsewhere") => request("PATCH", "/accounts/self/member-invitations", bearer, &invitations),
        Some(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn every_rule_that_the_readme_shows_does_what_it_says_on_the_wire() {
    let told = told();
    let names: Vec<_> = told.iter().map(|(upstream, _)| *upstream).collect();
    assert_eq!(names, SHOWN.each_ref().map(|shown| shown.upstream), "README.md against this test");

    for ((upstream, rule), shown) in told.iter().zip(&SHOWN) {
        let sandbox = plain_sandbox().await;
        let set = set_faults(&sandbox, &json!([rule])).await;
        assert_eq!(set.status, 200, "{upstream}: {}", set.body);

        let mut client = Client::connect(&sandbox).await;
        client.send(&asking(rule)).await;
        let seen = String::from_utf8_lossy(&client.rest().await.0).into_owned();

        for part in shown.holds {
            assert!(seen.contains(part), "{upstream}: no {part:?} in {seen}");
        }
        assert_eq!(sandbox.ledger().contains_key(ADDRESS), shown.accepted, "{upstream}");
    }
}

#[tokio::test]
async fn the_readme_names_every_fate_that_there_is() {
    let sandbox = plain_sandbox().await;

    let refused = set_faults(&sandbox, &json!([{"fate": "explode"}])).await.json();

    let (_, fates) = refused["description"].as_str().unwrap().split_once("there are ").unwrap();
    let (_, section) = README.split_once("\nFates: ").unwrap();
    let paragraph = section.split("\n\n").next().unwrap();
    for fate in fates.split(", ") {
        assert!(paragraph.contains(&format!("`{fate}`")), "README.md lacks {fate}");
    }
}
