//! Adds up the results of a list: each outcome with its reasons, each reason with the addresses it met.

use super::caller::Row;
use crate::domain::OutcomeKind;

/// So many addresses of a reason are kept to be shown.
const SAMPLES: usize = 4;

/// What became of a list.
#[derive(Debug)]
pub(super) struct Tally {
    /// The six outcomes, in the order of the contract.
    pub(super) outcomes: Vec<OutcomeSum>,
}

/// One outcome.
#[derive(Debug)]
pub(super) struct OutcomeSum {
    pub(super) kind: OutcomeKind,
    pub(super) count: u64,
    /// The most frequent first.
    pub(super) reasons: Vec<ReasonSum>,
}

/// One reason of an outcome.
#[derive(Debug)]
pub(super) struct ReasonSum {
    pub(super) reason: String,
    pub(super) count: u64,
    /// The first different addresses.
    pub(super) samples: Vec<String>,
    /// The first detail: of a refusal the words of upstream, else of the gateway.
    pub(super) detail: Option<String>,
}

impl Tally {
    pub(super) fn of(rows: &[Row]) -> Self {
        let outcomes = OutcomeKind::ALL.map(|kind| OutcomeSum { kind, count: 0, reasons: Vec::new() });
        let mut tally = Self { outcomes: outcomes.into() };
        for row in rows {
            if let Some(outcome) =
                tally.outcomes.iter_mut().find(|outcome| outcome.kind.as_str() == row.outcome)
            {
                outcome.add(row);
            }
        }
        for outcome in &mut tally.outcomes {
            outcome.reasons.sort_by_key(|reason| std::cmp::Reverse(reason.count));
        }
        tally
    }

    pub(super) fn count(&self, kind: OutcomeKind) -> u64 {
        self.outcomes.iter().filter(|outcome| outcome.kind == kind).map(|outcome| outcome.count).sum()
    }

    pub(super) fn total(&self) -> u64 {
        self.outcomes.iter().map(|outcome| outcome.count).sum()
    }
}

impl OutcomeSum {
    fn add(&mut self, row: &Row) {
        self.count += 1;
        let Some(reason) = &row.reason else { return };
        let place = self.reasons.iter().position(|sum| sum.reason == *reason).unwrap_or_else(|| {
            self.reasons.push(ReasonSum {
                reason: reason.clone(),
                count: 0,
                samples: Vec::new(),
                detail: None,
            });
            self.reasons.len() - 1
        });
        let sum = &mut self.reasons[place];
        sum.count += 1;
        if sum.samples.len() < SAMPLES && !sum.samples.contains(&row.email) {
            sum.samples.push(row.email.clone());
        }
        if sum.detail.is_none() {
            sum.detail.clone_from(&row.detail);
        }
    }
}
