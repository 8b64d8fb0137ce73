//! `cargo xtask`: the repository's own chores. `cargo xtask test` installs what is missing, then runs every test.
//!
//! | module | what it does |
//! |---|---|
//! | [`mod@test`] | runs the tests, with servers of their own |
//! | [`broker`], [`rabbitmq`], [`chroot`], [`certificates`] | find or make a RabbitMQ, and start a private node of it |
//! | [`postgres`], [`npm`], [`python`], [`machine`] | provide what else the tests need |
//! | [`chaos`] | sends events under faults |
//! | [`conformance`], [`compat`], [`mod@fuzz`] | run the JSON Schema test suite, labelled pairs of schemas, and the fuzz targets |
//! | [`types`] | counts the types that schemas become, and the warnings over them |
//! | [`layers`], [`words`] | check the imports between files, and the language |
//! | [`mod@book`], [`pages`] | build the book, and the picture of the contracts' pages |
//! | [`docs`] | documents every crate |
//! | [`target`] | asks cargo for packages and its target folder |
#![forbid(unsafe_code)]

mod book;
mod broker;
mod certificates;
mod chaos;
mod chroot;
mod compat;
mod conformance;
mod docs;
mod fuzz;
mod layers;
mod machine;
mod npm;
mod pages;
mod postgres;
mod python;
mod rabbitmq;
mod target;
mod test;
mod types;
mod words;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use rabbitmq::RabbitMq;

/// Tasks of Twyla's repository.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Args {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Install missing programs, start a private RabbitMQ, run every test, and stop the servers.
    Test {
        #[command(flatten)]
        broker: BrokerDir,
        /// Run only the tests whose names contain this text, on one RabbitMQ only.
        filter: Option<String>,
    },
    /// Run a command with a private RabbitMQ of its own, whose address is in TWYLA_TEST_AMQP_*.
    WithBroker {
        #[command(flatten)]
        broker: BrokerDir,
        /// The command and its arguments.
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<String>,
    },
    /// Send numbered events to three groups under faults, and count lost, duplicated and reordered events.
    Chaos {
        #[command(flatten)]
        broker: BrokerDir,
        /// The number of events in each run.
        #[arg(long, value_name = "N", default_value_t = 100_000)]
        events: u32,
        /// The seed of the schedule of faults.
        #[arg(long, value_name = "S")]
        seed: Option<u64>,
        /// The number of times that each fault occurs.
        #[arg(long, value_name = "N", default_value_t = 2)]
        rounds: usize,
        /// Run with one node only, or with a cluster of three nodes only.
        #[arg(long, value_parser = ["one", "cluster"])]
        only: Option<String>,
    },
    /// Make a folder with another RabbitMQ, for --broker, from Debian's mirror, and print its path. Needs root.
    Broker {
        /// The major version of RabbitMQ to install.
        #[arg(value_parser = ["4"])]
        version: String,
    },
    /// Build the book of docs/book, as HTML in target/book/html.
    Book {
        /// Serve the book at http://localhost:3000, and build it again when a page changes.
        #[arg(long)]
        serve: bool,
    },
    /// Build the documentation of every crate, in target/doc; a warning is an error.
    Docs,
    /// Check that the files of each crate import each other in one direction only, by the layers in ARCHITECTURE.md.
    Layers,
    /// Find words to avoid in the project's texts, and print what to write instead.
    Words,
    /// Write the demo platform's pages, and make docs/pages.png of them in Chromium.
    Pages,
    /// Compile every group of the JSON Schema test suite, run its cases, and report the agreement for each draft.
    Conformance {
        /// A folder that is laid out as the official suite, with `tests/<draft>/*.json` and `remotes/`.
        #[arg(long, value_name = "DIR")]
        suite: Option<PathBuf>,
        /// Compile each group at every place that a schema can have in a folder. By default, some of the places take turns from
        /// group to group.
        #[arg(long)]
        all_placements: bool,
    },
    /// Compare labelled pairs of schemas, and report how often each checker agrees with the labels.
    Compat {
        /// Run only Twyla's comparison, without the other checkers.
        #[arg(long)]
        alone: bool,
        /// Files with a pair in each line. Default: those in `../shared`.
        files: Vec<PathBuf>,
    },
    /// Count the types that schemas become: untyped fields, unions, copies, and warnings of rustc, clippy and rustdoc.
    Types {
        /// A folder of schemas, laid out for `twyla_build::compile`. Default: schemas made in the shapes of real ones.
        #[arg(long, value_name = "DIR")]
        schemas: Option<PathBuf>,
        /// List each untyped field with its cause, and each warning.
        #[arg(long)]
        fields: bool,
        /// Don't compile the contracts, which leaves out the warnings.
        #[arg(long)]
        no_warnings: bool,
    },
    /// Install cargo-fuzz if it is missing, and pass arbitrary bytes to contracts and to the schema compiler.
    Fuzz {
        /// How long each target runs.
        #[arg(long, value_name = "N", default_value_t = 60)]
        seconds: u64,
        /// Run only this target: context, user_input, reply or schemas.
        target: Option<String>,
    },
}

