//! `genauth`, the command-line program: WeChat access tokens in a shell, every operation of the document as a
//! subcommand, and a diagnosis when a call fails.

mod api;
mod arguments;
mod call;
mod clock;
mod connect;
mod curl;
mod doctor;
mod document;
mod dry_run;
mod ending;
mod errcode;
mod failure;
mod faults;
mod fields;
mod log;
mod mock;
mod output;
mod page;
mod reference;
mod rows;
mod secrecy;
mod secret_input;
mod serve;
mod settings;
mod sink;
mod spinner;
mod token;
mod tree;

use failure::{Failure, Text};
use std::process::ExitCode;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            match failure.text {
                Text::Line(line) => output::error(&line),
                // If this fails, nobody is left to read it.
                Text::Arguments(error) => drop(error.print()),
                Text::Said => {}
            }
            ExitCode::from(failure.exit as u8)
        }
    }
}

fn run() -> Result<(), Failure> {
    let matches = tree::command().try_get_matches().map_err(Failure::arguments)?;
    let Some((name, arguments)) = matches.subcommand() else { return Ok(()) };
    match name {
        "token" => with_warnings(token::run(arguments)),
        "api" => with_warnings(api::run(arguments)),
        "call" => with_warnings(call::run(arguments)),
        // There are no warnings here: `doctor` calls deprecated operations on purpose.
        "doctor" => wait_for(doctor::run(arguments)),
        "mock" => wait_for(mock::run(arguments)),
        "serve" => serve::run(arguments),
        "openapi" => reference::openapi(),
        "schema" => reference::schema(arguments),
        "completions" => reference::completions(arguments, tree::command()),
        "man" => reference::man(arguments, tree::command()),
        _ => Ok(()),
    }
}

/// Waits for a command, and shows the library's warnings on stderr meanwhile.
fn with_warnings(command: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    log::start();
    wait_for(command)
}

fn wait_for(command: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failure::other(format!("the event loop cannot start: {error}")))?.block_on(command)
}
