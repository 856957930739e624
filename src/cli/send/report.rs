//! What `send` says at the end, and on the way there. Pure.

use std::time::{Duration, SystemTime};

use indicatif::HumanCount;

use crate::cli::{
    client::{PROBLEMS, Plan, Resend, Row},
    invocation,
    paint::{Paint, shown},
    words,
};

/// Columns for one address, and for what fax.plus says about it.
const ADDRESS: usize = 40;
const DETAIL: usize = 60;

/// The gateway has the list.
pub(super) fn accepted(resend: &Resend) -> String {
    let addresses = HumanCount(resend.count("received"));
    format!("Accepted: {addresses} {}, resend {}", noun(resend.count("received")), resend.id)
}

/// What became of all addresses.
pub(super) fn summary(resend: &Resend, now: SystemTime, paint: Paint) -> String {
    let all = resend.count("received");
    let took = resend.took(now).map_or(String::new(), |took| format!(" in {}", words::seconds(took)));
    format!(
        "{}: {} {}{took}, {} upstream {}\n{}",
        words::status(resend, paint),
        HumanCount(all),
        noun(all),
        HumanCount(resend.upstream_calls),
        calls(resend.upstream_calls),
        words::counts(resend, paint)
    )
}

/// The first problems as a table, how many more there are, and what to do about them.
pub(super) fn problems(resend: &Resend, rows: &[Row], all_are_written: bool, paint: Paint) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let emails: Vec<_> = rows.iter().map(|row| shown(&row.email, ADDRESS)).collect();
    let wide = emails.iter().map(|email| email.chars().count()).max().unwrap_or(0).max("address".len());
    let heading = format!("{:>9}  {:<wide$}  {:<10} why", "row", "address", "outcome");
    let mut text = format!("\n{}\n", paint.bold(&heading));
    for (row, email) in rows.iter().zip(emails) {
        let reason = shown(row.reason.as_deref().unwrap_or("-"), ADDRESS);
        let detail =
            row.detail.as_deref().map_or(String::new(), |detail| format!(": {}", shown(detail, DETAIL)));
        // People count rows from 1.
        let number = HumanCount(row.index + 1).to_string();
        text.push_str(&format!("{number:>9}  {email:<wide$}  {:<10} {reason}{detail}\n", row.outcome));
    }
    let more = resend.sum(&PROBLEMS).saturating_sub(rows.len() as u64);
    if more > 0 {
        let hint = if all_are_written { "see the results" } else { "use --output to have them all" };
        text.push_str(&format!("... and {} more: {hint}\n", HumanCount(more)));
    }
    if resend.count("not_sent") > 0 {
        text.push_str("\nnot_sent: send the same list again; only what is not sent yet goes out then.\n");
    }
    if resend.count("unknown") > 0 {
        text.push_str(
            "\nunknown: these may have been mailed; a second run leaves them alone, --force mails them.\n",
        );
    }
    text
}

/// What would happen.
pub(super) fn plan(plan: &Plan, now: SystemTime, paint: Paint) -> String {
    let count = |word: &str| plan.counts.get(word).copied().unwrap_or(0);
    let mut text = format!(
        "{}: {} {}; nothing was sent{}\n",
        paint.bold("dry run"),
        HumanCount(count("received")),
        noun(count("received")),
        if plan.sandbox { " (fax.plus is simulated)" } else { "" }
    );
    for word in ["would_send", "duplicate", "unknown", "invalid"] {
        text.push_str(&words::count_line(count(word), word, paint));
    }
    let seconds = plan.estimated_seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let about = seconds.map_or(String::new(), |seconds| format!(", about {}", words::seconds(seconds)));
    text.push_str(&format!(
        "  it would take {} upstream {}{about}\n",
        HumanCount(plan.upstream_calls),
        calls(plan.upstream_calls)
    ));
    if let Some(hold) = &plan.hold {
        text.push_str(&format!("  {}  {}\n", paint.yellow("on hold"), words::held(hold, now)));
    }
    text
}

/// Whether a plan leaves nothing to mend or to decide.
pub(super) fn is_fine(plan: &Plan) -> bool {
    let count = |word: &str| plan.counts.get(word).copied().unwrap_or(0);
    count("invalid") + count("unknown") == 0
}

/// The person left; the work did not end.
pub(super) fn goes_on(id: &str, options: &str) -> String {
    let command = invocation::command();
    format!(
        "\nStopped watching; the work goes on in the gateway. Resend {id}\n  \
         look at it:  {command} status {id}{options}\n  \
         stop it:     {command} cancel {id}{options}\n"
    )
}

/// The person left while the results were read.
pub(super) fn told_in_part(id: &str, options: &str) -> String {
    let command = invocation::command();
    format!(
        "\nStopped before all results were read; the work is over. Resend {id}\n  \
         look at it:  {command} status {id}{options}\n"
    )
}

fn calls(count: u64) -> &'static str {
    if count == 1 { "call" } else { "calls" }
}

fn noun(count: u64) -> &'static str {
    if count == 1 { "address" } else { "addresses" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_as_wide_as_its_heading_when_all_addresses_are_short() {
        let row = r#"{"index": 0, "email": "x", "outcome": "invalid", "reason": "no_at_sign"}"#;
        let resend = r#"{"id": "0198", "status": "finished", "client": "a", "upstream_calls": 0,
            "created_at": "2026-11-23T08:00:00.123Z", "counts": {"received": 1, "invalid": 1}}"#;
        let rows = [serde_json::from_str(row).unwrap()];

        let text = problems(&serde_json::from_str(resend).unwrap(), &rows, true, Paint::PLAIN);

        let columns: Vec<_> =
            text.lines().filter_map(|line| line.find("outcome").or(line.find("invalid"))).collect();
        assert_eq!(columns.len(), 2, "{text}");
        assert_eq!(columns[0], columns[1], "{text}");
    }
}
