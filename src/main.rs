//! Reads the command line, runs the command, maps failure to an exit code.

use std::{
    io::{stderr, stdout},
    process::ExitCode,
};

use actix_web::rt::System;
use clap::{CommandFactory as _, Parser, Subcommand};
use faxplus_gateway::cli::{
    cancel, check_config, completions, demo, openapi, pause, probe, resume, sandbox, send, serve, status,
    token,
};

/// Resends fax.plus member invitations: any list in, calls of ten out, one true outcome per address.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the gateway
    Serve(serve::Serve),
    /// See it work: no set-up, nobody is mailed, and what callers are told is held against the truth
    Demo(demo::Demo),
    /// Post a list to a running gateway, watch it, and tell what became of each address
    Send(send::SendArgs),
    /// Show the newest resends of a running gateway, or one of them
    Status(status::Status),
    /// Send nothing more of a resend
    Cancel(cancel::Cancel),
    /// Send nothing more for anybody until `resume`; lists are still taken, and nothing is lost
    Pause(pause::Pause),
    /// Go on after a pause
    Resume(resume::Resume),
    /// Make the token of a client of the gateway
    Token(token::Token),
    /// Run a simulated fax.plus alone
    Sandbox(sandbox::SandboxArgs),
    /// Print the effective settings, or everything that is wrong with them
    CheckConfig(check_config::CheckConfig),
    /// Print what a shell needs to complete these commands
    Completions(completions::Completions),
    /// Print the OpenAPI document of the API
    Openapi(openapi::Openapi),
    /// GET a URL and exit with 0 on 2xx
    Probe(probe::Probe),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let code = System::new().block_on(async {
        match arguments.command {
            Command::Serve(arguments) => serve::run(arguments, &mut stderr()).await,
            Command::Demo(arguments) => demo::run(arguments, &mut stdout(), &mut stderr()).await,
            Command::Send(arguments) => send::run(arguments, &mut stdout(), &mut stderr()).await,
            Command::Status(arguments) => status::run(arguments, &mut stdout(), &mut stderr()).await,
            Command::Cancel(arguments) => cancel::run(arguments, &mut stdout(), &mut stderr()).await,
            Command::Pause(arguments) => pause::run(arguments, &mut stdout(), &mut stderr()).await,
            Command::Resume(arguments) => resume::run(arguments, &mut stdout(), &mut stderr()).await,
            Command::Token(arguments) => token::run(&arguments, &mut stdout(), &mut stderr()),
            Command::Sandbox(arguments) => sandbox::run(arguments, &mut stderr()).await,
            Command::CheckConfig(arguments) => {
                check_config::run(arguments, &mut stdout(), &mut stderr()).await
            }
            Command::Completions(arguments) => {
                completions::run(&arguments, Arguments::command(), &mut stdout(), &mut stderr())
            }
            Command::Openapi(arguments) => openapi::run(&arguments, &mut stdout(), &mut stderr()),
            Command::Probe(arguments) => probe::run(arguments, &mut stdout(), &mut stderr()).await,
        }
    });
    ExitCode::from(code)
}
