//! `cargo twyla`: Twyla's command line.
//!
//! Its rooms: [`dead`] looks at, replays and drops what was parked, [`filter`] says which of it, [`mod@print`] shows it.
#![forbid(unsafe_code)]

mod dead;
mod filter;
mod print;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Twyla's command line.
#[derive(Parser)]
#[command(name = "cargo", bin_name = "cargo")]
enum Cargo {
    /// Twyla's command line.
    #[command(version)]
    Twyla(Args),
}

#[derive(clap::Args)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Look at, replay or drop the events that a group has set aside.
    #[command(subcommand)]
    Dead(dead::Command),
}

#[tokio::main]
async fn main() -> ExitCode {
    let Cargo::Twyla(Args { command: Command::Dead(command) }) = Cargo::parse();
    match dead::run(command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
