//! A resend in RAM as changes of the store's file.

use std::sync::Arc;

use super::record::{Record, Settled};
use crate::{
    domain::{Outcome, OutcomeKind, Status, Timestamp},
    store::file::{ResendRow, Stage, Write},
};

impl Record {
    /// Its rows, a chunk at a time; none when they are in the file already.
    pub fn write_rows(&self) -> impl Iterator<Item = Write> {
        let chunks =
            self.body.list().into_iter().flat_map(|list| list.chunks().map(move |chunk| (list, chunk)));
        chunks.zip(0_u32..).map(|((list, (first, chunk)), number)| {
            let end = first + chunk.len() as u32;
            let offset = |index: u32| (index - first) as u16;
            let repeats = list.repeats_in(first, end).iter();
            let repeated = list.repeated_in(first, end).iter();
            Write::Chunk {
                resend: self.id,
                number,
                first,
                chunk: Arc::clone(chunk),
                repeats: repeats.map(|repeat| (offset(repeat.index), repeat.first)).collect(),
                repeated: repeated.map(|(first, count)| (offset(*first), *count)).collect(),
            }
        })
    }

    /// Outcomes of some of its rows, which fell at `at`; they need not be told yet.
    pub fn write_ends(&self, outcomes: &[Settled], at: Timestamp, mut write: impl FnMut(Write)) {
        let mut state = self.state();
        let mut ends: Vec<(u32, u16, u8, u64)> = Vec::with_capacity(outcomes.len());
        for Settled { index, repeats, outcome } in outcomes {
            let sent_at = (*repeats > 0).then_some(at);
            let (code, argument, new_refusal) = state.outcomes.encode(outcome, sent_at);
            if let Some((number, refusal)) = new_refusal {
                write(Write::Refusal { resend: self.id, number, refusal });
            }
            let (chunk, offset) = self.body.place(*index);
            ends.push((chunk, offset, code, argument));
        }
        ends.sort_unstable();
        for of_chunk in ends.chunk_by(|a, b| a.0 == b.0) {
            let Some((number, ..)) = of_chunk.first() else { continue };
            let ends = of_chunk.iter().map(|(_, offset, code, argument)| (*offset, *code, *argument));
            write(Write::Ends { resend: self.id, number: *number, ends: ends.collect() });
        }
    }

    /// Outcomes of all of its rows that have one.
    pub fn write_all_ends(&self, mut write: impl FnMut(Write)) {
        let state = self.state();
        for (number, refusal) in state.outcomes.refusals() {
            write(Write::Refusal { resend: self.id, number, refusal });
        }
        let chunks = self.body.list().into_iter().flat_map(|list| list.chunks());
        for ((first, chunk), number) in chunks.zip(0_u32..) {
            let end = |offset: usize| {
                let (code, argument) = state.outcomes.end(first + offset as u32)?;
                Some((offset as u16, code, argument))
            };
            let ends: Vec<_> = (0..chunk.len()).filter_map(end).collect();
            if !ends.is_empty() {
                write(Write::Ends { resend: self.id, number, ends });
            }
        }
    }

    /// The resend as a whole: as it is, or as it ends with this status, this outcome of rows that have
    /// none, at this moment.
    pub fn row(&self, end: Option<(Status, Option<&Outcome>, Timestamp)>) -> Write {
        Write::Resend(Box::new(self.resend_row(end)))
    }

    /// The same as it is, at another stage: until more is written a crash is to forget it.
    pub fn row_at(&self, stage: Stage) -> Write {
        Write::Resend(Box::new(ResendRow { stage, ..self.resend_row(None) }))
    }

    fn resend_row(&self, end: Option<(Status, Option<&Outcome>, Timestamp)>) -> ResendRow {
        let state = self.state();
        let mut counts = state.counts;
        let (mut status, mut rest, mut finished_at) = (state.status, state.rest.as_ref(), state.finished_at);
        if let Some((end, outcome, at)) = end {
            let pending = counts.pending();
            (status, finished_at) = (end, Some(at));
            rest = outcome.filter(|_| pending > 0);
            if let Some(outcome) = rest {
                counts.add(outcome.kind(), pending);
            }
        }
        ResendRow {
            id: self.id,
            client: self.client.clone(),
            stage: if status.is_final() { Stage::Ended } else { Stage::UnderWay },
            promised: self.is_promised(),
            force: self.force,
            trace: self.trace.traceparent(1),
            created_at: self.created_at,
            finished_at,
            status: status.as_str().to_owned(),
            received: counts.received,
            repeats: self.body.repeats().into(),
            counts: OutcomeKind::ALL.map(|kind| counts.of(kind)),
            upstream_calls: state.upstream_calls,
            rest: rest.map(super::outcomes::code_of_rest),
        }
    }
}
