//! A simulated fax.plus: the documented answers, every way to go wrong, and the truth about both.
//!
//! It serves what the gateway calls (`PATCH /v3/accounts/self/member-invitations`, also with a doubled slash after
//! `/v3`; `GET /v3/accounts/self`; `POST /token`) and keeps a ledger of what it accepted, so that whatever a caller
//! was told can be held against it. It stands apart from the gateway: it shares no code with what it tests, and
//! writes its own bytes, because an honest HTTP server cannot misbehave. Loopback only; it mails nobody.
//!
//! # What it keeps
//! - The **ledger**: each address, lower-cased, and *how many calls accepted it*. An address that stands twice in one
//!   call counts once (and [`Stats::calls_with_repeats`] counts the call). At most
//!   [`MAX_LEDGER_ADDRESSES`]; what would go beyond is answered 503 and not accepted.
//! - The **counters** ([`Stats`]) and the **last calls** ([`RecordedCall`]).
//!
//! Both are entered at the moment of acceptance, before any latency: a client that gives up waiting may well have
//! been accepted.
//!
//! | endpoint | |
//! |---|---|
//! | `GET /sandbox/stats` | [`Stats`] as JSON |
//! | `GET /sandbox/ledger` | NDJSON: `{"email": "a@example.com", "accepted": 1}`, in the order of addresses |
//! | `POST /sandbox/reset` | empties both; rules, their `times` fresh, and tokens stay |
//! | `GET`, `POST /sandbox/faults` | the rules in force; a JSON list of rules that replaces them |
//! | `GET /` | all of this in a few lines |
//!
//! # Rules
//! A rule says which requests, and what becomes of them. All its conditions must hold; the first rule that picks a
//! request wins. `config/faults.example.json` shows most of them:
//! ```json
//! [{"calls": {"from": 1, "to": 3}, "fate": "status", "status": 503, "retry_after": "2"},
//!  {"address": "*@bad.example", "fate": "status", "status": 404},
//!  {"every": 20, "times": 5, "fate": "accept_then_500"},
//!  {"share": 0.01, "fate": "accept_then_hang_up"},
//!  {"target": "probe", "fate": "never_answer"}]
//! ```
//!
//! | condition | picks |
//! |---|---|
//! | `target` | `patch` (default), `probe` (`GET accounts/self`), `token`, or `elsewhere` (any path that is not served, as a wrong base URL asks for); each kind has its own numbers |
//! | `calls {from, to}` | the numbers, from 1 since the start or the last reset; either end may be left out |
//! | `seconds {from, to}` | this time since the rules were put in force, or since the last reset; either end may be left out |
//! | `every` | each n-th number |
//! | `share` | this share of the numbers, 0.0 to 1.0; the same ones for the same seed and place in the list |
//! | `address` | calls with an address of this pattern; `*` is any text, case does not matter. The call meets its fate as a whole |
//! | `lone` | `true`: calls of one address, `false`: all others |
//! | `times` | at most so many |
//!
//! | fate | the client sees | accepted |
//! |---|---|---|
//! | `as_usual {delivery}` | the true answer, even a refusal, carried in another way; without any, an exception from the rules below it | if the true answer does |
//! | `delay {ms}` | the true answer, later | yes, after the delay |
//! | `status {status, retry_after?, error?, description?, body?, content_type?, accept?, delivery}` | that answer in the words of fax.plus, or of its token endpoint; `retry_after` is the raw header, `body` the raw body (`""`: none) | by `accept`, default no |
//! | `foreign {page, status?, retry_after?, accept?, delivery}` | what fax.plus did not write: `default_backend`, `text`, `html`, `json`, `empty`, `login`, `challenge` or `cloudflare`; the page says its usual status | by `accept`, default no |
//! | `accept_then_500` | the documented 500 | yes |
//! | `accept_then_hang_up` | end of stream without a byte | yes |
//! | `hang_up_before_reading` | reset after the head; these rules are judged first, and without addresses | no |
//! | `hang_up_after_reading` | end of stream without a byte | no |
//! | `hang_up_inside_answer {accept?}` | the head of a 200 and half its body | by `accept`, default yes |
//! | `half_a_head {accept?}` | a status line and half a field | by `accept`, default no |
//! | `garbage {accept?}` | bytes that are not HTTP | by `accept`, default no |
//! | `stray_1xx {status?, gap_ms?}` | 100, 102 or 103 (default), then the true answer | yes |
//! | `never_answer {accept?}` | nothing, on an open connection | by `accept`, default no |
//! | `redirect {status?, location}` | 307 or another 3xx | no |
//! | `token_expired` | the documented 401 | no |
//! | `html_200 {accept?}` | 200 with an HTML page | by `accept`, default no |
//! | `wrong_json_200 {body?, accept?}` | 200 with `[]` or another body | by `accept`, default no |
//! | `slow_body {ms}` | the true answer, its body in pieces | yes |
//! | `close_after_answer` | the true answer; the connection closes unannounced | yes |
//!
//! A delivery says how the answer travels, by any of these fields beside the others:
//!
//! | field | the answer |
//! |---|---|
//! | `headers` | has `{"name": "text"}` in place of the fields of this name; a list of texts for several, `null` for none |
//! | `clock_offset_seconds` | has a `Date` that is so many seconds off; below 0 it is behind |
//! | `retry_after_date_seconds` | has `Retry-After` as a date, so many seconds after that `Date` |
//! | `framing` | ends by `length`, `chunked`, `close` (`Connection: close` and no length) or `http_1_0` (neither) |
//! | `encoding` | is coded as `identity`, `gzip` (unasked) or `gzip_if_accepted` |
//!
//! A fate that accepts shows only on calls that can be accepted: with a wrong token, eleven addresses or a full
//! ledger the client sees that refusal. The throttle comes before all fates but `hang_up_before_reading`.
//! On probes "accepted" means shown, on token requests granted (`accept_then_500` on `token` rotates the refresh token
//! and loses it), elsewhere answered: there the truth is a 404 in the words of fax.plus, and nothing is ever accepted.
//!
//! # In tests
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use faxplus_gateway::sandbox::{Fate, Rule, Sandbox, SandboxOptions};
//!
//! let sandbox = Sandbox::start(([127, 0, 0, 1], 0).into(), SandboxOptions::default()).await?;
//! sandbox.set_faults(vec![Rule::new(Fate::AcceptThen500).calls(1..=1)]);
//! // ... run the gateway against sandbox.base_url() ...
//! assert_eq!(sandbox.ledger().get("a@example.com"), Some(&1));
//! sandbox.stop().await;
//! # Ok(())
//! # }
//! ```

mod account;
mod answer;
mod api_call;
mod books;
mod carriage;
mod connection;
mod control;
mod credentials;
mod faults;
mod head;
mod invitations;
mod options;
mod pages;
mod route;
mod script;
mod server;
mod throttle;
mod token;
mod wire;
mod world;

pub use books::{MAX_LEDGER_ADDRESSES, RecordedCall, Stats};
pub use control::CONTROL_HELP;
pub use faults::{
    Calls, Delivery, Encoding, Fate, FaultError, ForeignAnswer, Framing, MAX_RULES, Page, Rule, Seconds,
    StatusAnswer, Target, parse as parse_faults,
};
pub use options::{OAuthOptions, SandboxOptions};
pub use server::{Sandbox, SandboxError};
