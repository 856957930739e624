//! Ends the process when a thread unwinds without which nobody can tell the truth.

use std::{process, thread};

/// Held by such a thread for as long as it works.
pub struct AbortOnPanic {
    /// Which thread it is, for the last line of the log.
    pub thread: &'static str,
}

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        if thread::panicking() {
            tracing::error!(
                thread = self.thread,
                "A thread panicked; the gateway can't tell the truth any more and ends."
            );
            process::abort();
        }
    }
}
