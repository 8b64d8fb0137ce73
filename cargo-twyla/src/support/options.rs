//! Options that several commands have.

use std::path::PathBuf;

use clap::ValueEnum;

use super::output::{self, Unwritable};
use super::report;

/// The options for printing a result.
#[derive(clap::Args, Clone, Copy, Debug)]
pub(crate) struct FormatArgs {
    /// The format of the output.
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "text")]
    format: Format,
    /// The same as `--format json`.
    #[arg(long, hide = true, conflicts_with = "format")]
    json: bool,
}

/// The forms of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Text for a terminal.
    Text,
    /// JSON for programs.
    Json,
}

impl FormatArgs {
    /// Returns whether JSON is asked for.
    pub(crate) fn is_json(self) -> bool {
        self.json || self.format == Format::Json
    }
}

/// The options for a report for reviewers: its format and its file.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct ReportArgs {
    /// The format of the output.
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "text")]
    format: report::Format,
    /// The same as `--format json`.
    #[arg(long, hide = true, conflicts_with = "format")]
    json: bool,
    /// Write the output to this file. Default: standard output.
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl ReportArgs {
    /// Returns the requested format.
    pub(crate) fn format(&self) -> report::Format {
        if self.json { report::Format::Json } else { self.format }
    }

    /// Prints a report, or writes it into the file.
    pub(crate) fn print(&self, text: &str) -> Result<(), Unwritable> {
        output::print(self.out.as_deref(), text)
    }
}
