//! The commands: to add one, write a module with a [`clap::Args`] type that implements [`Run`], and name it in the list below.

use std::error::Error;

use clap::Subcommand;

use crate::run::{Outcome, Run};

macro_rules! commands {
    ($($name:ident($args:path),)*) => {
        /// What is to be done; the words of the help are the arguments' own.
        #[derive(Subcommand)]
        pub(crate) enum Command {
            $($name($args),)*
        }

        impl Command {
            /// Does it.
            pub(crate) fn run(self) -> Result<Outcome, Box<dyn Error + Send + Sync>> {
                match self {
                    $(Self::$name(args) => args.run(),)*
                }
            }
        }
    };
}

// In the order in which the help lists them.
commands! {
    New(crate::new::Args),
    Import(crate::import::Args),
    Explain(crate::explain::Args),
    Sample(crate::sample::Args),
    Validate(crate::validate::Args),
    Check(crate::lock::Check),
    Accept(crate::lock::Accept),
    Diff(crate::lock::Diff),
    Manifest(crate::manifest::Args),
    Fleet(crate::fleet::Args),
    Docs(crate::docs::Args),
    Asyncapi(crate::asyncapi::Args),
    Openapi(crate::openapi::Args),
    Dead(crate::dead::Args),
    Outbox(crate::outbox::Args),
    Top(crate::top::Args),
    Completions(crate::completions::Args),
}

/// The word that an error begins with, as cargo shows it.
pub(crate) fn error_word() -> impl std::fmt::Display {
    let style = anstyle::AnsiColor::Red.on_default().bold();
    format!("{style}error{style:#}")
}
