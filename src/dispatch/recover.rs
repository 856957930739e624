//! What an earlier process left in the file: who was sent lately, who is in doubt, and what goes on.
//!
//! A call that was marked and has no end was in flight when the process ended: nobody can say what became
//! of it. Resends that nobody was promised are forgotten, and so are bodies that were never whole.

use std::collections::HashMap;

use secrecy::SecretString;

use super::ledger::{PACE, PAUSED, REFRESH_TOKEN};
use crate::{
    config::OnUnknown,
    domain::{AddressKey, Outcome, Paused, ResendId, Timestamp, UnknownReason},
    recent::Recent,
    store::{
        Record, Restored, Settled,
        file::{Batch, CallEnd, Claim, Fault, Stage, Store, StoredCall, Write, read},
    },
    telemetry::Metrics,
};

/// Calls read at once.
const PAGE: u32 = 10_000;

/// What goes on.
pub(super) struct Recovered {
    /// The resends that were promised and have not ended, oldest first.
    pub(super) resends: Vec<Restored>,
    /// The number of the next call.
    pub(super) next_call: u64,
    /// How an operator left it.
    pub(super) paused: Option<Paused>,
    /// Addresses that were refused alone, and when.
    pub(super) culprits: Vec<(AddressKey, Timestamp)>,
    /// The pace that was learned.
    pub(super) pace: Option<String>,
    /// The refresh token that fax.plus gave last, and what it replaced.
    pub(super) rotation: Option<SecretString>,
}

/// Reads all of it.
pub(super) fn recover(
    store: &Store,
    recent: &Recent,
    on_unknown: OnUnknown,
    metrics: &Metrics,
) -> Result<Recovered, Fault> {
    let mut recovered = Recovered {
        resends: Vec::new(),
        next_call: 0,
        paused: store.read_now(|db| read::fact(db, PAUSED))?.and_then(|text| Paused::parse(&text)),
        culprits: store.read_now(read::culprits)?,
        pace: store.read_now(|db| read::fact(db, PACE))?,
        rotation: store.read_now(|db| read::fact(db, REFRESH_TOKEN))?.map(SecretString::from),
    };
    for row in store.read_now(read::unfinished)? {
        let record = match row.stage {
            Stage::UnderWay if row.promised => store.read_now(|db| Record::restore(db, &row))?,
            Stage::Reading | Stage::UnderWay | Stage::Ended => None,
        };
        match record {
            Some(restored) => recovered.resends.push(restored),
            None if row.promised => {
                tracing::error!(resend = %row.id, "A promised resend can't be read from the store; it is left there.");
            }
            None => store.erase_later(row.id),
        }
    }
    let places: HashMap<ResendId, usize> =
        recovered.resends.iter().enumerate().map(|(place, restored)| (restored.record.id, place)).collect();
    let mut made = vec![0; recovered.resends.len()];
    let mut last = 0;
    loop {
        let calls = store.read_now(|db| read::calls_after(db, last, PAGE))?;
        let Some(newest) = calls.last() else { break };
        last = newest.id;
        for call in &calls {
            let mut of_call: Vec<_> =
                call.claims.iter().filter_map(|claim| places.get(&claim.resend)).collect();
            of_call.sort_unstable();
            of_call.dedup();
            of_call.into_iter().for_each(|place| made[*place] += 1);
            if call.verdict.is_none() {
                recovered.interrupt(store, call, &places, on_unknown, metrics)?;
            }
            let goes_on = |id| on_unknown == OnUnknown::Resend && places.contains_key(&id);
            remember(call, recent, goes_on);
        }
    }
    for (restored, made) in recovered.resends.iter().zip(made) {
        restored.record.count_calls_to(made);
    }
    recovered.next_call = last.cast_unsigned() + 1;
    Ok(recovered)
}

/// Addresses of resends that go on and send again what is in doubt are not held back by that doubt.
fn remember(call: &StoredCall, recent: &Recent, goes_on: impl Fn(ResendId) -> bool) {
    for claim in &call.claims {
        match call.verdict.as_deref() {
            Some("sent") => recent.load_sent(claim.key, claim.by, call.at),
            None if goes_on(claim.resend) => {}
            Some("unknown") => recent.load_doubt(claim.key, claim.by, call.at),
            // It may have come to its end at any time since it was marked.
            None => recent.load_doubt(claim.key, claim.by, Timestamp::now()),
            Some(_) => {}
        }
    }
}

