//! The sections of the summary as text: what the caller was told, what upstream saw, and both together.
//!
//! Pure. Every line fits 80 columns.

use indicatif::HumanCount;

use super::{
    paint::{Paint, shown},
    play::Act,
    reconcile::{Compared, Difference, Reconciliation},
    stage::CALLS_PER_SECOND,
    tally::{OutcomeSum, ReasonSum, Tally},
};
use crate::domain::OutcomeKind;

/// Where the samples of a reason begin, and where a line ends at the latest.
const MARGIN: usize = 29;
const WIDTH: usize = 80;
/// Columns for one address.
const SAMPLE: usize = 30;
/// Most differences that are listed.
const DIFFERENCES: usize = 20;

/// The outcomes of a list.
pub(super) fn outcomes(tally: &Tally, paint: Paint) -> String {
    // The first section: the blank line before it is there already.
    let mut text = heading("What the caller was told", paint).trim_start().to_owned();
    for outcome in &tally.outcomes {
        text.push_str(&outcome_line(outcome, paint));
        for reason in &outcome.reasons {
            text.push_str(&reason_line(reason, paint));
            if let Some(detail) = &reason.detail {
                // Only of a refusal the words are fax.plus's own.
                let speaker = if outcome.kind == OutcomeKind::Rejected { "fax.plus: " } else { "" };
                let said = paint.dim(&format!("{speaker}{}", shown(detail, WIDTH - MARGIN - 10)));
                text.push_str(&format!("{:MARGIN$}{said}\n", ""));
            }
        }
    }
    text.push_str(&line(tally.total(), "rows", "each with exactly one outcome"));
    text
}

/// Upstream's side of the first post.
pub(super) fn upstream(act: &Act, paint: Paint) -> String {
    let seen = &act.seen;
    let statuses = seen.calls_by_status.iter().map(|(status, calls)| format!("{calls} x {status}"));
    let statuses = statuses.collect::<Vec<_>>().join(", ");
    let throttled = seen.calls_by_status.get("429").copied().unwrap_or(0);
    let mut text = heading("What fax.plus saw", paint);
    text.push_str(&line(seen.calls, "calls", &format!("in {:.1} s: {statuses}", act.took.as_secs_f64())));
    text.push_str(&line(
        act.pace.round() as u64,
        "calls/s",
        &format!("learned from {throttled} answers 429; the limit is {CALLS_PER_SECOND}"),
    ));
    text.push_str(&line(
        seen.largest_batch,
        "largest",
        "addresses in one call; fax.plus takes no more than 10",
    ));
    text.push_str(&line(seen.most_in_flight, "at once", "calls in flight at one moment"));
    let sent = act.tally.count(OutcomeKind::Sent);
    let in_doubt = HumanCount(seen.addresses_accepted.saturating_sub(sent));
    let meaning = format!("addresses: {} told sent, {in_doubt} whose call got the 500", HumanCount(sent));
    text.push_str(&line(seen.addresses_accepted, "accepted", &meaning));
    text
}

/// What the same list came to when it was posted again.
pub(super) fn again(first: &Act, second: &Act, paint: Paint) -> String {
    let told = second.tally.outcomes.iter().filter(|outcome| outcome.count > 0);
    let told = told.map(|outcome| format!("{} {}", HumanCount(outcome.count), outcome.kind.as_str()));
    let more = second.seen.addresses_accepted.saturating_sub(first.seen.addresses_accepted);
    let mut text = heading("The same list, posted again", paint);
    text.push_str(&line(second.tally.total(), "rows", &told.collect::<Vec<_>>().join(", ")));
    text.push_str(&line(second.calls, "calls", "with the refused ones, which go alone from now on"));
    let verdict = if more == 0 { "more: nobody is mailed twice" } else { "more than the first time" };
    text.push_str(&line(more, "accepted", verdict));
    text
}

