//! `cargo xtask`: the repository's own chores. `cargo xtask test` installs what is missing, then runs every test.
//!
//! Its rooms: [`machine`] sees to what the tests need on the machine, [`broker`] starts a private RabbitMQ node and
//! stops it again, [`mod@test`] runs the tests.
#![forbid(unsafe_code)]

mod broker;
mod machine;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Twyla's own chores.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Args {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Install what is missing, start a private RabbitMQ, run every test, and stop what was started.
    Test {
        /// Run only the tests whose names contain this.
        filter: Option<String>,
    },
}

fn main() -> ExitCode {
    let done = match Args::parse().chore {
        Chore::Test { filter } => test::run(filter.as_deref()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
