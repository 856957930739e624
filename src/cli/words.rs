//! A resend in plain words, for people at a terminal.
//!
//! Pure: time comes in. Texts that the gateway took from elsewhere are shown without control characters.

use std::time::{Duration, SystemTime};

use indicatif::{HumanCount, HumanDuration};

use super::{
    client::{Hold, OUTCOMES, Resend, Standing, moment},
    invocation,
    paint::Paint,
};

/// All of one resend, on several lines.
pub(super) fn resend(resend: &Resend, now: SystemTime, paint: Paint) -> String {
    let mut text = format!("{}  {}\n", paint.bold(&resend.id), status(resend, paint));
    let ago = moment(&resend.created_at).and_then(|at| now.duration_since(at).ok());
    let ago = ago.map_or(String::new(), |ago| format!(", {} ago", HumanDuration(ago)));
    text.push_str(&format!("  posted     {} by {}{ago}\n", clock(&resend.created_at), resend.client));
    if let (Some(at), Some(took)) = (&resend.finished_at, resend.took(now)) {
        text.push_str(&format!("  ended      {}, after {}\n", clock(at), seconds(took)));
    }
    if let Some(left) = left(resend, now) {
        text.push_str(&format!("  estimate   done in about {left}\n"));
    }
    if let Some(hold) = &resend.hold {
        text.push_str(&format!("  {}    {}\n", paint.yellow("on hold"), held(hold, now)));
        text.push_str(&format!("             since {}, reason {}\n", clock(&hold.since), hold.reason));
    }
    text.push_str(&format!("  calls      {}\n", HumanCount(resend.upstream_calls)));
    text.push_str(&counts(resend, paint));
    text
}

/// How the gateway stands after an order; `options` are those that another command needs to reach it.
pub(super) fn standing(standing: &Standing, options: &str, paint: Paint) -> String {
    let mut text =
        paused(standing, options, paint).unwrap_or_else(|| "Not paused: the gateway sends.\n".to_owned());
    let (calls, addresses, resends) =
        (standing.calls_in_flight, standing.queued_addresses, standing.active_resends);
    let counted = |count: u64, one: &str, more: &str| {
        format!("{} {}", HumanCount(count), if count == 1 { one } else { more })
    };
    text.push_str(&format!("  in flight  {}\n", counted(calls, "call", "calls")));
    text.push_str(&format!(
        "  not done   {} of {}\n",
        counted(addresses, "address", "addresses"),
        counted(resends, "resend", "resends")
    ));
    text
}

/// That the gateway is paused, since when and why; `None` when it is not.
pub(super) fn paused(standing: &Standing, options: &str, paint: Paint) -> Option<String> {
    if !standing.paused {
        return None;
    }
    let since = standing.since.as_deref().map_or(String::new(), |since| format!(" since {}", clock(since)));
    let head = paint.yellow("Paused");
    let command = invocation::command();
    let mut text = format!("{head}{since}: nothing is sent until `{command} resume{options}`\n");
    if let Some(note) = &standing.note {
        text.push_str(&format!("  note       {}\n", printable(note)));
    }
    Some(text)
}

/// A line for each end that addresses came to, and for those without one.
pub(super) fn counts(resend: &Resend, paint: Paint) -> String {
    let mut text = String::new();
    for word in OUTCOMES.into_iter().chain(["pending"]) {
        let count = resend.count(word);
        if count > 0 {
            text.push_str(&count_line(count, word, paint));
        }
    }
    text
}

/// One count with what it means.
pub(super) fn count_line(count: u64, word: &str, paint: Paint) -> String {
    let meaning = match word {
        "sent" => "fax.plus accepted a call that held it",
        "duplicate" => "not sent again: accepted lately, or earlier in this list",
        "would_send" => "would be sent",
        "invalid" => "no address; it never left the gateway",
        "rejected" => "fax.plus refused it",
        "not_sent" => "certainly not sent; safe to send again",
        "unknown" => "may have been sent; nobody can know",
        "pending" => "not decided yet",
        _ => "",
    };
    let padded = format!("{word:<10}");
    let word = match word {
        "sent" | "duplicate" | "would_send" => paint.green(&padded),
        "unknown" => paint.red(&padded),
        "pending" => padded,
        _ => paint.yellow(&padded),
    };
    format!("{:>11}  {word}  {meaning}\n", HumanCount(count).to_string())
}

