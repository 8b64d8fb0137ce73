//! `examples/platform`: its contracts crate, its three services in Rust and one in Python, over RabbitMQ, in the fleet, and a
//! change of a contract as reviewers see it.
//!
//! [`workspaces`] builds the services below the target folder, each in its own workspace, from the contracts by path and by git.
//! [`process`] is a service that runs. The test is in `python_package`: it needs Python's libraries.
#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

mod process;
mod python_package;
mod workspaces;

use std::path::Path;
use std::process::{Command, Output};

/// The example in this repository.
fn example() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/platform"))
}

/// What a command prints, and its exit code.
fn run(command: &mut Command) -> (String, i32) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    (String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap(), status.code().unwrap())
}
