//! `token new NAME`: makes the token of a client. Keeps nothing: the gateway knows tokens by their hash alone.

use std::io::{self, Write};

use clap::{Args, Subcommand};
use secrecy::ExposeSecret as _;

use super::{FAILURE, SUCCESS, WRONG_USAGE, unwritten};
use crate::clients::{NewToken, line};

/// Arguments of `token`.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  faxplus-gateway token new billing")]
pub struct Token {
    #[command(subcommand)]
    command: TokenCommand,
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    /// Make a token: it is printed once, and under it the line for the clients file
    New {
        /// Name of the client: a-z, A-Z, 0-9, - and _
        name: String,
    },
}

/// Runs the command; gives the exit code.
pub fn run(arguments: &Token, stdout: &mut impl Write, stderr: &mut impl Write) -> u8 {
    let TokenCommand::New { name } = &arguments.command;
    let made = NewToken::make().map_err(|error| (FAILURE, format!("no token can be made: {error}")));
    let made = made.and_then(|new| match line(name, &new.hash) {
        Ok(line) => Ok((new, line)),
        Err(why) => Err((WRONG_USAGE, why.to_string())),
    });
    match made {
        Ok((new, line)) => match tell(name, &new, &line, stdout, stderr) {
            Ok(()) => SUCCESS,
            Err(error) => unwritten(&error, stderr),
        },
        Err((code, why)) => {
            // When even stderr is gone, the exit code has to say it.
            if writeln!(stderr, "faxplus-gateway: {why}").is_err() { FAILURE } else { code }
        }
    }
}

fn tell(
    name: &str,
    new: &NewToken,
    line: &str,
    stdout: &mut impl Write,
    stderr: &mut impl Write,
) -> io::Result<()> {
    writeln!(stderr, "The token of {name}, shown this once. Hand it over as you would a password:")?;
    writeln!(stdout, "{}", new.token.expose_secret())?;
    stdout.flush()?;
    writeln!(
        stderr,
        "\nThe line for the clients file (auth.clients_file), which is read again while running:"
    )?;
    writeln!(stdout, "{line}")?;
    stdout.flush()?;
    writeln!(
        stderr,
        "\nTo replace a token, put the new hash beside the old one in `tokens`, and take the old one out later."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn make(name: &str) -> (u8, String, String) {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let arguments = Token { command: TokenCommand::New { name: name.to_owned() } };
        let code = run(&arguments, &mut stdout, &mut stderr);
        (code, String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
    }

    #[test]
    fn the_line_lets_in_who_has_the_token() {
        let (code, told, _) = make("billing");
        let (token, line) = told.split_once('\n').unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), line).unwrap();

        let clients = crate::clients::Directory::open(file.path()).unwrap();

        assert_eq!(code, SUCCESS);
        assert_eq!(clients.authenticate(token).unwrap().name().as_str(), "billing");
    }

    #[test]
    fn a_name_that_no_client_can_have_is_refused() {
        for name in ["", "a b", "anonymous", "a\"b", "fxg_hush"] {
            let (code, told, why) = make(name);
            assert_eq!((code, told.as_str()), (WRONG_USAGE, ""), "{name}");
            assert!(why.contains("name") && !why.contains("hush"), "{why}");
        }
    }
}