impl Recovered {
    /// Ends a call that was in flight: in doubt for all that it held.
    fn interrupt(
        &mut self,
        store: &Store,
        call: &StoredCall,
        places: &HashMap<ResendId, usize>,
        on_unknown: OnUnknown,
        metrics: &Metrics,
    ) -> Result<(), Fault> {
        let reason = UnknownReason::Interrupted;
        let end = CallEnd::Unknown(reason);
        let mut writes = vec![Write::Ended { call: call.id, at: Timestamp::now(), end }];
        for Claim { resend, index, .. } in call.claims.iter().filter(|_| on_unknown == OnUnknown::Report) {
            let Some(restored) = places.get(resend).and_then(|place| self.resends.get_mut(*place)) else {
                continue;
            };
            let record = &restored.record;
            let (is_settled, repeats) =
                store.read_now(|db| Ok((record.is_settled(db, *index)?, record.repeats_of(db, *index)?)))?;
            if is_settled {
                continue;
            }
            let now = Timestamp::now();
            let outcomes = [Settled { index: *index, repeats, outcome: Outcome::Unknown(reason) }];
            record.write_ends(&outcomes, now, |write| writes.push(write));
            record.settle(&outcomes, now, |outcome, addresses| {
                metrics.outcome(&record.client, outcome, addresses);
            });
            restored.unsettled -= 1;
        }
        // Before anything is drawn: rows are read again from the file, and must not seem to be pending.
        store.write_now(Batch { writes, hard: true, ..Batch::default() })?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use tokio::time::Instant;

    use super::*;
    use crate::{
        domain::{ClientName, ClientTag},
        recent::Memory,
        store::at,
        telemetry::metrics::BuildInfo,
    };

    const BY: ClientTag = ClientTag(7);
    const MINUTE: Duration = Duration::from_secs(60);

    /// What a start knows of an address whose call was marked and ended so many minutes ago.
    fn known(marked: u64, ended: Option<u64>) -> Recent {
        let directory = tempfile::tempdir().unwrap();
        let metrics = Metrics::new(BuildInfo::current(), &[ClientName::anonymous()], &[]).unwrap();
        let store = Store::open(&directory.path().join("gateway.db"), [7; 16], Arc::clone(&metrics)).unwrap();
        let claim = Claim { resend: ResendId(1), index: 0, key: AddressKey(1), by: BY };
        let mut writes = vec![Write::Mark { call: 1, at: ago(marked), claims: vec![claim] }];
        writes.extend(ended.map(|ended| Write::Ended { call: 1, at: ago(ended), end: CallEnd::Sent }));
        store.write_now(Batch { writes, ..Batch::default() }).unwrap();
        let recent = Recent::new(60 * MINUTE, 10, |_| {});
        recover(&store, &recent, OnUnknown::Report, &metrics).unwrap();
        recent
    }

    fn ago(minutes: u64) -> Timestamp {
        Timestamp(Timestamp::now().0 - minutes * MINUTE.as_millis() as u64)
    }

    #[test]
    fn a_window_begins_with_the_end_of_a_call_also_after_a_restart() {
        // The mark waited for a disk with room, or the call for an answer.
        let recent = known(70, Some(10));
        let posted_now = recent.find(AddressKey(1), Instant::now(), false);
        assert!(matches!(posted_now, Some(Memory::Sent(_, BY))), "{posted_now:?}");
        // It followed that call when the process ended.
        let forced = recent.find(AddressKey(1), at(ago(30)), true);
        assert!(matches!(forced, Some(Memory::Sent(_, BY))), "{forced:?}");
        assert_eq!(recent.find(AddressKey(1), at(ago(5)), true), None, "that was before it");
    }

    #[test]
    fn a_call_without_an_end_may_have_ended_at_any_time_until_the_restart() {
        let recent = known(70, None);
        let posted_now = recent.find(AddressKey(1), Instant::now(), false);
        assert!(matches!(posted_now, Some(Memory::Doubt(_, BY))), "{posted_now:?}");
        let forced = recent.find(AddressKey(1), at(ago(30)), true);
        assert!(matches!(forced, Some(Memory::Doubt(_, BY))), "{forced:?}");
    }
}
