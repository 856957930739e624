//! How far a resend is, on stderr: a bar on a terminal, else a line now and then.
//!
//! Writing it has no way to stop the command: what can't be written is left out.

use std::{
    io::{self, IsTerminal, Write},
    time::{Duration, SystemTime},
};

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::Instant;

use crate::cli::{client::Resend, paint::Paint, words};

/// Between two lines, unless something begins or ends to hold the work.
const NOW_AND_THEN: Duration = Duration::from_secs(10);

/// The progress of one resend.
pub(super) struct Progress {
    form: Form,
}

enum Form {
    Bar(ProgressBar),
    Lines { told: Instant, hold: Option<String> },
}

impl Progress {
    pub(super) fn begin(resend: &Resend) -> Self {
        let is_terminal = io::stderr().is_terminal();
        let template = if Paint::new(is_terminal).is_on() {
            "  {bar:30.cyan/dim} {human_pos} of {human_len}  {wide_msg}"
        } else {
            "  {bar:30} {human_pos} of {human_len}  {wide_msg}"
        };
        let form = match ProgressStyle::with_template(template) {
            Ok(style) if is_terminal && !resend.is_over() => {
                let length = Some(resend.count("received"));
                let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr());
                bar.set_style(style.progress_chars("━╸─"));
                Form::Bar(bar)
            }
            Ok(_) | Err(_) => Form::Lines { told: Instant::now(), hold: None },
        };
        let mut progress = Self { form };
        progress.show(resend);
        progress
    }

    /// The resend is like this now.
    pub(super) fn show(&mut self, resend: &Resend) {
        let now = SystemTime::now();
        let hold = resend.hold.as_ref().map(|hold| words::held(hold, now));
        let left = words::left(resend, now).map(|left| format!("about {left} left"));
        match &mut self.form {
            Form::Bar(bar) => {
                bar.set_position(resend.settled());
                bar.set_message(hold.map(|hold| format!("held: {hold}")).or(left).unwrap_or_default());
            }
            Form::Lines { told, hold: told_hold } => {
                let reason = resend.hold.as_ref().map(|hold| hold.reason.clone());
                let is_news = reason != *told_hold;
                if resend.is_over() || !is_news && told.elapsed() < NOW_AND_THEN {
                    return;
                }
                *told = Instant::now();
                *told_hold = reason;
                let (settled, all) = (HumanCount(resend.settled()), HumanCount(resend.count("received")));
                let more = hold.map(|hold| format!("held: {hold}")).or(left).unwrap_or_default();
                line(&format!("{settled} of {all}, {more}"));
            }
        }
    }

    /// A message beside the progress.
    pub(super) fn say(&self, text: &str) {
        match &self.form {
            Form::Bar(bar) => bar.suspend(|| line(text)),
            Form::Lines { .. } => line(text),
        }
    }

    /// Takes the bar away: the summary says it all.
    pub(super) fn end(&self) {
        if let Form::Bar(bar) = &self.form {
            bar.finish_and_clear();
        }
    }
}

fn line(text: &str) {
    // The command goes on without its progress.
    writeln!(io::stderr(), "{text}").ok();
}
