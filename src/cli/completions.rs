//! `completions SHELL`: what a shell needs to complete the commands, on stdout.

use std::io::Write;

use clap::{Args, Command};
use clap_complete::{Shell, generate};

use super::{FAILURE, SUCCESS};

/// Arguments of `completions`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  faxplus-gateway completions bash > /etc/bash_completion.d/faxplus-gateway
  faxplus-gateway completions zsh > ~/.zfunc/_faxplus-gateway
  faxplus-gateway completions fish > ~/.config/fish/completions/faxplus-gateway.fish")]
pub struct Completions {
    /// The shell
    pub shell: Shell,
}

/// Writes the completions of `command`; gives the exit code.
pub fn run(arguments: &Completions, mut command: Command, stdout: &mut impl Write) -> u8 {
    let (name, mut script) = (command.get_name().to_owned(), Vec::new());
    generate(arguments.shell, &mut command, name, &mut script);
    // Into a buffer first: clap_complete panics where it can't write.
    match stdout.write_all(&script).and_then(|()| stdout.flush()) {
        Ok(()) => SUCCESS,
        Err(_) => FAILURE,
    }
}
