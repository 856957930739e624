//! One request to what fax.plus serves, or to a path that is not served: throttle, fate, truth, books.
//!
//! In this order: number, `hang_up_before_reading`, body, throttle, the other fates, credential, schema, ledger.
//! What was accepted is entered in the books together with the answer that is about to be given, before any latency.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::account::account;
use super::answer::{Answer, Connection};
use super::books::RecordedCall;
use super::carriage::Asked;
use super::faults::{Fate, Seen, Target};
use super::head::Head;
use super::invitations::Batch;
use super::script::Script;
use super::token::TokenRequest;
use super::wire::{Next, Wire, WireError};
use super::world::World;

/// A request whose head has arrived.
struct ApiCall<'a> {
    world: &'a World,
    head: &'a Head,
    target: Target,
    number: u64,
    at: Duration,
}

/// What honest handling came to.
struct Truth {
    answer: Answer,
    /// Whether it had its effect: addresses accepted, account shown, token granted, absence told.
    acted: bool,
}

/// Serves one such request.
pub(super) async fn serve(
    wire: &mut Wire,
    world: &World,
    head: &Head,
    target: Target,
) -> Result<Next, WireError> {
    let number = world.books().number(target);
    let call = ApiCall { world, head, target, number, at: world.age() };
    let _in_flight = (target == Target::Patch).then(|| world.enter());
    if world.faults().hangs_up_before_reading(call.seen(&[])) {
        let fate = Fate::HangUpBeforeReading;
        let script = Script::of(&fate, &Answer::resent(), call.asked());
        call.record(&Batch::default(), None, false, Some(&fate));
        return wire.play(script).await;
    }
    let body = match wire.read_body(head).await {
        Ok(body) => body,
        Err(error) => {
            let status = error.answer().map(|answer| answer.status);
            call.record(&Batch::default(), status, false, None);
            return Err(error);
        }
    };
    let script = call.decide(&body).await;
    if !world.latency.is_zero() {
        sleep(world.latency).await;
    }
    if target == Target::Patch {
        world.until_answers_go().await;
    }
    wire.play(script).await
}

impl ApiCall<'_> {
    /// The request as rules see it.
    fn seen<'a>(&self, addresses: &'a [String]) -> Seen<'a> {
        Seen { target: self.target, number: self.number, at: self.at, addresses }
    }

    /// The request as answers see it.
    fn asked(&self) -> Asked {
        let connection = if self.head.keep_alive { Connection::Keep } else { Connection::Close };
        Asked { target: self.target, connection, accepts_gzip: self.head.accepts_gzip() }
    }

    async fn decide(&self, body: &[u8]) -> Script {
        let batch = if self.target == Target::Patch { Batch::read(body) } else { Batch::default() };
        if let Some(answer) = self.throttled() {
            self.record(&batch, Some(answer.status), false, None);
            return Script::answer(&answer, self.asked().connection);
        }
        let fate = self.world.faults().choose(self.seen(&batch.addresses));
        if let Some(Fate::Delay { ms }) = &fate {
            sleep(Duration::from_millis(*ms)).await;
        }
        self.settle(&batch, body, fate.as_ref())
    }

    fn throttled(&self) -> Option<Answer> {
        let limited = match self.target {
            Target::Patch => true,
            Target::Probe => self.world.throttle_probes,
            Target::Token | Target::Elsewhere => false,
        };
        if !limited || self.world.lets_through() {
            return None;
        }
        self.world.books().count_throttled();
        let answer = Answer::refusal(429);
        Some(match self.world.retry_after {
            Some(wait) => answer.with_header("retry-after", whole_seconds(wait).to_string()),
            None => answer,
        })
    }

    /// Plays the fate, and the truth under it, without a pause in between.
    fn settle(&self, batch: &Batch, body: &[u8], fate: Option<&Fate>) -> Script {
        let asked = self.asked();
        let (script, acted) = match fate {
            Some(fate) if !fate.accepts() => (Script::of(fate, &Answer::resent(), asked), false),
            Some(_) | None => {
                let truth = self.handle(batch, body);
                let script = match fate {
                    Some(fate @ Fate::AsUsual(_)) => Script::of(fate, &truth.answer, asked),
                    Some(fate) if truth.acted => Script::of(fate, &truth.answer, asked),
                    Some(_) | None => Script::answer(&truth.answer, asked.connection),
                };
                (script, truth.acted)
            }
        };
        self.record(batch, script.status, acted, fate);
        script
    }

    fn handle(&self, batch: &Batch, body: &[u8]) -> Truth {
        let (answer, acted) = match self.target {
            Target::Token => self.grant(body),
            Target::Elsewhere => (Answer::refusal(404), true),
            Target::Patch | Target::Probe if !self.authorized() => (Answer::refusal(401), false),
            Target::Probe => (account(), true),
            Target::Patch => match batch.refusal() {
                Some(refusal) => (refusal, false),
                None if self.world.books().accept(&batch.addresses) => (Answer::resent(), true),
                None => {
                    (Answer::error(503, "ledger_full", "The sandbox can remember no more addresses."), false)
                }
            },
        };
        Truth { answer, acted }
    }

    fn grant(&self, body: &[u8]) -> (Answer, bool) {
        let request = TokenRequest::read(self.head, body);
        let granted = request.answer(&mut self.world.credentials(), Instant::now());
        if request.in_query {
            self.world.books().count_token_in_query();
        }
        granted
    }

    fn authorized(&self) -> bool {
        self.world.credentials().authorize(self.head, Instant::now())
    }

    /// Enters a PATCH in the books; other requests were counted with their number.
    fn record(&self, batch: &Batch, status: Option<u16>, accepted: bool, fate: Option<&Fate>) {
        if let Some(fate) = fate {
            self.world.books().count_fate(fate.name());
        }
        if self.target != Target::Patch {
            return;
        }
        let call = RecordedCall {
            number: self.number,
            at: self.at,
            emails: batch.emails.clone(),
            batch: batch.size,
            status,
            accepted,
            fate: fate.map(Fate::name),
            authorized: self.authorized(),
            traceparent: self.head.field("traceparent").map(str::to_owned),
        };
        self.world.books().record(call, &batch.addresses);
    }
}

fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}
