//! The `tallyhouse` program: parse, run the command, print one error line, exit with its code.

use std::process::ExitCode;

use clap::Parser;
use tallyhouse::cli::Cli;
use tallyhouse::command;

#[allow(clippy::print_stderr)] // the one error line
fn main() -> ExitCode {
    // Before anything else: the engine's child becomes ClickHouse.
    if let Some(code) = tallyhouse::engine::child::entry(std::env::args_os()) {
        return code;
    }
    match command::run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("tallyhouse: {failure}");
            ExitCode::from(failure.exit as u8)
        }
    }
}
