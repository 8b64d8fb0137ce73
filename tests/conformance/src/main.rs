//! Runs every draft and reports the results: `cargo xtask conformance`.
//!
//! If the groups are compiled in several parts, `--add FILE` runs a part and adds its results to a file, and `--report
//! FILE` prints that file's results.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use twyla_conformance::report::Report;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let here = std::env::current_exe().unwrap_or_default();
    let run = || Report::run(here.parent().unwrap_or(&here));
    let report = match args[..] {
        [] => run(),
        ["--add", file] => {
            let file = Path::new(file);
            let part = run();
            println!("{} passed, {} failed", part.passed(), part.failed());
            let report = match file.exists() {
                true => {
                    let mut report = Report::read(file)?;
                    report.add(part);
                    report
                }
                false => part,
            };
            report.save(file)?;
            return Ok(ExitCode::SUCCESS);
        }
        ["--report", file] => Report::read(Path::new(file))?,
        _ => return Err("the arguments are none, `--add FILE` or `--report FILE`".into()),
    };
    println!("{report}");
    Ok(if report.failed() == 0 && report.has_suite() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