/// Both sides, ending in the balance or in the differences.
pub(super) fn reconciliation(sum: &Reconciliation, paint: Paint) -> String {
    let mut text = heading("Told against seen, address by address", paint);
    for (Compared { told, accepted }, word, meaning) in [
        (sum.sent, "sent", "accepted, each exactly once"),
        (sum.repeats, "repeats", "accepted a second time"),
        (sum.invalid, "invalid", "accepted"),
        (sum.rejected, "rejected", "accepted"),
        (sum.not_sent, "not_sent", "accepted"),
        (sum.unknown, "unknown", "accepted, which the error 500 did not say"),
        (Compared { told: sum.rows, accepted: sum.accepted }, "rows", "accepted in all"),
    ] {
        let meaning = format!("{}  {meaning}", number(accepted as u64));
        text.push_str(&line(told as u64, word, &meaning));
    }
    text.push('\n');
    let count = |count: usize| HumanCount(count as u64);
    let told = format!("{} sent + {} unknown", count(sum.sent.told), count(sum.unknown.accepted));
    let sign = if sum.is_balanced() { "=" } else { "against" };
    let numbers = format!("{told} {sign} {} accepted", count(sum.accepted));
    if sum.is_balanced() {
        text.push_str(&paint.green(&format!("balanced: {numbers}")));
        text.push('\n');
        return text;
    }
    text.push_str(&paint.red(&format!("NOT balanced: {numbers}")));
    text.push('\n');
    for difference in sum.differences.iter().take(DIFFERENCES) {
        text.push_str(&format!("  {}\n", told_apart(difference)));
    }
    if sum.differences.len() > DIFFERENCES {
        text.push_str(&format!("  and {} more\n", sum.differences.len() - DIFFERENCES));
    }
    text
}

fn heading(title: &str, paint: Paint) -> String {
    format!("\n{}\n", paint.bold(title))
}

fn line(count: u64, word: &str, meaning: &str) -> String {
    format!("{}  {word:<12} {meaning}\n", number(count))
}

fn number(count: u64) -> String {
    format!("{:>7}", HumanCount(count).to_string())
}

fn outcome_line(outcome: &OutcomeSum, paint: Paint) -> String {
    let (style, meaning): (fn(Paint, &str) -> String, _) = match outcome.kind {
        OutcomeKind::Sent => (Paint::green, "fax.plus accepted a call that held it"),
        OutcomeKind::Duplicate => (Paint::green, "the same person again in this list; mailed once"),
        OutcomeKind::Invalid => (Paint::yellow, "no address; it never left the gateway"),
        OutcomeKind::Rejected => (Paint::yellow, "fax.plus refused it; its neighbours were sent"),
        OutcomeKind::NotSent => (Paint::yellow, "certainly not sent; safe to post again"),
        OutcomeKind::Unknown => (Paint::red, "may have been sent; never repeated on its own"),
    };
    let word = format!("{:<12}", outcome.kind.as_str());
    if outcome.count == 0 {
        return format!("{}\n", paint.dim(&format!("{}  {word} {meaning}", number(0))));
    }
    format!("{}  {} {meaning}\n", number(outcome.count), style(paint, &word))
}

fn reason_line(reason: &ReasonSum, paint: Paint) -> String {
    let count = HumanCount(reason.count).to_string();
    let begin = format!("{count:>13} {:<14} ", shown(&reason.reason, SAMPLE));
    let mut left = WIDTH.saturating_sub(begin.chars().count());
    let mut samples = String::new();
    for sample in &reason.samples {
        let gap = if samples.is_empty() { "" } else { ", " };
        let sample = shown(sample, SAMPLE);
        let needed = gap.len() + sample.chars().count();
        if needed <= left {
            left -= needed;
            samples.push_str(gap);
            samples.push_str(&sample);
        }
    }
    format!("{begin}{}\n", paint.dim(&samples))
}

fn told_apart(difference: &Difference) -> String {
    let address = |address: &str| shown(address, SAMPLE);
    match difference {
        Difference::Untold { index, email } => {
            format!("row {index} ({}): not exactly one outcome", address(email))
        }
        Difference::NotSeen(email) => format!("{}: told sent, never accepted", address(email)),
        Difference::SeenTwice(email, times) => format!("{}: accepted {times} times", address(email)),
        Difference::ToldTwice(email, times) => format!("{}: told sent {times} times", address(email)),
        Difference::SeenAgainst(email, kind) => {
            format!("{}: told {}, but accepted", address(email), kind.as_str())
        }
        Difference::DuplicateOfNothing(email) => {
            format!("{}: told duplicate, but never told sent", address(email))
        }
        Difference::Unposted(email) => format!("{}: accepted, but never told of", address(email)),
    }
}

#[cfg(test)]
mod tests;
