//! Reads the command line, runs the command, maps failure to an exit code.

fn main() {}
