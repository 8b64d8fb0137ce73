//! Options that several commands have.

use std::path::PathBuf;

use clap::ValueEnum;

use super::output::{self, Unwritable};
use super::report;

/// How a result is printed.
#[derive(clap::Args, Clone, Copy, Debug)]
pub(crate) struct FormatArgs {
    /// The form of the output.
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "text")]
    format: Format,
    /// The same as `--format json`.
    #[arg(long, hide = true, conflicts_with = "format")]
    json: bool,
}

/// The forms of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a terminal.
    Text,
    /// For programs.
    Json,
}

impl FormatArgs {
    /// Whether JSON is asked for.
    pub(crate) fn is_json(self) -> bool {
        self.json || self.format == Format::Json
    }
}

/// How a report for reviewers is written, and where.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct ReportArgs {
    /// The form of the output.
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "text")]
    format: report::Format,
    /// The same as `--format json`.
    #[arg(long, hide = true, conflicts_with = "format")]
    json: bool,
    /// Write it into this file instead.
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl ReportArgs {
    /// Returns the form that is asked for.
    pub(crate) fn format(&self) -> report::Format {
        if self.json { report::Format::Json } else { self.format }
    }

    /// Prints a report, or writes it into the file.
    pub(crate) fn print(&self, text: &str) -> Result<(), Unwritable> {
        output::print(self.out.as_deref(), text)
    }
}
