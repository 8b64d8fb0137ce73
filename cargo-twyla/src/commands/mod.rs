//! The commands. To add one, write a module with a [`clap::Args`] type that implements [`Run`], and add it to the lists below.

mod asyncapi;
pub(crate) mod completions;
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
mod python;
mod sample;
mod top;
mod validate;

use std::error::Error;

use clap::Subcommand;

use crate::support::run::{Outcome, Run};

macro_rules! commands {
    ($($name:ident($args:path),)*) => {
        /// The command to run; the help texts are in the arguments' types.
        #[derive(Subcommand)]
        pub(crate) enum Command {
            $($name($args),)*
        }

        impl Command {
            /// Runs the command.
            pub(crate) fn run(self) -> Result<Outcome, Box<dyn Error + Send + Sync>> {
                match self {
                    $(Self::$name(args) => args.run(),)*
                }
            }
        }
    };
}

// in the order of the help
commands! {
    New(new::Args),
    Import(import::Args),
    Explain(explain::Args),
    Sample(sample::Args),
    Validate(validate::Args),
    Check(lock::Check),
    Accept(lock::Accept),
    Diff(lock::Diff),
    Manifest(manifest::Args),
    Fleet(fleet::Args),
    Docs(docs::Args),
    Asyncapi(asyncapi::Args),
    Openapi(openapi::Args),
    Python(python::Args),
    Dead(dead::Args),
    Outbox(outbox::Args),
    Top(top::Args),
    Completions(completions::Args),
}
