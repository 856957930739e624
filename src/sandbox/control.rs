//! The sandbox's own endpoints: the truth, a reset, the faults, a help text.
//!
//! Refuses faults that make no sense, by rule and field; then the old ones stay in force.

use serde_json::json;

use super::answer::{Answer, Connection};
use super::faults::parse;
use super::head::Head;
use super::wire::{Wire, WireError};
use super::world::World;

const LEDGER_PAGE: usize = 1_000;

const API: &str = "\
This is a simulated fax.plus. It mails nobody.

PATCH /v3/accounts/self/member-invitations   resend invitations, at most 10 addresses
GET   /v3/accounts/self                      the account behind the token
POST  /token                                 OAuth2: grant_type=refresh_token

";

/// How to make trouble and to see what came of it, for people.
pub const CONTROL_HELP: &str = "\
GET   /sandbox/stats     what was called and accepted, as JSON
GET   /sandbox/ledger    NDJSON: each accepted address and how many calls accepted it
POST  /sandbox/reset     forget both; rules and tokens stay
GET   /sandbox/faults    the rules in force
POST  /sandbox/faults    a JSON list of rules that replaces them, e.g.
  [{\"every\": 10, \"fate\": \"status\", \"status\": 503, \"retry_after\": \"2\"},
   {\"address\": \"*@bad.example\", \"fate\": \"status\", \"status\": 404},
   {\"share\": 0.01, \"fate\": \"accept_then_hang_up\"}]

A rule may name: target (patch, probe, token, or elsewhere: any other path), calls {from, to},
seconds {from, to} since the rules were set, every, share, address (* is any text), lone, times.
All must hold; the first rule that fits wins. Fates and their fields:
  as_usual {D}                  delay {ms}
  status {status, retry_after, error, description, body, content_type, accept, D}
  foreign {page, status, retry_after, accept, D}, not written by fax.plus; page: default_backend,
    text, html, json, empty, login, challenge, cloudflare
  accept_then_500               accept_then_hang_up          hang_up_before_reading
  hang_up_after_reading         hang_up_inside_answer {accept}
  half_a_head {accept}          garbage {accept}             stray_1xx {status, gap_ms}
  never_answer {accept}         redirect {status, location}  token_expired
  html_200 {accept}             wrong_json_200 {body, accept}
  slow_body {ms}                close_after_answer
D is how the answer travels: headers {name: text, [texts] or null}, clock_offset_seconds,
  retry_after_date_seconds, framing (length, chunked, close, http_1_0),
  encoding (identity, gzip, gzip_if_accepted)
";

pub(super) fn help() -> Answer {
    Answer::new(200, "text/plain; charset=utf-8", format!("{API}{CONTROL_HELP}"))
}

pub(super) fn stats(world: &World) -> Answer {
    Answer::json(200, &world.books().stats())
}

pub(super) fn reset(world: &World) -> Answer {
    world.reset();
    Answer::json(200, &json!({ "message": "The books are empty" }))
}

pub(super) fn read_faults(world: &World) -> Answer {
    Answer::json(200, &world.faults().rules())
}

pub(super) fn replace_faults(world: &World, body: &[u8]) -> Answer {
    match parse(body) {
        Ok(rules) => {
            let answer = Answer::json(200, &rules);
            world.set_faults(rules);
            answer
        }
        Err(error) => Answer::error(400, "invalid_faults", &error.to_string()),
    }
}

/// Streams the ledger in the order of addresses. What is accepted meanwhile may or may not be in it.
pub(super) async fn stream_ledger(
    wire: &mut Wire,
    world: &World,
    request: &Head,
    connection: Connection,
) -> Result<(), WireError> {
    let answer = Answer::new(200, "application/x-ndjson", "");
    let in_chunks = request.takes_chunks;
    let head = if in_chunks { answer.render_chunked_head(connection) } else { answer.render_unframed_head() };
    wire.write(&head).await?;
    let mut last: Option<Box<str>> = None;
    loop {
        let page = world.books().ledger_page(last.as_deref(), LEDGER_PAGE);
        let Some((address, _)) = page.last() else {
            return if in_chunks { wire.write(b"0\r\n\r\n").await } else { Ok(()) };
        };
        last = Some(address.clone());
        let rows = rows(&page);
        let piece = if in_chunks { format!("{:x}\r\n{rows}\r\n", rows.len()) } else { rows };
        wire.write(piece.as_bytes()).await?;
    }
}

fn rows(page: &[(Box<str>, u64)]) -> String {
    page.iter()
        .map(|(address, times)| format!("{}\n", json!({ "email": address, "accepted": times })))
        .collect()
}
