//! `kill -9` at any moment: what was promised is kept, nobody is mailed twice, and doubts are told.
//!
//! Each round tells its seed: `CRASH_SEED` with `CRASH_ROUNDS=1` plays it again, as far as kills can be repeated.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test says what it expects"
)]
#![allow(unreachable_pub, dead_code, reason = "shared with other test binaries")]

#[path = "../support/client.rs"]
mod client;
mod doubts;
mod file;
mod keyed;
mod lists;
#[path = "../support/process.rs"]
mod process;
mod reconcile;
mod round;
mod upstream;

use std::{env, time::Duration};

use actix_web::rt::spawn;
use fastrand::Rng;
use futures_util::{StreamExt as _, stream};
use round::{Heard, Round};
use tokio::time::sleep;

const SEED: u64 = 20_261_123;
/// In the usual run of all tests.
const FEW: u64 = 8;
/// Rounds at once.
const AT_ONCE: usize = 4;
/// In the slow one.
const MANY: u64 = 200;

#[actix_web::test]
async fn what_was_promised_survives_a_few_kills() {
    play(FEW).await;
}

#[actix_web::test]
#[ignore = "takes minutes"]
async fn what_was_promised_survives_two_hundred_rounds_of_kills() {
    play(MANY).await;
}

async fn play(rounds: u64) {
    let number = |name: &str| env::var(name).ok().map(|text| text.parse().unwrap());
    let rounds = number("CRASH_ROUNDS").unwrap_or(rounds);
    let first = number("CRASH_SEED").unwrap_or(SEED);
    let play = |seed| async move {
        spawn(play_one(seed)).await.unwrap_or_else(|_| panic!("the round of CRASH_SEED={seed} failed"));
    };
    stream::iter(first..first + rounds).map(play).buffer_unordered(AT_ONCE).collect::<()>().await;
}

async fn play_one(seed: u64) {
    let mut random = Rng::with_seed(seed);
    let directory = tempfile::tempdir().unwrap();
    let sandbox = upstream::start(&mut random).await;
    let mut round = Round::new(seed, sandbox, directory.path().join("gateway.db"));
    let people = random.usize(50..800);
    for _ in 0..random.usize(1..4) {
        let mut process = round.start();
        let (address, _) = process.addresses().await;
        let lists = random.usize(2..8);
        round.post(&mut random, address, lists, people);
        sleep(Duration::from_millis(random.u64(0..1200))).await;
        round.kill(process).await;
        if random.bool() {
            // Perhaps before it is ready, in the middle of finding out what was left.
            let process = round.start();
            sleep(Duration::from_millis(random.u64(0..60))).await;
            round.kill(process).await;
        }
    }
    let mut process = round.start();
    let (address, _) = process.addresses().await;
    round.ask_again(address).await;
    round.wait_for_ends(&mut process).await;
    // A list whose 202 was lost on the way is owed like any other, and mails until it ends.
    round.wait_until_all_has_ended().await;
    let told = reconcile::reconcile(&round);
    reconcile::compare(&round, address).await;
    let again = reconcile::post_again(&round, address, &told).await;
    tell(&round, &again);
    process.signal("TERM");
    assert_eq!(process.end().await.code, Some(0));
    round.sandbox.stop().await;
}

fn tell(round: &Round, again: &serde_json::Value) {
    let of = |wanted: fn(&Heard) -> bool| round.told.iter().filter(|told| wanted(&told.answer)).count();
    eprintln!(
        "CRASH_SEED={}: {} kills; lists: {} promised, {} ended, {} never answered; {} mailed; again: {}",
        round.number,
        round.kills,
        of(|answer| matches!(answer, Heard::Promised(_))),
        of(|answer| matches!(answer, Heard::Ended(_))),
        of(|answer| matches!(answer, Heard::Nothing)),
        round.sandbox.stats().distinct_addresses_accepted,
        again["counts"],
    );
}
