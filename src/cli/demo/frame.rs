//! What is said before and after: what is going to happen, where to look, what to do next.
//!
//! Pure. Every line fits 80 columns, but for a command that is longer.

use super::{
    list,
    paint::Paint,
    stage::{CALLS_PER_SECOND, LATENCY, Stage},
};

/// What is going to happen.
pub(super) fn intro(paint: Paint) -> String {
    let rows = indicatif::HumanCount(list::rows().len() as u64);
    format!(
        "{}\n\
         The real gateway against a simulated fax.plus, both in this process: nobody is\n\
         mailed. This fax.plus takes ten addresses a call and answers in {} ms; it lets\n\
         {CALLS_PER_SECOND} calls a second through, which the gateway has to find out by itself.\n\
         Posted is a list of {rows} rows: people, repeats, rows that are no address,\n\
         people whom it refuses. One call ends in an error 500 after it was accepted.\n\n",
        paint.bold("faxplus-gateway demo"),
        LATENCY.as_millis(),
    )
}

/// Where to look while everything stays up.
pub(super) fn look_around(stage: &Stage, paint: Paint) -> String {
    let (main, admin, sandbox) = (stage.main, stage.admin, stage.sandbox.address());
    format!(
        "\n{}\n  \
         gateway   http://{main}/v1/resends\n            \
         http://{admin}/metrics\n            \
         http://{admin}/readyz\n  \
         fax.plus  http://{sandbox}/sandbox/stats\n            \
         http://{sandbox}/sandbox/ledger\n\n\
         Post a list of your own:\n  \
         curl http://{main}/v1/resends -H content-type:application/json \\\n       \
         -d '[\"you@example.com\", \"You@example.com\", \"nobody\"]'\n",
        paint.bold("Still up, until Ctrl-C")
    )
}

/// What to do next, with the `command` that starts this program where it was started.
pub(super) fn next_steps(command: &str, paint: Paint) -> String {
    format!(
        "\n{}\n\
         This once more, and it stays up for your curl:\n  \
         {command} demo --keep\n\
         Your settings, with fax.plus simulated:\n  \
         {command} serve --sandbox\n\
         The whole API, every setting, every limit: README.md\n",
        paint.bold("Next")
    )
}
