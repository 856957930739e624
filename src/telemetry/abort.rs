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

#[cfg(test)]
mod tests {
    use std::{env, os::unix::process::ExitStatusExt as _, process::Command};

    use super::*;

    const PANIC: &str = "FAXPLUS_GATEWAY_TEST_PANIC";
    const SIGABRT: i32 = 6;

    #[test]
    fn a_panic_of_the_thread_ends_the_process() {
        if env::var_os(PANIC).is_some() {
            let thread = thread::spawn(|| {
                let _guard = AbortOnPanic { thread: "test" };
                panic!("as a mistake would");
            });
            drop(thread.join());
            return;
        }
        let name = "telemetry::abort::tests::a_panic_of_the_thread_ends_the_process";
        let mut again = Command::new(env::current_exe().unwrap());

        let ended = again.args(["--exact", name]).env(PANIC, "1").output().unwrap();

        assert_eq!(ended.status.signal(), Some(SIGABRT), "{ended:?}");
    }
}