/// The status, in its colour.
pub(super) fn status(resend: &Resend, paint: Paint) -> String {
    let word = resend.status.as_str();
    let told = match word {
        "finished" if resend.is_fine() => paint.green(word),
        "finished" | "cancelled" => paint.yellow(word),
        _ => word.to_owned(),
    };
    if resend.sandbox { format!("{told} (fax.plus is simulated: nobody is mailed)") } else { told }
}

/// What holds the work, and when it is tried again.
pub(super) fn held(hold: &Hold, now: SystemTime) -> String {
    let next = hold.next_attempt_at.as_deref().and_then(moment);
    let next = next.and_then(|at| at.duration_since(now).ok()).filter(|wait| wait.as_secs() > 0);
    let detail = printable(&hold.detail);
    match next {
        Some(wait) => format!("{detail} (next attempt in {})", seconds(wait)),
        None => detail,
    }
}

/// How long it is likely to take still, in words; `None` when nobody says so, or it is over.
pub(super) fn left(resend: &Resend, now: SystemTime) -> Option<String> {
    let end = resend.estimated_finish_at.as_deref().and_then(moment)?;
    let left = end.duration_since(now).unwrap_or_default();
    Some(seconds(left.max(Duration::from_secs(1))))
}

/// A duration as people say it, exact to tenths of a second where it is short.
pub(super) fn seconds(duration: Duration) -> String {
    if duration < Duration::from_secs(60) {
        let tenths = format!("{:.1}", duration.as_secs_f64());
        return format!("{} s", tenths.strip_suffix(".0").unwrap_or(&tenths));
    }
    humantime::format_duration(Duration::from_secs(duration.as_secs())).to_string()
}

/// A time of the gateway, to the second.
pub(super) fn clock(text: &str) -> String {
    match moment(text) {
        Some(at) => humantime::format_rfc3339_seconds(at).to_string().replace('T', " ").replace('Z', " UTC"),
        None => printable(text),
    }
}

fn printable(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn running(json: &str) -> Resend {
        let text = format!(
            r#"{{"id": "0198", "status": "running", "client": "billing", "upstream_calls": 3,
                "created_at": "2026-11-23T08:00:00.123Z", {json}}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    fn at(text: &str) -> SystemTime {
        moment(text).unwrap()
    }

    #[test]
    fn a_held_resend_is_told_with_its_reason_and_its_next_attempt() {
        let resend = running(
            r#""counts": {"received": 1200, "sent": 2, "pending": 1198},
               "estimated_finish_at": "2026-11-23T08:02:05Z",
               "hold": {"reason": "throttled", "since": "2026-11-23T08:00:10Z",
                        "next_attempt_at": "2026-11-23T08:00:42Z", "detail": "1198 addresses are safe\u0007"}"#,
        );

        let text = super::resend(&resend, at("2026-11-23T08:00:30Z"), Paint::PLAIN);

        assert_eq!(
            text,
            "0198  running\n  \
             posted     2026-11-23 08:00:00 UTC by billing, 30 seconds ago\n  \
             estimate   done in about 1m 35s\n  \
             on hold    1198 addresses are safe (next attempt in 12 s)\n             \
             since 2026-11-23 08:00:10 UTC, reason throttled\n  \
             calls      3\n          \
             2  sent        fax.plus accepted a call that held it\n      \
             1,198  pending     not decided yet\n"
        );
    }

    #[test]
    fn short_times_have_tenths_and_long_ones_minutes() {
        assert_eq!(seconds(Duration::from_millis(1250)), "1.2 s");
        assert_eq!(seconds(Duration::from_secs(9)), "9 s");
        assert_eq!(seconds(Duration::from_millis(61_900)), "1m 1s");
    }
}