/// The RabbitMQ to run.
#[derive(clap::Args)]
struct BrokerDir {
    /// A folder with rabbitmq-server and rabbitmqctl, to run instead of the distribution's RabbitMQ [env: TWYLA_RABBITMQ].
    #[arg(long, value_name = "DIR")]
    broker: Option<PathBuf>,
}

impl BrokerDir {
    fn chosen(&self) -> Result<Option<RabbitMq>, String> {
        RabbitMq::chosen(self.broker.as_deref()).map_err(|error| error.to_string())
    }
}

fn main() -> ExitCode {
    let done = match Args::parse().chore {
        Chore::Test { broker, filter } => {
            broker.chosen().and_then(|it| test::run(filter.as_deref(), it).map_err(|error| error.to_string()))
        }
        Chore::WithBroker { broker, command } => {
            broker.chosen().and_then(|it| test::with_broker(&command, it).map_err(|error| error.to_string()))
        }
        Chore::Broker { version: _ } => {
            chroot::provide().map_err(|error| error.to_string()).map(|(rabbitmq, version)| {
                println!("RabbitMQ {version} is in {}", rabbitmq.folder().display());
            })
        }
        Chore::Chaos { broker, events, seed, rounds, only } => {
            let wanted = |run: &str| only.as_deref().is_none_or(|only| only == run);
            let (one_node, cluster) = (wanted("one"), wanted("cluster"));
            let plan = chaos::Plan { events, seed, rounds, one_node, cluster, release: true };
            broker.chosen().and_then(|it| chaos::run(plan, it, &mut io::stdout()).map_err(|error| error.to_string()))
        }
        Chore::Fuzz { seconds, target } => fuzz::run(seconds, target.as_deref()).map_err(|error| error.to_string()),
        Chore::Compat { alone, files } => match compat::run(&files, alone) {
            Err(compat::Error::Disagrees) => return ExitCode::FAILURE,
            done => done.map_err(|error| error.to_string()),
        },
        Chore::Types { schemas, fields, no_warnings } => {
            let options = types::Options { schemas: schemas.as_deref(), fields, warnings: !no_warnings };
            types::run(&options).map_err(|error| error.to_string())
        }
        Chore::Book { serve } => book::run(serve).map_err(|error| error.to_string()),
        Chore::Docs => docs::run().map_err(|error| error.to_string()),
        Chore::Words => words::run().map_err(|error| error.to_string()),
        Chore::Layers => layers::run().map_err(|error| error.to_string()),
        Chore::Pages => pages::run().map_err(|error| error.to_string()),
        Chore::Conformance { suite, all_placements } => match conformance::run(suite.as_deref(), all_placements) {
            // the report's last line stays the last
            Err(conformance::Error::Disagrees) => return ExitCode::FAILURE,
            done => done.map_err(|error| error.to_string()),
        },
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
