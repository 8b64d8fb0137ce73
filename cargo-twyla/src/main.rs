//! `cargo twyla`: Twyla's command line.
//!
//! Each command is a room of its own, listed in [`command`]: [`lock`] holds contracts to what was accepted; [`manifest`] writes
//! down what a service emits and listens to, [`fleet`] holds services against each other; [`dead`] looks at, replays and drops
//! what was parked. [`schemas`] is the folder that a command is about.
//!
//! What a command ends with is its exit code: 0 where all is well, 1 where it has found what it looks for (an event that
//! breaks its contract, services that don't fit together), 2 where it couldn't do its work, 3 where it couldn't be decided.
#![forbid(unsafe_code)]

mod command;
mod dead;
mod fleet;
mod lock;
mod manifest;
mod paint;
mod schemas;

use std::process::ExitCode;

use clap::Parser;

use command::{Command, Outcome};

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
    let Cargo::Twyla { command } = Cargo::parse();
    match command.run() {
        Ok(Outcome::Fine) => ExitCode::SUCCESS,
        Ok(Outcome::Found) => ExitCode::from(1),
        Ok(Outcome::Undecided) => ExitCode::from(3),
        Err(error) => {
            anstream::eprintln!("{}: {error}", command::error_word());
            ExitCode::from(2)
        }
    }
}
