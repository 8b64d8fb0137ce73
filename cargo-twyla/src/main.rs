//! `cargo twyla`: Twyla's command line.
//!
//! Each command is a room of its own, listed in [`command`]. [`new`] makes a service, and [`import`] a schemas folder of loose
//! files. Of contracts: [`explain`] tells of one in words, [`sample`] makes
//! events, [`validate`] holds some to their contract, [`lock`] holds contracts to what was accepted. For others: [`docs`] is the
//! contracts as pages, [`openapi`] tells of RPCs, and [`asyncapi`] is all of it as a document. Of services: [`manifest`]
//! writes down what one emits and listens to, [`fleet`] holds them against each other. Of events that couldn't be handled:
//! [`dead`], and of those that the broker refuses: [`outbox`]. Of a service that runs: [`top`]. [`completions`] is for shells.
//!
//! [`schemas`] is the folder that a command is about, [`contracts`] what is in it, as values are held to it, [`output`] writes
//! the file that one is told to, and [`paint`] has the colours.
//!
//! What a command ends with is its exit code: 0 where all is well, 1 where it has found what it looks for (an event that
//! breaks its contract, services that don't fit together), 2 where it couldn't do its work, 3 where it couldn't be decided.
#![forbid(unsafe_code)]

mod ask;
mod asyncapi;
mod command;
mod completions;
mod contracts;
mod dead;
mod docs;
mod explain;
mod fleet;
mod import;
mod lock;
mod manifest;
mod new;
mod openapi;
mod outbox;
mod output;
mod paint;
mod record;
mod run;
mod sample;
mod schemas;
mod top;
mod validate;

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use command::Command;
use run::Outcome;

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
const STYLES: clap::builder::Styles = {
    use clap::builder::styling::{AnsiColor, Styles};
    Styles::styled()
        .header(AnsiColor::Green.on_default().bold())
        .usage(AnsiColor::Green.on_default().bold())
        .literal(AnsiColor::Cyan.on_default().bold())
        .placeholder(AnsiColor::Cyan.on_default())
};

fn main() -> ExitCode {
    if let Some(answered) = completions::answer::<Cargo>() {
        return if answered.is_ok() { ExitCode::SUCCESS } else { ExitCode::from(2) };
    }
    let Cargo::Twyla { command } = Cargo::parse();
    match command.run() {
        Ok(Outcome::Fine) => ExitCode::SUCCESS,
        Ok(Outcome::Found) => ExitCode::from(1),
        Ok(Outcome::Undecided) => ExitCode::from(3),
        // whoever reads has enough
        Err(error) if is_closed_pipe(&*error) => ExitCode::SUCCESS,
        Err(error) => {
            // what stands on lines of its own says itself that it is an error
            let told = error.to_string();
            let told = match told.strip_prefix('\n') {
                Some(told) => told.trim_end().to_owned(),
                None => format!("{}: {told}", command::error_word()),
            };
            // there is nowhere to say that it can't be written
            let _ = writeln!(paint::stderr(), "{told}");
            ExitCode::from(2)
        }
    }
}

/// Whether it is only that nobody reads any more, as behind `| head`.
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
