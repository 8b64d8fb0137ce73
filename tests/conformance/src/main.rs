//! Runs every draft and tells what came of it: `cargo xtask conformance`.

use std::process::ExitCode;

use twyla_conformance::report::Report;

fn main() -> ExitCode {
    let here = std::env::current_exe().unwrap_or_default();
    let report = Report::run(here.parent().unwrap_or(&here));
    println!("{report}");
    if report.failed() == 0 && report.has_suite() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
