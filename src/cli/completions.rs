//! `completions SHELL`: what a shell needs to complete the commands, on stdout.

use std::io::Write;

use clap::{Args, Command};
use clap_complete::{Shell, generate};

use super::{SUCCESS, unwritten};

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
pub fn run(
    arguments: &Completions,
    mut command: Command,
    stdout: &mut impl Write,
    stderr: &mut impl Write,
) -> u8 {
    let (name, mut script) = (command.get_name().to_owned(), Vec::new());
    // Into a buffer first: clap_complete panics where it can't write.
    generate(arguments.shell, &mut command, name.clone(), &mut script);
    let mut script = String::from_utf8_lossy(&script).into_owned();
    if arguments.shell == Shell::Bash {
        // clap_complete 4.6.11 writes the `-` of a program's name in two ways: it remembers a subcommand as
        // `a__b__subcmd__c` and looks for `a__subcmd__b__subcmd__c`, so that nothing behind it was completed.
        script = script.replace(&name.replace('-', "__subcmd__"), &name.replace('-', "__"));
    }
    match stdout.write_all(script.as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => SUCCESS,
        Err(error) => unwritten(&error, stderr),
    }
}
