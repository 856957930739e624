//! What an earlier process left in the file: who was sent lately, who is in doubt, and what goes on.
//!
//! A call that was marked and has no end was in flight when the process ended: nobody can say what became
//! of it. Resends that nobody was promised are forgotten, and so are bodies that were never whole.

use std::collections::HashMap;

use super::ledger::PAUSED;
use crate::{
    config::OnUnknown,
    domain::{AddressKey, Outcome, Paused, ResendId, Timestamp, UnknownReason},
    recent::Recent,
    store::{
        Record, Settled,
        file::{CallEnd, Fault, Stage, Store, StoredCall, Write, read},
    },
};

/// Calls read at once.
const PAGE: u32 = 10_000;

/// What goes on.
pub(super) struct Recovered {
    /// The resends that were promised and have not ended, oldest first.
    pub(super) records: Vec<Record>,
    /// What has to be written before anything else happens.
    pub(super) writes: Vec<Write>,
    /// The resends that nobody was promised: erased bit by bit, when there is time for it.
    pub(super) forgotten: Vec<ResendId>,
    /// The number of the next call.
    pub(super) next_call: u64,
    /// How an operator left it.
    pub(super) paused: Option<Paused>,
    /// Addresses that were refused alone, and when.
    pub(super) culprits: Vec<(AddressKey, Timestamp)>,
}

/// Reads all of it.
pub(super) fn recover(store: &Store, recent: &Recent, on_unknown: OnUnknown) -> Result<Recovered, Fault> {
    let mut recovered = Recovered {
        records: Vec::new(),
        writes: Vec::new(),
        forgotten: Vec::new(),
        next_call: 0,
        paused: store.read_now(|db| read::fact(db, PAUSED))?.and_then(|text| Paused::parse(&text)),
        culprits: store.read_now(read::culprits)?,
    };
    for row in store.read_now(read::unfinished)? {
        let record = match row.stage {
            Stage::UnderWay if row.promised => store.read_now(|db| Record::restore(db, &row))?,
            Stage::Reading | Stage::UnderWay | Stage::Ended => None,
        };
        match record {
            Some(record) => recovered.records.push(record),
            None if row.promised => {
                tracing::error!(resend = %row.id, "A promised resend can't be read from the store; it is left there.");
            }
            None => recovered.forgotten.push(row.id),
        }
    }
    let places: HashMap<ResendId, usize> =
        recovered.records.iter().enumerate().map(|(place, record)| (record.id, place)).collect();
    let mut made = vec![0; recovered.records.len()];
    let mut last = 0;
    loop {
        let calls = store.read_now(|db| read::calls_after(db, last, PAGE))?;
        let Some(newest) = calls.last() else { break };
        last = newest.id;
        for call in &calls {
            remember(call, recent);
            let mut of_call: Vec<_> =
                call.claims.iter().filter_map(|claim| places.get(&claim.resend)).collect();
            of_call.sort_unstable();
            of_call.dedup();
            of_call.into_iter().for_each(|place| made[*place] += 1);
            if call.verdict.is_none() {
                recovered.interrupt(call, &places, on_unknown);
            }
        }
    }
    for (record, made) in recovered.records.iter().zip(made) {
        record.count_calls_to(made);
    }
    recovered.next_call = last.cast_unsigned() + 1;
    Ok(recovered)
}

fn remember(call: &StoredCall, recent: &Recent) {
    for claim in &call.claims {
        match call.verdict.as_deref() {
            Some("sent") => recent.load_sent(claim.key, call.at),
            Some("unknown") | None => recent.load_doubt(claim.key, call.at),
            Some(_) => {}
        }
    }
}

impl Recovered {
    /// Ends a call that was in flight: in doubt for all that it held.
    fn interrupt(&mut self, call: &StoredCall, places: &HashMap<ResendId, usize>, on_unknown: OnUnknown) {
        let reason = UnknownReason::Interrupted;
        self.writes.push(Write::Ended { call: call.id, end: CallEnd::Unknown(reason) });
        for claim in &call.claims {
            let Some(record) = places.get(&claim.resend).and_then(|place| self.records.get(*place)) else {
                continue;
            };
            if on_unknown == OnUnknown::Report && record.outcome_of(claim.index).is_none() {
                let now = Timestamp::now();
                let repeats = record.body.list().map_or(0, |list| list.repeats_of(claim.index));
                let outcome = Outcome::Unknown(reason);
                let outcomes = [Settled { index: claim.index, repeats, outcome }];
                record.write_ends(&outcomes, now, |write| self.writes.push(write));
                record.settle(&outcomes, now, |_, _| {});
            }
        }
    }
}
