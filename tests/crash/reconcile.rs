//! Holds what callers were told against what fax.plus saw, address by address.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
};

use serde_json::{Value, json};

use crate::{
    client::exchange,
    file::{self, Stored},
    lists::List,
    round::{Heard, Round},
    upstream,
};

/// What a gateway may have in flight when it is killed: calls of ten.
const IN_FLIGHT: u64 = 8 * 10;
/// Whether the answer to a list that went to the store holds its results; if not, the file is looked at.
const STORED_RESULTS_ARE_TOLD: bool = true;
const WORDS: [&str; 6] = ["sent", "duplicate", "invalid", "rejected", "not_sent", "unknown"];

/// Whether everything that was told is true. Gives the addresses that were told an outcome.
pub fn reconcile(round: &Round) -> BTreeMap<String, &'static str> {
    let mut books = Books::new(round);
    for (address, accepted) in &books.ledger {
        assert_eq!(*accepted, 1, "{address} was mailed more than once");
    }
    let db = file::open(&round.store);
    for (list, id) in round.promised() {
        let stored = file::resend(&db, id).unwrap_or_else(|| panic!("{id} is lost"));
        assert!(stored.has_ended, "{id}");
        books.check_stored(list, id, &stored);
    }
    for told in &round.told {
        if let Heard::Ended(resend) = &told.answer {
            let id = resend["id"].as_str().unwrap();
            match file::resend(&db, id) {
                Some(stored) if !STORED_RESULTS_ARE_TOLD && resend["results"] == json!([]) => {
                    books.check_stored(&told.list, id, &stored);
                }
                _ => books.check_answer(&told.list, resend),
            }
        }
    }
    let lost = books.doubts.difference(&books.doubtful).count() as u64;
    let allowed = IN_FLIGHT * round.kills + books.unread;
    assert!(lost <= allowed, "{lost} are `unknown` where {allowed} may be");
    books.last
}

/// Posts everybody again who was mailed or was told what became of them: nobody of those is mailed.
pub async fn post_again(round: &Round, gateway: SocketAddr, told: &BTreeMap<String, &'static str>) -> Value {
    let before = round.sandbox.ledger();
    let everybody: BTreeSet<_> = told.keys().chain(before.keys()).cloned().collect();
    round.sandbox.set_faults(vec![upstream::refusals()]);
    let post = "POST /v1/resends HTTP/1.1\r\nContent-Type: text/plain\r\nPrefer: wait=240";
    if everybody.is_empty() {
        return json!({ "counts": "nobody" });
    }
    let body = everybody.iter().fold(String::new(), |body, address| body + address + "\n");
    let again = exchange(gateway, post, body.as_bytes()).await.expect("an answer").json();
    let results = again["results"].as_array().unwrap_or_else(|| panic!("{again}"));
    for (result, address) in results.iter().zip(&everybody) {
        assert_eq!(result["email"], **address);
        let allowed: &[_] = match told.get(address).copied() {
            Some("rejected") => &["rejected", "unknown"],
            Some("invalid") => &["invalid"],
            _ => &["duplicate", "unknown"],
        };
        assert!(allowed.iter().any(|word| result["outcome"] == **word), "{result}: {:?}", told.get(address));
    }
    let mailed: Vec<_> = round
        .sandbox
        .ledger()
        .into_iter()
        .filter(|(address, times)| before.get(address) != Some(times))
        .collect();
    assert!(
        mailed.is_empty(),
        "mailed again: {:?}",
        mailed
            .iter()
            .take(20)
            .map(|(address, times)| (address, times, told.get(address)))
            .collect::<Vec<_>>()
    );
    again
}

/// Whether the API says of everything that is owed what the file says, however many processes ago it ended.
pub async fn compare(round: &Round, gateway: SocketAddr) {
    let db = file::open(&round.store);
    for (_, id) in round.promised() {
        let stored = file::resend(&db, id).unwrap_or_else(|| panic!("{id} is lost"));
        let get = |path: &str| format!("GET /v1/resends/{id}{path} HTTP/1.1\r\nAccept: application/json");
        let resend = exchange(gateway, &get(""), b"").await.expect("an answer").json();
        let counts = WORDS.map(|word| resend["counts"][word].as_u64().unwrap_or_else(|| panic!("{resend}")));
        assert_eq!((counts, resend["status"].as_str()), (stored.counts, Some("finished")), "{resend}");
        assert_eq!(resend["upstream_calls"], stored.upstream_calls, "{resend}");
        let results = exchange(gateway, &get("/results"), b"").await.expect("an answer").json();
        let told = results.as_array().unwrap().iter();
        let told = told.map(|row| (row["email"].as_str().unwrap(), row["outcome"].as_str().unwrap()));
        assert!(
            told.eq(stored.rows.iter().map(|row| (row.0.as_str(), row.1))),
            "{id}: other results are told"
        );
    }
}

