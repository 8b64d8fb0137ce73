//! `cargo twyla`: Twyla's command line.
//!
//! [`commands`] has a module for each command, and [`support`] what several of them share.
//!
//! | exit code | meaning |
//! |---|---|
//! | 0 | all is well |
//! | 1 | a finding: an event that breaks its contract, services that don't fit together |
//! | 2 | an error: the command could not do its work |
//! | 3 | undecided |
#![forbid(unsafe_code)]

mod commands;
mod support;

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use anstyle::AnsiColor;
use clap::Parser;
use clap::builder::Styles;

use commands::{Command, completions};
use support::paint::{self, BAD, paint};
use support::run::Outcome;

#[derive(Parser)]
#[command(name = "cargo", bin_name = "cargo", styles = STYLES)]
enum Cargo {
    /// Twyla's command line.
    #[command(version, arg_required_else_help = true)]
    Twyla {
        #[command(subcommand)]
        command: Command,
    },
}

/// The colours of cargo's own help.
const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

fn main() -> ExitCode {
    if let Some(written) = completions::answer::<Cargo>() {
        return if written.is_ok() { ExitCode::SUCCESS } else { ExitCode::from(2) };
    }
    let Cargo::Twyla { command } = Cargo::parse();
    match command.run() {
        Ok(Outcome::Fine) => ExitCode::SUCCESS,
        Ok(Outcome::Found) => ExitCode::from(1),
        Ok(Outcome::Undecided) => ExitCode::from(3),
        Err(error) if is_closed_pipe(&*error) => ExitCode::SUCCESS,
        Err(error) => {
            let message = error.to_string();
            // a list of problems begins on a line of its own, and each problem says that it is an error
            let message = match message.strip_prefix('\n') {
                Some(list) => list.trim_end().to_owned(),
                None => format!("{}: {message}", paint(BAD, "error")),
            };
            // if standard error can't be written to, the failure can't be reported anywhere
            let _ = writeln!(paint::stderr(), "{message}");
            ExitCode::from(2)
        }
    }
}

/// Returns whether the reader of the output has closed it, as `| head` does.
fn is_closed_pipe(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
            return true;
        }
        cause = error.source();
    }
    false
}
