//! How far the list is, on stderr: a bar on a terminal, else a line at each quarter.
//!
//! Writing it has no way to stop the demo: what can't be written is left out.

use std::io::{self, IsTerminal, Write};

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::paint::Paint;

const QUARTERS: u64 = 4;

/// The progress of one list.
pub(super) struct Progress {
    name: &'static str,
    length: u64,
    form: Form,
}

enum Form {
    Bar(ProgressBar),
    /// The quarters that were told.
    Lines(u64),
}

impl Progress {
    /// Begins at nothing of `length`; lines begin with `name`.
    pub(super) fn begin(name: &'static str, length: u64) -> Self {
        let is_terminal = io::stderr().is_terminal();
        let template = if Paint::new(is_terminal).is_on() {
            "  {bar:34.cyan/dim} {pos:>5} of {len}  {msg}"
        } else {
            "  {bar:34} {pos:>5} of {len}  {msg}"
        };
        let form = match ProgressStyle::with_template(template) {
            Ok(style) if is_terminal => {
                let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
                bar.set_style(style.progress_chars("━╸─"));
                Form::Bar(bar)
            }
            Ok(_) | Err(_) => Form::Lines(0),
        };
        Self { name, length, form }
    }

    /// So many rows are settled; upstream is called at this rate.
    pub(super) fn show(&mut self, settled: u64, pace: f64) {
        match &mut self.form {
            Form::Bar(bar) => {
                bar.set_message(format!("{pace:.0} calls/s"));
                bar.set_position(settled);
            }
            Form::Lines(told) => {
                let quarters = settled * QUARTERS / self.length.max(1);
                if quarters > *told {
                    *told = quarters;
                    let (settled, length) = (HumanCount(settled), HumanCount(self.length));
                    // The demo goes on without its progress.
                    writeln!(io::stderr(), "{}: {settled} of {length}, {pace:.0} calls/s", self.name).ok();
                }
            }
        }
    }

    /// Takes the bar away: the summary says it all.
    pub(super) fn end(&self) {
        if let Form::Bar(bar) = &self.form {
            bar.finish_and_clear();
        }
    }
}