struct Books {
    /// How many calls accepted each address.
    ledger: BTreeMap<String, u64>,
    /// Addresses of calls whose answer left a doubt.
    doubtful: BTreeSet<String>,
    /// How many more there may be in calls that upstream hung up on before it read who they are for.
    unread: u64,
    /// Addresses that somebody was told are `unknown`.
    doubts: BTreeSet<String>,
    /// Who told that it was sent.
    sent: BTreeMap<String, String>,
    /// What was told of each address.
    last: BTreeMap<String, &'static str>,
}

impl Books {
    fn new(round: &Round) -> Self {
        let unclear = |fate: &str| ["accept_then_500", "accept_then_hang_up"].contains(&fate);
        let calls = round.sandbox.calls();
        let doubtful = calls
            .iter()
            .filter(|call| call.status.is_none_or(|status| status == 500) || call.fate.is_some_and(unclear))
            .flat_map(|call| call.emails.iter().map(|email| email.to_lowercase()))
            .collect();
        let is_unread = |fate: Option<&str>| fate == Some("hang_up_before_reading");
        let unread = 10 * calls.iter().filter(|call| is_unread(call.fate)).count() as u64;
        let ledger = round.sandbox.ledger();
        let (doubts, sent, last) = (BTreeSet::new(), BTreeMap::new(), BTreeMap::new());
        Self { ledger, doubtful, unread, doubts, sent, last }
    }

    fn check_stored(&mut self, list: &List, id: &str, stored: &Stored) {
        assert_eq!(stored.received as usize, list.emails.len(), "{id}");
        assert_eq!(stored.rows.len(), list.emails.len(), "{id}");
        let counted = WORDS.map(|word| stored.rows.iter().filter(|row| row.1 == word).count() as u64);
        assert_eq!(counted, stored.counts, "{id}: the counts are not those of the rows");
        assert_eq!(counted.iter().sum::<u64>(), stored.received, "{id} has rows without an outcome");
        self.check_calls(id, counted[0], stored.upstream_calls);
        for (email, (stored, word)) in list.emails.iter().zip(&stored.rows) {
            assert_eq!(email, stored, "{id}");
            self.check(id, email, word);
        }
    }

    fn check_answer(&mut self, list: &List, resend: &Value) {
        let id = resend["id"].as_str().unwrap();
        let counts = WORDS.map(|word| resend["counts"][word].as_u64().unwrap());
        assert_eq!(counts.iter().sum::<u64>() as usize, list.emails.len(), "{resend}");
        self.check_calls(id, counts[0], resend["upstream_calls"].as_u64().unwrap());
        let results = resend["results"].as_array().unwrap();
        assert!(results.len() == list.emails.len(), "{id}: {} of {}", results.len(), list.emails.len());
        for (email, result) in list.emails.iter().zip(results) {
            assert_eq!(result["email"], **email);
            let word = WORDS.iter().find(|word| result["outcome"] == **word).unwrap();
            self.check(id, email, word);
        }
    }

    fn check_calls(&self, id: &str, sent: u64, calls: u64) {
        assert!(calls * 10 >= sent, "{id}: {sent} were sent in {calls} calls");
    }

    fn check(&mut self, id: &str, email: &str, word: &'static str) {
        let address = email.to_lowercase();
        let is_accepted = self.ledger.contains_key(&address);
        let is_true = match word {
            "sent" => {
                let before = self.sent.insert(address.clone(), id.to_owned());
                assert_eq!(before, None, "{email} was told `sent` twice, last in {id}");
                is_accepted
            }
            "duplicate" => is_accepted,
            "invalid" => email.starts_with("nobody"),
            "rejected" => email.starts_with("bad") && !is_accepted,
            "unknown" => {
                self.doubts.insert(address.clone());
                !email.starts_with("nobody")
            }
            _ => false,
        };
        assert!(is_true, "{id} tells {word} of {email}, accepted: {is_accepted}");
        self.last.insert(address, word);
    }
}
